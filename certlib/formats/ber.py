"""Reading BER (ITU-T X.690) as it comes, with every element's own bytes kept: nothing is encoded again.

Structures in use are not always DER, and what was signed is what was written. Each reading names, in Chinese, the field
it was meant for when it fails, as `ValueError`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from asn1crypto import core, parser

LIMIT = 8 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Element:
    """One element as received. Each reading names the field it was meant for when it fails."""

    kind: tuple[int, int]  # class, tag
    content: bytes = field(repr=False)
    raw: bytes = field(repr=False)

    def children(self, name: str, least: int, most: int) -> list[Element]:
        """The elements of a SEQUENCE, `least` to `most` of them."""
        self._must(name, 0, core.Sequence.tag)
        found = _elements(self.content, name, most)
        if not least <= len(found) <= most:
            raise ValueError(f"{name}的字段数不对")
        return found

    def integer(self, name: str) -> int:
        """An INTEGER of at most eight octets."""
        self._must(name, 0, core.Integer.tag)
        if not 0 < len(self.content) <= 8:
            raise ValueError(f"{name}的数值过长")
        return int.from_bytes(self.content, "big", signed=True)

    def boolean(self, name: str) -> bool:
        """A BOOLEAN; anything but zero is true."""
        self._must(name, 0, core.Boolean.tag)
        return self.content not in {b"", b"\x00"}

    def octets(self, name: str) -> bytes:
        """The value of an OCTET STRING."""
        self._must(name, 0, core.OctetString.tag)
        return self.content

    def bits(self, name: str) -> bytes:
        """The octets of a BIT STRING."""
        self._must(name, 0, core.BitString.tag)
        if self.content[:1] != b"\x00":
            raise ValueError(f"{name}不是整数个字节")
        return self.content[1:]

    def oid(self, name: str) -> str:
        """An OBJECT IDENTIFIER, dotted."""
        self._must(name, 0, core.ObjectIdentifier.tag)
        return str(self._load(core.ObjectIdentifier, name).dotted)

    def text(self, name: str) -> str:
        """The text of an IA5String, UTF8String or PrintableString."""
        self._must(name, 0, core.IA5String.tag, core.UTF8String.tag, core.PrintableString.tag)
        try:
            return self.content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{name}不是文字") from error

    def time(self, name: str) -> datetime:
        """A UTCTime or GeneralizedTime, in UTC."""
        self._must(name, 0, core.UTCTime.tag, core.GeneralizedTime.tag)
        kind = core.UTCTime if self.kind[1] == core.UTCTime.tag else core.GeneralizedTime
        at: datetime = self._load(kind, name).native
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)

    def explicit(self, number: int, name: str) -> Element:
        """The element inside `[number] EXPLICIT`."""
        self._must(name, 2, number)
        return only(self.content, name)

    def _must(self, name: str, of_class: int, *tags: int) -> None:
        if self.kind[0] != of_class or self.kind[1] not in tags:
            raise ValueError(f"{name}的类型不对")

    def _load(self, kind: Any, name: str) -> Any:
        try:
            value = kind.load(self.raw)
            value.native  # noqa: B018  (asn1crypto reads no value before it is asked for)
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{name}无法读取") from error
        return value


def only(data: bytes, name: str) -> Element:
    """The one element that these bytes are. Raises `ValueError` when there is none, more, or too much."""
    if len(data) > LIMIT:
        raise ValueError(f"{name}过大")
    found = _elements(data, name, 1)
    if len(found) != 1:
        raise ValueError(f"{name}之后还有多余的内容" if found else f"{name}是空的")
    return found[0]


def _elements(data: bytes, name: str, most: int) -> list[Element]:
    """The elements one after the other, at most one more than wanted: a million of them need not be read to refuse."""
    found: list[Element] = []
    rest = data
    while rest and len(found) <= most:
        try:
            of_class, _, tag, header, content, trailer = parser.parse(rest)
        except (ValueError, RecursionError) as error:  # lengths without end, one in the other, thousands deep
            raise ValueError(f"{name}的编码有误") from error
        size = len(header) + len(content) + len(trailer)
        found.append(Element((of_class, tag), content, rest[:size]))
        rest = rest[size:]
    return found
