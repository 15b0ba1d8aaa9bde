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


def from_digits(digits: str) -> bytes:
    """The bytes that `digits` stand for. Raises `ValueError` when they stand for none."""
    if not digits.isascii() or not digits.isdecimal():
        raise ValueError("not decimal digits")
    return b"".join(_block(digits[at : at + WIDE]) for at in range(0, len(digits), WIDE))


def _block(digits: str) -> bytes:
    if len(digits) not in BYTES_OF:
        raise ValueError("digits end inside a block")
    try:
        return int(digits).to_bytes(BYTES_OF[len(digits)], "big")
    except OverflowError as error:
        raise ValueError("a block too large for its bytes") from error
