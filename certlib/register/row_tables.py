"""The tables by which the journal commits to rows of others: changes of rows, lists published, digests of accesses."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary
from sqlmodel import Field, SQLModel

from certlib.register import engine as _engine  # noqa: F401  the naming convention must be set before any table

_ROW_ID = BigInteger().with_variant(Integer(), "sqlite")


class RowChange(SQLModel, table=True):
    """One row written: its digest then, under the leaf of its transaction. The newest of a row must fit the row.

    `digest` is SHA-256(salt ‖ canonical table, key and committed columns). Without its salt it tells nothing.
    """

    __tablename__ = "row_change"
    id: int | None = Field(default=None, sa_column=Column(_ROW_ID, primary_key=True, autoincrement=True))
    leaf: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))  # leaf hash
    place: int  # within the leaf
    name: str  # of the table
    key: str
    salt: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # empty: erased
    digest: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))

    __table_args__ = (
        Index("ix_row_change_row", "name", "key", "id"),
        Index("ix_row_change_leaf", "leaf", "place"),
        {"sqlite_autoincrement": True},
    )


class PublishedRow(SQLModel, table=True):
    """Something signed and given to the public: a trust list, a status list, a statement; the journal has its digest.

    `about` is what it is of (a shard, a target), `number` its number or the journal's size it was computed from.
    """

    __tablename__ = "published"
    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(index=True)
    about: str = ""
    number: int = 0
    sha256: str = Field(index=True)
    at: datetime
    leaf: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))


class AccessDigestRow(SQLModel, table=True):
    """The digest of the accesses since the digest before, which it contains: a chain of hours."""

    __tablename__ = "access_digest"
    id: int | None = Field(default=None, primary_key=True)
    count: int
    previous: str  # SHA-256, hexadecimal; empty for the first
    sha256: str
    at: datetime
    leaf: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
