"""统一社会信用代码 (GB 32100) and the organisation code inside it (GB 11714)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.catalogue.invented import invented_uscc
from certlib.identifiers import check_uscc, organisation_check_character, uscc_check_character, uscc_warnings
from certlib.identifiers.organisation import USCC_ALPHABET

REAL = [
    "11100000000013338W",
    "11100000MB03271699",
    "11100000MB0341032Y",
    "11430000006122244L",
    "11220000013544541J",
    "11330105002500287C",
    "11420503087246977F",
    "11370306MB2867521U",
    "115300000151003540",
    "12110000400777687U",
    "11110000000021135M",
    "91350100M000100Y43",
    "914403003429409755",
    "11370800MB28559184",
    "11100000000013661B",
    "1110000000001332XW",
]
CODES = st.builds(invented_uscc, st.integers(0, 20_000_000), st.sampled_from(["91360700", "93360700", "11360700"]))
PLACES = st.integers(0, 17)


def exchanged(text: str, first: int, second: int) -> str:
    """`text` with two characters exchanged."""
    chars = list(text)
    chars[first], chars[second] = chars[second], chars[first]
    return "".join(chars)


@pytest.mark.parametrize("code", REAL)
def test_codes_in_use_pass_without_a_warning(code: str) -> None:
    """Codes of real bodies pass, the inner organisation code included."""
    check_uscc(code)
    assert uscc_warnings(code) == ()


@given(CODES)
def test_an_invented_code_passes_without_a_warning(code: str) -> None:
    """What fixtures use is sound in every respect."""
    check_uscc(code)
    assert uscc_warnings(code) == ()


@given(CODES, PLACES, st.sampled_from(USCC_ALPHABET))
def test_every_substitution_of_one_character_is_detected(code: str, place: int, char: str) -> None:
    """Another character in any one place is refused."""
    if char == code[place]:
        return
    with pytest.raises(ValueError, match="统一社会信用代码"):
        check_uscc(code[:place] + char + code[place + 1 :])


@given(CODES, st.integers(0, 16))
def test_every_exchange_of_neighbours_is_detected(code: str, place: int) -> None:
    """Two neighbouring characters in the wrong order are refused, the check character included."""
    if code[place] == code[place + 1]:
        return
    with pytest.raises(ValueError, match="统一社会信用代码"):
        check_uscc(exchanged(code, place, place + 1))


@given(st.text(USCC_ALPHABET, min_size=17, max_size=17), st.integers(0, 16), st.integers(0, 16))
def test_an_exchange_within_the_first_seventeen_changes_the_check_character(body: str, one: int, two: int) -> None:
    """The seventeen weights are different, so no exchange of different characters keeps the sum."""
    if body[one] != body[two]:
        assert uscc_check_character(body) != uscc_check_character(exchanged(body, one, two))


@given(st.text(USCC_ALPHABET, min_size=17, max_size=17))
def test_the_exchange_of_first_and_check_character_is_not_detected(body: str) -> None:
    """Both have weight one: the docstring promises no more than the scheme gives."""
    whole = exchanged(body + uscc_check_character(body), 0, 17)
    assert uscc_check_character(whole[:17]) == whole[17]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("", "18 位"),
        ("11100000000013338", "18 位"),
        ("11100000000013338WW", "18 位"),
        ("11100000000013338w", "大写"),
        ("11100000O00013338W", "数字"),
        ("1110000000001333IW", "不含"),
        ("11100000000013338W ", "18 位"),
        ("111000000000133３8W", "数字"),
        ("11100000000013339W", "校验位"),
    ],
)
def test_a_malformed_code_is_refused_with_its_reason(code: str, reason: str) -> None:
    """Length, alphabet, full-width digits and the check character each have a reason of their own."""
    with pytest.raises(ValueError, match=reason):
        check_uscc(code)


def test_a_wrong_inner_check_character_only_warns() -> None:
    """A code from before 2015 may differ inside; it is reported and not refused."""
    body = "91360700MAY00001" + ("0" if organisation_check_character("MAY00001") != "0" else "1")
    code = body + uscc_check_character(body)
    check_uscc(code)
    assert any("组织机构代码" in warning for warning in uscc_warnings(code))


def test_an_unknown_province_only_warns() -> None:
    """The first digits of the area are compared with the provinces there are."""
    body = "91990000MAY00001" + organisation_check_character("MAY00001")
    assert any("990000" in warning for warning in uscc_warnings(body + uscc_check_character(body)))


def test_the_organisation_code_misses_what_its_docstring_says() -> None:
    """Characters whose values differ by a multiple of 11 (0 and B) give the same check character."""
    assert organisation_check_character("0AY00001") == organisation_check_character("BAY00001")
