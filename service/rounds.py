"""The findings of the continuous checker as they were last, check by check, for the auditor's page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from threading import Lock

from certlib.domain.verdict import Finding


class Rounds:
    """Keeps the last findings of each check in memory. Safe for concurrent use."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: dict[str, tuple[datetime, tuple[Finding, ...]]] = {}

    def keep(self, findings: Iterable[Finding], at: datetime) -> None:
        """Put these in the place of what their checks found before."""
        given = tuple(findings)
        with self._lock:
            for check in dict.fromkeys(one.check for one in given):
                self._found[check] = (at, tuple(one for one in given if one.check == check))

    def last(self) -> dict[str, tuple[datetime, tuple[Finding, ...]]]:
        """When each check last ran, and what it found; empty before the first round."""
        with self._lock:
            return dict(self._found)

    def findings(self) -> tuple[Finding, ...]:
        """The last findings of all checks."""
        return tuple(finding for _, found in self.last().values() for finding in found)
