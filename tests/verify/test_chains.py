"""Chains that are remembered: also those that a file's own proof material completes, and only for that material."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from asn1crypto import keys
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from certlib.crypto.certificates import Certificate, load_certificates
from certlib.crypto.development import development_folder
from certlib.verify.chains import is_sound
from certlib.verify.form import Message, digest_of, read_message, read_token
from certlib.verify.pades import Judgement, Material, judge_seal, judge_stamp
from certlib.verify.roots import TrustRoots
from certlib.verify.span import guard
from tests.verify.samples import NOW, SEALED, seal

WEEK = timedelta(days=7)


PDF = seal()
(SPAN,) = guard(PDF).spans


@pytest.fixture(scope="module")
def message() -> Message:
    """A seal's."""
    return read_message(SPAN.contents)


def material(*, revoked: int = 0, until: datetime = NOW + WEEK) -> Material:
    """A list of the issuing authority, made after sealing, that names that serial number."""
    pem = (development_folder() / "ca" / "issuing.p256.pem").read_bytes()
    issuer, key = x509.load_pem_x509_certificate(pem), load_pem_private_key(pem, None)
    day = timedelta(days=1)
    builder = x509.CertificateRevocationListBuilder(issuer.subject, SEALED, until)
    builder = builder.add_extension(x509.CRLNumber(99), critical=False)
    if revoked:
        builder = builder.add_revoked_certificate(x509.RevokedCertificateBuilder(revoked, SEALED - day).build())
    made = builder.sign(key, hashes.SHA256())  # type: ignore[arg-type]
    root = (development_folder() / "crl" / "root.p256.crl").read_bytes()
    der = x509.load_pem_x509_crl(root) if root.startswith(b"-----") else x509.load_der_x509_crl(root)
    return Material(
        (issuer.public_bytes(Encoding.DER),), (made.public_bytes(Encoding.DER), der.public_bytes(Encoding.DER))
    )


def judged(message: Message, material: Material, at: datetime = NOW) -> Judgement:
    """By our roots alone: what is known of revocation is in the material."""
    trust = replace(TrustRoots.load(), revocation=())
    return judge_seal(message, digest_of(message.digest, *SPAN.covered(PDF)), trust, at, material)


def test_news_of_a_revocation_in_another_file_is_heard(message: Message) -> None:
    """A file by the same seal brings a list that names its certificate: what was known of the first says nothing."""
    serial = Certificate.load(message.certificate).serial
    for _ in range(2):  # the second time from memory
        good = judged(message, material())
        assert (good.holds, good.revocation) == (True, "good"), good
        bad = judged(message, material(revoked=serial))
        assert (bad.problem, bad.revocation, bad.revoked_at) == ("revoked", "revoked", SEALED - timedelta(days=1))
        assert judged(message, Material()).revocation == "unknown"


def test_what_was_good_while_its_list_was_current_is_not_known_good_later(message: Message) -> None:
    """A list that has ended tells nothing of later, whether it is read or remembered."""
    brief = material(until=NOW)
    for _ in range(2):
        assert judged(message, brief).revocation == "good"
        assert judged(message, brief, NOW + WEEK).revocation == "unknown"


def test_what_is_judged_the_long_way_once_is_judged_so_again() -> None:
    """A timestamp that names its certificate by SHA-1, as many authorities' do: what is remembered changes nothing."""
    pem = (development_folder() / "tsa" / "tsa.rsa.pem").read_bytes()
    own, *above = (asn1.Certificate.load(one.der) for one in load_certificates(pem, name="tsa"))
    key = keys.PrivateKeyInfo.load(
        load_pem_private_key(pem, None).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    )
    stamper = DummyTimeStamper(own, key, SimpleCertificateStore.from_certs(above), fixed_dt=SEALED)
    imprint = sha256(b"what is timestamped").digest()
    stamp = read_token(asyncio.run(stamper.async_timestamp(imprint, "sha256")).dump())
    first, *others = (judge_stamp(stamp, imprint, TrustRoots.load(), NOW, Material()) for _ in range(3))
    assert others == [first, first]
    assert not is_sound(stamp.message)
