"""Tables that only grow: triggers, the same rule for SQLite and PostgreSQL.

A trigger does not stop the owner of the database; it stops mistakes and makes tampering a deliberate act, which the
audit of the journal then finds. Migrations run `append_only(...)` themselves; `create_all` runs it by itself for
tables given to `keep`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, event


def append_only(table: str, *, updates: str = "") -> Mapping[str, tuple[str, ...]]:
    """The statements, by dialect name, that forbid DELETE on `table`, and UPDATE unless `updates` holds.

    `updates` is an SQL condition on OLD and NEW that both dialects read; empty forbids every UPDATE.
    """
    broken = f"WHEN (NOT coalesce({updates}, FALSE))" if updates else ""
    return {
        "sqlite": (
            _sqlite_trigger(table, "update", broken),
            _sqlite_trigger(table, "delete", ""),
        ),
        "postgresql": (
            _POSTGRESQL_FUNCTION,
            _postgresql_trigger(table, "update", f"FOR EACH ROW {broken}"),
            _postgresql_trigger(table, "delete", "FOR EACH ROW"),
            _postgresql_trigger(table, "truncate", "FOR EACH STATEMENT"),
        ),
    }


def keep(table: Table, *, updates: str = "") -> None:
    """Let `create_all` add the triggers of `append_only` when it creates `table`."""
    statements = append_only(table.name, updates=updates)

    def after_create(_target: Table, connection: Connection, **_: Any) -> None:
        for statement in statements[connection.dialect.name]:
            connection.exec_driver_sql(statement)

    event.listen(table, "after_create", after_create)


# SQLSTATE 23000 becomes IntegrityError, as RAISE(ABORT) does on SQLite. No percent sign: the driver reads them.
_POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = '23000';
END $$
"""


def _postgresql_trigger(table: str, act: str, scope: str) -> str:
    name = f"{table}_no_{act}"
    return f"CREATE TRIGGER {name} BEFORE {act.upper()} ON {table} {scope} EXECUTE FUNCTION refuse_append_only()"


def _sqlite_trigger(table: str, act: str, condition: str) -> str:
    name, refusal = f"{table}_no_{act}", f"SELECT RAISE(ABORT, '{table} is append-only');"
    return f"CREATE TRIGGER {name} BEFORE {act.upper()} ON {table} {condition} BEGIN {refusal} END"
