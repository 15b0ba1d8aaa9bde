"""The trust list: believed when a pinned key signed it, and only then."""

import base64
import json
from datetime import UTC, date, datetime

import pytest

from certlib.crypto.development import development_key
from certlib.domain.verdict import Verdict
from certlib.errors import VerificationError
from certlib.formats.trust import COMPROMISED, Names, TrustedKey, TrustList, read_trust_list, sign_trust_list

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
    payload = json.loads(base64.urlsafe_b64decode(envelope["payload"] + "=="))
    text = json.dumps({**payload, **changes}).encode()
    return json.dumps({**envelope, "payload": base64.urlsafe_b64encode(text).rstrip(b"=").decode()}).encode()


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
        b'{"payload":"e30","signatures":[1]}',
    ],
)
def test_what_is_no_list_is_unreadable(data: bytes) -> None:
    """Never an exception of another kind."""
    with pytest.raises(VerificationError):
        read_trust_list(data, [ROOT.public_key])


@pytest.mark.parametrize("change", [{"version": 2}, {"keys": {"00000000": {}}}, {"seq": "1"}, {"types": {"x": {}}}])
def test_a_signed_list_of_another_form_is_unreadable(change: dict[str, object]) -> None:
    """Signed by the pinned key and still not understood."""
    from certlib.formats import trust  # noqa: PLC0415

    values = {**trust._as_json(LIST), **change}
    payload = trust._base64(json.dumps(values).encode())
    data = json.dumps({"payload": payload, "signatures": [trust._signature(payload, ROOT)]}).encode()
    with pytest.raises(VerificationError) as caught:
        read_trust_list(data, [ROOT.public_key])
    assert caught.value.code == Verdict.UNREADABLE


def test_a_keys_days_are_kept_to() -> None:
    """To the second where the time is known, to the day where only the day is."""
    key = LIST.keys[0]
    assert key.fault(datetime(2025, 12, 31, tzinfo=UTC))
    assert not key.fault(datetime(2026, 6, 1, tzinfo=UTC))
    assert key.fault(datetime(2027, 1, 1, tzinfo=UTC))
    assert key.fault_on(date(2025, 12, 31))
    assert not key.fault_on(date(2027, 1, 1))
    assert key.fault_on(date(2027, 1, 2))
    assert LIST.keys[1].fault_on(date(2026, 1, 15))


def test_names_are_found_by_their_numbers() -> None:
    """An unknown type is named by its number, an unknown issuer by the key's."""
    assert LIST.type_of(1).english == "Gas licence"
    assert "9" in LIST.type_of(9).chinese
    assert LIST.issuer_of(2, LIST.keys[0]).chinese == "赣州市行政审批局"
    assert LIST.issuer_of(0, LIST.keys[0]).chinese == "赣州市人民政府"
