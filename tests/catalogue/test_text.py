"""Which characters may stand in a printed text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.catalogue import check_text

SOUND = st.text(
    st.characters(
        whitelist_categories=("Lo", "Lu", "Ll", "Nd", "Po", "Ps", "Pe"), min_codepoint=0x20, max_codepoint=0x9FFF
    )
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("赣州\u202e公司", "bidi-character"),
        ("赣州\u2066公司", "bidi-character"),
        ("赣州\u200b公司", "invisible-character"),
        ("赣州\ufeff公司", "invisible-character"),
        ("赣州\u00ad公司", "invisible-character"),
        ("赣州\u3164公司", "invisible-character"),
        ("葛\U000e0100", "invisible-character"),
        ("☎\ufe0f", "invisible-character"),
        ("赣州\x00公司", "control-character"),
        ("赣州\t公司", "control-character"),
        ("赣州\n公司", "control-character"),
        ("赣州\r公司", "control-character"),
        ("赣州\u2028公司", "control-character"),
        ("赣州\x9f公司", "control-character"),
        ("王\ue000", "private-character"),
        ("王\U000f0000", "private-character"),
        ("王\ud842", "lone-surrogate"),
        ("王\uffff", "unassigned-character"),
        ("王\U0003ffff", "unassigned-character"),
        ("e\u0301", "combining-mark"),
        ("王\u0488", "combining-mark"),
        ("\uf90a", "not-nfc"),
        ("\u212b", "not-nfc"),
        ("赣州\u3000公司", "odd-space"),
        ("赣州\u00a0公司", "odd-space"),
    ],
)
def test_a_character_that_a_reader_cannot_see_for_what_it_is_is_refused(text: str, code: str) -> None:
    """Each kind has its own code, and the message names the character by its code point."""
    (fault,) = check_text(text, path="facts.scope", label="经营范围")
    assert (fault.code, fault.path, fault.label) == (code, "facts.scope", "经营范围")
    assert fault.message.startswith("经营范围：")
    assert "U+" in fault.message
    assert fault.message.isprintable()
    assert fault.english.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "赣州蓉江新区（高校园区）",
        "㛃𬱖䶮㼆",
        "Musterwerk GmbH",
        "±0.00",
        "2℃～8℃",
        "1,200.50",
        "阿依古丽·买买提",
        "A座 18层",
        "〔2022〕4号",
        "",
    ],
)
def test_what_stands_on_certificates_passes(text: str) -> None:
    """Rare characters of Unicode, Latin names, signs and single spaces are fine."""
    assert check_text(text) == []


def test_every_kind_of_objection_is_reported_at_once() -> None:
    """Two kinds of bad characters give two faults; many of one kind give one."""
    faults = check_text("\u200b\u200c\u200d\u2060\u202e\x00")
    assert [fault.code for fault in faults] == ["invisible-character", "bidi-character", "control-character"]
    assert faults[0].message.count("U+") == 3


def test_line_feeds_are_allowed_where_lines_are() -> None:
    """A paragraph may break; nothing else of the control characters may stand in it."""
    assert check_text("甲\n乙", lines=True) == []
    assert [fault.code for fault in check_text("甲\r\n乙", lines=True)] == ["control-character"]


@given(SOUND, st.integers(0, 50), st.sampled_from("\u202a\u200e\u2069\u061c"))
def test_a_direction_mark_is_found_wherever_it_stands(text: str, place: int, mark: str) -> None:
    """No text around it hides it."""
    codes = [fault.code for fault in check_text(text[:place] + mark + text[place:])]
    assert "bidi-character" in codes
