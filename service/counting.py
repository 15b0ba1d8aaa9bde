"""Rate limits of the public addresses, kept in memory or in Redis through `limits`."""

from __future__ import annotations

import hashlib
import math
import time

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import MovingWindowRateLimiter

from service.refusals import TooManyRequestsError


class Counting:
    """Counts calls per caller. Numbers that people type are counted under their digest, never stored."""

    def __init__(self, storage: Storage) -> None:
        self._limiter = MovingWindowRateLimiter(storage)

    def per_minute(self, what: str, who: str, limit: int) -> None:
        """Count one call of `who`. Raises `TooManyRequestsError` beyond `limit` in a minute."""
        self._count(RateLimitItemPerMinute(limit), what, who)

    def per_hour(self, what: str, who: str, limit: int) -> None:
        """Count one call of `who`. Raises `TooManyRequestsError` beyond `limit` in an hour."""
        self._count(RateLimitItemPerHour(limit), what, who)

    def _count(self, item: RateLimitItem, what: str, who: str) -> None:
        name = hashlib.sha256(who.encode("utf-8", "replace")).hexdigest()[:32]
        if not self._limiter.hit(item, what, name):
            free = self._limiter.get_window_stats(item, what, name).reset_time
            raise TooManyRequestsError(max(1, math.ceil(free - time.time())))
