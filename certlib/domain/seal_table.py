"""Which kinds of seal may stand on what: the table “document kind and action → allowed seal kinds”, per authority.

The rows are data of the catalogue (`seal_rules.toml`); the first row that fits holds. What no row allows may not be
sealed. Which kind of seal goes on a decision or on a licence differs from place to place and has changed with time
(行政许可法39: the licence bears the organ's seal; 审批专用章 replaces it where the place says so), hence the days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from certlib.domain.seal import SealKind

CERTIFICATE, DOCUMENT = "certificate", "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealTableRow:
    """One row. Empty tuples mean "any". `kinds` are allowed, the first is taken unless the type's data say another.

    `copy` is the numbered duplicate that is taken (2号章); 0 leaves it at the first. `since` is inclusive, `until`
    exclusive.
    """

    outcome: str  # "certificate" | "document"
    kinds: tuple[SealKind, ...]
    authorities: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    items: frozenset[str] = frozenset()
    copy: int = 0
    since: date | None = None
    until: date | None = None
    basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedThing:
    """What is to bear a seal: a certificate or a document, of which type, by which action and item, whose, when."""

    outcome: str
    authority: str
    type: str
    action: str
    item: str
    day: date


def row_for(table: Sequence[SealTableRow], thing: SealedThing) -> SealTableRow | None:
    """The row that holds for `thing`, or None: then nothing may be sealed."""
    return next((row for row in table if _fits(row, thing)), None)


def allowed_kinds(table: Sequence[SealTableRow], thing: SealedThing) -> tuple[SealKind, ...]:
    """The kinds of seal that may stand on `thing`, the usual one first."""
    row = row_for(table, thing)
    return row.kinds if row else ()


def _fits(row: SealTableRow, thing: SealedThing) -> bool:
    return (
        row.outcome == thing.outcome
        and (not row.authorities or thing.authority in row.authorities)
        and (not row.types or thing.type in row.types)
        and (not row.actions or thing.action in row.actions)
        and (not row.items or thing.item in row.items)
        and (row.since is None or row.since <= thing.day)
        and (row.until is None or thing.day < row.until)
    )
