"""The verification report as a PDF/A file, set by typst: the same contents as the HTML page (`certlib.verify.page`)."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import typst

from certlib.document.renderer import default_renderer
from certlib.errors import RenderError
from certlib.verify.meanings import told
from certlib.verify.page import CHECKS, COLOURS, OUTCOMES, footer_lines, sections
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


def _drawn(pictures: Pictures, root: Path) -> list[dict[str, str]]:
    sides = (("before", "签章时 · when sealed", pictures.before), ("after", "现在 · now", pictures.after))
    entries = []
    for side, caption, pages in sides:
        for number, page in enumerate(pages, start=1):
            (root / f"{side}-{number}.png").write_bytes(page)
            entries.append({"file": f"{side}-{number}.png", "caption": f"{caption} {number}"})
    return entries


def _data(report: Report, pictures: Pictures | None, drawn: list[dict[str, str]]) -> dict[str, Any]:
    numbers = {check: number for number, check in enumerate(CHECKS, start=1)}
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
        "columns": 2 if len(drawn) > 1 else 1,
        "checks_title": "逐项检查 · checks",
        "checks": [
            [f"{numbers.get(one.check, '')} {CHECKS.get(one.check, one.check)}", OUTCOMES[one.outcome], told(one)]
            for one in report.findings
        ],
        "footer": "  ".join(footer_lines(report)),
    }
