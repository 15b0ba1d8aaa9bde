"""Verification reports as downloads: a registered file examined anew, as HTML, PDF or JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from certlib.cli.reporting import WRITERS
from certlib.errors import NotFoundError
from service.running import Running
from service.uploads import trust_of


def verification_report(service: Running, sha256: str, form: str, at: datetime | None) -> tuple[bytes, str]:
    """The report on the registered file with that digest, and its media type; the register is asked.

    With `at` it is as of that moment past, and tells besides what holds now. Raises `NotFoundError` for what is no PDF,
    `SandboxBusyError`.
    """
    pdf, now = service.office.register.files.read(sha256), service.clock()
    if not pdf.startswith(b"%PDF"):
        raise NotFoundError("这一文件不是 PDF，没有核验报告；请与原件一起用 certctl verify 核验。")
    asked: dict[str, Any] = {"lookup": service.office.lookup, "trust": trust_of(service), "name": f"{sha256[:16]}.pdf"}
    report = service.sandbox.examine(pdf, at=now, **asked)
    if at is not None:
        report = service.sandbox.examine(pdf, at=at, **asked).with_today(report)
    return WRITERS[form](report, lambda: service.sandbox.pictures(pdf, at=now)), MEDIA[form]


MEDIA: Mapping[str, str] = MappingProxyType(
    {"html": "text/html; charset=utf-8", "pdf": "application/pdf", "json": "application/json"}
)
"""As what each form of a report is sent."""
