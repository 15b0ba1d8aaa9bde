"""Distinguished Encoding Rules, the writing half (ITU-T X.690 §10): what the signatures of this library are made of.

Reading is left to asn1crypto, which keeps the bytes it was given. Writing is done here because a signature is built
for every document, and a tree of parsed objects costs a hundred times the bytes that come out of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

NULL = b"\x05\x00"

SEQUENCE = 0x30
SET = 0x31


def tlv(tag: int, *parts: bytes) -> bytes:
    """One element: `tag` in a single octet, length in its shortest form, then the parts."""
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE of the given elements."""
    return tlv(SEQUENCE, *parts)


def set_of(parts: Iterable[bytes], *, tag: int = SET) -> bytes:
    """SET OF in the order DER asks for (X.690 §11.6); `tag` for an IMPLICIT tag in its place."""
    return tlv(tag, *sorted(parts))


def explicit(number: int, *parts: bytes) -> bytes:
    """`[number] EXPLICIT`, constructed."""
    return tlv(0xA0 | number, *parts)


def integer(value: int) -> bytes:
    """INTEGER, not negative, in the fewest octets."""
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octets(value: bytes) -> bytes:
    """OCTET STRING."""
    return tlv(0x04, value)


def bits(value: bytes) -> bytes:
    """BIT STRING of whole octets."""
    return tlv(0x03, b"\x00", value)


def boolean(value: bool) -> bytes:
    """BOOLEAN."""
    return tlv(0x01, b"\xff" if value else b"\x00")


def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER from its dotted form."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return tlv(0x06, b"".join(_base128(arc) for arc in (first * 40 + second, *rest)))


def utf8(text: str) -> bytes:
    """UTF8String."""
    return tlv(0x0C, text.encode())


def ia5(text: str) -> bytes:
    """IA5String; only ASCII fits."""
    return tlv(0x16, text.encode("ascii"))


def generalized_time(at: datetime) -> bytes:
    """GeneralizedTime in UTC, whole seconds (RFC 5280 §4.1.2.5.2)."""
    return tlv(0x18, at.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())


def algorithm(dotted: str, *, null: bool = False) -> bytes:
    """AlgorithmIdentifier: parameters absent, or NULL where the algorithm's RFC writes them so."""
    return sequence(oid(dotted), NULL if null else b"")


def _base128(arc: int) -> bytes:
    groups = [arc & 0x7F]
    while arc := arc >> 7:
        groups.append(0x80 | arc & 0x7F)
    return bytes(reversed(groups))
