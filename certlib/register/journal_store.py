"""The journal's rows in the register's database: `JournalStore` over a session.

Numbering is one statement on both databases. It takes what is committed and has no number (`seq IS NULL`): ids
commit out of order on PostgreSQL, a high-water mark would skip events for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, insert, select, text
from sqlmodel import Session, col

from certlib.formats.tlog_note import NoteKey
from certlib.journal.journal import Journal
from certlib.journal.store import Numbered, StoredCheckpoint
from certlib.register.journal_tables import JournalCheckpoint, JournalCosignature, JournalEvent, JournalTile

_SEQUENCER = 0x6365_7274_6C6F_6731  # the advisory lock's number: "certlog1"
_LOCK = {"postgresql": text("SELECT pg_advisory_xact_lock(:lock)")}  # SQLite: BEGIN IMMEDIATE has it already

_NUMBER = text("""
    WITH fresh AS (
        SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM journal_event
        WHERE seq IS NULL ORDER BY id LIMIT :limit
    )
    UPDATE journal_event SET seq = :start + fresh.place FROM fresh WHERE journal_event.id = fresh.id
    RETURNING journal_event.seq, journal_event.leaf_hash
""")
_PUT_TILE = text("""
    INSERT INTO journal_tile (level, place, data) VALUES (:level, :place, :data)
    ON CONFLICT (level, place) DO UPDATE SET data = excluded.data
""")
_APPEND = insert(JournalEvent.__table__)  # type: ignore[attr-defined]
_SIZE = select(func.coalesce(func.max(JournalEvent.seq) + 1, 0))
_WAITING = select(col(JournalEvent.id)).where(col(JournalEvent.seq).is_(None)).limit(1)
_NEWEST_EVENT = select(col(JournalEvent.body)).order_by(col(JournalEvent.id).desc()).limit(1)
_NEWEST_HEAD = (
    select(
        col(JournalCheckpoint.id),
        col(JournalCheckpoint.size),
        col(JournalCheckpoint.root),
        col(JournalCheckpoint.note),
        col(JournalCheckpoint.at),
    )
    .order_by(col(JournalCheckpoint.id).desc())
    .limit(1)
)
_ADD_HEAD = insert(JournalCheckpoint.__table__)  # type: ignore[attr-defined]
_COSIGNATURES = (
    select(col(JournalCosignature.line))
    .where(col(JournalCosignature.checkpoint) == bindparam("checkpoint"))
    .order_by(col(JournalCosignature.witness))
)
_NEWEST_COSIGNATURES = (
    select(col(JournalCheckpoint.size), col(JournalCosignature.line))
    .join(JournalCheckpoint, col(JournalCheckpoint.id) == JournalCosignature.checkpoint)
    .order_by(col(JournalCosignature.checkpoint).desc(), col(JournalCosignature.witness))
)
_TILE = select(col(JournalTile.data)).where(
    col(JournalTile.level) == bindparam("level"), col(JournalTile.place) == bindparam("place")
)


def sql_journal(origin: str, signers: Sequence[NoteKey]) -> Journal[Session]:
    """The journal `origin` in the database of the sessions it is given."""
    return Journal(origin, signers, SqlJournalStore())


def witnessed_at(session: Session, witness: str) -> datetime | None:
    """When a witness of that name cosigned last; if never, since when there have been heads to cosign."""
    last = select(func.max(JournalCosignature.at)).where(col(JournalCosignature.witness) == witness)
    at: datetime | None = session.connection().scalar(last)
    return at or session.connection().scalar(select(func.min(JournalCheckpoint.at)))


class SqlJournalStore:
    """`JournalStore` on SQLite and PostgreSQL."""

    def append(self, transaction: Session, body: bytes, leaf_hash: bytes) -> None:
        transaction.connection().execute(_APPEND, {"body": body, "leaf_hash": leaf_hash})

    def number(self, transaction: Session, limit: int) -> Numbered:
        connection = transaction.connection()
        lock = _LOCK.get(connection.dialect.name)
        if lock is not None:
            connection.execute(lock, {"lock": _SEQUENCER})
        start = connection.scalar(_SIZE) or 0
        rows = sorted(tuple(row) for row in connection.execute(_NUMBER, {"start": start, "limit": limit}))
        last = self.entries(transaction, rows[-1][0], rows[-1][0] + 1)[0] if rows else b""
        return Numbered(start, [digest for _, digest in rows], last)

    def waiting(self, transaction: Session) -> bool:
        return transaction.connection().scalar(_WAITING) is not None

    def tile(self, transaction: Session, level: int, index: int) -> bytes:
        return transaction.connection().scalar(_TILE, {"level": level, "place": index}) or b""

    def put_tiles(self, transaction: Session, tiles: Mapping[tuple[int, int], bytes]) -> None:
        rows = [{"level": level, "place": place, "data": data} for (level, place), data in tiles.items()]
        transaction.connection().execute(_PUT_TILE, rows)

    def entries(self, transaction: Session, start: int, end: int) -> Sequence[bytes]:
        seq = col(JournalEvent.seq)
        query = select(col(JournalEvent.body)).where(seq >= start, seq < end).order_by(seq)
        return transaction.connection().scalars(query).all()

    def index_of(self, transaction: Session, leaf_hash: bytes) -> int | None:
        query = select(func.min(JournalEvent.seq)).where(col(JournalEvent.leaf_hash) == leaf_hash)
        return transaction.connection().scalar(query)

    def newest_event(self, transaction: Session) -> bytes | None:
        return transaction.connection().scalar(_NEWEST_EVENT)

    def add_checkpoint(self, transaction: Session, size: int, root: bytes, note: str, at: datetime) -> None:
        transaction.connection().execute(_ADD_HEAD, {"size": size, "root": root, "note": note, "at": at})

    def newest_checkpoint(self, transaction: Session, *, cosignatures: int = 0) -> StoredCheckpoint | None:
        query = _NEWEST_HEAD
        if cosignatures:
            number = col(JournalCosignature.checkpoint)  # in the order of the primary key: the first that fits ends it
            enough = select(number).group_by(number).having(func.count() >= cosignatures)
            newest = enough.order_by(number.desc()).limit(1).scalar_subquery()
            query = query.where(col(JournalCheckpoint.id) == newest)
        row = transaction.connection().execute(query).one_or_none()
        if row is None:
            return None
        lines = transaction.connection().scalars(_COSIGNATURES, {"checkpoint": row.id})
        return StoredCheckpoint(row.id, row.size, row.root, row.note, row.at, tuple(lines))

    def add_cosignature(self, transaction: Session, checkpoint: int, witness: str, line: str, at: datetime) -> None:
        if transaction.get(JournalCosignature, (checkpoint, witness)) is None:
            transaction.add(JournalCosignature(checkpoint=checkpoint, witness=witness, line=line, at=at))
            transaction.flush()

    def cosignatures(self, transaction: Session, count: int) -> Sequence[tuple[int, str]]:
        rows = transaction.connection().execute(_NEWEST_COSIGNATURES.limit(count)).all()
        return sorted((int(size), str(line)) for size, line in rows)

    def witnessed_size(self, transaction: Session, witness: str) -> int:
        query = (
            select(func.max(JournalCheckpoint.size))
            .join(JournalCosignature, col(JournalCosignature.checkpoint) == JournalCheckpoint.id)
            .where(col(JournalCosignature.witness) == witness)
        )
        return transaction.connection().scalar(query) or 0
