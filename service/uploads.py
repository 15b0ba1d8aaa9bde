"""Files that strangers send: examined in a process that may die, answered with a verdict and what it rests on."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from certlib.formats.seal_list import SealList, read_seal_list
from certlib.issue.inspecting import PublicRegister
from certlib.verify.meanings import in_english
from certlib.verify.report import Report
from certlib.verify.roots import TrustRoots
from service.lookups import report_view
from service.running import Running

NAME = "upload.pdf"  # what the stranger called it is not repeated


def examined(service: Running, pdf: bytes) -> dict[str, Any]:
    """The verdict on a PDF against the seals' roots, their state, and the register. Raises `SandboxBusyError`."""
    register = PublicRegister.of(service.office)
    report = service.sandbox.examine(pdf, at=service.clock(), lookup=register, name=NAME, trust=trust_of(service))
    return {**report_view(report), "sha256": report.sha256, "findings": findings_of(report)}


def trust_of(service: Running) -> TrustRoots:
    """The roots of the seals with the newest signed list of their states."""
    return replace(service.sandbox.trust, seals=_seal_list(service.office.seal_list, service.roots))


@lru_cache(maxsize=2)
def _seal_list(data: bytes, roots: tuple[bytes, ...]) -> SealList:
    """Our own list, read once for as long as it is the newest."""
    return read_seal_list(data, roots)


def findings_of(report: Report) -> list[dict[str, str]]:
    """Every check with its outcome, in the order of the examination; the details are Chinese, `meaning` is English."""
    return [{**finding.as_json(), "meaning": in_english(finding)} for finding in report.findings]
