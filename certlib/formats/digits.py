"""Bytes as decimal digits: seven bytes become seventeen, so that a QR code can hold them in its numeric mode.

8.1 bits of the symbol for each byte, no letter case, no character that a scanner or a chat program mangles. Each block
of up to seven bytes, read as one big-endian number, is written with leading zeros in the fewest digits that hold it:

| bytes | 1 | 2 | 3 | 4 | 5 | 6 | 7 |
|---|---|---|---|---|---|---|---|
| digits | 3 | 5 | 8 | 10 | 13 | 15 | 17 |
"""

from __future__ import annotations

BLOCK, WIDE = 7, 17
DIGITS_OF = {1: 3, 2: 5, 3: 8, 4: 10, 5: 13, 6: 15, 7: 17}
BYTES_OF = {digits: size for size, digits in DIGITS_OF.items()}


def to_digits(data: bytes) -> str:
    """`data` as decimal digits."""
    blocks = (data[at : at + BLOCK] for at in range(0, len(data), BLOCK))
    return "".join(str(int.from_bytes(block, "big")).zfill(DIGITS_OF[len(block)]) for block in blocks)


class CutError(ValueError):
    """The digits end inside a block: a scan or a chat program has cut the text short."""


def from_digits(digits: str) -> bytes:
    """The bytes that `digits` stand for.

    Raises `CutError` when the last block is not whole, `ValueError` when they stand for none.
    """
    if digits and not (digits.isascii() and digits.isdecimal()):
        raise ValueError("not decimal digits")
    return b"".join(_block(digits[at : at + WIDE]) for at in range(0, len(digits), WIDE))


def _block(digits: str) -> bytes:
    size = BYTES_OF.get(len(digits))
    value = int(digits)
    if size is not None and value < 1 << 8 * size:
        return value.to_bytes(size, "big")
    if len(digits) < WIDE:
        raise CutError("digits end inside a block")
    raise ValueError("a block too large for its bytes")
