"""The span guard: each of its rules, on bytes alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.verify.span import MAX_SIGNATURES, guard
from tests.verify.forgeries import archive, ranges


def small(byte_range: str = "[0 {a} {b} {c}]", contents: str = "<3003020101{pad}>", tail: str = "\n%%EOF\n") -> bytes:
    """The least that looks like a signed file to the guard; the numbers are filled in until they fit."""
    gap, numbers = contents.format(pad="0" * 20), (0, 0, 0)
    text = b""
    for _ in range(3):
        a, b, c = numbers
        head = f"%PDF-1.7\n<</ByteRange {byte_range.format(a=a, b=b, c=c)} /Contents "
        numbers = (len(head), len(head) + len(gap), len(tail) + 2)
        text = f"{head}{gap}>>{tail}".encode()
    return text


def rules(pdf: bytes) -> set[int]:
    return {fault.rule for fault in guard(pdf).faults}


def test_a_sealed_file_keeps_every_rule(sealed: bytes) -> None:
    """One span, from the first byte to the last, without the signature value."""
    guarded = guard(sealed)
    assert guarded.faults == ()
    (span,) = guarded.spans
    a, b, c = ranges(sealed)
    assert span.byte_range == (0, a, b, c)
    assert span.end == len(sealed)
    assert span.contents[0] == 0x30
    assert sum(map(len, span.covered(sealed))) == len(sealed) - (b - a)
    assert guarded.agrees([(0, a, b, c)]) is None


def test_a_document_timestamp_behind_it_keeps_them_too(sealed: bytes) -> None:
    """Two spans, the first the whole earlier file, the last to the end."""
    guarded = guard(archive(sealed))
    assert guarded.faults == ()
    assert guarded.spans[0].end == len(sealed)


def test_the_small_file_is_a_good_one() -> None:
    """So that the broken ones below are broken only where they say."""
    assert rules(small()) == set()
    assert rules(small(contents="<3003020101>")) == set()


@pytest.mark.parametrize(
    "byte_range",
    [
        "[0 {a} {b} {c} 0]",
        "[0 {a} {b}]",
        "[0 -{a} {b} {c}]",
        "[0 +{a} {b} {c}]",
        "[0 {a}.0 {b} {c}]",
        "[0 0{a} {b} {c}]",
        "[1 {a} {b} {c}]",
        "[0 {b} {a} {c}]",
        "[0 {a} {b} 9{c}]",
        "[]",
        "7 0 R",
        "[0 {a} {b} 99999999999]",
        "[(0) {a} {b} {c}]",
    ],
)
def test_rule_1_four_plain_integers_in_order(byte_range: str) -> None:
    """Signs, fractions, leading zeros, another count, another order, beyond the file."""
    assert 1 in rules(small(byte_range))


@pytest.mark.parametrize(
    "contents",
    [
        "(3003020101)",
        "<3003020101 {pad}>",
        "<3003020101{pad}0>",
        "<3003020101{pad}g0>",
        "<30030201aA{pad}>",
        "<3003020101{pad}01>",
        "<3003020101><{pad}>",
        "<308003020101{pad}>",
        "<30810302010100>",
        "<3030020101>",
        "<0403020101>",
        "<>",
        "<30>",
    ],
)
def test_rule_2_the_gap_is_one_der_value_in_hexadecimal_and_zeros(contents: str) -> None:
    """White space, odd digits, mixed case, junk in the padding, a second string, lengths not in DER."""
    assert 2 in rules(small(contents=contents))


def test_rule_2_the_gap_is_the_contents_entry() -> None:
    """Another string of hexadecimal digits is not the signature value."""
    assert 2 in rules(small().replace(b"/Contents ", b"/Kontents "))


@pytest.mark.parametrize("after", [b"\n", b" ", b"%", b"\x00"])
def test_rule_3_nothing_stands_behind_the_last_signature(after: bytes) -> None:
    """Not even a line break."""
    assert rules(small() + after) == {3}


def test_rule_4_an_earlier_signature_covers_its_whole_revision() -> None:
    """Cut anywhere but behind an end-of-file mark, or overlapping the next, it does not."""
    first = small(tail="\n%%EOF")
    for middle, expected in ((b"\n", set()), (b"\nmore\n", set())):
        second = first + middle
        follow = b"<</ByteRange [0 %d %d 8] /Contents <3003020101>>>\n%%%%EOF"
        start = len(second) + len(follow % (0, 0)) - len(b"<3003020101>>>\n%%EOF") + 4
        whole = second + follow % (start, start + 12)
        assert rules(whole) == expected
    unfinished = small(tail="\n%%EO") + b"<</ByteRange [0 5 9 1] /Contents <30"
    assert rules(unfinished)


def test_rule_5_one_byte_range_for_each_signature(sealed: bytes) -> None:
    """The library must have found the same ones, each once."""
    guarded = guard(sealed)
    (span,) = guarded.spans
    for found in ([], [span.byte_range] * 2, [(0, 1, 2, 3)]):
        fault = guarded.agrees(found)
        assert fault is not None
        assert fault.rule == 5
    many = guard(sealed + b"/ByteRange " * (MAX_SIGNATURES + 1))
    assert {fault.rule for fault in many.faults} == {5}


@given(st.binary(max_size=400), st.integers(0, 200))
def test_no_bytes_make_the_guard_fail(junk: bytes, at: int) -> None:
    """Whatever stands in a file, the guard answers."""
    pdf = small()
    guard(junk)
    guard(pdf[:at] + junk + pdf[at:])
    guard(b"/ByteRange [0 1 2 3] " + junk)
