"""Public bytes ready to be sent, kept for a moment: many ask for the same list within the same second.

What lies on the shelf lies there under its address, so that it can be sent before anything else looks at the request.
"""

from __future__ import annotations

import gzip
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

MOMENT = 0.2  # seconds a list is kept: far below the second within which a change must be visible
OCTETS = "application/octet-stream"
_MOST = 1000  # entries; beyond it the shelf is cleared, so that nobody fills it with names


@dataclass(frozen=True, slots=True)
class Published:
    """Bytes with their media type and entity tag, and the same compressed where that makes them smaller."""

    data: bytes
    etag: str
    media: str
    gzipped: bytes = b""
    route: str = ""  # the template of the address, for log and metrics

    @classmethod
    def of(cls, data: bytes, *, media: str = OCTETS, route: str = "", compress: bool = False) -> Published:
        """`data` with what sending needs."""
        etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
        return cls(data, etag, media, gzip.compress(data, 9, mtime=0) if compress else b"", route)


class Shelf:
    """Keeps what was last made under a name, which is its address, for a moment. Safe for concurrent use.

    When the moment is over one caller makes it anew; meanwhile the others get what is kept, so that a crowd neither
    waits nor makes the same forty times.
    """

    def __init__(self, moment: float = MOMENT) -> None:
        self._moment = moment
        self._kept: dict[str, tuple[float, Published]] = {}
        self._making: dict[str, Lock] = {}

    def fresh(self, name: str) -> Published | None:
        """What is kept under `name`, if its moment is not over."""
        found = self._kept.get(name)
        return found[1] if found is not None and time.monotonic() - found[0] < self._moment else None

    def get(self, name: str, make: Callable[[], bytes], **sending: Any) -> Published:
        """What is kept under `name`, or made now. What a moment more ago was right is given while another makes it.

        `sending` goes to `Published.of` with what was made.
        """
        found = self.fresh(name)
        if found is not None:
            return found
        made_at, kept = self._kept.get(name, (0.0, None))
        usable = kept is not None and time.monotonic() - made_at < 2 * self._moment
        lock = self._making.setdefault(name, Lock())
        if not lock.acquire(blocking=not usable):
            return kept  # type: ignore[return-value]  # usable, so there is one
        try:
            return self.fresh(name) or self._make(name, make, **sending)
        finally:
            lock.release()

    def _make(self, name: str, make: Callable[[], bytes], **sending: Any) -> Published:
        began = time.monotonic()
        data, kept = make(), self._kept.get(name)
        made = kept[1] if kept is not None and kept[1].data == data else Published.of(data, **sending)
        if len(self._kept) >= _MOST:
            self._kept.clear()
            self._making.clear()
        self._kept[name] = (began, made)
        return made
