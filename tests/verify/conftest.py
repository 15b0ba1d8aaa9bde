"""What the verifier's tests share: development trust, one sealed file in each suite, a register held in memory."""

import pytest

from certlib.verify.roots import TrustRoots
from tests.verify.samples import MemoryRegister, attachment, base_pdf, seal, signer


@pytest.fixture(scope="session")
def trust() -> TrustRoots:
    """The development roots with their revocation lists."""
    return TrustRoots.load()


@pytest.fixture(scope="session")
def sealed() -> bytes:
    """A file sealed at level B-T with P-256."""
    return seal()


@pytest.fixture(scope="session")
def sealed_rsa() -> bytes:
    """The same with RSA."""
    return seal(by=signer(suite="rsa"))


@pytest.fixture(scope="session")
def other() -> bytes:
    """Another file under the same seal."""
    return seal(base_pdf(attachment(n=8)))


@pytest.fixture
def register() -> MemoryRegister:
    """An empty register."""
    return MemoryRegister()
