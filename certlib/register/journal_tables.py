"""The journal's tables. `TAMPER` of the register's declaration: everything here is committed by signed checkpoints.

`journal_event` takes one row per event inside the transaction that causes it; `seq` stays NULL until the sequencer
numbers it, and that one step is the only update ever allowed. Tiles only grow at their end; checkpoints and
cosignatures never change.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from certlib.register import engine as _engine  # noqa: F401  the naming convention must be set before any table
from certlib.register.append_only import keep

_ROW_ID = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts up INTEGER PRIMARY KEY only


class JournalEvent(SQLModel, table=True):
    """One leaf: its bytes, their RFC 6962 leaf hash, and its place once it has one."""

    __tablename__ = "journal_event"
    id: int | None = Field(default=None, sa_column=Column(_ROW_ID, primary_key=True, autoincrement=True))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    leaf_hash: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False, index=True))
    seq: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True, unique=True))

    # AUTOINCREMENT: an id is never used twice, even after the newest row was deleted past the triggers
    __table_args__ = (
        Index(
            "ix_journal_event_unsequenced",
            "id",
            sqlite_where=text("seq IS NULL"),
            postgresql_where=text("seq IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )


class JournalTile(SQLModel, table=True):
    """The widest form of one tile (C2SP tlog-tiles): up to 256 hashes of one level, 32 bytes each."""

    __tablename__ = "journal_tile"
    level: int = Field(primary_key=True)
    place: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))  # index within the level
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class JournalCheckpoint(SQLModel, table=True):
    """One signed checkpoint, in the order of signing; several may have one size when the journal was idle."""

    __tablename__ = "journal_checkpoint"
    id: int | None = Field(default=None, sa_column=Column(_ROW_ID, primary_key=True, autoincrement=True))
    size: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))
    root: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    note: str = Field(sa_column=Column(Text, nullable=False))  # the signed note with the journal's own signatures
    at: datetime


class JournalCosignature(SQLModel, table=True):
    """A witness's signature line under one checkpoint."""

    __tablename__ = "journal_cosignature"
    checkpoint: int = Field(
        sa_column=Column(_ROW_ID, ForeignKey("journal_checkpoint.id"), primary_key=True, autoincrement=False)
    )
    witness: str = Field(primary_key=True)
    line: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime


APPEND_ONLY = {
    "journal_event": (
        "OLD.seq IS NULL AND NEW.seq IS NOT NULL AND NEW.id = OLD.id"
        " AND NEW.body = OLD.body AND NEW.leaf_hash = OLD.leaf_hash"
    ),
    "journal_tile": (
        "NEW.level = OLD.level AND NEW.place = OLD.place AND substr(NEW.data, 1, length(OLD.data)) = OLD.data"
    ),
    "journal_checkpoint": "",
    "journal_cosignature": "",
}
"""Which updates each table allows: the argument `updates` of `append_only`, for migrations."""

for _name, _updates in APPEND_ONLY.items():
    keep(SQLModel.metadata.tables[_name], updates=_updates)
