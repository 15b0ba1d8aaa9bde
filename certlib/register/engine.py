"""The register's database: engines, transactions, the database's clock, storage failures as `StorageError`.

Rules:
* SQLite: WAL, `synchronous=FULL`, foreign keys on; a writer takes the write lock when it begins (`BEGIN IMMEDIATE`),
  a reader begins plainly and cannot write.
* PostgreSQL (psycopg 3): a writer is READ COMMITTED and takes row locks itself, a reader is REPEATABLE READ and
  read-only. So on both a reader sees one moment.
* Everything written inside one `writer` is one commit; leaving it by an exception writes nothing.

    engine = make_engine("sqlite:///register.db")
    with writer(engine) as session:
        session.add(row)
    with reader(engine) as session:
        row = session.get(Row, 1)

Import this module before any module with SQLModel tables: it sets the naming convention that migrations rely on.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import StaticPool
from sqlmodel import Session, SQLModel

from certlib.errors import ConfigurationError, StorageError

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

LOCK_WAIT = timedelta(seconds=10)
"""How long a transaction waits for another's lock before it is refused."""

CLOCK_TOLERANCE = timedelta(seconds=2)
"""How far the database's clock may stand behind the newest event before work is refused."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_READ = "certlib_read"  # execution option: this transaction only reads

# recursive_triggers: without it INSERT OR REPLACE deletes rows past the append-only triggers (SQLite, lang_conflict)
_PRAGMAS = (
    f"busy_timeout={LOCK_WAIT // timedelta(milliseconds=1)}",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "recursive_triggers=ON",
)


def make_engine(url: str | URL, *, pool_size: int = 20) -> Engine:
    """Give an engine for `sqlite:///file`, `sqlite://` (in memory, one connection) or `postgresql://…`.

    Raises `ConfigurationError` when the URL is not one of these.
    """
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError("数据库地址无法识别，应为 sqlite:///文件 或 postgresql://…") from error
    opener = _OPENERS.get(address.drivername)
    if opener is None:
        raise ConfigurationError(f"不支持数据库 {address.drivername}，应为 sqlite:///文件 或 postgresql://…")
    return opener(address, pool_size)


@contextmanager
def writer(engine: Engine) -> Iterator[Session]:
    """One transaction that writes; committed when the block ends, rolled back when it raises.

    The write lock (SQLite) is taken on entry. Raises `StorageError` when disk or database refuse.
    """
    with _storage_errors(), Session(engine, expire_on_commit=False) as session, session.begin():
        session.connection()
        yield session


@contextmanager
def reader(engine: Engine) -> Iterator[Session]:
    """One transaction that sees a single moment and writes nothing. Raises `StorageError` as `writer` does."""
    options = _READER_OPTIONS[engine.dialect.name]
    with _storage_errors(), Session(engine, expire_on_commit=False) as session:
        session.connection(execution_options=options)
        yield session


def database_now(session: Session, floor: datetime | None = None) -> datetime:
    """The database's clock in UTC, whole milliseconds, never before `floor` (the newest event's time).

    Raises `StorageError` (code `clock-behind`) when the clock stands more than two seconds behind `floor`.
    """
    dialect = session.get_bind().dialect.name
    milliseconds = int(session.connection().scalar(_CLOCKS[dialect]))
    return not_before(_EPOCH + timedelta(milliseconds=milliseconds), floor)


def not_before(now: datetime, floor: datetime | None) -> datetime:
    """`max(now, floor)`. Raises `StorageError` (code `clock-behind`) when `now` is over two seconds behind `floor`."""
    if floor is None or now >= floor:
        return now
    if floor - now > CLOCK_TOLERANCE:
        behind = (floor - now).total_seconds()
        message = f"数据库时钟比最近一次登记慢 {behind:.0f} 秒，已停止办理；请校准时钟后重试，未保存任何内容。"
        raise StorageError(message, code="clock-behind")
    return floor


def _sqlite(address: URL, pool_size: int) -> Engine:
    in_memory = address.database in (None, "", ":memory:")
    options: dict[str, Any] = (
        {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
        if in_memory
        else {"pool_size": pool_size, "max_overflow": pool_size}
    )
    engine = create_engine(address, **options)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver would begin by itself, and too late
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    reads = bool(connection.get_execution_options().get(_READ))
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reads else 'OFF'}")
    # a plain BEGIN turns into a writer later and then fails at once when another has written meanwhile
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _postgresql(address: URL, pool_size: int) -> Engine:
    wait = LOCK_WAIT // timedelta(milliseconds=1)
    return create_engine(
        address.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        connect_args={"options": f"-c lock_timeout={wait} -c timezone=UTC"},
    )


_OPENERS = {
    "sqlite": _sqlite,
    "sqlite+pysqlite": _sqlite,
    "postgresql": _postgresql,
    "postgres": _postgresql,
    "postgresql+psycopg": _postgresql,
}

_READER_OPTIONS: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "sqlite": {_READ: True},
        "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
    }
)

# milliseconds since 1970; SQLite's clock has no finer unit
_CLOCKS = {
    "sqlite": text("SELECT CAST(strftime('%s', 'now') || substr(strftime('%f', 'now'), 4, 3) AS INTEGER)"),
    "postgresql": text("SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)"),
}

_FULL = "存储空间已满，未保存任何内容；请清理磁盘后重试。"
_BUSY = "数据库正忙，未保存任何内容；请稍后重试。"
_BROKEN = "数据库读写失败，未保存任何内容；请联系管理员检查磁盘与数据库。"
_AWAY = "无法连接数据库，未保存任何内容；请稍后重试或联系管理员。"

# SQLite result codes by name, PostgreSQL by SQLSTATE (class or whole code): (our code, sentence)
_FAILURES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "SQLITE_FULL": ("storage-full", _FULL),
        "SQLITE_BUSY": ("storage-busy", _BUSY),
        "SQLITE_LOCKED": ("storage-busy", _BUSY),
        "SQLITE_IOERR": ("storage-failed", _BROKEN),
        "SQLITE_CORRUPT": ("storage-failed", _BROKEN),
        "SQLITE_NOTADB": ("storage-failed", _BROKEN),
        "SQLITE_READONLY": ("storage-failed", _BROKEN),
        "SQLITE_CANTOPEN": ("storage-unavailable", _AWAY),
        "53100": ("storage-full", _FULL),  # disk_full
        "55P03": ("storage-busy", _BUSY),  # lock_not_available
        "40P01": ("storage-busy", _BUSY),  # deadlock_detected
        "40001": ("storage-busy", _BUSY),  # serialization_failure
        "58": ("storage-failed", _BROKEN),  # system error, I/O
        "XX": ("storage-failed", _BROKEN),  # data corrupted, index corrupted
        "53": ("storage-unavailable", _AWAY),  # insufficient resources
        "57": ("storage-unavailable", _AWAY),  # shutdown, crash, cannot connect now
        "08": ("storage-unavailable", _AWAY),  # connection exception
    }
)


@contextmanager
def _storage_errors() -> Iterator[None]:
    """Translate what disk and database refuse, here at the border; wrong statements stay what they are."""
    try:
        yield
    except PoolTimeoutError as error:
        raise StorageError(_BUSY, code="storage-busy") from error
    except DBAPIError as error:
        failure = storage_failure(error)
        if failure is None:
            raise
        raise failure from error


def storage_failure(error: DBAPIError) -> StorageError | None:
    """The `StorageError` that a database error stands for, or None when the statement itself was wrong."""
    found = next((_FAILURES[name] for name in _names(error) if name in _FAILURES), None)
    if found is None and (error.connection_invalidated or isinstance(error, InterfaceError)):
        found = ("storage-unavailable", _AWAY)
    if found is None and isinstance(error, OperationalError) and not _state(error):
        # without a code: PostgreSQL could not be reached, SQLite holds what cannot be read
        found = ("storage-failed", _BROKEN) if isinstance(error.orig, sqlite3.Error) else ("storage-unavailable", _AWAY)
    return StorageError(found[1], code=found[0]) if found else None


def _state(error: DBAPIError) -> str:
    value = getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None)
    return str(value or "")


def _names(error: DBAPIError) -> Iterator[str]:
    """The error's code, then the code of its family: SQLITE_IOERR_FSYNC, SQLITE_IOERR; 53100, 53."""
    state = _state(error)
    yield state
    yield "_".join(state.split("_")[:2]) if state.startswith("SQLITE_") else state[:2]
