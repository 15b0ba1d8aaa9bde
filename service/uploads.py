"""Files that strangers send: examined in a process that may die, answered with a verdict and what it rests on."""

from __future__ import annotations

from typing import Any

from certlib.issue.inspecting import PublicRegister
from certlib.verify.report import Report
from service.lookups import report_view
from service.running import Running

NAME = "upload.pdf"  # what the stranger called it is not repeated


def examined(service: Running, pdf: bytes) -> dict[str, Any]:
    """The verdict on a PDF against the seals' roots and the register. Raises `SandboxBusyError`."""
    report = service.sandbox.examine(pdf, at=service.clock(), lookup=PublicRegister.of(service.office), name=NAME)
    return {**report_view(report), "sha256": report.sha256, "findings": findings_of(report)}


def findings_of(report: Report) -> list[dict[str, str]]:
    """Every check with its outcome, in the order of the examination."""
    return [finding.as_json() for finding in report.findings]
