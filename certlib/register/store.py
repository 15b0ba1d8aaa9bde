"""The register as one thing: database, files, journal and clock, with the small acts every use case shares."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Protocol

from sqlalchemy import Engine, text
from sqlmodel import Session, select

from certlib.domain.subscription import Subscription
from certlib.errors import ConfigurationError
from certlib.formats.leaf import Leaf
from certlib.register.deliveries import ENQUEUED
from certlib.register.engine import database_now, not_before, reader, writer
from certlib.register.files import FileStore
from certlib.register.row_log import logged
from certlib.register.schema import make_schema
from certlib.register.tables import ChainRow, MetaRow

SCHEMA = "2"
_COUNT = text("""
    INSERT INTO counter (name, value) VALUES (:name, :count)
    ON CONFLICT (name) DO UPDATE SET value = counter.value + :count
    RETURNING value
""")


class Appender(Protocol):
    """The journal's side of a transaction."""

    def append(self, session: Session, leaf: Leaf) -> bytes:
        """Add a leaf inside the caller's transaction and return its leaf hash."""


class Register:
    """Database, files, journal and clock of one office.

    Without `clock` the time is the database's; a clock given (tests, replays) must never run backwards.
    """

    def __init__(
        self, engine: Engine, files: FileStore, journal: Appender, clock: Callable[[], datetime] | None = None
    ) -> None:
        self.engine, self.files, self.journal = engine, files, journal
        self._clock = clock
        self.on_delivery: list[Callable[[], None]] = []  # told after a commit that wrote a delivery
        self.subscriptions: tuple[Subscription, ...] = ()  # who is told of events besides the city repository

    def create(self) -> None:
        """Make tables and indexes that are not there.

        Raises `ConfigurationError` when a program made the tables whose rows this one cannot read.
        """
        make_schema(self.engine)
        with self.writer() as session:
            row = session.get(MetaRow, "schema")
            if row is None:
                session.add(MetaRow(name="schema", value=SCHEMA))
            elif row.value != SCHEMA:
                raise ConfigurationError(f"台账的结构版本是 {row.value}，本程序需要 {SCHEMA}；请先升级台账。")

    @contextmanager
    def writer(self) -> Iterator[Session]:
        """One transaction that writes; the journal commits to the rows it wrote, and then deliveries may start."""
        with logged(writer(self.engine), self.journal, self.moment) as session:
            yield session
        if session.info.get(ENQUEUED):
            for tell in self.on_delivery:
                tell()

    def reader(self) -> AbstractContextManager[Session]:
        """One transaction that sees one moment."""
        return reader(self.engine)

    def moment(self, session: Session, floor: datetime | None = None) -> datetime:
        """Now, never before `floor`. Raises `StorageError` when the clock stands more than 2 s behind it."""
        return not_before(self._clock(), floor) if self._clock else database_now(session, floor)

    def now(self) -> datetime:
        """Now, outside any transaction."""
        if self._clock:
            return self._clock()
        with self.reader() as session:
            return database_now(session)

    def next(self, session: Session, name: str, count: int = 1) -> int:
        """Take `count` numbers of the series `name` and return the first; gap-free when the transaction commits."""
        last = session.connection().execute(_COUNT, {"name": name, "count": count}).scalar_one()
        return int(last) - count + 1

    def open_chain(self, session: Session) -> bytes:
        """Begin a chain of leaves; its name is random, so that the journal names nobody."""
        chain = secrets.token_bytes(16)
        session.add(ChainRow(id=chain))
        session.flush()
        return chain

    def link(self, session: Session, chain: bytes, leaf: Leaf) -> bytes:
        """Append `leaf` as the next step of its chain; `leaf` comes without chain, step and previous."""
        row = session.exec(select(ChainRow).where(ChainRow.id == chain).with_for_update()).one()
        row.step += 1
        linked = Leaf(
            kind=leaf.kind,
            at=leaf.at,
            commitment=leaf.commitment,
            chain=chain,
            step=row.step,
            previous=row.head,
            statuses=leaf.statuses,
            file=leaf.file,
            seal=leaf.seal,
            use=leaf.use,
        )
        row.head = self.journal.append(session, linked)
        session.add(row)
        return row.head
