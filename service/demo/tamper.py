"""What a forger does, so that the demo can show it is caught."""

from __future__ import annotations

_OPENING = b"stream\n"
_INTO = 24  # past the header of a compressed stream


def tampered(pdf: bytes) -> bytes:
    """The same file with one byte of its first stream changed, which the seal covers."""
    at = pdf.index(_OPENING) + len(_OPENING) + _INTO
    return pdf[:at] + bytes([pdf[at] ^ 0x01]) + pdf[at + 1 :]
