"""A page's pixels: where two of them differ, frames around that, and PNG (ISO/IEC 15948).

Only the standard library: an auditor's installation has no imaging package.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field, replace

_COLOUR = {1: 0, 3: 2, 4: 6}  # channels -> PNG colour type
_FRAME = {1: b"\0", 3: b"\xd0\0\x20", 4: b"\xd0\0\x20\xff"}  # by channels; the red of the report's words
_NEAR = 12  # pixels between what differs that still lie in one frame
_MARGIN, _THICK = 4, 2  # pixels between what differs and its frame; of the frame


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of pixels; right and bottom lie outside."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Raster:
    """Rows of pixels without padding, `channels` bytes each."""

    width: int
    height: int
    channels: int
    rows: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def of(cls, pixels: bytes, width: int, height: int, stride: int, channels: int) -> Raster:
        """From a buffer in which a row takes `stride` bytes."""
        rows = (pixels[row * stride : row * stride + width * channels] for row in range(height))
        return cls(width, height, channels, tuple(rows))

    def areas(self, other: Raster) -> list[Area]:
        """Where the two differ, from the top: a rectangle for each run of rows; all of it when their sizes differ."""
        if (self.width, self.height, self.channels) != (other.width, other.height, other.channels):
            return [Area(0, 0, self.width, self.height)]
        found: list[Area] = []
        for number, (one, two) in enumerate(zip(self.rows, other.rows, strict=True)):
            if one == two:
                continue
            left, right = _differing(one, two, self.channels)
            if found and number - found[-1].bottom < _NEAR:
                last = found.pop()
                found.append(Area(min(left, last.left), last.top, max(right, last.right), number + 1))
            else:
                found.append(Area(left, number, right, number + 1))
        return found

    def framed(self, areas: list[Area]) -> Raster:
        """The same with a frame around each area, as far as it lies on the page."""
        rows = [bytearray(row) for row in self.rows]
        for area in areas:
            self._frame(rows, area)
        return replace(self, rows=tuple(map(bytes, rows)))

    def _frame(self, rows: list[bytearray], area: Area) -> None:
        out = _MARGIN + _THICK
        left, right = max(0, area.left - out), min(self.width, area.right + out)
        top, bottom = max(0, area.top - out), min(self.height, area.bottom + out)
        for number in range(top, bottom):
            edge = number < top + _THICK or number >= bottom - _THICK
            for begin, end in ((left, right),) if edge else ((left, left + _THICK), (right - _THICK, right)):
                count = max(0, end - begin)
                rows[number][begin * self.channels : end * self.channels] = _FRAME[self.channels] * count

    def png(self) -> bytes:
        """As a PNG picture."""
        head = struct.pack(">IIBBBBB", self.width, self.height, 8, _COLOUR[self.channels], 0, 0, 0)
        data = zlib.compress(b"".join(b"\0" + row for row in self.rows), 6)
        parts = ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _differing(one: bytes, two: bytes, channels: int) -> tuple[int, int]:
    """First and last + 1 pixel in which two rows of one length differ: the ends of their difference as a number."""
    difference = int.from_bytes(one, "big") ^ int.from_bytes(two, "big")
    first = len(one) - (difference.bit_length() + 7) // 8
    last = len(one) - ((difference & -difference).bit_length() + 7) // 8
    return first // channels, last // channels + 1


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
