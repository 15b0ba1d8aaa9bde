"""Where the journal speaks of a registered file: the leaf that put it in force, and the proof that stands beside it.

Leaves are not indexed by the files they name. A file is registered in the transaction of its leaf, and signed heads
say their time, so two heads around that moment bound where to look. Heads are signed in the order of their ids, none
dated before the one before it: the two are found by bisection, not by reading all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import Session, col

from certlib.errors import NotFoundError
from certlib.formats.leaf import Leaf
from certlib.formats.tlog_proof import InclusionProof
from certlib.journal.journal import Journal
from certlib.register.journal_tables import JournalCheckpoint
from certlib.register.tables import FileRow

_AROUND = timedelta(minutes=1)  # from an event's time to its commit, as the audit allows (`verify.audit_events`)
_PORTION = 2048  # leaves


def file_proof(session: Session, journal: Journal[Session], sha256: str, *, cosignatures: int = 0) -> str:
    """The offline proof (C2SP tlog-proof) of a registered file; its `extra` is the leaf, which names the digest.

    Under the newest head with so many cosignatures that covers it, else under the newest. Raises `NotFoundError`
    for a file that is not registered, or whose leaf waits for its number.
    """
    row = session.get(FileRow, sha256)
    if row is None:
        raise NotFoundError("没有登记这一文件，没有日志证明。")
    found = _leaf_of(session, journal, row)
    if found is None:
        raise NotFoundError("这一文件的日志记录尚未编号，请稍后再取。")
    index, body = found
    proof = InclusionProof.parse(journal.proof_text(session, index, cosignatures=cosignatures))
    return InclusionProof(proof.index, proof.hashes, proof.checkpoint, extra=body).encode()


def _leaf_of(session: Session, journal: Journal[Session], row: FileRow) -> tuple[int, bytes] | None:
    """Number and bytes of the leaf that put the file in force; the closed use of its seal names it as well."""
    digest = bytes.fromhex(row.sha256)
    for index, body in _between(session, journal, row.created_at):
        if digest in body:
            leaf = Leaf.decode(body)
            if leaf.file == digest and not leaf.use:
                return index, body
    return None


def _between(session: Session, journal: Journal[Session], at: datetime) -> Iterator[tuple[int, bytes]]:
    size, number, connection = col(JournalCheckpoint.size), col(JournalCheckpoint.id), session.connection()
    before = _first_head(session, lambda signed: signed >= at - _AROUND)
    after = _first_head(session, lambda signed: signed > at + _AROUND)
    start = connection.scalar(select(size).where(number < before).order_by(number.desc()).limit(1)) or 0
    end = connection.scalar(select(size).where(number >= after, size > start).order_by(size).limit(1))
    end = journal.head(session).size if end is None else end
    for first in range(start, end, _PORTION):
        yield from enumerate(journal.leaves(session, first, min(end, first + _PORTION)), start=first)


def _first_head(session: Session, wanted: Callable[[datetime], bool]) -> int:
    """The least id from which on the time of every head is `wanted`; beyond all ids when that is so of none."""
    number, connection = col(JournalCheckpoint.id), session.connection()
    first, last = (connection.scalar(select(end(number))) or 0 for end in (func.min, func.max))  # at once they read all
    low, high = (first, last + 1) if last else (0, 0)
    query = select(number, col(JournalCheckpoint.at)).order_by(number).limit(1)
    while low < high:
        middle = (low + high) // 2
        found, signed = connection.execute(query.where(number >= middle)).one()  # ids may have gaps
        low, high = (low, middle) if wanted(signed) else (int(found or 0) + 1, high)
    return int(low)
