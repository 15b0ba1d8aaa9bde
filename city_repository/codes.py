"""The repository's code tables, field table and operation matrix, read from `data/`.

codes = load_codes()
codes.name("operations", "05")     # 注销（撤销、吊销、转出）
codes.transition("05", "01", "03") # the row that allows it, or None
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

UNKNOWN = "-"
"""The state of a certificate never pushed before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a pushed record. `short` is the metadata's short name of GB/T 36903 (ZZMC …)."""

    name: str
    label: str
    required: bool = False
    check: str = "text"
    max: int = 100
    short: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One row of the matrix: an operation, from which states, to which (`=` keeps), with what edition and file."""

    operation: str
    origins: frozenset[str]
    targets: frozenset[str]
    edition: str
    file: str
    predecessor_may_be_unknown: bool = False

    def allows(self, origin: str, target: str) -> bool:
        """Whether the row covers the step from `origin` to `target`."""
        return origin in self.origins and (target in self.targets or ("=" in self.targets and target == origin))


@dataclass(frozen=True, slots=True)
class Codes:
    """All tables. `tables` maps a table's name to its codes and their meaning."""

    tables: Mapping[str, Mapping[str, str]]
    matrix: tuple[Transition, ...]
    fields: tuple[Field, ...]

    def name(self, table: str, code: str) -> str:
        """What a code means, or the code itself when it is not listed."""
        return self.tables[table].get(code, code)

    def transition(self, operation: str, origin: str, target: str) -> Transition | None:
        """The row that allows `operation` to lead from `origin` to `target`."""
        rows = (row for row in self.matrix if row.operation == operation)
        return next((row for row in rows if row.allows(origin, target)), None)

    def of_operation(self, operation: str, target: str) -> Transition | None:
        """A row of `operation` that leads to `target` from anywhere; used when the state before is not known."""
        rows = (row for row in self.matrix if row.operation == operation)
        return next((row for row in rows if target in row.targets or "=" in row.targets), None)


@cache
def load_codes() -> Codes:
    """The tables shipped with the repository."""
    codes = _read("codes.toml")
    matrix = tuple(_transition(row) for row in codes.pop("matrix"))
    return Codes(codes, matrix, tuple(Field(**row) for row in _read("fields.toml")["field"]))


def _transition(row: dict[str, Any]) -> Transition:
    return Transition(
        operation=row["operation"],
        origins=frozenset(row["from"]),
        targets=frozenset(row["to"]),
        edition=row["edition"],
        file=row["file"],
        predecessor_may_be_unknown=row.get("predecessor_may_be_unknown", False),
    )


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files("city_repository") / "data" / name).read_text(encoding="utf-8"))
