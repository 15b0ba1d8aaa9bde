"""The verification report as a PDF/A file, set by typst: the same contents as the HTML page (`certlib.verify.page`)."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import typst

from certlib.document.renderer import default_renderer
from certlib.errors import RenderError
from certlib.verify.page import COLOURS, captions, footer_lines, pages_note, sections, steps
from certlib.verify.pictures import Pictures
from certlib.verify.report import Report

_SOURCE = Path(__file__).with_name("report.typ")


def report_pdf(report: Report, pictures: Pictures | None = None) -> bytes:
    """The report as PDF/A-3a and PDF/UA-1. Raises `RenderError` when it cannot be set."""
    with tempfile.TemporaryDirectory(prefix="report-") as folder:
        root = Path(folder)
        (root / "report.typ").write_bytes(_SOURCE.read_bytes())
        data = _settable(json.dumps(_data(report, pictures, _drawn(pictures or Pictures(), root)), ensure_ascii=False))
        compiler = typst.Compiler(
            input=str(root / "report.typ"),
            root=str(root),
            font_paths=default_renderer().fonts.typst,
            ignore_system_fonts=True,
        )
        try:
            pdf = compiler.compile(
                format="pdf",
                sys_inputs={"data": data},
                pdf_standards=["a-3a", "ua-1"],
                timestamp=int(report.at.timestamp()),
            )
        except typst.TypstError as error:
            raise RenderError(f"核验报告排版失败：{error.message} (the report cannot be set)") from error
    assert isinstance(pdf, bytes)  # noqa: S101  one output format, one result
    return pdf


def _settable(text: str) -> str:
    """A stranger's file may name things in any script; what no font has is shown as an empty box."""
    missing = default_renderer().fonts.missing(text, "hei")
    return text.translate(dict.fromkeys(map(ord, missing), "\u25a1"))


def _drawn(pictures: Pictures, root: Path) -> list[list[dict[str, str]]]:
    """The pages, each with its pictures beside each other; one that is not there has only its caption."""
    pages = []
    for page in pictures.pages:
        sides = []
        for number, (caption, data) in enumerate(captions(page, pictures)):
            file = f"page-{page.number}-{number}.png" if data else ""
            if data:
                (root / file).write_bytes(data)
            sides.append({"file": file, "caption": caption})
        pages.append(sides)
    return pages


def _data(report: Report, pictures: Pictures | None, drawn: list[list[dict[str, str]]]) -> dict[str, Any]:
    shown = [
        {"title": title, "note": note, "rows": [list(row) for row in rows if row[1]]}
        for title, note, rows in sections(report, pictures)
    ]
    return {
        "title": f"{report.words.chinese} · 核验报告",
        "verdict": f"{report.words.chinese} · {report.words.english}",
        "colour": COLOURS[report.words.tone],
        "file": report.file,
        "sha256": report.sha256,
        "sections": shown,
        "pictures": drawn,
        "pictures_title": "页面 · pages",
        "pictures_note": pages_note(pictures) if pictures is not None else "",
        "checks_title": "逐项检查 · checks",
        "checks": [list(step[:3]) for step in steps(report)],
        "footer": "  ".join(footer_lines(report)),
    }
