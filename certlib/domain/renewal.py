"""When a renewal may be applied for, and the days of the edition it makes."""

from __future__ import annotations

from datetime import date, timedelta

from certlib.domain.kinds import Validity

# Five working days in seven calendar days: the calendar's holidays only widen the window, and are applied where the
# calendar of the year is known (`certlib.domain.calendar`).
_WORKING, _CALENDAR = 5, 7


def renewal_days(validity: Validity, valid_until: date) -> tuple[date, date]:
    """First and last day on which a renewal of an edition valid until `valid_until` may be applied for."""
    earliest, latest = validity.renewal_window
    if validity.working_days:
        earliest, latest = -(-earliest * _CALENDAR // _WORKING), -(-latest * _CALENDAR // _WORKING)
    return valid_until - timedelta(days=earliest), valid_until - timedelta(days=latest)


def last_day(validity: Validity, start: date) -> date | None:
    """The last day of validity of an edition that starts on `start`: the day before the anniversary, or None."""
    months = validity.years * 12 + validity.months
    if not months:
        return None
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    try:
        return date(year, month + 1, start.day) - timedelta(days=1)
    except ValueError:  # no such day in that month: the month's own last day, as 民法典 202 counts periods
        following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
        return following - timedelta(days=1)
