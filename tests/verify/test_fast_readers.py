"""Hexadecimal strings and names are read fast, and exactly as pyHanko itself reads them."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfError

from certlib.verify import pades

PIECES = st.sampled_from(
    [b"<", b">", b"0", b"aF", b"12", b" ", b"\n", b"\x00", b"%x\n", b"g", b"<<", b"feff8d63", b"\xff"]
)


def read(reader: Any, data: bytes, at: int) -> tuple[object, ...]:
    """What a reader makes of the bytes from a place on, and where it stops."""
    stream = BytesIO(data)
    stream.seek(at)
    try:
        value = reader(stream)
    except (PdfError, ValueError) as error:
        return type(error), str(error)
    return type(value), value, stream.tell()


@given(st.lists(PIECES, max_size=12).map(b"".join), st.integers(0, 2))
def test_they_are_read_as_pyhanko_reads_them(data: bytes, before: int) -> None:
    """Value, place and refusal, with white space, comments, odd digits and ends that never come."""
    whole = b"x" * before + b"<" + data
    assert read(pades.hex_string, whole, before) == read(pades.STOCK_HEX_STRING, whole, before)


def test_the_reader_in_use_is_ours() -> None:
    """A signature's gap of 16,384 digits goes through it, where pyHanko looks for its reader."""
    seen = []

    class Stream(BytesIO):
        def getbuffer(self) -> memoryview:
            seen.append(1)
            return super().getbuffer()

    value = generic.read_object(Stream(b"<" + b"00" * 8192 + b">"), generic.Reference(1))
    assert (len(value.original_bytes), seen) == (8192, [1])


PARTS = st.one_of(
    st.sampled_from([b"/", b"Type", b"#20", b"#2", b"#", b"#GG", b" ", b"(", b">>", b"%x\n", b"\x00", b"\xe7\xab\xa0"]),
    st.binary(min_size=1, max_size=1),
)


@given(st.lists(PARTS, max_size=8).map(b"".join), st.sampled_from([b"/", b"", b"x/"]))
def test_names_are_read_as_pyhanko_reads_them(data: bytes, before: bytes) -> None:
    """Value, place and refusal, with escapes, every byte, and ends that never come."""
    at = len(before.rstrip(b"/"))
    assert read(pades.name_object, before + data, at) == read(pades.STOCK_NAME, before + data, at)


@pytest.mark.parametrize("byte", range(256))
def test_every_byte_in_a_name_means_the_same(byte: int) -> None:
    """Within it and after it."""
    for data in (b"/A%cB C" % byte, b"/AB%cC" % byte, b"/%c" % byte):
        assert read(pades.name_object, data, 0) == read(pades.STOCK_NAME, data, 0)


def test_a_name_is_its_own_object() -> None:
    """Two of one spelling lie in different places, which pyHanko writes down on them."""
    one, two = (pades.name_object(BytesIO(b"/Type ")) for _ in range(2))
    assert one == two
    assert one is not two
