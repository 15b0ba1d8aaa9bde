"""The access log (查阅日志): who saw what, when, why; and its digest, each hour a leaf of the journal.

Every digest contains the one before, so accesses cannot be taken out, put in or changed after their hour.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from certlib.formats.facts import canonical
from certlib.formats.leaf import Leaf
from certlib.register.bearers import note_access
from certlib.register.row_log import plain
from certlib.register.row_tables import AccessDigestRow
from certlib.register.store import Register
from certlib.register.tables import AccessRow

KIND = "access:digest"
EVERY = timedelta(hours=1)
_PORTION = 10_000  # accesses under one digest
_COLUMNS = ("id", "at", "client", "subject", "purpose", "outcome")

Line = dict[str, Any]


def record_access(register: Register, *, client: str, subject: str, purpose: str, outcome: str) -> None:
    """Write down one access in a transaction of its own."""
    record_accesses(register, [subject], client=client, purpose=purpose, outcome=outcome)


def record_accesses(register: Register, subjects: Iterable[str], *, client: str, purpose: str, outcome: str) -> None:
    """Write down that several things were seen at once, a line for each."""
    with register.writer() as session:
        at = register.moment(session)
        for subject in subjects:
            note_access(session, at, client=client, subject=subject, purpose=purpose, outcome=outcome)


def digest_accesses(register: Register, *, every: timedelta = EVERY) -> int:
    """Digest the accesses not digested yet, when the last digest is older than `every`; gives how many there were.

    However many workers ask at once, one does it.
    """
    with register.reader() as session:
        if not _due(session, register, every):
            return 0
    done = 0
    while True:
        with register.writer() as session:
            register.next(session, KIND)  # its row is the lock: a second worker waits here, and then finds it done
            if not done and not _due(session, register, every):
                return 0
            count = _digest(session, register)
        done += count
        if count < _PORTION:
            return done


def access_claims(session: Session, leaves: Mapping[bytes, int]) -> Iterator[tuple[int, str, Line]]:
    """The claim of each leaf `access:digest`, recomputed from the accesses as they are now."""
    rows = session.exec(select(AccessDigestRow).where(col(AccessDigestRow.leaf).in_(list(leaves)))).all()
    for row in rows:
        accesses = session.exec(select(AccessRow).where(AccessRow.digest == row.id).order_by(col(AccessRow.id))).all()
        yield leaves[row.leaf], "access", {"commitment": accesses_digest(row.previous, accesses).hex()}


def accesses_digest(previous: str, rows: Sequence[AccessRow]) -> bytes:
    """The digest of accesses in their order, after the digest before (hexadecimal)."""
    said = [[plain(getattr(row, name)) for name in _COLUMNS] for row in rows]
    return hashlib.sha256(canonical([previous, said])).digest()


def _digest(session: Session, register: Register) -> int:
    rows, last = _open(session), _last(session)
    if not rows:
        return 0
    previous = last.sha256 if last else ""
    at: datetime = register.moment(session, last.at if last else None)
    digest = accesses_digest(previous, rows)
    leaf = register.journal.append(session, Leaf(kind=KIND, at=at, commitment=digest))
    kept = AccessDigestRow(count=len(rows), previous=previous, sha256=digest.hex(), at=at, leaf=leaf)
    session.add(kept)
    session.flush()
    numbers = [row.id for row in rows]
    session.connection().execute(update(AccessRow).where(col(AccessRow.id).in_(numbers)).values(digest=kept.id))
    return len(rows)


def _due(session: Session, register: Register, every: timedelta) -> bool:
    last = _last(session)
    return (last is None or register.moment(session) - last.at >= every) and bool(_open(session, 1))


def _open(session: Session, limit: int = 0) -> Sequence[AccessRow]:
    # by the mark, not by number: numbers commit out of order on PostgreSQL
    query = (
        select(AccessRow).where(col(AccessRow.digest).is_(None)).order_by(col(AccessRow.id)).limit(limit or _PORTION)
    )
    return session.exec(query).all()


def _last(session: Session) -> AccessDigestRow | None:
    return session.exec(select(AccessDigestRow).order_by(col(AccessDigestRow.id).desc()).limit(1)).one_or_none()
