"""The repository's SQLite database: connections, numbered migrations, and the statements.

One writer at a time (`BEGIN IMMEDIATE`, `synchronous=FULL`): what was acknowledged is on disk. A certificate's row is
derived from its events (as are the rows of its holders), so it can be rebuilt when one comes late or is lost.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from certlib.errors import ConfigurationError
from certlib.identifiers import CertificateIdentifier
from city_repository import ranges
from city_repository.record import BETWEEN
from city_repository.rules import Held

_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000")


class Store:
    """The database in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._writing = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._migrate()

    def connection(self) -> sqlite3.Connection:
        """This thread's connection; outside `write` it reads."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = sqlite3.connect(self._path, isolation_level=None, timeout=10)
            found.row_factory = sqlite3.Row
            for pragma in _PRAGMAS:
                found.execute(f"PRAGMA {pragma}")
            self._local.connection = found
        return found

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction; rolled back when the block raises."""
        connection = self.connection()
        with self._writing:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """The rows of a reading statement."""
        return self.connection().execute(query, values).fetchall()

    def row(self, query: str, *values: object) -> sqlite3.Row | None:
        """The first row of a reading statement."""
        found: sqlite3.Row | None = self.connection().execute(query, values).fetchone()
        return found

    def _migrate(self) -> None:
        folder = files("city_repository") / "migrations"
        scripts = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
        with self.write() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > len(scripts):
                raise ConfigurationError("电子证照库的数据库比本程序新，请使用较新的程序打开。")
            for number, name in enumerate(scripts[version:], start=version + 1):
                for statement in _statements((folder / name).read_text(encoding="utf-8")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def held_events(connection: sqlite3.Connection, base: str) -> list[Held]:
    """The events of a certificate in order of sequence."""
    rows = connection.execute("SELECT * FROM event WHERE base = ? ORDER BY sequence", (base,))
    return [_held(row) for row in rows]


def _held(row: sqlite3.Row) -> Held:
    return Held(
        sequence=row["sequence"],
        account=row["account"],
        identifier=row["identifier"],
        edition=CertificateIdentifier.parse(row["identifier"]).edition,
        operation=row["operation"],
        state=row["state"],
        digest=row["digest"],
        file_sha256=row["file_sha256"],
        values=json.loads(row["record"]),
        warning=row["warning"],
    )


def put_event(connection: sqlite3.Connection, base: str, event: Held, *, day: str, received_at: str) -> None:
    """Write an event, in place of one with the same sequence."""
    connection.execute(
        "INSERT OR REPLACE INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            base,
            event.sequence,
            event.account,
            event.identifier,
            event.operation,
            event.state,
            json.dumps(event.values, ensure_ascii=False),
            event.digest,
            event.file_sha256,
            day,
            event.warning,
            received_at,
        ),
    )


def put_file(connection: sqlite3.Connection, sha256: str, data: bytes) -> None:
    """Keep a file once."""
    connection.execute("INSERT OR IGNORE INTO file VALUES (?, ?)", (sha256, data))


def derive(connection: sqlite3.Connection, base: str, events: Sequence[Held], *, now: str) -> None:
    """Write the certificate's row and its bucket as they follow from its events; without events there is no row."""
    old = connection.execute("SELECT account FROM record WHERE base = ?", (base,)).fetchone()
    if events:
        connection.execute(
            "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            _record_row(base, events, now),
        )
    else:
        connection.execute("DELETE FROM record WHERE base = ?", (base,))
    connection.execute("DELETE FROM holder WHERE base = ?", (base,))
    connection.executemany("INSERT INTO holder VALUES (?, ?, ?, ?)", _holder_rows(base, events))
    account = events[-1].account if events else old["account"] if old else ""
    _rehash(connection, account, ranges.bucket_of(base))


def _record_row(base: str, events: Sequence[Held], now: str) -> tuple[object, ...]:
    last = events[-1]
    values: Mapping[str, Any] = last.values
    seen = {event.sequence for event in events}
    files_ = [event.file_sha256 for event in events if event.file_sha256]
    return (
        base,
        last.account,
        last.identifier,
        last.edition,
        values["certificateTypeCode"],
        values["certificateIssuingAuthorityCode"],
        values["certificateNumber"],
        values["certificateHolderCode"],
        values["certificateHolderTypeCode"],
        last.state,
        values["certificateExpiringDate"],
        last.sequence,
        json.dumps([number for number in range(1, last.sequence) if number not in seen]),
        json.dumps(values, ensure_ascii=False),
        files_[-1] if files_ else "",
        ranges.bucket_of(base),
        ranges.leaf(base, ((event.sequence, event.digest) for event in events)),
        now,
    )


def _holder_rows(base: str, events: Sequence[Held]) -> Iterator[tuple[str, int, str, str]]:
    """Place, code and type of each holder of the newest event; none without events."""
    for event in events[-1:]:
        codes, kinds = (event.values[f"certificateHolder{part}"].split(BETWEEN) for part in ("Code", "TypeCode"))
        yield from ((base, place, *one) for place, one in enumerate(zip(codes, kinds, strict=True)))


def _rehash(connection: sqlite3.Connection, account: str, bucket: int) -> None:
    rows = connection.execute(
        "SELECT leaf FROM record WHERE account = ? AND bucket = ? ORDER BY leaf", (account, bucket)
    ).fetchall()
    leaves = [row["leaf"] for row in rows]
    connection.execute(
        "INSERT OR REPLACE INTO bucket VALUES (?, ?, ?, ?)", (account, bucket, len(leaves), ranges.node(leaves))
    )


def lose_event(store: Store, base: str, sequence: int, *, now: str) -> bool:
    """Forget an event that was acknowledged: the fault that only reconciliation finds. True when it was there."""
    with store.write() as connection:
        gone = connection.execute("DELETE FROM event WHERE base = ? AND sequence = ?", (base, sequence)).rowcount
        if gone:
            derive(connection, base, held_events(connection, base), now=now)
    return bool(gone)
