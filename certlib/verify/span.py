"""The span guard: which bytes each signature of a PDF really covers, judged on the raw bytes.

A validator that works on parsed objects can be deceived about the bytes it is shown. So, before and beside what the
PDF library says, for every `/ByteRange` that occurs in the file:

 1. it is exactly four plain integers `[0 a b c]`, 0 < a < b, b + c within the file;
 2. the gap between a and b is the signature's `/Contents` and nothing else: `<`, an even number of hexadecimal digits
    in one letter case, `>`; decoded, one DER value, then only zeros;
 3. the last signature ends at the end of the file: nothing unsigned comes after it;
 4. every earlier one ends at the end of a revision, before anything of the next signature;
 5. one `/ByteRange` for each signature, and none beside them (`agrees`, with what the library found).

What came after an earlier signature, and whose signatures they are, `certlib.verify.pades` judges.
(ISO 32000-2 12.8.1, ETSI EN 319 142-1 clause 5.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

MAX_SIGNATURES = 32
_RANGE = re.compile(rb"/ByteRange[\x00\t\n\f\r ]{0,8}\[([^\]]{0,120})\]")
_FOUR = re.compile(rb"[\x00\t\n\f\r ]*(0)[ ]+(0|[1-9]\d{0,9})[ ]+(0|[1-9]\d{0,9})[ ]+(0|[1-9]\d{0,9})[\x00\t\n\f\r ]*")
_HEX = re.compile(rb"(?:[0-9a-f]{2})+|(?:[0-9A-F]{2})+")
_CONTENTS = re.compile(rb"/Contents[\x00\t\n\f\r ]{0,8}\Z")
_END = re.compile(rb"%%EOF(?:\r\n|\r|\n)?\Z")


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken rule of the guard: its number above, and what is wrong, in Chinese."""

    rule: int
    detail: str


@dataclass(frozen=True, slots=True)
class Span:
    """What one signature covers: bytes 0 to `before` and `after` to `end`; `contents` is its DER without padding."""

    before: int
    after: int
    end: int
    contents: bytes

    @property
    def byte_range(self) -> tuple[int, int, int, int]:
        """The four numbers as they stand in the file."""
        return 0, self.before, self.after, self.end - self.after

    def covered(self, pdf: bytes) -> tuple[memoryview, memoryview]:
        """The two stretches of bytes that are signed."""
        view = memoryview(pdf)
        return view[: self.before], view[self.after : self.end]


@dataclass(frozen=True, slots=True)
class Guarded:
    """What the guard found: the spans, in the order in which they end, and every broken rule."""

    spans: tuple[Span, ...]
    faults: tuple[Fault, ...]

    def agrees(self, ranges: Iterable[tuple[int, ...]]) -> Fault | None:
        """Rule 5: the library's signatures are the guard's, one for one; else what differs."""
        if sorted(ranges) == sorted(span.byte_range for span in self.spans):
            return None
        return Fault(5, "文件中的签名字典与签名域不是一一对应。")


def guard(pdf: bytes) -> Guarded:
    """Judge every `/ByteRange` of the file."""
    found = [match.start() for match in re.finditer(rb"/ByteRange", pdf)]
    if len(found) > MAX_SIGNATURES:
        return Guarded((), (Fault(5, f"文件中有 {len(found)} 处签名范围，超过 {MAX_SIGNATURES} 处。"),))
    results = [_span(pdf, at) for at in found]
    spans = sorted((one for one in results if isinstance(one, Span)), key=lambda span: span.end)
    faults = [one for one in results if isinstance(one, Fault)]
    return Guarded(tuple(spans), (*faults, *_order(pdf, spans)))


def _span(pdf: bytes, at: int) -> Span | Fault:
    found = _RANGE.match(pdf, at)
    numbers = _FOUR.fullmatch(found[1]) if found else None
    if numbers is None:
        return Fault(1, "签名范围不是四个普通整数。")
    _, before, after, length = (int(number) for number in numbers.groups())
    end = after + length
    if not 0 < before < after or end > len(pdf):
        return Fault(1, "签名范围越界或次序不对。")
    contents = _contents(pdf, before, after)
    return Span(before, after, end, contents) if isinstance(contents, bytes) else contents


def _contents(pdf: bytes, before: int, after: int) -> bytes | Fault:
    digits = pdf[before + 1 : after - 1]
    if pdf[before] != ord("<") or pdf[after - 1] != ord(">") or not _HEX.fullmatch(digits):
        return Fault(2, "签名范围的缺口不只是签名值。")
    if not _CONTENTS.search(pdf, max(0, before - 24), before):
        return Fault(2, "签名范围的缺口不是签名字典的签名值。")
    value = bytes.fromhex(digits.decode())
    size = _der_size(value)
    if size is None or any(value[size:]):
        return Fault(2, "签名值之后有多余的数据。")
    return value[:size]


def without_padding(value: bytes) -> bytes:
    """The one DER value that zeros follow; all of it when anything else does."""
    size = _der_size(value)
    return value if size is None or any(value[size:]) else value[:size]


def _der_size(value: bytes) -> int | None:
    """The size of the one SEQUENCE that `value` starts with, in definite and shortest form; None when it has none."""
    if len(value) < 2 or value[0] != 0x30:
        return None
    first = value[1]
    if first < 0x80:
        size = 2 + first
    else:
        count = first & 0x7F
        length = int.from_bytes(value[2 : 2 + count], "big")
        if not 1 <= count <= 4 or length < (0x80 if count == 1 else 1 << 8 * (count - 1)):
            return None
        size = 2 + count + length
    return size if size <= len(value) else None


def _order(pdf: bytes, spans: list[Span]) -> list[Fault]:
    faults = []
    if spans and spans[-1].end != len(pdf):
        faults.append(Fault(3, f"盖章之后文件末尾又追加了 {len(pdf) - spans[-1].end} 字节，未受签名保护。"))
    for earlier, later in pairwise(spans):
        if not _END.search(pdf, max(0, earlier.end - 8), earlier.end) or later.before <= earlier.end:
            faults.append(Fault(4, "较早的签名没有覆盖它所在的整个版本。"))
    return faults
