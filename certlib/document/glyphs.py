"""The characters of a finished page as a reader finds them, and a place found by a keyword among them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from certlib.document.reading import plain
from certlib.domain.page import Box
from certlib.errors import RenderError
from certlib.formats.pdfium import PDFIUM

MILLIMETRE = 72 / 25.4  # points


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character on a page; millimetres from the upper left corner."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def middle(self) -> tuple[float, float]:
        """The middle of its ink."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


def read_glyphs(page: Any) -> Iterator[Glyph]:
    """Every character with ink on a page of PDFium, in the order of the file."""
    textpage = page.get_textpage()
    height = page.get_size()[1]
    high = 0
    for index in range(textpage.count_chars()):
        code = pdfium_c.FPDFText_GetUnicode(textpage, index)
        if 0xD800 <= code < 0xDC00:  # PDFium gives a character beyond the first plane as two
            high = code
            continue
        if 0xDC00 <= code < 0xE000:
            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
        text = plain(chr(code)) if code else ""
        if text:
            left, bottom, right, top = (side / MILLIMETRE for side in textpage.get_charbox(index))
            yield Glyph(text, left, height / MILLIMETRE - top, right, height / MILLIMETRE - bottom)


def indices_of(glyphs: tuple[Glyph, ...], texts: Iterable[str]) -> set[int]:
    """Where on the page the texts stand, all their occurrences."""
    return {index for text in texts if text for found in _occurrences(glyphs, text) for index in found}


def place_at_keyword(pdf: bytes, keyword: str, diameter: float) -> Box:
    """The square of `diameter` millimetres about the middle of the one place where the pages read `keyword`.

    White space counts nowhere, as it breaks where the page wants it to. Raises `RenderError` when the finished file
    does not read it, reads it more than once, or has no room for the seal there.
    """
    with PDFIUM, closing(pdfium.PdfDocument(pdf)) as document:
        pages = [(page.get_size(), tuple(read_glyphs(page))) for page in document]
    found = [
        (number, size, [glyphs[index] for index in indices])
        for number, (size, glyphs) in enumerate(pages, start=1)
        for indices in _occurrences(glyphs, plain(keyword))
    ]
    if len(found) != 1:
        told = f"出现 {len(found)} 处，无法确定盖章位置" if found else "在成品中没有找到"
        raise RenderError(f"盖章关键字“{keyword}”{told}，未用印 (the seal's keyword must stand once on the pages)")
    number, size, letters = found[0]
    across = min(glyph.left for glyph in letters) + max(glyph.right for glyph in letters)
    down = min(glyph.top for glyph in letters) + max(glyph.bottom for glyph in letters)
    box = Box(number, (across - diameter) / 2, (down - diameter) / 2, diameter, diameter)
    width, height = (side / MILLIMETRE for side in size)
    if box.x < 0 or box.y < 0 or box.x + diameter > width or box.y + diameter > height:
        raise RenderError(f"盖章关键字“{keyword}”太靠近页边，印章超出页面，未用印 (no room for the seal)")
    return box


def _occurrences(glyphs: tuple[Glyph, ...], text: str) -> Iterator[list[int]]:
    """The glyphs of each occurrence of `text` on one page."""
    whole, owner = "", list[int]()
    for i, glyph in enumerate(glyphs):
        whole += glyph.text
        owner += [i] * len(glyph.text)
    yield from (owner[found.start() : found.end()] for found in re.finditer(re.escape(text), whole))
