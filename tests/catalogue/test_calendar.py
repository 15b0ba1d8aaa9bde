"""Working days: weekends, holidays and make-up days, and the time limits counted in them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.catalogue import Catalogue, load_catalogue
from certlib.domain.calendar import Calendar, decision_due, service_due

DAYS = st.dates(date(2022, 1, 1), date(2026, 12, 31))
SHIPPED = load_catalogue().calendar


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-03-04", True),  # a Wednesday
        ("2026-03-07", False),  # a Saturday
        ("2026-02-17", False),  # Spring Festival
        ("2026-02-14", True),  # a Saturday made up for
        ("2026-02-28", True),
        ("2026-10-01", False),
        ("2026-10-10", True),
        ("2025-10-08", False),
        ("2025-10-11", True),
        ("2022-04-02", True),
        ("2022-04-04", False),
    ],
)
def test_the_state_councils_days_are_kept(day: str, works: bool, catalogue: Catalogue) -> None:
    """Holidays on weekdays are off, made-up weekends are on."""
    assert catalogue.calendar.is_working(date.fromisoformat(day)) is works


def test_a_year_has_about_250_working_days(catalogue: Catalogue) -> None:
    """11 public holidays until 2024, 13 since; each year's make-up days balance its bridges."""
    for year, holidays in ((2022, 11), (2023, 11), (2024, 11), (2025, 13), (2026, 13)):
        first = date(year, 1, 1)
        days = [first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days)]
        weekdays = sum(day.weekday() < 5 for day in days)
        working = sum(map(catalogue.calendar.is_working, days))
        assert 247 <= working <= 252
        assert abs(weekdays - holidays - working) <= 1, year


def test_make_up_days_fall_on_weekends_only(catalogue: Catalogue) -> None:
    """A working day on a weekday needs no notice."""
    assert all(day.weekday() >= 5 for day in catalogue.calendar.workdays)
    assert not catalogue.calendar.workdays & catalogue.calendar.holidays


def test_a_year_without_data_counts_weekends_and_says_so(catalogue: Catalogue) -> None:
    """The holidays of a year are announced late in the year before."""
    assert catalogue.calendar.knows(date(2026, 12, 31))
    assert not catalogue.calendar.knows(date(2027, 1, 1))
    assert catalogue.calendar.is_working(date(2027, 1, 4))


@given(DAYS, st.integers(1, 120))
def test_going_forth_and_back_and_counting_agree(day: date, count: int) -> None:
    """The n-th working day after a day has n working days between them, and the way back ends where it began."""
    end = SHIPPED.after(day, count)
    assert SHIPPED.is_working(end)
    assert SHIPPED.between(day, end) == count
    if SHIPPED.is_working(day):
        assert SHIPPED.before(end, count) == day


def test_the_first_day_does_not_count() -> None:
    """Accepted on a Monday, due on the Monday four weeks later; extended, two weeks more (行政许可法 42)."""
    plain = Calendar()
    assert decision_due(plain, date(2026, 3, 2)) == date(2026, 3, 30)
    assert decision_due(plain, date(2026, 3, 2), extended=True) == date(2026, 4, 13)
    assert service_due(plain, date(2026, 3, 2)) == date(2026, 3, 16)


def test_holidays_lengthen_a_time_limit(catalogue: Catalogue) -> None:
    """Twenty working days from 10 February 2026 run over the Spring Festival and its made-up Saturdays."""
    assert decision_due(Calendar(), date(2026, 2, 10)) == date(2026, 3, 10)
    assert decision_due(catalogue.calendar, date(2026, 2, 10)) == date(2026, 3, 16)


def test_nothing_lies_between_a_day_and_an_earlier_one(catalogue: Catalogue) -> None:
    """Counting backwards gives nought, never a negative number."""
    assert catalogue.calendar.between(date(2026, 3, 4), date(2026, 3, 2)) == 0
