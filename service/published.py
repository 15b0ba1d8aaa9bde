"""Public bytes ready to be sent, kept for a moment: many ask for the same list within the same second."""

from __future__ import annotations

import gzip
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

MOMENT = 0.2  # seconds a list is kept: far below the second within which a change must be visible
_MOST = 1000  # entries; beyond it the shelf is cleared, so that nobody fills it with names


@dataclass(frozen=True, slots=True)
class Published:
    """Bytes with their entity tag, and the same compressed where that makes them smaller."""

    data: bytes
    etag: str
    gzipped: bytes = b""

    @classmethod
    def of(cls, data: bytes, *, compress: bool = False) -> Published:
        """`data` with what sending needs."""
        etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
        return cls(data, etag, gzip.compress(data, 9, mtime=0) if compress else b"")


class Shelf:
    """Keeps what was last made under a name for a moment. Safe for concurrent use; two may make the same at once."""

    def __init__(self, moment: float = MOMENT) -> None:
        self._moment = moment
        self._kept: dict[str, tuple[float, Published]] = {}

    def get(self, name: str, make: Callable[[], bytes], *, compress: bool = False) -> Published:
        """What is kept under `name`, or made now."""
        now = time.monotonic()
        found = self._kept.get(name)
        if found is not None and now - found[0] < self._moment:
            return found[1]
        made = Published.of(make(), compress=compress)
        if len(self._kept) >= _MOST:
            self._kept.clear()
        self._kept[name] = (now, made)
        return made
