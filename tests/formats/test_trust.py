"""The trust list: believed when a pinned key signed it, and only then."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from certlib.crypto.development import development_key
from certlib.domain.verdict import Verdict
from certlib.errors import ConfigurationError, VerificationError
from certlib.formats.jws import seal_json, stated_signers
from certlib.formats.seal_list import ListedSeal, SealList, read_seal_list, sign_seal_list
from certlib.formats.trust import (
    COMPROMISED,
    KIND,
    RETIRED,
    Names,
    TrustedKey,
    TrustList,
    check_succession,
    read_trust_list,
    sign_trust_list,
)

ROOT, SECOND, CODE = (development_key(label) for label in ("trust-2026", "status-2026", "code-2026"))
LIST = TrustList(
    seq=12,
    issued=datetime(2026, 3, 1, tzinfo=UTC),
    host="zwfw.example.gov.cn",
    keys=(
        TrustedKey(
            public_key=CODE.public_key,
            uses=("code", "status"),
            issuer=Names("赣州市人民政府", "Ganzhou"),
            since=datetime(2026, 1, 1, tzinfo=UTC),
            until=datetime(2027, 1, 1, tzinfo=UTC),
        ),
        TrustedKey(
            public_key=ROOT.public_key,
            uses=("code",),
            issuer=Names("赣州市"),
            state=COMPROMISED,
            compromised_since=datetime(2026, 2, 1, tzinfo=UTC),
        ),
    ),
    types={1: Names("燃气经营许可证", "Gas licence")},
    issuers={2: Names("赣州市行政审批局")},
)


def changed(data: bytes, **changes: object) -> bytes:
    """The envelope with its payload changed and the signatures kept."""
    envelope = json.loads(data)
    return json.dumps({**envelope, "payload": json.dumps({**json.loads(envelope["payload"]), **changes})}).encode()


def test_a_list_is_read_as_it_was_written() -> None:
    """Every value comes back, by either of two signatures, Ed25519 or P-256."""
    data = sign_trust_list(LIST, [ROOT, SECOND])
    assert read_trust_list(data, [ROOT.public_key]) == LIST
    assert read_trust_list(data, [SECOND.public_key]) == LIST


def test_a_list_that_no_pinned_key_signed_is_not_believed() -> None:
    """However well it is signed by others."""
    with pytest.raises(VerificationError) as caught:
        read_trust_list(sign_trust_list(LIST, [SECOND]), [ROOT.public_key])
    assert caught.value.code == Verdict.UNKNOWN_ISSUER


def test_a_changed_list_is_refused() -> None:
    """A key or number changed under a good signature."""
    with pytest.raises(VerificationError) as caught:
        read_trust_list(changed(sign_trust_list(LIST, [ROOT]), seq=13), [ROOT.public_key])
    assert caught.value.code == Verdict.SIGNATURE_INVALID


def test_one_bad_signature_of_a_pinned_key_spoils_the_list() -> None:
    """A good one beside it does not help: somebody tampered."""
    envelope = json.loads(sign_trust_list(LIST, [ROOT, SECOND]))
    envelope["signatures"][1]["signature"] = envelope["signatures"][0]["signature"]
    with pytest.raises(VerificationError):
        read_trust_list(json.dumps(envelope).encode(), [ROOT.public_key, SECOND.public_key])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"payload":1,"signatures":[]}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"payload":"{}","signatures":[1]}',
        b'{"payload":"{}","signatures":[{"protected":"e30","signature":7}]}',
        b'{"payload":"{}","signatures":[{"protected":"\xc3\xa9","signature":""}]}',
        b'{"payload":"{}","signatures":[{"protected":"W10","signature":""}]}',
    ],
)
def test_what_is_no_list_is_unreadable(data: bytes) -> None:
    """Never an exception of another kind."""
    with pytest.raises(VerificationError):
        read_trust_list(data, [ROOT.public_key])


@pytest.mark.parametrize("change", [{"version": 2}, {"keys": {"00000000": {}}}, {"seq": "1"}, {"types": {"x": {}}}])
def test_a_signed_list_of_another_form_is_unreadable(change: dict[str, object]) -> None:
    """Signed by the pinned key and still not understood."""
    values = json.loads(json.loads(sign_trust_list(LIST, []))["payload"])
    data = seal_json({**values, **change}, KIND, [ROOT])
    with pytest.raises(VerificationError) as caught:
        read_trust_list(data, [ROOT.public_key])
    assert caught.value.code == Verdict.UNREADABLE


def test_a_keys_days_are_kept_to() -> None:
    """To the second where the time is known, to the last day where only the day of issue is.

    A sheet printed anew is signed by a later key and keeps its day of issue.
    """
    key = LIST.keys[0]
    assert key.fault(datetime(2025, 12, 31, tzinfo=UTC))
    assert not key.fault(datetime(2026, 6, 1, tzinfo=UTC))
    assert key.fault(datetime(2027, 1, 1, tzinfo=UTC))
    assert not key.fault_on(date(2025, 12, 31))
    assert not key.fault_on(date(2027, 1, 1))
    assert key.fault_on(date(2027, 1, 2))
    assert LIST.keys[1].fault_on(date(2026, 1, 15))


def test_names_are_found_by_their_numbers() -> None:
    """An unknown type is named by its number, an unknown issuer by the key's."""
    assert LIST.type_of(1).english == "Gas licence"
    assert "9" in LIST.type_of(9).chinese
    assert LIST.issuer_of(2, LIST.keys[0]).chinese == "赣州市行政审批局"
    assert LIST.issuer_of(0, LIST.keys[0]).chinese == "赣州市人民政府"


def test_a_lone_surrogate_under_a_signature_is_unreadable() -> None:
    """JSON lets half a character pass; nobody can have signed it."""
    envelope = json.loads(sign_trust_list(LIST, [ROOT]))
    data = json.dumps({**envelope, "payload": envelope["payload"] + "\ud800"}).encode()
    with pytest.raises(VerificationError):
        read_trust_list(data, [ROOT.public_key])


@pytest.mark.parametrize("signatures", [7, [7], [{}], [{"protected": 7}], [{"protected": "é"}], None])
def test_a_list_that_names_no_signers_is_unreadable(signatures: object) -> None:
    """Whatever stands in their place is refused with the reader's own error."""
    with pytest.raises(VerificationError) as caught:
        stated_signers(json.dumps({"payload": "{}", "signatures": signatures}).encode(), KIND)
    assert caught.value.code == Verdict.UNREADABLE


def test_a_list_says_who_signed_it() -> None:
    """By key id, before anything is checked."""
    assert stated_signers(sign_trust_list(LIST, [ROOT, SECOND]), KIND) == {
        TrustedKey(public_key=key.public_key, uses=(), issuer=Names("")).kid.hex() for key in (ROOT, SECOND)
    }


RETIREMENT = replace(LIST.keys[0], state=RETIRED)
SUCCESSIONS = {
    "a number that did not grow": ({"seq": 12}, "期号"),
    "a key taken off": ({"keys": LIST.keys[:1]}, "撤下"),
    "a compromised key trusted again": ({"keys": (LIST.keys[0], replace(LIST.keys[1], state=RETIRED))}, "改回"),
    "a type taken off": ({"types": {}}, "证照种类 1"),
    "an issuer taken off": ({"issuers": {}}, "机关 2"),
}


@pytest.mark.parametrize(("change", "told"), SUCCESSIONS.values(), ids=list(SUCCESSIONS))
def test_a_list_may_not_take_back_what_papers_rest_on(change: dict[str, object], told: str) -> None:
    """Keys and numbers once published stay; trust is only withdrawn."""
    with pytest.raises(ConfigurationError, match=told):
        check_succession(LIST, replace(LIST, **{"seq": 13, **change}))  # type: ignore[arg-type]


def test_a_key_may_be_retired_and_another_begin() -> None:
    """The ordinary change of keys."""
    new = TrustedKey(public_key=SECOND.public_key, uses=("code",), issuer=Names("赣州市"))
    check_succession(LIST, replace(LIST, seq=13, keys=(RETIREMENT, LIST.keys[1], new)))


def test_a_seal_list_is_read_as_it_was_written() -> None:
    """And is not taken for a trust list, though the same key signed both."""
    seal = ListedSeal(
        sha256=bytes(32),
        seal="36070000000002",
        name="赣州市行政审批局行政审批专用章",
        english="Ganzhou Administrative Approval Bureau",
        since=datetime(2022, 1, 1, tzinfo=UTC),
        until=datetime(2046, 1, 1, tzinfo=UTC),
        revoked=datetime(2026, 2, 1, tzinfo=UTC),
    )
    listed = SealList(seq=1, issued=datetime(2026, 3, 1, tzinfo=UTC), seals=(seal, replace(seal, sha256=b"x" * 32)))
    data = sign_seal_list(listed, [ROOT])
    assert read_seal_list(data, [ROOT.public_key]) == listed
    assert listed.seal(bytes(32)) == seal
    assert listed.seal(b"y" * 32) is None
    for read, other in ((read_trust_list, data), (read_seal_list, sign_trust_list(LIST, [ROOT]))):
        with pytest.raises(VerificationError):
            read(other, [ROOT.public_key])
