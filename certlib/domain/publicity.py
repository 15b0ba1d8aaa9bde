"""What a row of 双公示 says against the row sent before: a new permit, a correction, a withdrawal. Pure.

A record is compared by what it says of the permit; how it travelled (ids, times, places in a queue) does not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any

from certlib.domain.calendar import Calendar

NEAR = 2
"""With so many working days left, or fewer, a record is near the end of its term."""

_TRAVEL = frozenset({"id", "operation", "at", "sequence", "version", "document", "row"})
_GONE = frozenset({"revoked", "withdrawn", "rescinded", "voided", "cancelled"})


class RowKind(StrEnum):
    """The kind of a row: 新增, 更正, 撤下."""

    NEW = "new"
    CORRECTION = "correction"
    WITHDRAWAL = "withdrawal"


ROW_WORDS: Mapping[RowKind, tuple[str, str]] = {
    RowKind.NEW: ("新增", "new"),
    RowKind.CORRECTION: ("更正", "correction"),
    RowKind.WITHDRAWAL: ("撤下", "withdrawal"),
}
"""Each kind in Chinese and English."""


def row_of(record: Mapping[str, Any], sent: Mapping[str, Any] | None) -> RowKind | None:
    """The row that `record` asks for when `sent` went out last; None when that still says the same."""
    if sent is None:
        return RowKind.NEW
    if _content(record) == _content(sent):
        return None
    ended = record["state"] in _GONE and sent["state"] not in _GONE
    return RowKind.WITHDRAWAL if ended else RowKind.CORRECTION


def days_left(calendar: Calendar, due: date, today: date) -> int:
    """Working days from `today` to the end of a term; 0 on its last day, negative beyond."""
    return calendar.between(today, due) if due >= today else -calendar.between(due, today)


def _content(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in _TRAVEL}
