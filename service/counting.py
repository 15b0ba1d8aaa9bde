"""Rate limits of the public addresses: moving windows, in this process or, for several processes, in Redis.

In this process a call costs the same however many callers there are: windows that are over are dropped when there are
twice as many as after the last time, not at every call.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Protocol

from limits import RateLimitItemPerSecond
from limits.storage import Storage
from limits.strategies import MovingWindowRateLimiter

from service.refusals import TooManyRequestsError

MINUTE, HOUR = 60, 3600  # seconds
_FEW = 1000  # windows that are never worth a look


class Windows(Protocol):
    """Counts of calls by name."""

    def hit(self, name: str, limit: int, seconds: int) -> float:
        """Count one call, at most `limit` in `seconds`; 0, or the seconds until there is room for another."""


class Memory:
    """`Windows` of this process: the moments of each name's last calls. Safe for concurrent use."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._calls: dict[tuple[str, int], deque[float]] = {}
        self._enough = _FEW
        self._lock = Lock()

    def __len__(self) -> int:
        """How many windows are kept."""
        return len(self._calls)

    def hit(self, name: str, limit: int, seconds: int) -> float:
        """See `Windows`."""
        with self._lock:
            now = self._clock()
            calls = self._calls.setdefault((name, seconds), deque())
            while calls and calls[0] <= now - seconds:
                calls.popleft()
            if len(calls) >= limit:
                return (calls[0] if calls else now) + seconds - now
            calls.append(now)
            if len(self._calls) > self._enough:
                self._sweep(now)
            return 0.0

    def _sweep(self, now: float) -> None:
        self._calls = {key: calls for key, calls in self._calls.items() if calls and calls[-1] > now - key[1]}
        self._enough = max(_FEW, 2 * len(self._calls))


class Shared:
    """`Windows` in a store that several processes share, through `limits`."""

    def __init__(self, storage: Storage) -> None:
        self._limiter = MovingWindowRateLimiter(storage)

    def hit(self, name: str, limit: int, seconds: int) -> float:
        """See `Windows`."""
        item = RateLimitItemPerSecond(limit, seconds)
        if self._limiter.hit(item, name):
            return 0.0
        return max(1.0, self._limiter.get_window_stats(item, name).reset_time - time.time())


class Counting:
    """Counts calls per caller. Numbers that people type are counted under their digest, never stored."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows

    def per_minute(self, what: str, who: str, limit: int) -> None:
        """Count one call of `who`. Raises `TooManyRequestsError` beyond `limit` in a minute."""
        self._count(what, who, limit, MINUTE)

    def per_hour(self, what: str, who: str, limit: int) -> None:
        """Count one call of `who`. Raises `TooManyRequestsError` beyond `limit` in an hour."""
        self._count(what, who, limit, HOUR)

    def _count(self, what: str, who: str, limit: int, seconds: int) -> None:
        name = hashlib.sha256(who.encode("utf-8", "replace")).hexdigest()[:32]
        if wait := self._windows.hit(f"{what}/{name}", limit, seconds):
            raise TooManyRequestsError(max(1, math.ceil(wait)))
