"""Rate limits: moving windows by name, alike here and in a shared store; callers without end cost no more."""

import time

import pytest
from limits.storage import storage_from_string

from service.counting import MINUTE, Counting, Memory, Shared, Windows
from service.refusals import TooManyRequestsError


class Clock:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["in this process", "shared"])
def windows(request: pytest.FixtureRequest) -> Windows:
    """Both kinds of windows."""
    return Memory() if request.param == "in this process" else Shared(storage_from_string("memory://"))


def test_each_caller_has_a_limit_of_its_own(windows: Windows) -> None:
    """Three a minute: the fourth is told to wait for a minute, another caller and another use are not."""
    counting = Counting(windows)
    for _ in range(3):
        counting.per_minute("lookup", "192.0.2.1", 3)
    with pytest.raises(TooManyRequestsError) as refused:
        counting.per_minute("lookup", "192.0.2.1", 3)
    assert 55 <= refused.value.extra["retry_after"] <= MINUTE
    counting.per_minute("lookup", "192.0.2.2", 3)
    counting.per_minute("digest", "192.0.2.1", 3)
    counting.per_hour("lookup", "192.0.2.1", 3)


def test_nothing_allowed_is_nothing(windows: Windows) -> None:
    """A limit of none refuses the first."""
    assert windows.hit("lookup/a", 0, MINUTE) > 0


def test_a_window_moves() -> None:
    """What lies a minute back counts no more; a refused call does not count."""
    clock = Clock()
    windows = Memory(clock)
    assert windows.hit("a", 2, MINUTE) == 0
    clock.now += 40
    assert windows.hit("a", 2, MINUTE) == 0
    assert windows.hit("a", 2, MINUTE) == 20
    clock.now += 20
    assert windows.hit("a", 2, MINUTE) == 0
    assert windows.hit("a", 2, MINUTE) == 40


def test_callers_without_end_neither_fill_the_memory_nor_slow_the_next() -> None:
    """Twenty thousand addresses: the windows of those that are gone are dropped, a call costs no more than before."""
    clock = Clock()
    windows = Memory(clock)
    for caller in range(20_000):
        windows.hit(f"lookup/{caller}", 30, MINUTE)
    began = time.process_time()
    for caller in range(1000):
        windows.hit(f"lookup/{caller}", 30, MINUTE)
    assert time.process_time() - began < 0.5  # the library's own store takes eight seconds
    clock.now += 2 * MINUTE
    for caller in range(30_000):
        windows.hit(f"other/{caller}", 30, MINUTE)
    assert len(windows) <= 30_000
    assert windows.hit("lookup/1", 1, MINUTE) == 0
