"""The committed vectors, which any other verifier can be held to, hold for this one."""

import base64
import json
from datetime import datetime
from pathlib import Path

import pytest

from certlib.crypto import cbor
from certlib.crypto.cose import TYPE
from certlib.domain.verdict import Verdict
from certlib.formats.code import CodeError, CodePayload, read_code, verify_code
from certlib.formats.facts import canonical, facts_digest
from certlib.formats.status import MEDIA_TYPE, SHARD_SIZE, StatusList, inflate, pack, read_status_list
from certlib.formats.trust import TrustList, read_trust_list
from certlib.verify.codes import examine_code

FOLDER = Path(__file__).parents[1] / "vectors"
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
    used = shard if case.get("with_status", True) else None
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


def test_the_drafts_vector_of_four_bits_is_reproduced() -> None:
    """Appendix C of the Token Status List draft: eight of our shards, filled with 0, are its list byte for byte."""
    vector = json.loads((FOLDER / "token-status-list.json").read_text(encoding="utf-8"))
    statuses = {int(n): code for n, code in vector["statuses"].items()}
    shards = vector["size"] // SHARD_SIZE
    ours = b"".join(pack(statuses.items(), shard=number, fill=0) for number in range(shards))
    assert ours == inflate(bytes.fromhex(vector["lst"]), vector["size"] * vector["bits"] // 8)


def test_the_drafts_token_names_its_parts_as_ours_does() -> None:
    """Tag, type, numbers and names of the claims, and the compression of the draft's example are ours too."""
    vector = json.loads((FOLDER / "token-status-list.json").read_text(encoding="utf-8"))
    theirs, ours = bytes.fromhex(vector["token"]), base64.b64decode(VECTORS["status_list"])
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
    assert inflate(packed, 2).hex() == vector["token_list"]
