"""Under every fault at once, with workers dying, all events arrive exactly once in effect and in order."""

from __future__ import annotations

from dataclasses import replace

import httpx2
import pytest

from tests.databases import new_database

from . import schedule
from .conftest import QUICK, until

KINDS = {fault["kind"] for fault in schedule.FAULTS} | {"down"}


SEEN: dict[str, tuple[str, bool]] = {
    "slow": ("", True),
    "timeout": ("answer-late", True),
    "error": ("counterpart-error", False),
    "reset": ("connection-lost", False),
    "lost-ack": ("connection-lost", True),
    "duplicate": ("", True),
    "reorder": ("connection-lost", True),
    "lose": ("", False),
    "reject": ("E99", False),
    "down": ("connection-lost", False),
}
"""Of each fault what the caller hears (nothing: success), and whether the event is there some time later."""


@pytest.mark.parametrize("kind", SEEN)
def test_each_fault_does_what_it_says(city, office, certificate, kind):
    """Switched on and counted by the control interface; the caller hears of it or not, the event is there or not."""
    heard, there = SEEN[kind]
    one = certificate()
    office.event(one, "issue")
    city.faults({"kind": kind, "seconds": 0.6 if kind == "timeout" else 0.05})
    pace = replace(QUICK, first=600.0, longest=600.0)
    with city.client(timeout=0.3 if kind == "timeout" else 3.0) as client:
        office.worker(client, pace=pace).deliver_due()
    (row,) = office.rows()
    assert heard in row.last_error
    assert (row.state == "done") == (not heard)
    assert httpx2.get(f"{city.url}/control/faults").json()["befallen"] == {kind: 1}
    until(lambda: bool(city.events(one.key)) == there, 10)
    assert len(city.events(one.key)) == int(there)


def test_a_fault_ends_by_itself(city):
    """An hour down is an hour: cut before, answered after, whatever else is still on; nonsense is refused."""
    at = [100.0]
    city.app.state.faults.clock = lambda: at[0]
    city.faults({"kind": "down", "lasts": 3600}, {"kind": "slow", "seconds": 0})
    for moment, answered in ((100.0, False), (3699.0, False), (3700.0, True), (10_000.0, True)):
        at[0] = moment
        try:
            status = httpx2.post(f"{city.url}/token", timeout=10).status_code
        except httpx2.HTTPError:
            status = 0
        assert bool(status) == answered
    shown = httpx2.get(f"{city.url}/control/faults").json()
    assert [(fault["kind"], fault["lasts"]) for fault in shown["faults"]] == [("down", 3600), ("slow", 0)]
    for wrong in ({"kind": "flood"}, {"kind": "slow", "share": 2}, {"kind": "down", "lasts": -1}):
        assert httpx2.put(f"{city.url}/control/faults", json={"faults": [wrong]}, timeout=10).status_code == 422


@pytest.mark.parametrize("seed", [1, 2])
def test_a_fault_schedule_converges(tmp_path, seed):
    """After faults of every kind end, both sides are equal within a minute, every certificate with its own history."""
    outcome = schedule.run(seed, 120, tmp_path)
    assert outcome.wrong == []
    assert set(outcome.faults) >= KINDS


def test_a_fault_schedule_converges_on_postgresql(tmp_path, postgresql):
    """The same on PostgreSQL, with three workers."""
    outcome = schedule.run(3, 120, tmp_path, database=new_database(postgresql), workers=3)
    assert outcome.wrong == []
    assert set(outcome.faults) >= KINDS


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_the_full_schedule(tmp_path, seed):
    """Ten thousand events for each of twenty seeds."""
    outcome = schedule.run(seed, 10_000, tmp_path)
    assert outcome.wrong == []
    assert set(outcome.faults) >= KINDS


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20, 23))
def test_the_full_schedule_on_postgresql(tmp_path, postgresql, seed):
    """The same on PostgreSQL, with four workers that compete for the rows."""
    outcome = schedule.run(seed, 10_000, tmp_path, database=new_database(postgresql), workers=4)
    assert outcome.wrong == []
    assert set(outcome.faults) >= KINDS
