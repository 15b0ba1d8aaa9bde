"""The alarms of a running service: each round of the checker, and what comes up between rounds, on one way.

A finding goes into the log, into the metric and before the auditor's page together, whoever had the round made: the
worker by its schedule or an auditor by hand. One round at a time; each check's findings replace those of its last one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from typing import Any

import structlog

from certlib.domain.verdict import Finding
from certlib.issue.checking import check_office
from certlib.issue.office import Office

_MOST = 100  # findings of one check on the page; what comes up between rounds beyond them stands in the log

Last = dict[str, tuple[datetime, tuple[Finding, ...]]]


class Rounds:
    """Keeps the last findings of each check in memory and raises alarms. Safe for concurrent use."""

    def __init__(self, on_change: Callable[[Last], None] = lambda _: None, log: Any = None) -> None:
        """`on_change` is told of all that is kept whenever it changes."""
        self._on_change, self._log = on_change, log or structlog.get_logger()
        self._lock, self._turn = Lock(), Lock()
        self._found: Last = {}

    def check(self, office: Office, clock: Callable[[], datetime], *, wait: bool = True) -> bool:
        """A round of the checker, its findings told; False when another is under way and `wait` is not set."""
        with self._taken(wait=wait) as taken:
            if taken:
                at = clock()
                self.tell(check_office(office, at), at)
        return taken

    @contextmanager
    def _taken(self, *, wait: bool) -> Iterator[bool]:
        taken = self._turn.acquire(blocking=wait)
        try:
            yield taken
        finally:
            if taken:
                self._turn.release()

    def tell(self, findings: Iterable[Finding], at: datetime) -> None:
        """All that these checks find now: log each that is not sound, and put them in the place of what was before."""
        given = tuple(findings)
        self._alarm(given)
        self.keep(given, at)

    def watch(self, findings: Iterable[Finding], at: datetime) -> None:
        """As `tell`, of what is looked at every moment: only what was not found the time before is logged again."""
        given, before = tuple(findings), set(self.findings())
        self._alarm(one for one in given if one not in before)
        self.keep(given, at)

    def add(self, finding: Finding, at: datetime) -> None:
        """One thing more that came up between two rounds: it stands beside the rest until the check's next round."""
        self._alarm([finding])
        with self._lock:
            _, before = self._found.get(finding.check, (at, ()))
            kept = tuple(one for one in before if one.outcome != "pass")
            self._found[finding.check] = (at, (*kept, finding) if len(kept) < _MOST else kept)
            self._on_change(dict(self._found))

    def keep(self, findings: Iterable[Finding], at: datetime) -> None:
        """Put these in the place of what their checks found before."""
        given = tuple(findings)
        with self._lock:
            for check in dict.fromkeys(one.check for one in given):
                self._found[check] = (at, tuple(one for one in given if one.check == check))
            self._on_change(dict(self._found))

    def last(self) -> Last:
        """When each check last ran, and what it found; empty before the first round."""
        with self._lock:
            return dict(self._found)

    def findings(self) -> tuple[Finding, ...]:
        """The last findings of all checks."""
        return tuple(finding for _, found in self.last().values() for finding in found)

    def _alarm(self, findings: Iterable[Finding]) -> None:
        for one in findings:
            if one.outcome != "pass":
                say = self._log.error if one.outcome == "fail" else self._log.warning
                say("alarm", check=one.check, outcome=one.outcome, detail=one.detail)
