"""Working days of the city: weekends, the State Council's holidays and its make-up working days, as data.

The State Council announces the days of a year in the November before it. For a year that is not in the data only
weekends count; `knows` says so, and whoever shows a time limit says it too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Calendar:
    """Holidays on weekdays (`holidays`) and working days on weekends (`workdays`) of the years in `years`."""

    holidays: frozenset[date] = field(default_factory=frozenset)
    workdays: frozenset[date] = field(default_factory=frozenset)
    years: frozenset[int] = field(default_factory=frozenset)

    def knows(self, day: date) -> bool:
        """Whether the holidays of that year are in the data."""
        return day.year in self.years

    def is_working(self, day: date) -> bool:
        """Whether offices work on `day`."""
        if day in self.workdays:
            return True
        return day.weekday() < _SATURDAY and day not in self.holidays

    def after(self, day: date, working_days: int) -> date:
        """The last day of a time limit of so many working days that begins on `day`: `day` itself is not counted.

        (行政许可法82: time limits are working days, holidays not counted; 民法典201: the first day does not count.)
        """
        return self._step(day, working_days, _DAY)

    def before(self, day: date, working_days: int) -> date:
        """The day that lies so many working days before `day`, `day` itself not counted."""
        return self._step(day, working_days, -_DAY)

    def between(self, start: date, end: date) -> int:
        """How many working days lie after `start` up to and including `end`; 0 when `end` is not after `start`."""
        days = range(1, (end - start).days + 1)
        return sum(self.is_working(start + timedelta(days=n)) for n in days)

    def _step(self, day: date, working_days: int, step: timedelta) -> date:
        while working_days > 0:
            day += step
            working_days -= self.is_working(day)
        return day


DECIDE_WITHIN, EXTENSION, SERVE_WITHIN = 20, 10, 10  # working days (行政许可法 42, 44)


def decision_due(calendar: Calendar, accepted_on: date, *, extended: bool = False) -> date:
    """The last day on which an application accepted on `accepted_on` may be decided (行政许可法42)."""
    return calendar.after(accepted_on, DECIDE_WITHIN + (EXTENSION if extended else 0))


def service_due(calendar: Calendar, decided_on: date) -> date:
    """The last day on which a licence granted on `decided_on` must have been served (行政许可法44)."""
    return calendar.after(decided_on, SERVE_WITHIN)
