"""Turns: of several workers one does what is due, the others see that it is being done.

Rules:
* A turn is a row claimed by lease: it ends when whoever has it says so, or by itself when that one was killed.
* Who gets a turn looks again whether the work is still due: another may have done it in between.

    if take_turn(engine, "reconcile:city", owner, now, seconds=900):
        try: ...
        finally: end_turn(engine, "reconcile:city", owner)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, col, or_

from certlib.register import engine as _engine  # noqa: F401  the naming convention must be set before any table
from certlib.register.engine import writer

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_INSERT: Mapping[str, Callable[..., Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class TurnRow(SQLModel, table=True):
    """Whose turn something is, and until when."""

    __tablename__ = "turn"
    name: str = Field(primary_key=True)
    owner: str = ""
    until: datetime


def take_turn(engine: Engine, name: str, owner: str, now: datetime, *, seconds: float) -> bool:
    """Whether `owner` has the turn now, for so many seconds; who has it already gets it for longer."""
    with writer(engine) as session:
        session.connection().execute(_first(session.get_bind().dialect.name, name))
        free = or_(col(TurnRow.until) <= now, col(TurnRow.owner) == owner)
        taken = session.exec(
            update(TurnRow)
            .where(col(TurnRow.name) == name, free)
            .values(owner=owner, until=now + timedelta(seconds=seconds))
        )
        return bool(taken.rowcount)


def end_turn(engine: Engine, name: str, owner: str) -> None:
    """Give the turn back; without effect when it is another's by now."""
    with writer(engine) as session:
        session.exec(
            update(TurnRow)
            .where(col(TurnRow.name) == name, col(TurnRow.owner) == owner)
            .values(owner="", until=_LONG_AGO)
        )


def _first(dialect: str, name: str) -> Any:
    """The row of a turn that nobody has had yet."""
    return _INSERT[dialect](TurnRow).values(name=name, owner="", until=_LONG_AGO).on_conflict_do_nothing()
