"""What the register says of the leaves `register:rows` and `access:digest`: recomputed from the rows as they are now.

Of each change the newest of its row is recomputed from the row; the older ones are taken as they were kept, since the
row has moved on and the leaf commits to them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, SQLModel, col

from certlib.register.row_log import key_text, leaf_commitment, row_digest
from certlib.register.row_tables import RowChange
from certlib.register.tamper import TAMPER, committed_columns

_PORTION = 500  # keys asked for in one statement
_BY_ROWS = frozenset(name for name, declared in TAMPER.items() if declared.by_rows)

Line = dict[str, Any]


def row_claims(session: Session, leaves: Mapping[bytes, int]) -> Iterator[tuple[int, str, Line]]:
    """The claim of each leaf `register:rows`, given by leaf hash with its number."""
    changes = list(_changes(session, leaves))
    fitting = _fitting(session, changes)
    by_leaf: dict[bytes, list[RowChange]] = {}
    for change in changes:
        by_leaf.setdefault(change.leaf, []).append(change)
    for leaf, rows in by_leaf.items():
        digests = [fitting.get(change.id or 0, change.digest) for change in rows]
        differs = [f"{row.name} {row.key}" for row, now in zip(rows, digests, strict=True) if now != row.digest]
        whole = [row.place for row in rows] == list(range(len(rows)))
        if not whole:
            differs.append("row_change")
        commitment = leaf_commitment(digests).hex() if whole else ""
        yield leaves[leaf], "rows", {"commitment": commitment, "differs": differs[:20]}


def rows_without_change(session: Session) -> Iterator[Line]:
    """Rows that no leaf commits to: put in past the program."""
    for name in sorted(_BY_ROWS & SQLModel.metadata.tables.keys()):
        keys = [
            key_text(row) for row in session.connection().execute(select(*SQLModel.metadata.tables[name].primary_key))
        ]
        for part in _parts(keys):
            query = select(col(RowChange.key)).where(col(RowChange.name) == name, col(RowChange.key).in_(part))
            known = set(session.connection().scalars(query))
            yield from ({"seq": None, "row": name, "key": key} for key in part if key not in known)


def changes_without_leaf(session: Session, known: Iterable[bytes]) -> Iterator[Line]:
    """Changes whose leaf is not in the journal."""
    leaves = set(known)
    for leaf in session.connection().scalars(select(col(RowChange.leaf)).distinct()):
        if bytes(leaf) not in leaves:
            yield {"seq": None, "row": "row_change", "key": bytes(leaf).hex()[:16]}


def _changes(session: Session, leaves: Iterable[bytes]) -> Iterator[RowChange]:
    for part in _parts(list(leaves)):
        query = (
            select(RowChange).where(col(RowChange.leaf).in_(part)).order_by(col(RowChange.leaf), col(RowChange.place))
        )
        yield from session.connection().execute(query)  # type: ignore[misc]  # rows have the columns by name


def _fitting(session: Session, changes: Sequence[RowChange]) -> dict[int, bytes]:
    """The digest that each change would have if the row as it is now had been written; newest changes only."""
    found: dict[int, bytes] = {}
    by_table: dict[str, dict[str, RowChange]] = {}
    for change in sorted(changes, key=lambda one: one.id or 0):
        by_table.setdefault(change.name, {})[change.key] = change  # the last one of a portion
    for name, rows in by_table.items():
        newest = _newest(session, name, list(rows))
        wanted = {key: row for key, row in rows.items() if newest.get(key) == row.id}
        present = _present(session, name, list(wanted))
        for key, row in wanted.items():
            found[row.id or 0] = row_digest(row.salt, name, key, present.get(key))
    return found


def _newest(session: Session, name: str, keys: Sequence[str]) -> dict[str, int]:
    newest: dict[str, int] = {}
    for part in _parts(keys):
        query = (
            select(col(RowChange.key), func.max(RowChange.id))
            .where(col(RowChange.name) == name, col(RowChange.key).in_(part))
            .group_by(col(RowChange.key))
        )
        rows = session.connection().execute(query)
        newest |= {key: number for key, number in rows if number is not None}
    return newest


def _present(session: Session, name: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The committed columns of these rows as they are now, by key."""
    table = SQLModel.metadata.tables.get(name)
    if table is None or name not in _BY_ROWS:
        return {}
    columns = [table.columns[one] for one in committed_columns(name)]
    primary = list(table.primary_key)
    present: dict[str, dict[str, Any]] = {}
    first = primary[0]
    for part in _parts(keys):
        query = select(*primary, *columns).where(first.in_([_first(first, key, len(primary)) for key in part]))
        for row in session.connection().execute(query):
            values = dict(zip([column.name for column in columns], row[len(primary) :], strict=True))
            present[key_text(row[: len(primary)])] = values
    return present


def _first(column: Any, key: str, parts: int) -> Any:
    """The value of the first column of a primary key, out of the key's text."""
    text = key.rsplit("/", parts - 1)[0] if parts > 1 else key
    if column.type.python_type is int:
        return int(text) if text.lstrip("-").isdecimal() else -1
    return bytes.fromhex(text) if column.type.python_type is bytes else text


def _parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (values[start : start + _PORTION] for start in range(0, len(values), _PORTION))
