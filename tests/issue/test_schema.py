"""A database that an earlier program made gets what came since, on SQLite and on PostgreSQL, and keeps its rows."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text
from sqlmodel import SQLModel

import certlib.register.store  # noqa: F401  it knows every table
from certlib.register.delivery_table import DeliveryRow
from certlib.register.engine import make_engine, reader, writer
from certlib.register.schema import make_schema
from tests.databases import new_database


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    address = f"sqlite:///{tmp_path / 'register.db'}"
    if request.param == "postgresql":
        address = new_database(request.getfixturevalue("postgresql"))
    found = make_engine(address)
    yield found
    found.dispose()


def indexes(engine: Engine, table: str) -> dict[str, list[str | None]]:
    return {str(one["name"]): one["column_names"] for one in inspect(engine).get_indexes(table)}


def test_a_new_database_gets_everything(engine):
    """Every table with every index, and a second start finds nothing to do."""
    assert make_schema(engine) == []
    assert set(inspect(engine).get_table_names()) >= set(SQLModel.metadata.tables)
    for table in SQLModel.metadata.sorted_tables:
        found = indexes(engine, table.name)
        for index in table.indexes:
            assert found[str(index.name)] == [column.name for column in index.columns]
    assert make_schema(engine) == []


def test_an_earlier_database_gets_what_came_since(engine):
    """A table that is missing, an index that is missing and one over other columns are made; rows stay."""
    make_schema(engine)
    at = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
    with writer(engine) as session:
        row = {"certificate": "a", "sequence": 1, "operation": "issue", "identifier": "a", "day": "2026-01-05"}
        session.add(DeliveryRow(**row, available_at=at, created_at=at))
    with engine.begin() as connection:
        for statement in (
            "DROP TABLE turn",
            "DROP INDEX ix_delivery_dead",
            "DROP INDEX uq_delivery_order",
            "DROP INDEX ix_delivery_open",
            "CREATE INDEX ix_delivery_open ON delivery (target, available_at)",
            "CREATE INDEX ix_of_the_office ON delivery (operation)",
        ):
            connection.execute(text(statement))
    assert make_schema(engine) == ["ix_delivery_dead", "ix_delivery_open", "uq_delivery_order"]
    found = indexes(engine, "delivery")
    assert found["ix_delivery_open"] == ["target", "available_at", "state", "created_at"]
    assert found["uq_delivery_order"] == ["target", "certificate", "sequence"]
    assert "ix_of_the_office" in found  # what the office added itself is its own
    assert "turn" in inspect(engine).get_table_names()
    with reader(engine) as session:
        assert session.get_one(DeliveryRow, 1).certificate == "a"


def test_processes_that_start_together_do_not_meet(engine):
    """Six starts at once on an empty database: one makes it, none fails."""
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda _: make_schema(engine), range(6))) == [[]] * 6
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_delivery_identifier"))
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: make_schema(engine), range(6)))
    assert sorted(made) == [[]] * 5 + [["ix_delivery_identifier"]]
