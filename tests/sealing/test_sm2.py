"""A file sealed with SM2 and SM3: the same profile, with no other algorithm in it."""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from asn1crypto import cms

from certlib.crypto import tokens
from certlib.crypto.certificates import load_certificates
from certlib.crypto.development import development_timestamps
from certlib.crypto.libcrypto import unavailable
from certlib.crypto.sm2 import sm3
from certlib.crypto.suites import SUITES
from certlib.domain.seal import SealSpec
from certlib.sealing.identities import load_identities
from certlib.sealing.order import Sealed
from certlib.sealing.sealer import Sealer

pytestmark = pytest.mark.skipif(unavailable() is not None, reason=unavailable() or "")
NOW = datetime.fromisoformat("2026-01-02T03:04:05Z")


@pytest.fixture
def sealed(spec: SealSpec, keys: Path, ledger, ordered: Callable[..., str]) -> Sealed:
    """The page sealed at B-T in SM2, timestamp included."""
    identities = load_identities([spec], keys, "sm2-sm3")
    sealer = Sealer(identities, development_timestamps("sm2-sm3"), ledger)
    return sealer.seal(ordered(suite="sm2-sm3"), now=NOW)[1]


def test_digest_signature_chain_and_timestamp_hold(sealed: Sealed, keys: Path) -> None:
    """Each checked by its own: SM3 over the byte range, SM2 over the attributes, link by link, the token over the
    signature."""
    covered, message = _parts(sealed.pdf)
    info = message["signer_infos"][0]
    attributes = {one["type"].native: one["values"][0] for one in info["signed_attrs"]}
    assert attributes["message_digest"].native == sm3(covered)
    suite = SUITES["sm2-sm3"]
    certificates = [one.chosen for one in message["certificates"]]
    leaf = next(one for one in certificates if one.subject.native["common_name"] == "36070000000002")
    suite.verify(leaf.public_key.dump(), info["signature"].native, info["signed_attrs"].untag().dump())
    above = next(one for one in certificates if one is not leaf)
    root = load_certificates((keys / "trust-sm2" / "sm2.pem").read_bytes(), name="root")[0]
    for certificate, spki in ((leaf, above.public_key.dump()), (above, root.spki)):
        suite.verify(spki, certificate["signature_value"].native, certificate["tbs_certificate"].dump())
    token = info["unsigned_attrs"][0]["values"][0].dump()
    assert tokens.check(token, sm3(info["signature"].native), digest="sm3") == NOW == sealed.timestamped_at


def test_no_international_algorithm_is_in_the_message(sealed: Sealed) -> None:
    """Neither SHA-2 nor RSA nor another curve occurs, in the seal's message or the timestamp's."""
    _, message = _parts(sealed.pdf)
    data = message.dump()
    for oid in ("608648016503040201", "2a864886f70d0101", "2a8648ce3d030107", "2a8648ce3d0403"):
        assert bytes.fromhex(oid) not in data
    certificate = message["signer_infos"][0]["signed_attrs"]
    value = next(one for one in certificate if one["type"].native == "signing_certificate_v2")["values"][0]
    assert value["certs"][0]["hash_algorithm"]["algorithm"].dotted == "1.2.156.10197.1.401"


def test_a_changed_byte_is_found(sealed: Sealed) -> None:
    """The digest differs."""
    covered, message = _parts(sealed.pdf[:100] + b"~" + sealed.pdf[101:])
    attributes = {one["type"].native: one["values"][0] for one in message["signer_infos"][0]["signed_attrs"]}
    assert attributes["message_digest"].native != sm3(covered)


def test_the_file_is_kept_and_named(sealed: Sealed, page: bytes) -> None:
    """The rendered bytes stand at the start; the digest is of the whole."""
    assert sealed.pdf.startswith(page)
    assert sealed.sha256 == hashlib.sha256(sealed.pdf).hexdigest()


def _parts(pdf: bytes) -> tuple[bytes, cms.SignedData]:
    found = re.search(rb"/ByteRange ?\[0 (\d+) (\d+) (\d+)\]", pdf)
    assert found
    before, after, _ = map(int, found.groups())
    message = cms.ContentInfo.load(bytes.fromhex(pdf[before + 1 : after - 1].decode()))
    return pdf[:before] + pdf[after:], message["content"]
