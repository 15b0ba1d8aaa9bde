"""Tables and indexes of the register's database, made where they are missing.

A database of an earlier program gets the tables and indexes that came since, and an index whose columns have changed
is made anew; rows and columns are not touched (`SCHEMA` in `store` guards those). Processes that start together do this
one after another. On PostgreSQL, making an index keeps writers of its table waiting, so a large register is given a new
program in a quiet hour.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Engine, Index, inspect, text
from sqlalchemy.schema import CreateIndex, DropIndex
from sqlmodel import SQLModel

from certlib.register.engine import writer

_TURN = text("SELECT pg_advisory_xact_lock(3607002206)")  # any number, but the same in every process


def make_schema(engine: Engine) -> list[str]:
    """Make what is missing, in one transaction, and return the names of the indexes made in tables that were there.

    Raises `StorageError` when disk or database refuse.
    """
    with writer(engine) as session:
        connection = session.connection()
        if connection.dialect.name == "postgresql":
            connection.execute(_TURN)
        SQLModel.metadata.create_all(connection)
        wanting = list(_wanting(connection))
        for index in wanting:
            connection.execute(DropIndex(index, if_exists=True))
            connection.execute(CreateIndex(index))
        return sorted(str(index.name) for index in wanting)


def _wanting(connection: Connection) -> Iterator[Index]:
    """The indexes that are not there, or stand over other columns than they should."""
    there = {
        (table, index["name"]): index["column_names"]
        for (_, table), indexes in inspect(connection).get_multi_indexes().items()
        for index in indexes
    }
    for table in SQLModel.metadata.sorted_tables:
        for index in table.indexes:
            if there.get((table.name, str(index.name))) != [column.name for column in index.columns]:
                yield index
