"""What passes between the sandbox and its child: limits, requests, and an answer for each, as its `dump` gives it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from certlib.errors import CertlibError
from certlib.verify.chain import Authorities
from certlib.verify.lookup import RegisterLookup, RegisterState
from certlib.verify.roots import TrustRoots


@dataclass(frozen=True, slots=True)
class Limits:
    """What one examination may take: seconds of processor and of wall clock, bytes of address space.

    By the clock it is nine seconds, so that whoever sent a file has the answer within ten.
    """

    cpu: int = 5
    wall: int = 9
    memory: int = 1 << 30


@dataclass(frozen=True, slots=True)
class RegisterAnswer:
    """The register's answer, asked beforehand, so that the child needs no register. Implements `RegisterLookup`.

    `failure` is why it gave none.
    """

    state: RegisterState | None
    failure: str = ""

    @classmethod
    def of(cls, lookup: RegisterLookup, sha256: str, at: datetime) -> RegisterAnswer:
        """Ask for the file with that digest."""
        try:
            return cls(lookup.by_sha256(sha256, at=at))
        except (CertlibError, OSError) as error:
            return cls(None, str(error))

    def by_sha256(self, sha256: str, *, at: datetime) -> RegisterState | None:
        """The answer, whatever is asked. Raises `CertlibError` when there was none."""
        del sha256, at
        if self.failure:
            raise CertlibError(self.failure)
        return self.state

    def by_index(self, n: int, *, at: datetime) -> RegisterState | None:
        """The answer, whatever is asked."""
        del n, at
        return self.state


@dataclass(frozen=True, slots=True)
class Beside:
    """What a `.ses` is examined with: whom to trust for SM2, and the file it stands beside (None: not at hand)."""

    authorities: Authorities
    original: bytes | None


@dataclass(frozen=True, slots=True)
class Request:
    """One file to examine; `answer` is None when no register was asked."""

    pdf: bytes
    trust: TrustRoots
    at: datetime
    answer: RegisterAnswer | None
    name: str
    draw: bool = False  # pictures of the pages instead of a report
    beside: Beside | None = None  # given: `pdf` holds a signature or a seal after GB/T 38540


_LENGTH = 4  # bytes before each answer


def frame(answer: bytes) -> bytes:
    """One answer, led by its length."""
    return len(answer).to_bytes(_LENGTH, "big") + answer


def framed(data: bytes) -> Iterator[bytes]:
    """The whole answers in `data`, in order; what a fork had begun when it died is left out."""
    start = 0
    while len(data) - start >= _LENGTH:
        end = start + _LENGTH + int.from_bytes(data[start : start + _LENGTH], "big")
        if end > len(data):
            return
        yield data[start + _LENGTH : end]
        start = end
