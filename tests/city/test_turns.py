"""Of several workers one makes the day's comparison; the others see it done, and a killed one holds up nobody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import SQLModel, select

from certlib.errors import DeliveryError
from certlib.register.engine import reader
from certlib.register.published import STATEMENT
from certlib.register.row_tables import PublishedRow
from certlib.register.turns import TurnRow, end_turn, take_turn
from service import delivering as of_service

from .conftest import Office, now
from .test_watching import Town, town

__all__ = ["town"]


@pytest.fixture
def engine(each_office: Office) -> Iterator[Any]:
    SQLModel.metadata.create_all(each_office.engine, tables=[SQLModel.metadata.tables[TurnRow.__tablename__]])
    return each_office.engine


def test_one_of_many_gets_the_turn(engine):
    """Eight who ask at once: one gets it; the others do once it is given back, or has run out."""
    at = now()
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda n: take_turn(engine, "x", f"w{n}", at, seconds=60), range(8)))
    assert sum(got) == 1
    owner = f"w{got.index(True)}"
    assert not take_turn(engine, "x", "other", at + timedelta(seconds=59), seconds=60)
    assert take_turn(engine, "y", "other", at, seconds=60)  # another matter
    end_turn(engine, "x", "other")  # not its to give back
    assert not take_turn(engine, "x", "other", at, seconds=60)
    end_turn(engine, "x", owner)
    assert take_turn(engine, "x", "other", at, seconds=60)
    assert take_turn(engine, "x", "third", at + timedelta(seconds=60), seconds=60)


def test_two_workers_make_one_statement(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one compares, the other finds it being done; afterwards it finds it done. One statement a day."""
    entered, go_on = threading.Event(), threading.Event()
    compare = of_service.compare

    def slowly(*words: Any, **named: Any) -> Any:
        entered.set()
        assert go_on.wait(30)
        return compare(*words, **named)

    monkeypatch.setattr(of_service, "compare", slowly)
    with town.delivering() as first, town.delivering() as second, ThreadPoolExecutor(1) as pool:
        done = pool.submit(first.reconcile_when_due)
        assert entered.wait(30)
        assert not second.reconcile_when_due()
        go_on.set()
        assert done.result()
        assert not second.reconcile_when_due()
    assert statements(town) == 1


def test_who_comes_just_after_sees_it_done(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between looking whether it is due and getting the turn another has done it: it is not done again."""
    with town.delivering() as first, town.delivering() as second:

        def late(*words: Any, **named: Any) -> bool:
            monkeypatch.setattr(of_service, "take_turn", take_turn)
            assert first.reconcile_when_due()
            return take_turn(*words, **named)

        monkeypatch.setattr(of_service, "take_turn", late)
        assert not second.reconcile_when_due()
    assert statements(town) == 1


def test_a_comparison_that_fails_gives_its_turn_back(town: Town) -> None:
    """The repository away: the next worker may try at once; and a turn left by a killed one ends by itself."""
    town.city.faults({"kind": "down"})
    with town.delivering() as first, pytest.raises(DeliveryError):
        first.reconcile_when_due()
    town.city.faults()
    engine = town.office.register.engine
    assert take_turn(engine, "reconcile:city", "killed", now(), seconds=900)
    with town.delivering() as second:
        assert not second.reconcile_when_due()
    assert take_turn(engine, "reconcile:city", "killed", now(), seconds=-1)
    with town.delivering() as third:
        assert third.reconcile_when_due()
    assert statements(town) == 1


def statements(town: Town) -> int:
    with reader(town.office.register.engine) as session:
        return len(session.exec(select(PublishedRow).where(PublishedRow.kind == STATEMENT)).all())
