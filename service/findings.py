"""What each check of an office found last, for all its processes: a small file in the office's folder.

    kept = KeptFindings(home)
    kept.change(lambda last: {"files": (now, findings)})     # in the place of what stood there under that name
    kept.read()["files"]

What holds only for the process that saw it (it cannot reach the city; its own work fails) lies under `place_of(check,
process)`, so that no other's writes over it; `united` gives all that is kept by check.

Written whole or not at all, by one process at a time. What the disk does not take stays in memory and is written with
the next change, so that an alarm about a full disk is told by the process at least that has it.
"""

from __future__ import annotations

import fcntl
import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from certlib.domain.verdict import Finding

Last = dict[str, tuple[datetime, tuple[Finding, ...]]]
"""By check, or by a check's place: when it looked last, and what it found."""

_NAME, _LOCK = "check-findings.json", "check-findings.lock"
_OUTCOMES = frozenset({"pass", "fail", "warn", "unknown"})
_LONGEST = 8 << 20  # bytes; cut there it is no JSON, and the next rounds write it anew
_NOTHING: Callable[[str, datetime], bool] = lambda _place, _at: False  # noqa: E731


def place_of(check: str, process: str) -> str:
    """Where the findings of one process lie that are its own."""
    return f"{check}@{process}"


def united(last: Last) -> Last:
    """What each check found, whichever process did: each thing once, and a pass only where nobody found anything."""
    found: Last = {}
    for place, (at, given) in last.items():
        check = place.partition("@")[0]
        if check not in found:
            found[check] = (at, given)
            continue
        since, before = found[check]
        both = tuple(dict.fromkeys((*before, *given)))
        found[check] = (max(since, at), tuple(one for one in both if one.outcome != "pass") or both)
    return found


class KeptFindings:
    """The last findings by place; without a folder in memory alone. Safe for concurrent use."""

    def __init__(self, home: Path | None) -> None:
        self._home, self._lock = home, Lock()
        self._unwritten: Last = {}

    def read(self) -> Last:
        """All that is kept; empty where nothing is, or where it cannot be read."""
        with self._lock:
            return self._all()

    def change(self, change: Callable[[Last], Last], *, without: Callable[[str, datetime], bool] = _NOTHING) -> None:
        """Put what `change` gives for some places in the place of what stood there; it is shown all that is kept.

        What lies at places of which `without` (place, moment) is true goes.
        """
        with self._lock:
            try:
                with self._alone():
                    kept = {place: one for place, one in self._all().items() if not without(place, one[0])}
                    self._write(kept | change(kept))
            except OSError:
                self._unwritten |= change(self._all())

    def _all(self) -> Last:
        if self._home is None:
            return dict(self._unwritten)
        try:
            with (self._home / _NAME).open("rb") as file:
                return {**_read(json.loads(file.read(_LONGEST))), **self._unwritten}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return dict(self._unwritten)

    def _write(self, last: Last) -> None:
        if self._home is None:
            self._unwritten = last
            return
        fresh = self._home / f".check-findings.{secrets.token_hex(8)}"
        try:
            fresh.write_text(json.dumps(_as_json(last), ensure_ascii=False), encoding="utf-8")
            fresh.replace(self._home / _NAME)
        finally:
            fresh.unlink(missing_ok=True)
        self._unwritten = {}

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._home is None:
            yield
            return
        with (self._home / _LOCK).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _as_json(last: Last) -> dict[str, Any]:
    return {
        place: {"at": at.isoformat(), "findings": [[one.outcome, one.detail] for one in found]}
        for place, (at, found) in last.items()
    }


def _read(values: dict[str, Any]) -> Last:
    return {
        place: (_moment(one["at"]), tuple(_findings(place.partition("@")[0], one["findings"])))
        for place, one in values.items()
    }


def _findings(check: str, pairs: Iterable[Any]) -> Iterator[Finding]:
    for outcome, said in pairs:
        if outcome not in _OUTCOMES:
            raise ValueError("no outcome")
        yield Finding(check, outcome, str(said))


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a moment without its zone")
    return at
