"""Face numbers, document numbers, and the printed check code."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from certlib.domain.kinds import Allocator, NumberFormat
from certlib.identifiers import (
    check_code,
    check_code_matches,
    check_document_number,
    check_number,
    document_number,
    format_number,
)

GAS = NumberFormat(
    Allocator.LOCAL,
    regex="赣[0-9]{12}[GPJ]{1,3}",
    pattern="赣{year}0701{serial:04}{category}",
    codes={"category": {"管道燃气": "G", "瓶装燃气": "P"}},
)
LIFT = NumberFormat(Allocator.LOCAL, regex=r"梯11赣B\d{5}\(\d\d\)", pattern="梯11赣B{serial:05}({yy})")
MINE = NumberFormat(Allocator.EXTERNAL, regex="C[0-9]{22}")


def test_a_face_number_takes_year_serial_and_the_code_of_a_fact() -> None:
    """The gas licence's number ends in the letter of its category."""
    assert format_number(GAS, year=2022, serial=1, facts={"category": "管道燃气"}) == "赣202207010001G"
    assert format_number(LIFT, year=2022, serial=1, facts={}) == "梯11赣B00001(22)"


@pytest.mark.parametrize(
    ("serial", "facts"),
    [(0, {"category": "管道燃气"}), (10_000, {"category": "管道燃气"}), (1, {}), (1, {"category": "煤气"})],
)
def test_a_number_that_cannot_be_formed_is_refused(serial: int, facts: dict[str, str]) -> None:
    """A serial beyond the format's digits, a missing fact and a value without code are errors, not odd numbers."""
    with pytest.raises(ValueError, match="编号"):
        format_number(GAS, year=2022, serial=serial, facts=facts)


def test_a_number_allotted_elsewhere_must_have_its_form() -> None:
    """The national mining number has 23 characters."""
    check_number(MINE, "C3607002022047110000001")
    for wrong in ("C360700202204711000001", "T3607002022047110000001", "C3607002022047110000001\n", ""):
        with pytest.raises(ValueError, match="编号"):
            check_number(MINE, wrong)


@pytest.mark.parametrize(
    "text", ["赣市府办发〔2022〕7号", "赣蓉办发〔2022〕4号", "宜区环评字〔2024〕20号", "九环环评〔2024〕70号"]
)
def test_document_numbers_in_use_pass(text: str) -> None:
    """Numbers of real papers pass."""
    check_document_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "赣蓉办发[2022]4号",
        "赣蓉办发〔22〕4号",
        "赣蓉办发〔2022〕04号",
        "赣蓉办发〔2022〕第4号",
        "〔2022〕4号",
        "赣蓉办发〔2022〕4",
        "",
    ],
)
def test_a_document_number_off_the_standard_is_refused(text: str) -> None:
    """Hexagonal brackets, four digits, no leading zero, no 第 (GB/T 9704-2012, 7.2.5)."""
    with pytest.raises(ValueError, match="文号"):
        check_document_number(text)


@given(st.integers(1900, 2999), st.integers(1, 9_999_999))
def test_every_document_number_made_is_one(year: int, serial: int) -> None:
    """What is made passes the check of what is read."""
    check_document_number(document_number("赣市行审", year, serial))


@pytest.mark.parametrize(("word", "serial"), [("", 1), ("赣市 行审", 1), ("赣市行审", 0), ("赣市行审", 10_000_000)])
def test_a_document_number_is_not_made_from_a_bad_word_or_serial(word: str, serial: int) -> None:
    """An empty word, a space and a serial outside 1 to 9999999 are errors."""
    with pytest.raises(ValueError, match="文号"):
        document_number(word, 2026, serial)


def test_a_kind_of_document_may_have_a_mark_of_its_own() -> None:
    """决字 stands between the authority's word and the year."""
    rule = NumberFormat(
        Allocator.LOCAL, regex=".+决字〔[0-9]{4}〕[1-9][0-9]*号", pattern="{word}决字〔{year}〕{serial}号"
    )
    assert document_number("赣市行审", 2026, 12, rule) == "赣市行审决字〔2026〕12号"


@given(st.binary(min_size=16, max_size=32), st.text(max_size=40))
def test_a_printed_check_code_is_found_again_however_it_is_typed(salt: bytes, number: str) -> None:
    """Case, hyphens and the letters that look like digits do not matter."""
    code = check_code(salt, number)
    assert len(code) == 9
    assert check_code_matches(code, code)
    assert check_code_matches(code.lower().replace("-", " ").replace("0", "o").replace("1", "l"), code)


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_the_check_code_hangs_on_the_salt_and_on_the_number(one: bytes, two: bytes) -> None:
    """Neither the number nor another salt gives it away."""
    number = "赣虔药监械经营许20260001号"
    assume(one != two)
    assert check_code(one, number) != check_code(two, number)
    assert check_code(one, number) != check_code(one, number + "x")


def test_a_wrong_or_unencodable_check_code_does_not_match() -> None:
    """A wrong character, an empty text and half a character are refused without an error."""
    code = check_code(b"0" * 16, "x")
    for wrong in (code[:-1] + ("0" if code[-1] != "0" else "1"), "", "\ud800", code + code):
        assert not check_code_matches(wrong, code)


def test_a_salt_too_short_to_be_secret_is_refused() -> None:
    """Sixteen bytes at least."""
    with pytest.raises(ValueError, match="16 bytes"):
        check_code(b"0" * 15, "x")
