"""What a person sees of a PDF, read through PDFium: the text of its pages and its attachments.

PDFium keeps state for the whole process: whoever else in this process uses it from several threads holds `PDFIUM` as
well. A hostile file is read in a child process only (`certlib.verify.sandbox`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import pypdfium2 as pdfium

from certlib.formats.pdfium import PDFIUM

MAX_PAGES, MAX_ATTACHMENTS = 200, 16
MAX_ATTACHMENT = 1 << 20  # bytes
MAX_BROKEN = 4000  # characters of a line that may be broken by the end of a page

# PDFium gives a hyphen at a line's end as one of these, so that words can be joined again.
_HYPHENS = str.maketrans({"\ufffe": "-", "\x02": "-", "\u00ad": "-"})


@dataclass(frozen=True, slots=True)
class Printed:
    """The pages' texts and the attachments, name and bytes, in the file's order."""

    pages: tuple[str, ...]
    attachments: tuple[tuple[str, bytes], ...] = field(repr=False)

    def attachment(self, name: str) -> bytes | None:
        """The only attachment of that name. Raises `ValueError` when there are several."""
        found = [data for each, data in self.attachments if each == name]
        if len(found) > 1:
            raise ValueError(f"there are {len(found)} attachments called {name}")
        return found[0] if found else None


def read_printed(pdf: bytes, *, beside: str = "") -> Printed:
    """Read pages and attachments; with `beside` no page of a file that has no attachment of that name.

    Raises `ValueError` when PDFium cannot.
    """
    with PDFIUM:
        try:
            document = pdfium.PdfDocument(pdf)
        except pdfium.PdfiumError as error:
            raise ValueError("PDFium cannot read the file") from error
        try:
            attachments = _attachments(document)
            wanted = not beside or any(name == beside for name, _ in attachments)
            return Printed(_pages(document) if wanted else (), attachments)
        except pdfium.PdfiumError as error:
            raise ValueError("PDFium cannot read the file's pages") from error
        finally:
            document.close()


def missing(printed: Printed, facts: Mapping[str, str]) -> tuple[str, ...]:
    """The keys of the facts that the pages do not show, line by line, white space counting nowhere."""
    pages = [plain(page) for page in printed.pages]
    whole = "".join(pages)
    return tuple(key for key, text in facts.items() if not all(_shown(line, whole, pages) for line in _lines(text)))


def plain(text: str) -> str:
    """The text in one normal form, without any white space."""
    return "".join(unicodedata.normalize("NFKC", text.translate(_HYPHENS)).split())


def _lines(text: str) -> Iterable[str]:
    return filter(None, map(plain, text.split("\n")))


def _shown(line: str, whole: str, pages: list[str]) -> bool:
    """Whether a line stands on the pages, whole or broken by the end of one page."""
    if line in whole or len(line) > MAX_BROKEN:
        return line in whole
    return any(
        line[:at] in before and line[at:] in after for before, after in pairwise(pages) for at in range(1, len(line))
    )


def _pages(document: pdfium.PdfDocument) -> tuple[str, ...]:
    if len(document) > MAX_PAGES:
        raise ValueError(f"more than {MAX_PAGES} pages")
    texts = []
    for number in range(len(document)):
        page = document[number]
        text = page.get_textpage()
        texts.append(text.get_text_bounded())
        text.close()
        page.close()
    return tuple(texts)


def _attachments(document: pdfium.PdfDocument) -> tuple[tuple[str, bytes], ...]:
    count = document.count_attachments()
    if count > MAX_ATTACHMENTS:
        raise ValueError(f"more than {MAX_ATTACHMENTS} attachments")
    found = (document.get_attachment(number) for number in range(count))
    return tuple((one.get_name(), bytes(one.get_data())[: MAX_ATTACHMENT + 1]) for one in found)
