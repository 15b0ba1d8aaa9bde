"""公民身份号码 (GB 11643)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.catalogue.invented import invented_citizen_number
from certlib.identifiers import check_citizen_number, citizen_check_character, modern_citizen_number

TODAY = date(2026, 3, 2)
NUMBERS = st.builds(invented_citizen_number, st.integers(0, 10_000), st.dates(date(1930, 1, 1), date(2026, 3, 2)))


@pytest.mark.parametrize(
    "number", ["11010519491231002X", "440524188001010014", "34052419800101001X", "53010219200508011X"]
)
def test_published_samples_pass(number: str) -> None:
    """The samples of the standard and of its guides pass."""
    check_citizen_number(number, on=TODAY)


@given(NUMBERS)
def test_an_invented_number_passes(number: str) -> None:
    """What fixtures use is sound."""
    check_citizen_number(number, on=TODAY)


@given(NUMBERS, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_every_substitution_of_one_character_is_detected(number: str, place: int, char: str) -> None:
    """Another character in any one place is refused."""
    if char == number[place]:
        return
    with pytest.raises(ValueError, match="公民身份号码"):
        check_citizen_number(number[:place] + char + number[place + 1 :], on=TODAY)


@given(NUMBERS, st.integers(0, 16))
def test_every_exchange_of_neighbours_is_detected(number: str, place: int) -> None:
    """Two neighbours in the wrong order are refused, the check character included (ISO 7064 MOD 11-2)."""
    if number[place] == number[place + 1]:
        return
    wrong = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    with pytest.raises(ValueError, match="公民身份号码"):
        check_citizen_number(wrong, on=TODAY)


def sound(body: str) -> str:
    """`body` with its check character."""
    return body + citizen_check_character(body)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("", "18 位"),
        ("110105491231002", "18 位"),
        ("11010519491231002x", "大写 X"),
        ("1101051949123100２X", "数字"),
        (sound("19010519491231002"), "行政区划"),
        (sound("36079920230230001"), "出生日期"),
        (sound("36079918490101001"), "出生日期"),
        ("11010519491231003X", "校验位"),
    ],
)
def test_a_malformed_number_is_refused_with_its_reason(number: str, reason: str) -> None:
    """Length, digits, area, birth date and check character each have a reason of their own."""
    with pytest.raises(ValueError, match=reason):
        check_citizen_number(number, on=TODAY)


def test_a_birth_date_after_the_day_asked_is_refused() -> None:
    """A number of someone born tomorrow is sound tomorrow."""
    number = invented_citizen_number(1, date(2026, 3, 3))
    check_citizen_number(number, on=date(2026, 3, 3))
    with pytest.raises(ValueError, match="出生日期"):
        check_citizen_number(number, on=TODAY)


def test_the_reason_never_repeats_the_number() -> None:
    """A message may reach a log; the number may not."""
    with pytest.raises(ValueError, match="校验位") as raised:
        check_citizen_number("11010519491231003X", on=TODAY)
    assert "1101051949" not in str(raised.value)


def test_a_number_of_the_first_generation_is_brought_up_to_date() -> None:
    """15 digits get the century and a check character."""
    assert modern_citizen_number("110105491231002") == "11010519491231002X"
    with pytest.raises(ValueError, match="15 位"):
        modern_citizen_number("11010549123100X")


def test_residence_permits_and_foreigners_cards_of_the_same_form_pass() -> None:
    """81, 82 and 83 are the residence permits' areas; 9 opens the foreigner's permanent residence card."""
    for head in ("810000", "820000", "830000", "936156"):
        check_citizen_number(sound(f"{head}19800101001"), on=TODAY)
