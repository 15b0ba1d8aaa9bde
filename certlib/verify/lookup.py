"""What the verifier asks of a register: the register's side of the verdict, as a Protocol."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from certlib.domain.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterState:
    """What the register says of one index n (a file or a sheet) or of one file's digest, at one moment."""

    verdict: Verdict  # VALID, SUPERSEDED, SUSPENDED, EXPIRED, CANCELLED, REVOKED, VOIDED, PAPER_LOST, NOT_IN_FORCE
    identifier: str  # 证照标识, or the document's number
    number: str  # face number
    title: str
    edition: int
    n: int
    cause: str = ""  # "revoked" | "withdrawn" | "rescinded" | the reason of a cancellation
    since: datetime | None = None
    holder: str = ""  # masked
    issuer: str = ""
    issued_on: date | None = None
    valid_until: date | None = None
    current_edition: int = 0
    imported: bool = False
    registered_at: datetime | None = None  # when the content came into the register, as its journal proves


class RegisterLookup(Protocol):
    """The two questions a verifier puts to a register."""

    def by_sha256(self, sha256: str, *, at: datetime) -> RegisterState | None:
        """The state of the issued file with this digest (hexadecimal), or None when no such file was issued."""

    def by_index(self, n: int, *, at: datetime) -> RegisterState | None:
        """The state of the file or sheet with index `n`, or None when `n` was never used."""
