"""Bounded work: so many at once, so many waiting, the rest is told to come back (503 with Retry-After).

Places are kept per event loop; waiting takes no thread. SQLite has one writer and a seal costs CPU, so letting
every request in at once only makes all of them slow.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from service.refusals import BusyError


class Gate:
    """A door with `places` behind it and a `queue` before it; nobody waits longer than `patience` seconds."""

    def __init__(self, places: int, *, queue: int, patience: float) -> None:
        self._places = anyio.CapacityLimiter(places)
        self._queue = queue
        self._patience = patience

    @property
    def waiting(self) -> int:
        """How many stand in the queue."""
        return int(self._places.statistics().tasks_waiting)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold one place while the block runs. Raises `BusyError` when the queue is full or patience is at its end."""
        if self.waiting >= self._queue:
            raise BusyError
        borrower = object()
        with anyio.move_on_after(self._patience) as waited:
            await self._places.acquire_on_behalf_of(borrower)
        if waited.cancelled_caught:
            raise BusyError
        try:
            yield
        finally:
            self._places.release_on_behalf_of(borrower)
