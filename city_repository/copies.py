"""加注件: a watermarked copy of a certificate's file for one purpose, by one applicant, with an end.

The pages are pictures, so the watermark cannot be lifted off, and the copy bears no seal that could pass for the
original's. Its terms stand on every page and, under the short names of GB/T 36903 (JZJ…), in the document's keywords.
"""

from __future__ import annotations

import io
import secrets
import tempfile
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pypdfium2 as pdfium
import typst
from pylopdf_fonts_zh_cn import sans_path

from certlib.domain.civil import SHANGHAI
from certlib.formats.pdfium import PDFIUM
from city_repository.store import Store

LIFE, LONGEST_LIFE = timedelta(hours=1), timedelta(days=7)
_MOST_PAGES = 50
_DPI = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """For what, for whom and until when a copy was granted; moments in ISO 8601."""

    id: str
    identifier: str
    account: str
    applicant: str
    cause: str
    made_at: str
    expires_at: str


class Copies:
    """The copies granted."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def grant(
        self, *, identifier: str, account: str, applicant: str, cause: str, minutes: int | None, at: datetime
    ) -> Terms:
        """Grant a copy for `minutes` (an hour when None, a week at most)."""
        life = min(timedelta(minutes=minutes), LONGEST_LIFE) if minutes else LIFE
        terms = Terms(
            id=secrets.token_urlsafe(24),
            identifier=identifier,
            account=account,
            applicant=applicant,
            cause=cause,
            made_at=at.isoformat(timespec="seconds"),
            expires_at=(at + life).isoformat(timespec="seconds"),
        )
        with self._store.write() as connection:
            connection.execute(
                "INSERT INTO copy VALUES (?, ?, ?, ?, ?, ?, ?)",
                (terms.id, identifier, account, applicant, cause, terms.made_at, terms.expires_at),
            )
        return terms

    def open(self, copy_id: str, account: str, *, at: datetime) -> tuple[Terms, bytes] | None:
        """The terms of a granted copy and its file; None when unknown, another's, ended, or no longer there."""
        row = self._store.row("SELECT * FROM copy WHERE id = ? AND account = ?", copy_id, account)
        if row is None or datetime.fromisoformat(row["expires_at"]) <= at:
            return None
        file = self._store.row(
            "SELECT f.data FROM record r JOIN file f ON f.sha256 = r.file_sha256 WHERE r.identifier = ?",
            row["identifier"],
        )
        return (Terms(**dict(row)), file["data"]) if file else None


def watermarked(pdf: bytes, terms: Terms) -> bytes:
    """The copy: every page as a picture under its terms. Raises `PdfiumError` when the file cannot be read."""
    pages = _pictures(pdf)
    template = files("city_repository") / "data" / "copy.typ"
    inputs = {
        "pages": ",".join(f"{width:.2f}x{height:.2f}" for _, width, height in pages),
        "identifier": terms.identifier,
        "applicant": terms.applicant,
        "cause": terms.cause,
        "made": _civil(terms.made_at),
        "expires": _civil(terms.expires_at),
    }
    with tempfile.TemporaryDirectory(prefix="copy-") as folder:
        sources = {"main.typ": template.read_bytes()} | {f"page{n}.png": page[0] for n, page in enumerate(pages)}
        for name, data in sources.items():
            (Path(folder) / name).write_bytes(data)
        return _compile(Path(folder) / "main.typ", inputs)


def _civil(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def _compile(source: Path, inputs: dict[str, str]) -> bytes:
    result = typst.compile(source, font_paths=[sans_path().parent], ignore_system_fonts=True, sys_inputs=inputs)
    assert isinstance(result, bytes)  # noqa: S101  one PDF, not written to disk
    return result


def _pictures(pdf: bytes) -> list[tuple[bytes, float, float]]:
    """PNG, width and height in points of each page, seals and other form fields drawn."""
    with PDFIUM, closing(pdfium.PdfDocument(pdf)) as document:
        document.init_forms()
        return [_picture(document[index]) for index in range(min(len(document), _MOST_PAGES))]


def _picture(page: pdfium.PdfPage) -> tuple[bytes, float, float]:
    width, height = page.get_size()
    buffer = io.BytesIO()
    page.render(scale=_DPI / 72, may_draw_forms=True).to_pil().convert("RGB").save(buffer, "PNG")
    return buffer.getvalue(), width, height
