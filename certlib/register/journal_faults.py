"""What in the database does not follow from the journal's own leaves and signed notes: columns kept for speed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from certlib.errors import VerificationError
from certlib.formats.tlog import leaf_hash
from certlib.formats.tlog_checkpoint import Checkpoint
from certlib.formats.tlog_note import Note
from certlib.register.journal_tables import JournalCheckpoint, JournalCosignature, JournalEvent
from certlib.register.tables import AccessRow, ChainRow

_SECOND = timedelta(seconds=1)
_TIME, _TIMED = 8, 72  # bytes of the time, and of a signature with it (C2SP tlog-cosignature)

Line = dict[str, Any]


def journal_faults(session: Session, chains: Mapping[bytes, tuple[int, bytes]], size: int) -> Iterator[Line]:
    """Rows of the journal's tables whose columns do not follow; `chains` as the leaves have them, `size` the head's."""
    yield from _leaf_hashes(session)
    yield from _beyond(session, size)
    yield from _checkpoints(session)
    yield from _cosignatures(session)
    yield from _chains(session, chains)
    yield from _accesses(session)


def _leaf_hashes(session: Session) -> Iterator[Line]:
    query = select(col(JournalEvent.id), col(JournalEvent.body), col(JournalEvent.leaf_hash))
    for number, body, digest in session.connection().execution_options(yield_per=2000).execute(query):
        if leaf_hash(body) != digest:
            yield _fault("journal_event", number)


def _beyond(session: Session, size: int) -> Iterator[Line]:
    """Numbers are given and the head is signed in one transaction: a number beyond it tells of a head taken away."""
    if session.connection().scalar(select(col(JournalEvent.id)).where(col(JournalEvent.seq) >= size).limit(1)):
        yield _fault("journal_checkpoint", f"> {size}")


def _checkpoints(session: Session) -> Iterator[Line]:
    last = None
    for row in session.connection().execute(select(JournalCheckpoint.__table__).order_by(col(JournalCheckpoint.id))):  # type: ignore[attr-defined]
        try:
            note = Note.parse(row.note)
            said = Checkpoint.parse(note.text)
        except VerificationError:
            continue  # the audit reads the note itself, and names it
        signed_at = {int.from_bytes(line.value[:_TIME], "big") for line in note.signatures if len(line.value) == _TIMED}
        same = (said.size, said.root) == (row.size, row.root) and signed_at <= {int(row.at.timestamp())}
        if not same or (last is not None and row.at < last):
            yield _fault("journal_checkpoint", row.id)
        last = row.at


def _cosignatures(session: Session) -> Iterator[Line]:
    heads = select(col(JournalCheckpoint.id))
    orphans = select(col(JournalCosignature.checkpoint)).where(col(JournalCosignature.checkpoint).not_in(heads))
    yield from (_fault("journal_checkpoint", number) for number in session.connection().scalars(orphans.distinct()))
    query = select(col(JournalCosignature.checkpoint), col(JournalCosignature.witness), col(JournalCosignature.line))
    for checkpoint, witness, line in session.connection().execute(query):
        if f" {witness} " not in line:
            yield _fault("journal_cosignature", checkpoint)


def _chains(session: Session, chains: Mapping[bytes, tuple[int, bytes]]) -> Iterator[Line]:
    kept = {row.id: (row.step, row.head) for row in session.connection().execute(select(ChainRow.__table__))}  # type: ignore[attr-defined]
    for chain in kept.keys() | chains.keys():
        if kept.get(chain, (0, b"")) != chains.get(chain, (0, b"")):
            yield _fault("chain", chain.hex()[:16])


def _accesses(session: Session) -> Iterator[Line]:
    """Accesses older than the newest digest and in none: put in afterwards, or taken out of their hour."""
    newest = session.connection().scalar(
        select(col(AccessRow.id)).where(col(AccessRow.digest).is_not(None)).order_by(col(AccessRow.at).desc()).limit(1)
    )
    if newest is None:
        return
    at = session.connection().scalar(select(col(AccessRow.at)).where(col(AccessRow.id) == newest))
    if at is None:
        return
    query = select(col(AccessRow.id)).where(col(AccessRow.digest).is_(None), col(AccessRow.at) < at - _SECOND * 60)
    yield from (_fault("access", number) for number in session.connection().scalars(query))


def _fault(row: str, key: object) -> Line:
    return {"seq": None, "row": row, "key": str(key)}
