"""A database of each kind, a journal in it, and keys that are always the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import Engine
from sqlmodel import Session, SQLModel

from certlib.crypto.keys import PemKey
from certlib.formats.leaf import Leaf
from certlib.formats.tlog_note import COSIGNATURE, NoteKey
from certlib.journal.journal import Journal, journal_keys
from certlib.register.engine import make_engine
from certlib.register.journal_store import sql_journal
from certlib.register.journal_tables import APPEND_ONLY
from tests.databases import new_database

ORIGIN = "journal.ganzhou.example/certificates"
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TABLES = [SQLModel.metadata.tables[name] for name in APPEND_ONLY]


def ed25519(seed: bytes) -> PemKey:
    """The Ed25519 key of a one-letter seed."""
    key = Ed25519PrivateKey.from_private_bytes(seed * 32)
    return PemKey.load(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), name="test")


def witness_key(name: str = "witness-archive", seed: bytes = b"w") -> NoteKey:
    """A witness's key."""
    return NoteKey.of(name, ed25519(seed), COSIGNATURE)


def plain(number: int, *, at: datetime = START) -> Leaf:
    """An event of no chain, one per number."""
    return Leaf(kind="key:added", at=at + timedelta(seconds=number), commitment=number.to_bytes(32, "big"))


@dataclass(frozen=True)
class Book:
    """A journal and the database it is in."""

    engine: Engine
    journal: Journal[Session]


@pytest.fixture(params=["sqlite", "postgresql"])
def book(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Book]:
    """An empty journal on each database."""
    address = f"sqlite:///{tmp_path / 'register.db'}"
    if request.param == "postgresql":
        address = new_database(request.getfixturevalue("postgresql"))
    engine = make_engine(address)
    SQLModel.metadata.create_all(engine, tables=TABLES)
    yield Book(engine, sql_journal(ORIGIN, journal_keys(ORIGIN, ed25519(b"j"))))
    engine.dispose()
