"""The checker's look at issued files: so many a round, in the order of their digests, until all have come by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from certlib.domain.verdict import Finding
from certlib.issue.check_file import FileLook
from certlib.issue.office import Office
from certlib.register.tables import FileRow

_UNPROVED = frozenset({"print", "B-B"})
_Row = tuple[FileRow, bool]  # a file, and whether another has succeeded it


def check_files(office: Office, now: datetime, after: str, soon: timedelta) -> tuple[str, list[Finding]]:
    """The files whose digests come after `after`: the digest to go on from (empty: from the first), and what was found.

    `soon` is how long before the end of its proof of time a file is told of.
    """
    with office.register.reader() as session:
        rows = _next(session, after, office.settings.check_sample)
    look = FileLook(office, now)
    found, ending = [], []
    for row, succeeded in rows:
        looked = look.look(row)
        if looked.fault:
            found.append(Finding("files", "fail", looked.fault))
        end = None if succeeded or row.level in _UNPROVED else looked.proved_until
        if end is not None and end < now + soon:
            ending.append(end)
    if ending:
        words = f"{len(ending)} 份文件的时间证明即将到期，最早于 {min(ending):%Y-%m-%d}；请及时续期（raise_to）。"
        found.append(Finding("files", "fail" if min(ending) <= now else "warn", words))
    return (rows[-1][0].sha256 if len(rows) == office.settings.check_sample else ""), found


def _next(session: Session, after: str, count: int) -> Sequence[_Row]:
    """The next files; of others only what succeeds one of these is read."""
    successor = aliased(FileRow)
    query = (
        select(FileRow, col(successor.sha256).is_not(None))
        .join(successor, col(successor.predecessor) == FileRow.sha256, isouter=True)
        .where(col(FileRow.sha256) > after)
        .order_by(col(FileRow.sha256))
        .limit(count)
    )
    return [(row, bool(succeeded)) for row, succeeded in session.exec(query).all()]
