"""Every level and suite that the issuer makes is genuine, and no byte of it can be changed."""

import hashlib
from datetime import timedelta

import pytest

from certlib.crypto.attributes import SealUse
from certlib.crypto.development import development_folder
from certlib.crypto.libcrypto import unavailable
from certlib.crypto.material import ValidationMaterial
from certlib.domain.verdict import GENUINE, Verdict
from certlib.sealing.archive import archive_pdf
from certlib.sealing.pades import seal_pdf
from certlib.verify.examine import examine
from certlib.verify.roots import TrustRoots
from tests.verify.forgeries import update
from tests.verify.samples import NOW, SEAL, SEALED, base_pdf, imprint, signer, timestamps
from tests.verify.test_mutations import mutations

SUITES = {"p256": "p256-sha256", "rsa": "rsa3072-sha256", "sm2": "sm2-sm3"}
LEVELS = ["B-B", "B-T", "B-LT", "B-LTA", "renewed"]


def trust_for(suite: str) -> TrustRoots:
    return TrustRoots.load(development_folder() / ("trust-sm2" if suite == "sm2" else "trust"))


def made(suite: str, level: str) -> bytes:
    """A file of that suite and level, as the issuer makes it."""
    material = ValidationMaterial.load(development_folder(), suite)
    use = SealUse(SEAL, 41, hashlib.sha256(b"authorisation").digest(), "intent-1")
    pdf = seal_pdf(
        base_pdf(),
        imprint(),
        signer(suite=suite),
        at=SEALED,
        timestamper=None if level == "B-B" else timestamps(SUITES[suite]),
        attributes=(use.encode(),),
        material=material if level in {"B-LT", "B-LTA", "renewed"} else None,
    ).pdf
    for day in range({"B-LTA": 1, "renewed": 3}.get(level, 0)):
        at = SEALED + timedelta(days=1 + day)
        pdf = archive_pdf(pdf, material, timestamps(SUITES[suite]), at=at).pdf
    return pdf


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("suite", SUITES)
def test_every_level_in_every_suite_is_genuine(suite: str, level: str) -> None:
    """And is told as what it is; SM2 is judged by its own roots."""
    if suite == "sm2" and unavailable():
        pytest.skip(str(unavailable()))
    pdf, trust = made(suite, level), trust_for(suite)
    for _ in range(2):  # the second time from memory
        report = examine(pdf, trust=trust, at=NOW)
        assert report.verdict is Verdict.STATUS_UNKNOWN, report.as_line()
        assert report.seals[0].level == {"renewed": "B-LTA"}.get(level, level)
        assert report.seals[0].suite == SUITES[suite]
        assert not [finding for finding in report.findings if finding.outcome == "fail"]


def test_sm2_is_a_strangers_to_international_roots_and_the_other_way_round() -> None:
    """Suites do not vouch for each other."""
    if unavailable():
        pytest.skip(str(unavailable()))
    assert examine(made("sm2", "B-T"), trust=trust_for("p256"), at=NOW).verdict is Verdict.UNKNOWN_ISSUER
    assert examine(made("p256", "B-T"), trust=trust_for("sm2"), at=NOW).verdict is Verdict.UNKNOWN_ISSUER


@pytest.mark.parametrize(("suite", "level"), [("p256", "renewed"), ("rsa", "B-LT"), ("sm2", "B-T")])
def test_no_mutation_of_any_level_is_genuine(suite: str, level: str) -> None:
    """One byte changed in a file of higher level or of the other algorithms."""
    if suite == "sm2" and unavailable():
        pytest.skip(str(unavailable()))
    pdf, trust = made(suite, level), trust_for(suite)
    for at, changed in mutations(pdf, 60, 11):
        report = examine(changed, trust=trust, at=NOW)
        assert report.verdict not in GENUINE, (at, report.as_line())


def test_a_page_changed_between_two_document_timestamps_is_found() -> None:
    """A good timestamp over a bad update makes the update old, not good."""
    from tests.verify.forgeries import _draw_over, archive  # noqa: PLC0415

    spoiled = archive(update(made("p256", "B-LTA"), _draw_over), at=SEALED + timedelta(days=9))
    report = examine(spoiled, trust=trust_for("p256"), at=NOW)
    assert report.verdict is Verdict.ALTERED
    assert report.finding("changes").outcome == "fail"  # type: ignore[union-attr]
