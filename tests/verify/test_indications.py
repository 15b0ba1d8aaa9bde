"""The same findings in the words of ETSI EN 319 102-1."""

import pytest

from certlib.verify.examine import examine
from certlib.verify.indications import FAILED, INDETERMINATE, PASSED, indication
from certlib.verify.roots import TrustRoots
from tests.verify.forgeries import _annotate, archive, update
from tests.verify.samples import NOW, MemoryRegister, base_pdf, seal, signer


def flip(pdf: bytes, at: int) -> bytes:
    return pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :]


@pytest.mark.parametrize(
    ("make", "status", "reason"),
    [
        (seal, PASSED, ""),
        (lambda: flip(seal(), 5000), FAILED, "HASH_FAILURE"),
        (lambda: seal() + b"\n", FAILED, "FORMAT_FAILURE"),
        (lambda: b"junk", FAILED, "FORMAT_FAILURE"),
        (base_pdf, INDETERMINATE, "SIGNED_DATA_NOT_FOUND"),
        (lambda: seal(by=signer("seal-foreign")), INDETERMINATE, "NO_CERTIFICATE_CHAIN_FOUND"),
        (lambda: seal(by=signer("seal-expired")), INDETERMINATE, "OUT_OF_BOUNDS_NO_POE"),
        (lambda: seal(by=signer("seal-revoked"), attributes=()), INDETERMINATE, "REVOKED_NO_POE"),
    ],
)
def test_each_outcome_has_its_indication(make: object, status: str, reason: str, trust: TrustRoots) -> None:
    """Passed, changed, malformed, unsealed, a stranger's, expired, revoked."""
    found = indication(examine(make(), trust=trust, at=NOW))  # type: ignore[operator]
    assert (found.status, found.reason) == (status, reason)


def test_an_update_and_a_missing_revocation_list_are_indeterminate(sealed: bytes, trust: TrustRoots) -> None:
    """Neither broken nor proved."""
    annotated = examine(archive(update(sealed, _annotate("/Stamp"))), trust=trust, at=NOW)
    assert indication(annotated).reason == "SIG_CONSTRAINTS_FAILURE"
    bare = examine(sealed, trust=TrustRoots(trust.certificates), at=NOW)
    assert indication(bare).reason == "TRY_LATER"


def test_the_register_does_not_show_in_it(sealed: bytes, trust: TrustRoots, register: MemoryRegister) -> None:
    """The signature is as good as before on a file that was never registered."""
    report = examine(sealed, trust=trust, at=NOW, lookup=register)
    assert not report.is_genuine
    assert indication(report).status == PASSED
