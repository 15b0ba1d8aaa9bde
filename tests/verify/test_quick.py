"""The issuer's own look: its own files pass, anything else about them does not."""

from datetime import timedelta

import pytest

from certlib.domain.verdict import GENUINE, Verdict
from certlib.errors import VerificationError
from certlib.verify.examine import examine
from certlib.verify.quick import quick_check
from certlib.verify.roots import TrustRoots
from tests.verify.forgeries import archive, forgeries
from tests.verify.samples import NOW, SEALED, seal, signer, timestamps
from tests.verify.test_mutations import mutations

CHAINS = {one.der for suite in ("p256", "rsa") for one in signer(suite=suite).chain}
PINNED = {signer(suite=suite).certificate.der for suite in ("p256", "rsa")}


@pytest.mark.parametrize("suite", ["p256", "rsa"])
@pytest.mark.parametrize("stamped", [True, False])
def test_our_own_file_passes(suite: str, stamped: bool) -> None:
    """Digest, certificate, seal use and time are told."""
    pdf = seal(by=signer(suite=suite), stamped=stamped)
    found = quick_check(pdf, certificates=PINNED, stamped=stamped)
    assert found.certificate.der == signer(suite=suite).certificate.der
    assert found.use is not None
    assert found.use.counter == 41
    assert found.timestamped_at == (SEALED if stamped else None)
    with pytest.raises(VerificationError):
        quick_check(pdf, certificates=PINNED, stamped=not stamped)


def test_what_it_passes_the_full_examination_finds_genuine(sealed: bytes, other: bytes, trust: TrustRoots) -> None:
    """The quick look is never the laxer one: of all forgeries it passes none."""
    passed = 0
    for family, variant, pdf in [*forgeries(sealed, other), ("", "", sealed)]:
        try:
            quick_check(pdf, certificates=PINNED, stamped=True, chains=CHAINS)
        except VerificationError:
            continue
        passed += 1
        assert examine(pdf, trust=trust, at=NOW).verdict in GENUINE, (family, variant)
    assert passed == 1


def test_no_mutation_passes(sealed: bytes) -> None:
    """Three hundred changes of one byte."""
    for at, changed in mutations(sealed, 300, 5):
        with pytest.raises(VerificationError):
            quick_check(changed, certificates=PINNED, stamped=True, chains=CHAINS)
        assert at < len(sealed)


@pytest.mark.parametrize(
    ("make", "verdict"),
    [
        (lambda: seal(by=signer("seal-foreign")), Verdict.UNKNOWN_ISSUER),
        (lambda: archive(seal()), Verdict.ALTERED),
        (lambda: seal() + b"\n", Verdict.ALTERED),
        (lambda: b"%PDF-1.7", Verdict.ALTERED),
    ],
)
def test_another_file_is_refused_with_its_verdict(make: object, verdict: Verdict) -> None:
    """Another's seal, a later level, a byte behind, no signature."""
    with pytest.raises(VerificationError) as caught:
        quick_check(make(), certificates=PINNED, stamped=True)  # type: ignore[operator]
    assert caught.value.code == verdict


def test_a_timestamp_of_another_authority_is_refused() -> None:
    """When the authorities are pinned as well."""
    pdf = seal(at=SEALED + timedelta(days=1))
    own = timestamps()._signer.certificate.der  # type: ignore[attr-defined]
    assert quick_check(pdf, certificates=PINNED, stamped=True, authorities={own}).timestamped_at is not None
    with pytest.raises(VerificationError):
        quick_check(pdf, certificates=PINNED, stamped=True, authorities=set())
