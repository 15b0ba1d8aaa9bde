"""Reports of `certctl verify`: for people as HTML or PDF, for machines as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from certlib.errors import ConfigurationError
from certlib.verify.indications import report_json
from certlib.verify.page import report_page
from certlib.verify.pictures import Pictures
from certlib.verify.report import Report

Draw = Callable[[], Pictures | None]


def write_report(report: Report, kind: str, folder: Path, draw: Draw, *, beside: Iterable[Report] = ()) -> Path:
    """Write one file's report into `folder` and give its path.

    `beside` are those already written there: of two files of one name each keeps its report. Raises
    `ConfigurationError` without typst for PDF.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = Path(report.file).name
    if same := sum(Path(other.file).name == name for other in beside):
        name = f"{name}.{same + 1}"
    path = folder / f"{name}.report.{kind}"
    path.write_bytes(WRITERS[kind](report, draw))
    return path


def _html(report: Report, draw: Draw) -> bytes:
    return report_page(report, draw()).encode()


def _pdf(report: Report, draw: Draw) -> bytes:
    try:
        from certlib.document.report import report_pdf  # noqa: PLC0415  an auditor's installation has no typst
    except ModuleNotFoundError as error:
        message = "PDF 报告需要排版组件：请安装 certlib[register]，或改用 --report html。"
        raise ConfigurationError(message) from error
    return report_pdf(report, draw())


def _json(report: Report, _draw: Draw) -> bytes:
    return report_json(report)


WRITERS: Mapping[str, Callable[[Report, Draw], bytes]] = {"html": _html, "pdf": _pdf, "json": _json}
