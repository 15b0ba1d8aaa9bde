"""The pages of a file as pictures: as they are, and as they were when the first seal was put on them.

Every page is compared while the time lasts, those that look different are shown first, and what differs is framed on
both. Only for the sandbox's child: the file may be hostile, and PDFium draws whatever it says.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pypdfium2 as pdfium

from certlib.formats.pdfium import PDFIUM
from certlib.verify.raster import Raster
from certlib.verify.span import guard

DPI, MOST_PAGES, MOST_SIDE = 60, 4, 1600  # dots an inch; pages shown; pixels of a side
_PATIENCE = 2.5  # seconds of processor for comparing; the fork has five for everything
_PNG = b"\x89PNG\r\n\x1a\n"
_HEAD, _NUMBER, _PAGE = struct.Struct(">HHH"), struct.Struct(">H"), struct.Struct(">HII")
_MOST_COUNTED = 0xFFFF


@dataclass(frozen=True, slots=True)
class Page:
    """One page as PNG pictures: `before` when sealed, `after` now; empty where there is none to show."""

    number: int
    before: bytes = field(default=b"", repr=False)
    after: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pages shown, of `total`; the first `compared` were held against what was sealed (0: nothing came after it).

    `differing` are the numbers of those that look different, whether they are shown or not.
    """

    pages: tuple[Page, ...] = ()
    total: int = 0
    compared: int = 0
    differing: tuple[int, ...] = ()

    def dump(self) -> bytes:
        """Counts, numbers, and each page's pictures length-prefixed; `load` reads them."""
        parts = [_HEAD.pack(self.total, self.compared, len(self.differing)), *map(_NUMBER.pack, self.differing)]
        for page in self.pages:
            parts += [_PAGE.pack(page.number, len(page.before), len(page.after)), page.before, page.after]
        return b"".join(parts)

    @classmethod
    def load(cls, data: bytes) -> Pictures:
        """Read what `dump` gave. Raises `ValueError` for anything else."""
        try:
            total, compared, count = _HEAD.unpack_from(data)
            at = _HEAD.size + count * _NUMBER.size
            differing = tuple(number for (number,) in _NUMBER.iter_unpack(data[_HEAD.size : at]))
            return cls(tuple(_loaded(data, at)), total, compared, differing)
        except struct.error as error:
            raise ValueError("not pictures") from error


def _loaded(data: bytes, at: int) -> Iterator[Page]:
    while at < len(data):
        number, *sizes = _PAGE.unpack_from(data, at)
        at += _PAGE.size
        blocks = []
        for size in sizes:
            blocks.append(data[at : at + size])
            at += size
            if len(blocks[-1]) != size or (size and not blocks[-1].startswith(_PNG)):
                raise ValueError("not a picture")
        yield Page(number, *blocks)


def draw(pdf: bytes) -> Pictures:
    """The pages now and, when something came after the first seal, as of it. Raises `ValueError` when unreadable."""
    spans = guard(pdf).spans
    end = spans[0].end if spans else len(pdf)
    with PDFIUM, _opened(pdf) as now:
        if now is None:
            raise ValueError("PDFium cannot draw the file")
        if end >= len(pdf):
            return _shown(now)
        with _opened(pdf[:end]) as then:
            return _compared(then, now)


def _compared(then: pdfium.PdfDocument | None, now: pdfium.PdfDocument) -> Pictures:
    """Without `then` (it cannot be read) the first pages as they are now, held against nothing."""
    if then is None:
        return _shown(now)
    total = min(max(len(now), len(then)), _MOST_COUNTED)
    odd: dict[int, Page] = {}
    same: dict[int, Page] = {}
    until, compared, differing = time.process_time() + _PATIENCE, 0, []
    while compared < total and time.process_time() < until:
        compared += 1
        before, after = _drawn(then, compared - 1), _drawn(now, compared - 1)
        if before != after:
            differing.append(compared)
        kept = same if before == after else odd
        if len(kept) < MOST_PAGES:
            kept[compared] = _page(compared, before, after)
    chosen = dict(sorted([*odd.items(), *same.items()][:MOST_PAGES]))
    return Pictures(tuple(chosen.values()), total, compared, tuple(differing))


def _shown(now: pdfium.PdfDocument) -> Pictures:
    pages = (Page(n + 1, b"", _png(_drawn(now, n))) for n in range(min(len(now), MOST_PAGES)))
    return Pictures(tuple(pages), min(len(now), _MOST_COUNTED))


def _page(number: int, before: Raster | None, after: Raster | None) -> Page:
    if before is not None and after is not None and before != after:
        areas = before.areas(after)
        before, after = before.framed(areas), after.framed(areas)
    return Page(number, _png(before), _png(after))


@contextmanager
def _opened(pdf: bytes) -> Iterator[pdfium.PdfDocument | None]:
    """The document, None when PDFium cannot read it."""
    try:
        document = pdfium.PdfDocument(pdf)
    except pdfium.PdfiumError:
        yield None
        return
    document.init_forms()  # a seal is drawn as part of its field
    yield document


def _drawn(document: pdfium.PdfDocument | None, index: int) -> Raster | None:
    """A page's pixels; None when there is no such page or PDFium cannot draw it."""
    if document is None or index >= len(document):
        return None
    try:
        page = document[index]
        scale = min(DPI / 72, MOST_SIDE / max(page.get_width(), page.get_height(), 1))
        bitmap = page.render(scale=scale, rev_byteorder=True, prefer_bgrx=False)
    except pdfium.PdfiumError:
        return None
    return Raster.of(bytes(bitmap.buffer), bitmap.width, bitmap.height, bitmap.stride, bitmap.n_channels)


def _png(raster: Raster | None) -> bytes:
    return b"" if raster is None else raster.png()
