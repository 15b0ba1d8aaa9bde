"""Whether the seal was in use, and its key its own, when the file was sealed: out of the signed seal list."""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from certlib.crypto.development import development_folder, development_key
from certlib.domain.verdict import Verdict
from certlib.errors import ConfigurationError
from certlib.formats.seal_list import ListedSeal, SealList, read_seal_list, sign_seal_list
from certlib.verify.examine import examine
from certlib.verify.indications import indication
from certlib.verify.roots import TrustRoots
from tests.verify.samples import NOW, SEAL, SEALED, MemoryRegister, seal, signer

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
BEGAN = SEALED - 100 * DAY
Given = tuple[datetime, datetime | None]


def listed(**parts: Any) -> ListedSeal:
    """The seal of the samples as it is listed: in use since long."""
    certificate = signer().certificate
    values = {
        "sha256": hashlib.sha256(certificate.der).digest(),
        "seal": SEAL,
        "name": "赣州市行政审批局行政审批专用章(1)",
        "english": "Ganzhou Administrative Approval Bureau",
        "since": certificate.not_before,
        "until": certificate.not_after,
        "edition": 1,
        "state": "enabled",
        "in_use": ((BEGAN, None),),
    }
    return ListedSeal(**{**values, **parts})


def knowing(trust: TrustRoots, *seals: ListedSeal) -> TrustRoots:
    return replace(trust, seals=SealList(seq=1, issued=NOW, seals=seals))


@pytest.fixture(scope="session")
def unstamped() -> bytes:
    """A file whose time nothing in it proves."""
    return seal(stamped=False)


GOOD: list[tuple[str, dict[str, Any]]] = [
    ("in use", {}),
    ("suspended afterwards", {"in_use": ((BEGAN, SEALED + HOUR),), "state": "suspended"}),
    ("suspended before and resumed", {"in_use": ((BEGAN, SEALED - DAY), (SEALED - HOUR, None))}),
    ("renewed afterwards: this certificate is no longer the seal's", {"in_use": ((BEGAN, SEALED + DAY),)}),
    ("cancelled afterwards", {"in_use": ((BEGAN, SEALED + DAY),), "state": "cancelled"}),
    (
        "revoked afterwards, compromised since after the sealing",
        {"in_use": ((BEGAN, SEALED + DAY),), "state": "revoked", "compromised": SEALED + MINUTE},
    ),
    ("suspended a moment before, by a clock that differs", {"in_use": ((BEGAN, SEALED - MINUTE),)}),
    ("an older list that says nothing of use", {"in_use": None, "edition": 0, "state": ""}),
]
BAD: list[tuple[str, dict[str, Any], str]] = [
    ("suspended at the time", {"in_use": ((BEGAN, SEALED - HOUR), (SEALED + HOUR, None))}, "不在使用期间"),
    ("not enabled yet", {"in_use": ((SEALED + HOUR, None),)}, "不在使用期间"),
    ("renewed before: the old key was used after", {"in_use": ((BEGAN, SEALED - DAY),)}, "不在使用期间"),
    ("never in use", {"in_use": ()}, "不在使用期间"),
    ("compromised since a moment before", {"compromised": SEALED - MINUTE}, "泄露"),
    ("compromised since the very moment", {"compromised": SEALED}, "泄露"),
]


@pytest.mark.parametrize("parts", [row[1] for row in GOOD], ids=[row[0] for row in GOOD])
def test_what_was_sealed_in_time_stays_good(trust: TrustRoots, sealed: bytes, parts: dict[str, Any]) -> None:
    """What happens to a seal later takes nothing from what its timestamp proves to be earlier."""
    report = examine(sealed, trust=knowing(trust, listed(**parts)), at=NOW)
    found = report.finding("seal")
    assert found is not None
    assert (found.outcome, report.is_genuine) == ("pass", True)


@pytest.mark.parametrize(("parts", "why"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_was_sealed_out_of_time_is_not_believed(
    trust: TrustRoots, sealed: bytes, parts: dict[str, Any], why: str
) -> None:
    """The signature is sound and the chain trusted, and still: it was not the keeper who sealed."""
    report = examine(sealed, trust=knowing(trust, listed(**parts)), at=NOW)
    found = report.finding("seal")
    assert found is not None
    assert (found.outcome, report.verdict) == ("fail", Verdict.SIGNATURE_INVALID)
    assert why in found.detail
    assert indication(report).reason == "REVOKED_NO_POE"


def test_a_certificate_that_is_no_seals_is_an_unknown_issuers(trust: TrustRoots, sealed: bytes) -> None:
    """An authority may have issued it; the city never made a seal of it."""
    other = listed(sha256=bytes(32))
    report = examine(sealed, trust=knowing(trust, other), at=NOW)
    assert report.verdict is Verdict.UNKNOWN_ISSUER


@pytest.mark.parametrize("since", [SEALED + DAY, SEALED - DAY], ids=["after", "before"])
def test_without_proof_of_time_a_compromised_key_proves_nothing(
    trust: TrustRoots, unstamped: bytes, since: datetime
) -> None:
    """Whoever has the key may write any time into a signature."""
    report = examine(unstamped, trust=knowing(trust, listed(compromised=since)), at=NOW)
    found = report.finding("seal")
    assert found is not None
    assert report.verdict is Verdict.SIGNATURE_INVALID
    assert "没有时间证明" in found.detail


def test_the_register_is_proof_of_time_as_well(trust: TrustRoots, unstamped: bytes, register: MemoryRegister) -> None:
    """Its journal holds the file since before the compromise; a file registered after it stays refused."""
    known = knowing(trust, listed(compromised=SEALED + HOUR))
    for at, verdict in ((SEALED, Verdict.VALID), (SEALED + 2 * HOUR, Verdict.SIGNATURE_INVALID)):
        register.add(unstamped, registered_at=at)
        assert examine(unstamped, trust=known, at=NOW, lookup=register).verdict is verdict


def test_without_a_list_the_state_of_the_seal_is_unknown(trust: TrustRoots, sealed: bytes) -> None:
    """Nothing is claimed that was not looked at."""
    found = examine(sealed, trust=trust, at=NOW).finding("seal")
    assert found is not None
    assert found.outcome == "unknown"


def test_the_list_is_read_from_the_folder_of_trust_and_must_be_signed(tmp_path: Path) -> None:
    """`seals.json` beside the roots, signed by a pinned key; another signature is refused with the file's name."""
    for path in (development_folder() / "trust").glob("*.pem"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    key = development_key("trust-2026")
    (tmp_path / "list.pem").write_bytes((development_folder() / "keys" / "trust-2026.pub.pem").read_bytes())
    content = SealList(seq=3, issued=NOW, seals=(listed(compromised=NOW),))
    (tmp_path / "seals.json").write_bytes(sign_seal_list(content, [key]))
    assert TrustRoots.load(tmp_path).seals == content
    assert read_seal_list((tmp_path / "seals.json").read_bytes(), [key.public_key]) == content
    (tmp_path / "seals.json").write_bytes(sign_seal_list(content, [development_key("journal")]))
    with pytest.raises(ConfigurationError, match=r"seals\.json"):
        TrustRoots.load(tmp_path)
