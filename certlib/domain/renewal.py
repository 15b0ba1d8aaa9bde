"""When a renewal may be applied for, and the days of the edition it makes."""

from __future__ import annotations

from datetime import date, timedelta

from certlib.domain.calendar import Calendar
from certlib.domain.kinds import Validity

WEEKENDS = Calendar()


def renewal_days(validity: Validity, valid_until: date, calendar: Calendar = WEEKENDS) -> tuple[date, date]:
    """First and last day on which a renewal of an edition valid until `valid_until` may be applied for.

    Working days are counted by `calendar` (医疗器械经营监督管理办法 16: 90 to 30 working days before the last day).
    """
    earliest, latest = validity.renewal_window
    if validity.working_days:
        return calendar.before(valid_until, earliest), calendar.before(valid_until, latest)
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
