"""Every row that a transaction writes is committed to by one leaf of that transaction, `register:rows`.

So whoever edits a row past the program leaves a row that does not fit its newest digest; whoever deletes one leaves a
digest without a row; whoever puts one in leaves a row without a digest. Which columns count is declared in
`certlib.register.tamper`. Rows written by statements instead of objects are not seen: only operational columns are.

    with logged(writer(engine), journal, moment) as session:
        session.add(row)
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime
from typing import Any, Protocol

from sqlalchemy import event, insert, inspect
from sqlmodel import Session

from certlib.formats.facts import canonical
from certlib.formats.leaf import Leaf
from certlib.register.row_tables import RowChange
from certlib.register.tamper import committed_columns

KIND = "register:rows"
SALT_SIZE = 16  # bytes
_INSERT = insert(RowChange.__table__)  # type: ignore[attr-defined]


class _Appender(Protocol):
    def append(self, session: Session, leaf: Leaf) -> bytes:
        """Add a leaf inside the transaction and give its leaf hash."""


@contextmanager
def logged(
    transaction: AbstractContextManager[Session], journal: _Appender, moment: Callable[[Session], datetime]
) -> Iterator[Session]:
    """The transaction; before it commits, the rows it wrote are logged under one leaf."""
    with transaction as session:
        written: dict[tuple[str, str], Any] = {}

        def note(flushed: Session, _context: object) -> None:
            for row in (*flushed.new, *flushed.dirty, *flushed.deleted):
                _note(written, row, new=row in flushed.new)

        event.listen(session, "after_flush", note)
        try:
            yield session
            session.flush()
        finally:
            event.remove(session, "after_flush", note)
        if written:
            _log(session, written, journal, moment)


def row_digest(salt: bytes, table: str, key: str, values: Mapping[str, Any] | None) -> bytes:
    """The digest of a row as it is; `values` holds its committed columns, None when there is no such row."""
    said = None if values is None else {name: plain(value) for name, value in values.items()}
    return hashlib.sha256(salt + canonical([table, key, said])).digest()


def leaf_commitment(digests: Sequence[bytes]) -> bytes:
    """What the leaf of a transaction commits to: the digests of its rows in their order."""
    return hashlib.sha256(b"".join(digests)).digest()


def key_text(values: Sequence[Any]) -> str:
    """A row's primary key as text."""
    return "/".join(value.hex() if isinstance(value, bytes) else str(value) for value in values)


def plain(value: Any) -> Any:
    """A column's value as JSON, the same on both databases."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return value.isoformat() if isinstance(value, date) else value


def _note(written: dict[tuple[str, str], Any], row: Any, *, new: bool) -> None:
    state = inspect(row)
    table = state.mapper.local_table.name
    columns = committed_columns(table)
    # a change of operational columns alone is none
    if columns and (new or any(state.attrs[name].history.has_changes() for name in columns)):
        key = key_text([getattr(row, column.name) for column in state.mapper.primary_key])
        written[table, key] = row


def _log(
    session: Session,
    written: Mapping[tuple[str, str], Any],
    journal: _Appender,
    moment: Callable[[Session], datetime],
) -> None:
    changes: list[dict[str, Any]] = []
    for (table, key), row in written.items():
        gone = inspect(row).deleted
        values = None if gone else {name: getattr(row, name) for name in committed_columns(table)}
        salt = secrets.token_bytes(SALT_SIZE)
        changes.append({"name": table, "key": key, "salt": salt, "digest": row_digest(salt, table, key, values)})
    commitment = leaf_commitment([change["digest"] for change in changes])
    leaf = journal.append(session, Leaf(kind=KIND, at=moment(session), commitment=commitment))
    rows = [{**change, "leaf": leaf, "place": place} for place, change in enumerate(changes)]
    session.connection().execute(_INSERT, rows)
