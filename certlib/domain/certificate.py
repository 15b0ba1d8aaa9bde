"""A certificate of the city: one number, its editions, its legal state, and the verdict that follows at a moment.

The legal state and the states of the carriers are kept apart; expiry is computed from the moment asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from certlib.domain.actions import LegalState
from certlib.domain.civil import civil_date
from certlib.domain.verdict import StatusCode, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One content of a certificate (版本): its days and the index of its electronic file.

    `valid_until` is the last day of validity, None without end. `effective_from` may lie ahead (early renewal).
    """

    index: int
    n: int
    issued_on: date
    effective_from: date
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What the register holds of one certificate. `version` counts its events and is its ETag."""

    key: str
    type: str
    number: str
    version: int = 0
    state: LegalState = LegalState.PLANNED
    cause: str = ""  # why it is no longer in force, e.g. "revoked", "request"
    since: datetime | None = None
    editions: tuple[Edition, ...] = ()

    @property
    def newest(self) -> Edition | None:
        """The edition made last, which may not yet be in force."""
        return self.editions[-1] if self.editions else None

    def edition_at(self, at: datetime) -> Edition | None:
        """The edition in force on the civil day of `at`: the newest whose day has come."""
        day = civil_date(at)
        return next((edition for edition in reversed(self.editions) if edition.effective_from <= day), None)

    def state_at(self, at: datetime) -> LegalState:
        """The legal state at `at`, expiry included."""
        if self.state is not LegalState.IN_FORCE:
            return self.state
        edition = self.edition_at(at)
        expired = edition is not None and edition.valid_until is not None and civil_date(at) > edition.valid_until
        return LegalState.EXPIRED if expired else self.state

    def edition(self, index: int) -> Edition | None:
        """The edition with that number."""
        return next((edition for edition in self.editions if edition.index == index), None)


_OF_STATE: dict[LegalState, Verdict] = {
    LegalState.VOIDED: Verdict.VOIDED,
    LegalState.REVOKED: Verdict.REVOKED,
    LegalState.WITHDRAWN: Verdict.REVOKED,
    LegalState.RESCINDED: Verdict.REVOKED,
    LegalState.CANCELLED: Verdict.CANCELLED,
    LegalState.PLANNED: Verdict.NOT_IN_FORCE,
}
REVOCATIONS = frozenset({"revoked", "withdrawn", "rescinded"})


def edition_verdict(certificate: Certificate, index: int, at: datetime) -> Verdict:
    """The verdict on edition `index` of `certificate` at the moment `at`, for every carrier that is itself sound.

    A revocation, withdrawal or rescission stays the verdict after the number is closed by cancellation.
    """
    if certificate.state is LegalState.CANCELLED and certificate.cause in REVOCATIONS:
        return Verdict.REVOKED
    if certificate.state in _OF_STATE:
        return _OF_STATE[certificate.state]
    edition, current = certificate.edition(index), certificate.edition_at(at)
    if edition is None or current is None or edition.index > current.index:
        return Verdict.NOT_IN_FORCE
    if certificate.state is LegalState.SUSPENDED:
        return Verdict.SUSPENDED
    if edition.index < current.index:
        return Verdict.SUPERSEDED
    expired = edition.valid_until is not None and civil_date(at) > edition.valid_until
    return Verdict.EXPIRED if expired else Verdict.VALID


class SheetFate(StrEnum):
    """What befell a sheet itself, apart from the certificate's state."""

    SOUND = "sound"
    LOST = "lost"  # declared lost and void
    VOID = "void"  # spoiled, never handed over, surrendered, destroyed or announced void


_PRECEDENCE = {verdict: place for place, verdict in enumerate(Verdict)}
_OF_FATE = {SheetFate.LOST: Verdict.PAPER_LOST, SheetFate.VOID: Verdict.VOIDED}


def sheet_verdict(of_edition: Verdict, fate: SheetFate) -> Verdict:
    """The verdict on a sheet: its edition's, unless what befell the sheet weighs more."""
    own = _OF_FATE.get(fate, of_edition)
    return min(of_edition, own, key=_PRECEDENCE.__getitem__)


_STATUS = {
    Verdict.VALID: StatusCode.VALID,
    Verdict.EXPIRED: StatusCode.VALID,  # the code itself carries the last day
    Verdict.SUPERSEDED: StatusCode.SUPERSEDED,
    Verdict.SUSPENDED: StatusCode.SUSPENDED,
    Verdict.REVOKED: StatusCode.REVOKED,
    Verdict.CANCELLED: StatusCode.CANCELLED,
    Verdict.VOIDED: StatusCode.PRINT_VOIDED,
    Verdict.PAPER_LOST: StatusCode.PAPER_LOST,
    Verdict.NOT_IN_FORCE: StatusCode.NOT_IN_FORCE,
}


def status_code(verdict: Verdict) -> StatusCode:
    """The status list's code for a verdict of the register."""
    return _STATUS[verdict]
