"""The pages of a file as pictures: as they are, and as they were when the first seal was put on them.

Only for the sandbox's child: the file may be hostile, and PDFium draws whatever it says.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

import pypdfium2 as pdfium

from certlib.formats.pdfium import PDFIUM
from certlib.verify.span import guard

DPI, MOST_PAGES, MOST_SIDE = 60, 4, 1600  # dots an inch; pages drawn; pixels of a side


@dataclass(frozen=True, slots=True)
class Pictures:
    """PNG pictures of the first pages. `before` is empty when nothing was added after the first seal."""

    before: tuple[bytes, ...] = field(default=(), repr=False)
    after: tuple[bytes, ...] = field(default=(), repr=False)

    def dump(self) -> bytes:
        """Both as counted, length-prefixed blocks; `load` reads them."""
        blocks = [*self.before, *self.after]
        head = struct.pack(">BB", len(self.before), len(self.after))
        return head + b"".join(struct.pack(">I", len(block)) + block for block in blocks)

    @classmethod
    def load(cls, data: bytes) -> Pictures:
        """Read what `dump` gave. Raises `ValueError` for anything else."""
        try:
            before, after = struct.unpack_from(">BB", data)
            blocks, at = [], 2
            for _ in range(before + after):
                (size,) = struct.unpack_from(">I", data, at)
                block = data[at + 4 : at + 4 + size]
                if len(block) != size or not block.startswith(b"\x89PNG\r\n\x1a\n"):
                    raise ValueError("not a picture")
                blocks.append(block)
                at += 4 + size
        except struct.error as error:
            raise ValueError("not pictures") from error
        return cls(tuple(blocks[:before]), tuple(blocks[before:]))


def draw(pdf: bytes) -> Pictures:
    """The pages now, and as of the first seal when something came after it. Raises `ValueError` when unreadable."""
    spans = guard(pdf).spans
    end = spans[0].end if spans else len(pdf)
    before = _pages(pdf[:end]) if end < len(pdf) else ()
    return Pictures(before, _pages(pdf))


def _pages(pdf: bytes) -> tuple[bytes, ...]:
    with PDFIUM:
        try:
            document = pdfium.PdfDocument(pdf)
            document.init_forms()  # a seal is drawn as part of its field
            return tuple(_picture(document[index]) for index in range(min(len(document), MOST_PAGES)))
        except pdfium.PdfiumError as error:
            raise ValueError("PDFium cannot draw the file") from error


def _picture(page: pdfium.PdfPage) -> bytes:
    scale = min(DPI / 72, MOST_SIDE / max(page.get_width(), page.get_height(), 1))
    bitmap = page.render(scale=scale, rev_byteorder=True, prefer_bgrx=False)
    return png(bytes(bitmap.buffer), bitmap.width, bitmap.height, bitmap.stride, bitmap.n_channels)


_COLOUR = {1: 0, 3: 2, 4: 6}  # channels -> PNG colour type


def png(pixels: bytes, width: int, height: int, stride: int, channels: int) -> bytes:
    """Raw pixels, row by row, as a PNG picture (ISO/IEC 15948)."""
    rows = b"".join(b"\0" + pixels[row * stride : row * stride + width * channels] for row in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, _COLOUR[channels], 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
