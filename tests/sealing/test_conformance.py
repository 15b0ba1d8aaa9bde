"""Sealing keeps PDF/A-3a and PDF/UA-1: our own lint over the finished bytes, on every level and suite."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from certlib.crypto.development import development_material, development_timestamps
from certlib.crypto.libcrypto import unavailable
from certlib.domain.seal import SealSpec
from certlib.errors import LintError
from certlib.sealing.archive import archive_pdf
from certlib.sealing.conformance import RULES, lint_sealed, require_conformance
from certlib.sealing.identities import load_identities
from certlib.sealing.sealer import Sealer

from .conftest import NOW

SUITES = ("rsa3072-sha256", "p256-sha256", "sm2-sm3")


@pytest.fixture(scope="module")
def made(spec: SealSpec, keys: Path) -> dict[tuple[str, str], bytes]:
    """Files made in this module, by suite and level."""
    return {}


@pytest.fixture
def make(spec: SealSpec, keys: Path, ledger, ordered: Callable[..., str], made) -> Callable[[str, str], bytes]:
    """A file of a suite and level; B-LTA is renewed once more."""

    def one(suite: str, level: str) -> bytes:
        if (suite, level) not in made:
            material, stamps = development_material(suite), development_timestamps(suite)
            sealer = Sealer(load_identities([spec], keys, suite), stamps, ledger, material=material)
            pdf = sealer.seal(ordered(level=level if level != "B-LTA" else "B-T", suite=suite), now=NOW)[1].pdf
            for years in (1, 2) if level == "B-LTA" else ():
                pdf = archive_pdf(pdf, material, stamps, at=NOW + timedelta(days=365 * years)).pdf
            made[suite, level] = pdf
        return made[suite, level]

    return one


@pytest.mark.parametrize("level", ["B-B", "B-T", "B-LT", "B-LTA"])
@pytest.mark.parametrize("suite", SUITES)
def test_every_level_and_suite_keeps_every_rule(make: Callable[[str, str], bytes], suite: str, level: str) -> None:
    """Each rule is looked at and holds."""
    if suite == "sm2-sm3" and unavailable():
        pytest.skip(str(unavailable()))
    pdf = make(suite, level)
    require_conformance(pdf)
    assert {one.check: one.outcome for one in lint_sealed(pdf)} == dict.fromkeys(RULES, "pass")


SPOILED = {
    "A-6.1.2": (b"%PDF-1.7\n%", b"%PDF-1.7\n "),
    "A-6.1.9": (b"%%EOF\n", b"%%EOF "),
    "A-6.2.3": (b"/GTS_PDFA1", b"/GTS_PDFX1"),
    "A-6.3.2": (b"/F 132", b"/F 128"),
    "A-6.3.3": (b"/AP <<", b"/AQ <<"),
    "A-6.4.1": (b"/SigFlags 3", b"/XFA       3"),
    "A-6.6.4": (b"pdfuaid:part", b"pdfuaix:part"),
    "A-6.7": (b"/MarkInfo", b"/MarkInfa"),
    "A-6.8": (b"/AFRelationship", b"/AFRelationshix"),
    "UA-7.1": (b"/DisplayDocTitle", b"/DisplayDocTitlx"),
    "UA-7.18.1": (b"/TU ", b"/TV "),
    "UA-7.18.3": (b"/Tabs /S", b"/Tabs /R"),
    "UA-7.18.4": (b"/S /Form", b"/S /Fork"),
}


@pytest.mark.parametrize(("rule", "change"), SPOILED.items(), ids=SPOILED)
def test_each_rule_finds_its_fault(make: Callable[[str, str], bytes], rule: str, change: tuple[bytes, bytes]) -> None:
    """A file spoiled in one place fails that rule."""
    good = make("p256-sha256", "B-T")
    assert change[0] in good, "the spot to spoil is not there"
    spoiled = good.replace(*change)
    assert rule in {one.check for one in lint_sealed(spoiled) if one.outcome == "fail"}
    with pytest.raises(LintError, match=rule):
        require_conformance(spoiled)


def test_a_truncated_file_and_nonsense_fail(make: Callable[[str, str], bytes]) -> None:
    """The signature must reach the end; nonsense is no PDF."""
    good = make("p256-sha256", "B-T")
    outcome = {one.check: one.outcome for one in lint_sealed(good + b"\n% more\n")}
    assert outcome["A-6.4.3"] == "fail"
    assert [one.check for one in lint_sealed(b"nonsense")] == ["readable"]
