"""The ledger of seal uses as an auditor reads it: across seals, newest first, counted, by the hour, with its gaps.

`Lines` says which lines are meant; every question here takes it. What is grouped is grouped by the database, so that
a year of uses is answered from a few thousand rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import String, cast, func
from sqlmodel import Session, col, or_, select

from certlib.register.seal_tables import SealRow, SealUseRow
from certlib.register.tables import Counter

_HOUR = func.substr(cast(SealUseRow.reserved_at, String), 1, 13)  # "2026-11-24 02", UTC on both databases


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Which lines of the ledger; empty means any. `authority` is the seals' owner, `since` inclusive, `until` not."""

    authority: str = ""
    seal: str = ""
    state: str = ""
    number: str = ""
    person: str = ""  # who accepted, reviewed, approved or worked
    since: datetime | None = None
    until: datetime | None = None

    def of(self, query: Any) -> Any:
        """`query` over `SealUseRow`, narrowed to these lines."""
        texts = ((SealUseRow.seal, self.seal), (SealUseRow.state, self.state), (SealUseRow.number, self.number))
        query = query.where(*(col(column) == text for column, text in texts if text))
        if self.authority:
            query = query.where(col(SealUseRow.seal).in_(select(SealRow.id).where(SealRow.authority == self.authority)))
        if self.person:
            query = query.where(or_(*_named(self.person)))
        if self.since is not None:
            query = query.where(col(SealUseRow.reserved_at) >= self.since)
        return query if self.until is None else query.where(col(SealUseRow.reserved_at) < self.until)


def newest_uses(session: Session, lines: Lines, *, before: int = 0, limit: int = 50) -> Sequence[SealUseRow]:
    """Lines, the newest first; `before` is the id of the last one seen, 0 for none."""
    query = lines.of(select(SealUseRow))
    if before:
        query = query.where(col(SealUseRow.id) < before)
    found: Sequence[SealUseRow] = session.exec(query.order_by(col(SealUseRow.id).desc()).limit(limit)).all()
    return found


def counted_uses(session: Session, lines: Lines) -> Iterator[tuple[str, str, str, int]]:
    """How many uses by seal, kind and state."""
    columns = (col(SealUseRow.seal), col(SealUseRow.kind), col(SealUseRow.state))
    yield from session.connection().execute(
        lines.of(select(*columns, func.count())).group_by(*columns).order_by(*columns)
    )


def hourly_uses(session: Session, lines: Lines) -> Iterator[tuple[datetime, str, int]]:
    """How many uses by the hour in which they were reserved (its beginning, UTC) and by state."""
    columns = (_HOUR, col(SealUseRow.state))
    query = lines.of(select(*columns, func.count())).group_by(*columns).order_by(*columns)
    for hour, state, count in session.connection().execute(query):
        yield datetime.strptime(hour, "%Y-%m-%d %H").replace(tzinfo=UTC), state, count


def uses_within(session: Session, lines: Lines, hours: Sequence[datetime], *, limit: int) -> Sequence[SealUseRow]:
    """The newest lines that were reserved within one of these hours."""
    names = [f"{hour.astimezone(UTC):%Y-%m-%d %H}" for hour in hours]
    query = lines.of(select(SealUseRow)).where(_HOUR.in_(names))
    found: Sequence[SealUseRow] = session.exec(query.order_by(col(SealUseRow.reserved_at).desc()).limit(limit)).all()
    return found


def counters(session: Session) -> dict[str, int]:
    """The last number given to a use, by seal, as the counters have it."""
    series = session.exec(select(Counter).where(col(Counter.name).startswith("seal:"))).all()
    return {row.name.removeprefix("seal:"): row.value for row in series}


def counter_gaps(session: Session, seal: str, last: int) -> list[tuple[int, int]]:
    """The runs of numbers (first, last) that a seal's ledger lacks below its counter; there should be none."""
    number = col(SealUseRow.counter)
    following = func.lead(number, 1, last + 1).over(order_by=number)
    inner: Any = select(number.label("number"), following.label("following")).where(
        SealUseRow.seal == seal, number.is_not(None)
    )
    pairs = inner.subquery()
    query = select(pairs.c.number, pairs.c.following).where(pairs.c.following > pairs.c.number + 1)
    runs = [(first + 1, after - 1) for first, after in session.connection().execute(query.order_by(pairs.c.number))]
    lowest = session.connection().scalar(select(func.min(number)).where(SealUseRow.seal == seal))
    head = [(1, (lowest or last + 1) - 1)] if (lowest or last + 1) > 1 else []
    return [*head, *runs]


def same_person(session: Session, lines: Lines, *, limit: int) -> tuple[int, Sequence[SealUseRow]]:
    """How many lines are of cases that one person both reviewed and approved, and the newest of them."""
    record = col(SealUseRow.record)
    reviewed, approved = (record[("approval", step, "person")].as_string() for step in ("review", "approval"))
    same = (reviewed == approved, reviewed != "")
    count = session.connection().scalar(lines.of(select(func.count()).select_from(SealUseRow)).where(*same)) or 0
    query = lines.of(select(SealUseRow)).where(*same).order_by(col(SealUseRow.id).desc())
    return count, session.exec(query.limit(limit)).all()


def _named(person: str) -> Iterator[Any]:
    """The name as a whole JSON string in the texts of a line; SQLite keeps them with `\\u` escapes."""
    for column in (SealUseRow.persons, SealUseRow.record):
        for text in {json.dumps(person), json.dumps(person, ensure_ascii=False)}:
            yield cast(column, String).contains(text, autoescape=True)
