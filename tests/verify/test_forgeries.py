"""No forgery made from a sealed file is ever given a genuine verdict."""

from collections import Counter

import pytest

from certlib.crypto.libcrypto import unavailable
from certlib.domain.verdict import GENUINE, Verdict
from certlib.verify.examine import examine
from certlib.verify.roots import TrustRoots
from tests.verify.attacks import ALL, forged
from tests.verify.samples import NOW, MemoryRegister
from tests.verify.test_levels import LEVELS, SUITES, made, trust_for


@pytest.mark.parametrize("family", ALL)
def test_no_forgery_is_genuine_without_a_register(family: str, sealed: bytes, other: bytes, trust: TrustRoots) -> None:
    """With nothing but the trust roots, every forgery of the family is told from the real thing."""
    made = list(ALL[family](sealed, other))
    assert len(made) > 2
    taken = {variant: examine(pdf, trust=trust, at=NOW) for variant, pdf in made}
    assert all(pdf != sealed for _, pdf in made)
    genuine = {variant: report.as_line() for variant, report in taken.items() if report.verdict in GENUINE}
    assert genuine == {}


def test_no_forgery_is_genuine_with_a_register(
    sealed: bytes, sealed_rsa: bytes, other: bytes, trust: TrustRoots, register: MemoryRegister
) -> None:
    """Nor with a register that knows the original, whatever the suite of its seal; and it says why."""
    for one in (sealed, sealed_rsa, other):
        register.add(one)
    verdicts: Counter[Verdict] = Counter()
    for family, variant, pdf in forged(sealed_rsa, other):
        report = examine(pdf, trust=trust, at=NOW, lookup=register)
        assert report.verdict not in GENUINE, (family, variant, report.as_line())
        assert any(finding.outcome == "fail" and finding.detail for finding in report.findings)
        verdicts[report.verdict] += 1
    assert verdicts[Verdict.ALTERED] > 20
    assert {Verdict.UNKNOWN_ISSUER, Verdict.SIGNATURE_INVALID, Verdict.UNSEALED, Verdict.UNREADABLE} <= set(verdicts)


@pytest.mark.parametrize("level", [*LEVELS[:-1], pytest.param(LEVELS[-1], marks=pytest.mark.slow)])
@pytest.mark.parametrize("suite", SUITES)
def test_no_forgery_of_any_level_in_any_suite_is_genuine(suite: str, level: str, other: bytes) -> None:
    """The genuine file is; every forgery of it is not, and the reason is an expected one."""
    if suite == "sm2" and unavailable():
        pytest.skip(str(unavailable()))
    genuine, trust = made(suite, level), trust_for(suite)
    assert examine(genuine, trust=trust, at=NOW).verdict in GENUINE
    taken = 0
    for family, variant, pdf in forged(genuine, other):
        report = examine(pdf, trust=trust, at=NOW)
        assert report.verdict not in GENUINE, (family, variant, report.as_line())
        assert not any("意外" in finding.detail for finding in report.findings), (family, variant, report.as_line())
        taken += 1
    assert taken > 230


@pytest.mark.parametrize("family", ALL)
def test_each_family_says_what_it_is(family: str) -> None:
    """Whoever reads a failure learns from the generator what the forger is after."""
    assert len((ALL[family].__doc__ or "").split()) > 5
