"""The alarms of a running service: each round of the checker, and what comes up between rounds, on one way.

A finding goes into the log, into the metric and before the auditor's page together, whoever had the round made: the
worker by its schedule or an auditor by hand. One round at a time; each check's findings replace those of its last one.
The findings lie in the office's folder (`service.findings`), so that what a worker in a process of its own finds stands
in the metric and on the page of the process that serves them. What only concerns the process that saw it is told by
`watch_own`: it stands until that process takes it back or is not heard of any more, whatever the others see.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

import structlog

from certlib.domain.verdict import Finding
from certlib.issue.checking import check_office
from certlib.issue.office import Office
from service.findings import KeptFindings, Last, place_of, united

_MOST = 100  # findings of one check on the page; what comes up between rounds beyond them stands in the log
_SEEN = timedelta(seconds=15)  # after which it is written down that what is watched is as it was
_GONE = timedelta(minutes=2)  # after which a process that has said nothing of what it watches is not there any more


class Rounds:
    """Keeps the last findings of each check and raises alarms. Safe for concurrent use."""

    def __init__(self, home: Path | None = None, log: Any = None) -> None:
        """`home` is the office's folder, where all its processes keep them; without it they are this object's own."""
        self._log = log or structlog.get_logger()
        self._kept, self._turn = KeptFindings(home), Lock()
        self._process = secrets.token_hex(4)

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
        last = self.last()
        for check, given in _by_check(findings).items():
            since, before = last.get(check, (at, ()))
            self._alarm(one for one in given if one not in before)
            if given != before or abs(at - since) >= _SEEN:
                self.keep(given, at)

    def watch_own(self, findings: Iterable[Finding], at: datetime) -> None:
        """As `watch`, of what holds for this process alone: it takes nothing away that another found."""
        last, kept = self.last(), self._kept.read()
        for check, given in _by_check(findings).items():
            place = place_of(check, self._process)
            since, own = kept.get(place, (at, ()))
            self._alarm(one for one in given if one not in last.get(check, (at, ()))[1])
            if given != own or abs(at - since) >= _SEEN:
                self._own(check, given, at)

    def leave(self) -> None:
        """Take back what holds for this process alone: it ends."""
        self._kept.change(lambda _: {}, without=lambda place, _: place.endswith(place_of("", self._process)))

    def _own(self, check: str, given: tuple[Finding, ...], now: datetime) -> None:
        """Write down what this process found, and drop what nobody stands for: silent processes, an older version."""
        fresh = {place_of(check, self._process): (now, given)}
        self._kept.change(
            lambda _: fresh, without=lambda place, at: place == check or ("@" in place and abs(now - at) > _GONE)
        )

    def add(self, finding: Finding, at: datetime) -> None:
        """One thing more that came up between two rounds: it stands beside the rest until the check's next round."""
        self._alarm([finding])

        def added(last: Last) -> Last:
            _, before = last.get(finding.check, (at, ()))
            kept = tuple(one for one in before if one.outcome != "pass")
            return {finding.check: (at, (*kept, finding) if len(kept) < _MOST else kept)}

        self._kept.change(added)

    def keep(self, findings: Iterable[Finding], at: datetime) -> None:
        """Put these in the place of what their checks found before."""
        fresh = {check: (at, found) for check, found in _by_check(findings).items()}
        self._kept.change(lambda _: fresh)

    def last(self) -> Last:
        """When each check last ran, and what it found; empty before the first round."""
        return united(self._kept.read())

    def findings(self) -> tuple[Finding, ...]:
        """The last findings of all checks."""
        return tuple(finding for _, found in self.last().values() for finding in found)

    def detail(self, check: str) -> str:
        """What a check's alarm says; empty while there is none."""
        _, found = self.last().get(check, (None, ()))
        return next((one.detail for one in found if one.outcome == "fail"), "")

    def _alarm(self, findings: Iterable[Finding]) -> None:
        for one in findings:
            if one.outcome != "pass":
                say = self._log.error if one.outcome == "fail" else self._log.warning
                say("alarm", check=one.check, outcome=one.outcome, detail=one.detail)


def _by_check(findings: Iterable[Finding]) -> dict[str, tuple[Finding, ...]]:
    given = tuple(findings)
    return {
        check: tuple(one for one in given if one.check == check) for check in dict.fromkeys(one.check for one in given)
    }
