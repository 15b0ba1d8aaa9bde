"""Civil time of the city: Asia/Shanghai for people and documents, aware UTC inside."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def civil_date(at: datetime) -> date:
    """The calendar day in Shanghai at the aware moment `at`."""
    return at.astimezone(SHANGHAI).date()


def day_start(day: date) -> datetime:
    """The aware UTC moment at which `day` begins in Shanghai."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


def chinese_date(day: date) -> str:
    """`2026年1月5日`, Arabic digits without leading zeros (GB/T 9704-2012, 7.3.5.4)."""
    return f"{day.year}年{day.month}月{day.day}日"


def moment_asked(text: str, now: datetime) -> datetime:
    """The moment that somebody asks about, aware UTC; what names no zone is Shanghai's.

    A day (`2026-10-01`) is asked about as it ended, today as it is `now`. Raises `ValueError`.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)).astimezone(UTC)
    return now if day == civil_date(now) else day_start(day + timedelta(days=1)) - timedelta(seconds=1)
