"""Verification reports as downloads: a registered file examined anew, as HTML, PDF or JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from certlib.document.report import report_pdf
from certlib.errors import NotFoundError
from certlib.verify.indications import report_json
from certlib.verify.page import report_page
from certlib.verify.pictures import Pictures
from certlib.verify.report import Report
from service.running import Running
from service.uploads import trust_of

Draw = Callable[[], Pictures]


def verification_report(service: Running, sha256: str, form: str) -> tuple[bytes, str]:
    """The report on the registered file with that digest, and its media type; the register is asked.

    Raises `NotFoundError` for what is no PDF, `SandboxBusyError`.
    """
    pdf, now = service.office.register.files.read(sha256), service.clock()
    if not pdf.startswith(b"%PDF"):
        raise NotFoundError("这一文件不是 PDF，没有核验报告；请与原件一起用 certctl verify 核验。")
    lookup, trust = service.office.lookup, trust_of(service)
    report = service.sandbox.examine(pdf, at=now, lookup=lookup, name=f"{sha256[:16]}.pdf", trust=trust)
    write, media = FORMS[form]
    return write(report, lambda: service.sandbox.pictures(pdf, at=now)), media


FORMS: Mapping[str, tuple[Callable[[Report, Draw], bytes], str]] = MappingProxyType(
    {
        "html": (lambda report, draw: report_page(report, draw()).encode(), "text/html; charset=utf-8"),
        "pdf": (lambda report, draw: report_pdf(report, draw()), "application/pdf"),
        "json": (lambda report, _: report_json(report), "application/json"),
    }
)
"""How a report is written, and as what it is sent."""
