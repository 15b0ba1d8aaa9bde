"""The checker's look at issued files: so many a round, in the order of their digests, until all have come by.

What was found bad is looked at again in every round until it is sound, and so is the file whose proof of time ends
first: an alarm stands as long as its cause, not only in the round of its turn. When too many are bad for that to be
kept, none further are looked for until some are mended.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from certlib.domain.verdict import Finding
from certlib.issue.check_file import FileLook
from certlib.issue.check_state import MOST_BAD, CheckState
from certlib.issue.office import Office
from certlib.register.tables import FileRow

_NAMED = 20  # files named one by one
_CHUNK = 500  # digests asked for in one statement
_UNPROVED = frozenset({"print", "B-B"})
_Row = tuple[FileRow, bool]  # a file, and whether another has succeeded it


def check_files(office: Office, now: datetime, state: CheckState, soon: timedelta) -> list[Finding]:
    """The files that `state` has as bad or ending and the next ones in turn: what was found; `state` goes on.

    `soon` is how long before the end of its proof of time a file is told of.
    """
    count = office.settings.check_sample if len(state.bad) < MOST_BAD else 0
    known = {*state.bad, state.ending} - {""}
    with office.register.reader() as session:
        again = _those(session, sorted(known))
        new = _next(session, state.files, count) if count else []
    found = _Found(FileLook(office, now), now + soon)
    found.vanished(set(state.bad) - {row.sha256 for row, _ in again})
    found.take([*again, *((row, succeeded) for row, succeeded in new if row.sha256 not in known)])
    if count:
        state.files = new[-1][0].sha256 if len(new) == count else ""
    state.bad = tuple(sorted(found.bad))
    state.ending = min(found.ending)[1] if found.ending else ""
    return list(found.told(now))


@dataclass(slots=True)
class _Found:
    """What a round finds; `until` is the moment before which no proof of time should end."""

    look: FileLook
    until: datetime
    bad: dict[str, str] = field(default_factory=dict)  # digest: what is wrong
    ending: list[tuple[datetime, str]] = field(default_factory=list)

    def take(self, rows: Sequence[_Row]) -> None:
        """Look at these."""
        for row, succeeded in rows:
            looked = self.look.look(row)
            if looked.fault:
                self.bad[row.sha256] = looked.fault
            end = None if succeeded or row.level in _UNPROVED else looked.proved_until
            if end is not None and end < self.until:
                self.ending.append((end, row.sha256))

    def vanished(self, digests: set[str]) -> None:
        """Bad files that the register no longer has: whoever took the row out has not mended the file."""
        self.bad |= {digest: f"文件 {digest[:12]}… 曾不相符，现已不在登记中。" for digest in digests}

    def told(self, now: datetime) -> Iterator[Finding]:
        """The findings, the first files by name."""
        words = [self.bad[digest] for digest in sorted(self.bad)]
        yield from (Finding("files", "fail", one) for one in words[:_NAMED])
        if len(words) > _NAMED:
            stopped = "；修复之前不再检查其余文件" if len(words) >= MOST_BAD else ""
            yield Finding("files", "fail", f"另有 {len(words) - _NAMED} 份文件不相符{stopped}。")
        if self.look.unexamined:
            beside = f"{self.look.unexamined} 份国密副本或签章未核验：没有国密信任根（trust-sm2）。"
            yield Finding("files", "unknown", beside)
        if self.ending:
            first, _ = min(self.ending)
            says = f"{len(self.ending)} 份文件的时间证明即将到期，最早于 {first:%Y-%m-%d}；请及时续期（raise_to）。"
            yield Finding("files", "fail" if first <= now else "warn", says)


def _those(session: Session, digests: Sequence[str]) -> list[_Row]:
    """The files with these digests, as far as they are registered."""
    chunks = (digests[start : start + _CHUNK] for start in range(0, len(digests), _CHUNK))
    return [pair for chunk in chunks for pair in _rows(session, col(FileRow.sha256).in_(chunk), len(chunk))]


def _next(session: Session, after: str, count: int) -> list[_Row]:
    return _rows(session, col(FileRow.sha256) > after, count)


def _rows(session: Session, wanted: ColumnElement[bool], count: int) -> list[_Row]:
    """So many of the files wanted, in the order of their digests; of others only what succeeds one of these is read."""
    successor = aliased(FileRow)
    query = (
        select(FileRow, col(successor.sha256).is_not(None))
        .join(successor, col(successor.predecessor) == FileRow.sha256, isouter=True)
        .where(wanted)
        .order_by(col(FileRow.sha256))
        .limit(count)
    )
    return [(row, bool(succeeded)) for row, succeeded in session.exec(query).all()]
