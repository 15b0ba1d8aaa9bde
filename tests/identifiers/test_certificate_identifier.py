"""证照标识 (GB/T 36904) and its check character (ISO/IEC 7064 MOD 37,36)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.identifiers import ROOT, CertificateIdentifier, mod37_36, with_check_character

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
REAL = [
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.002.S",
    "1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.001.F",
    "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
    "1.2.156.3005.2.11100000000013338W087.11370800MB28559184.37080001202411010001.001.3",
    "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9",
    "1.2.156.3005.2.11360700MB1A2B3CX8001.11360700MB1A2B3CX8.202208150001.001.I",
]
FAKE = "1.2.156.3005.2.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M"
TEXTS = st.text(ALPHABET, min_size=2, max_size=60)


@pytest.mark.parametrize("text", REAL)
def test_identifiers_in_circulation_are_read_and_written_back(text: str) -> None:
    """Identifiers of deployed systems parse, and the parts give the same text again."""
    assert CertificateIdentifier.parse(text).text == text


def test_a_sample_with_a_made_up_check_character_is_refused_and_can_be_repaired() -> None:
    """The published sample that nobody computed fails; the repair gives the character it should have."""
    with pytest.raises(ValueError, match="校验位"):
        CertificateIdentifier.parse(FAKE)
    assert with_check_character(FAKE) == FAKE[:-1] + "D"


@given(TEXTS, st.data())
def test_every_substitution_of_one_character_is_detected(text: str, data: st.DataObject) -> None:
    """Another character in any one place gives another check character."""
    place = data.draw(st.integers(0, len(text) - 1))
    char = data.draw(st.sampled_from(ALPHABET.replace(text[place], "")))
    assert mod37_36(text) != mod37_36(text[:place] + char + text[place + 1 :])


@given(TEXTS, st.sampled_from(ALPHABET))
def test_a_wrong_check_character_is_always_wrong(text: str, char: str) -> None:
    """For each text exactly one of the 36 characters is right."""
    identifier = CertificateIdentifier("1" * 21, "1" * 18, text[:32], 1)
    right = identifier.text
    if char == right[-1]:
        assert CertificateIdentifier.parse(right[:-1] + char) == identifier
    else:
        with pytest.raises(ValueError, match="校验位"):
            CertificateIdentifier.parse(right[:-1] + char)


def running(text: str) -> int:
    """The running value before the next character, as the standard computes it."""
    value = 36
    for char in text:
        value = ((value + ALPHABET.index(char)) % 36 or 36) * 2 % 37
    return value


@given(TEXTS, st.data())
def test_an_exchange_of_neighbours_is_missed_only_where_the_docstring_says(text: str, data: st.DataObject) -> None:
    """Missed when the running value plus the two characters is 18 and 19 modulo 36, and never otherwise."""
    place = data.draw(st.integers(0, len(text) - 2))
    one, two = text[place], text[place + 1]
    before = running(text[:place])
    missed = {(before + ALPHABET.index(one)) % 36, (before + ALPHABET.index(two)) % 36} == {18, 19}
    other = text[:place] + two + one + text[place + 2 :]
    assert (mod37_36(text) == mod37_36(other)) == (one == two or missed)


def test_one_exchange_in_630_is_missed() -> None:
    """Counted over every running value and every pair of different characters."""
    prefixes = {running(text): text for a in ALPHABET for b in ALPHABET for text in (a, a + b)}
    assert len(prefixes) == 36
    pairs = [(a, b) for a in ALPHABET for b in ALPHABET if a < b]
    missed = sum(mod37_36(prefix + a + b) == mod37_36(prefix + b + a) for prefix in prefixes.values() for a, b in pairs)
    assert (missed, len(prefixes) * len(pairs)) == (36, 630 * 36)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "开头"),
        (REAL[0].removeprefix(ROOT), "开头"),
        (REAL[0] + ".A", "五段"),
        (REAL[0][:-1], "校验位"),
        (REAL[0][:-1] + "u", "校验位"),
        (REAL[0].replace(".001.", ".1."), "版本号"),
        (REAL[0].replace(".001.", ".000."), "版本号"),
        (REAL[0].replace("20230000403", ""), "流水号"),
        (REAL[0].replace("20230000403", "2023-403"), "流水号"),
        (REAL[0].replace("W011", "W01"), "类型代码"),
        (REAL[0].replace("11430000006122244L", "1143000000612224"), "颁发机构"),
        (REAL[0].lower(), "类型代码"),
    ],
)
def test_a_malformed_identifier_is_refused_with_its_reason(text: str, reason: str) -> None:
    """Each part has a reason of its own."""
    with pytest.raises(ValueError, match=reason):
        CertificateIdentifier.parse(text)


def test_the_next_edition_keeps_type_issuer_and_serial() -> None:
    """A new file of the same number gets the next edition and another check character."""
    first = CertificateIdentifier.parse(REAL[0])
    assert first.successor().text == REAL[1]
    assert first.successor().key == first.key


def test_there_is_no_edition_after_999() -> None:
    """Three digits hold no more."""
    with pytest.raises(ValueError, match="版本号"):
        CertificateIdentifier("1" * 21, "1" * 18, "1", 999).successor()
