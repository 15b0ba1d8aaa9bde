"""No forgery made from a sealed file is ever given a genuine verdict."""

from collections import Counter

import pytest

from certlib.domain.verdict import GENUINE, Verdict
from certlib.verify.examine import examine
from certlib.verify.roots import TrustRoots
from tests.verify.forgeries import FAMILIES, forgeries
from tests.verify.samples import NOW, MemoryRegister


@pytest.mark.parametrize("family", FAMILIES)
def test_no_forgery_is_genuine_without_a_register(family: str, sealed: bytes, other: bytes, trust: TrustRoots) -> None:
    """With nothing but the trust roots, every forgery of the family is told from the real thing."""
    made = list(FAMILIES[family](sealed, other))
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
    for family, variant, pdf in forgeries(sealed_rsa, other):
        report = examine(pdf, trust=trust, at=NOW, lookup=register)
        assert report.verdict not in GENUINE, (family, variant, report.as_line())
        assert any(finding.outcome == "fail" and finding.detail for finding in report.findings)
        verdicts[report.verdict] += 1
    assert verdicts[Verdict.ALTERED] > 20
    assert {Verdict.UNKNOWN_ISSUER, Verdict.SIGNATURE_INVALID, Verdict.UNSEALED, Verdict.UNREADABLE} <= set(verdicts)
