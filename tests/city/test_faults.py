"""Under every fault at once, with workers dying, all events arrive exactly once in effect and in order."""

from __future__ import annotations

import pytest

from tests.databases import new_database

from . import schedule

KINDS = {fault["kind"] for fault in schedule.FAULTS} | {"down"}


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
