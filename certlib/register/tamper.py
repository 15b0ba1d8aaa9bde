"""Which columns of the register the audit answers for, table by table.

* committed: the journal holds their digest. Rows of most tables are committed whole by the leaf `register:rows` of the
  transaction that wrote them (`certlib.register.row_log`); the journal's own tables by the signed checkpoints, the
  access log by the leaf `access:digest` of its hour.
* derived: they follow from committed columns, and the export recomputes them.
* operational: leases, retries, caches. An edit costs work, and changes nothing that anybody could rely on.

An edit of a column of the first two kinds, and a row deleted or put in, is found by `certctl audit` and named. A test
edits every one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import SQLModel


class Kind(StrEnum):
    """How the audit answers for a column."""

    COMMITTED = "committed"
    DERIVED = "derived"
    OPERATIONAL = "operational"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What is declared of a table: `kind` holds for every column but those named otherwise.

    `by_rows` says that its rows are committed by `register:rows`; `why` gives the reason for operational tables.
    """

    kind: Kind = Kind.COMMITTED
    by_rows: bool = True
    operational: frozenset[str] = frozenset()
    derived: frozenset[str] = frozenset()
    why: str = ""

    def of(self, column: str) -> Kind:
        """The kind of a column."""
        if column in self.operational:
            return Kind.OPERATIONAL
        return Kind.DERIVED if column in self.derived else self.kind


def _rows(*operational: str) -> Table:
    return Table(operational=frozenset(operational))


def _operational(why: str) -> Table:
    return Table(kind=Kind.OPERATIONAL, by_rows=False, why=why)


TAMPER: Mapping[str, Table] = {
    "intent": _rows(
        "state", "attempt", "lease_owner", "lease_until", "sha256", "client", "key", "problem", "finished_at"
    ),
    "certificate": _rows(),
    "edition": _rows(),
    "co_holder": _rows(),
    "sheet": _rows(),
    "file": _rows("raise_at"),
    "document": _rows(),
    "event": _rows(),
    "blank": _rows(),
    "stock_movement": _rows(),
    "service": _rows(),
    "mass": _rows(),
    "meta": _rows(),
    "seal": _rows(),
    "seal_edition": _rows(),
    "seal_certificate": _rows(),
    "seal_event": _rows(),
    "seal_authorisation": _rows(),
    "seal_use": _rows(),
    "published": _rows(),
    "access_digest": _rows(),
    "access": Table(by_rows=False, derived=frozenset({"digest"})),
    "chain": Table(kind=Kind.DERIVED, by_rows=False),
    "row_change": Table(by_rows=False, operational=frozenset({"id"})),
    "journal_event": Table(by_rows=False, operational=frozenset({"id"}), derived=frozenset({"leaf_hash"})),
    "journal_tile": Table(by_rows=False),
    "journal_checkpoint": Table(
        by_rows=False, operational=frozenset({"id"}), derived=frozenset({"size", "root", "at"})
    ),
    "journal_cosignature": Table(
        by_rows=False, operational=frozenset({"checkpoint", "at"}), derived=frozenset({"witness"})
    ),
    "counter": _operational(
        "put back, the next number or index collides with a unique one and nothing is issued; put forward, it leaves"
        " a gap, which numbers and indices may have and the audit names for seals"
    ),
    "idempotency": _operational("an answer given again; what it tells of stands in committed rows"),
    "batch": _operational("a list of requests; what they brought about stands in committed rows"),
    "batch_line": _operational("a request waiting; what it brought about stands in committed rows"),
    "turn": _operational("whose turn a comparison is; edited, it is made twice or a quarter of an hour late"),
    "delivery": _operational("a copy on its way; what the other side holds is compared with the register every day"),
}
"""Every table of the register."""


def committed_columns(table: str) -> tuple[str, ...]:
    """The columns of a table whose content `register:rows` commits to, sorted; none for other tables."""
    declared = TAMPER.get(table)
    if declared is None or not declared.by_rows:
        return ()
    columns = SQLModel.metadata.tables[table].columns
    return tuple(sorted(column.name for column in columns if declared.of(column.name) is Kind.COMMITTED))
