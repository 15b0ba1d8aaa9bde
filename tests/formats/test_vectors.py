"""The committed vectors, which any other verifier can be held to, hold for this one."""

import base64
import json
import zlib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from certlib.crypto import cbor
from certlib.crypto.cose import TYPE
from certlib.domain.verdict import Verdict
from certlib.errors import VerificationError
from certlib.formats.code import CodeError, CodePayload, read_code, verify_code
from certlib.formats.facts import canonical, facts_digest
from certlib.formats.status import MEDIA_TYPE, SHARD_SIZE, StatusList, pack, read_status_list
from certlib.formats.status_entries import entry, filled, inflate, put, size_of
from certlib.formats.trust import TrustList, read_trust_list
from certlib.verify.codes import examine_code

FOLDER = Path(__file__).parents[1] / "vectors"
DRAFT = json.loads((FOLDER / "token-status-list.json").read_text(encoding="utf-8"))
VECTORS = json.loads((FOLDER / "codes.json").read_text(encoding="utf-8"))
REFUSED = {Verdict.UNREADABLE, Verdict.UNKNOWN_ISSUER, Verdict.SIGNATURE_INVALID}


@pytest.fixture(scope="module")
def trust() -> TrustList:
    """The vectors' trust list, checked against the key to pin."""
    pinned = base64.b64decode(VECTORS["trust_list_key"])
    return read_trust_list(json.dumps(VECTORS["trust_list"]).encode(), [pinned])


@pytest.fixture(scope="module")
def shard(trust: TrustList) -> StatusList:
    """The vectors' one status list."""
    return read_status_list(base64.b64decode(VECTORS["status_list"]), trust)


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_a_code_gets_the_verdict_of_its_vector(case: dict[str, str], trust: TrustList, shard: StatusList) -> None:
    """Verdict and class of refusal are the vector's."""
    at = datetime.fromisoformat(case.get("at", VECTORS["at"]))
    used = _listed(case["status_list"], trust) if "status_list" in case else shard
    used = used if case.get("with_status", True) else None
    report = examine_code(case["text"], trust, at=at, shard=used)
    if case["expect"] == "*refused*":
        assert report.verdict in REFUSED
        assert report.certificate is None
    else:
        assert report.verdict == case["expect"], report.as_line()
    if case["reason"]:
        with pytest.raises(CodeError) as caught:
            verify_code(read_code(case["text"]), trust)
        assert caught.value.reason == case["reason"]


def _listed(token: str, trust: TrustList) -> StatusList | None:
    """The list of the case itself; one that cannot be believed is none."""
    try:
        return read_status_list(base64.b64decode(token), trust)
    except VerificationError:
        return None


def test_the_vectors_reach_every_class_of_refusal_and_state() -> None:
    """A vector for each: none is forgotten when the vectors are made anew."""
    reasons = {case["reason"] for case in VECTORS["cases"]}
    assert reasons >= {"foreign", "future", "truncated", "malformed", "unknown-algorithm", "unknown-key", "signature"}
    expected = {case["expect"] for case in VECTORS["cases"]}
    assert expected >= {"valid", "revoked", "suspended", "superseded", "paper-lost", "voided", "cancelled"}
    assert expected >= {"not-in-force", "expired", "status-unknown", "*refused*"}


def test_the_facts_text_and_its_digest_are_the_vectors() -> None:
    """Canonical text and salted digest, as the code of the vectors carries it."""
    facts = VECTORS["facts"]
    assert canonical(facts["facts"]).decode() == facts["canonical"]
    assert facts_digest(bytes.fromhex(facts["salt"]), facts["facts"]).hex() == facts["digest"]
    assert CodePayload.decode(bytes.fromhex(VECTORS["payload"]["hex"])).digest.hex() == facts["digest"]


@pytest.mark.parametrize("listed", DRAFT["lists"], ids=lambda one: f"{one['bits']} bits")
def test_the_drafts_lists_are_reproduced(listed: dict[str, Any]) -> None:
    """Appendix C of the Token Status List draft: eight of our shards, filled with 0, are its list byte for byte.

    Read back, every status is there and nothing else; compressed as the draft says, it is the draft's text.
    """
    statuses, bits = {int(n): code for n, code in listed["statuses"].items()}, listed["bits"]
    shards = range(DRAFT["size"] // SHARD_SIZE)
    ours = b"".join(pack(statuses.items(), shard=number, bits=bits, fill=0) for number in shards)
    theirs = inflate(bytes.fromhex(listed["lst"]), size_of(DRAFT["size"], bits=bits))
    assert ours == theirs
    assert zlib.compress(ours, 9).hex() == listed["lst"]
    read = ((n, entry(theirs, n, bits=bits)) for n in range(DRAFT["size"]))
    assert {n: code for n, code in read if code} == {n: code for n, code in statuses.items() if code}


@pytest.mark.parametrize("example", DRAFT["examples"], ids=lambda one: f"{one['bits']} bits")
def test_the_drafts_examples_are_reproduced(example: dict[str, Any]) -> None:
    """Sections 4.1 and 4.2: the bytes, and their compressed form as JSON writes it."""
    statuses, bits = example["statuses"], example["bits"]
    packed = filled(len(statuses), bits=bits)
    for slot, code in enumerate(statuses):
        put(packed, slot, code, bits=bits)
    assert packed.hex() == example["packed"]
    lst = base64.urlsafe_b64decode(f"{example['lst']}{'=' * (-len(example['lst']) % 4)}")
    assert inflate(lst, len(packed)) == packed
    assert zlib.compress(packed, 9) == lst


def test_the_drafts_token_names_its_parts_as_ours_does() -> None:
    """Tag, type, numbers and names of the claims, and the compression of the draft's example are ours too."""
    theirs, ours = bytes.fromhex(DRAFT["token"]), base64.b64decode(VECTORS["status_list"])
    assert theirs[:2] == ours[:2] == b"\xd2\x84"
    named = {
        "alg ES256": cbor.encode(1) + cbor.encode(-7),
        "typ": cbor.encode(TYPE) + cbor.encode(MEDIA_TYPE),
        "ttl": cbor.encode(65534),
        "status_list, of two": cbor.encode(65533) + b"\xa2",
        "bits": cbor.encode("bits"),
        "lst": cbor.encode("lst"),
    }
    assert [name for name, part in named.items() if part not in theirs or part not in ours] == []
    claims = cbor.decode(cbor.decode(ours[1:])[2])
    assert {claims[2].rpartition("/")[2], claims[65533]["bits"], claims[4] - claims[6]} == {"0", 4, 86400}
    packed = theirs[theirs.index(b"clst") + 5 :][:10]
    assert inflate(packed, 2).hex() == DRAFT["token_list"]
