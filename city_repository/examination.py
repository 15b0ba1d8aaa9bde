"""The examination of a file's seals, with the verifier that anybody can install, in a process that may die."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime

from certlib.domain.verdict import GENUINE
from certlib.verify.report import Report
from certlib.verify.roots import TrustRoots
from certlib.verify.sandbox import Sandbox, SandboxBusyError
from city_repository.files import Examination
from city_repository.record import refused
from city_repository.settings import RepositorySettings

_PLACES, _WAITING = 2, 64


def examination(settings: RepositorySettings, held: ExitStack) -> tuple[Examination, Callable[[], None]]:
    """The examination these settings ask for, and what starts it before the first file; closed with `held`.

    Raises `ConfigurationError` when the trust roots cannot be read.
    """
    if not settings.examine:
        return _unexamined, lambda: None
    sandbox = held.enter_context(Sandbox(TrustRoots.load(settings.trust), places=_PLACES, waiting=_WAITING))

    def examine(files: Sequence[bytes], at: datetime) -> list[str]:
        try:
            return [_reason(report) for report in sandbox.examine_all(files, at=at)]
        except SandboxBusyError as error:
            raise refused("E98", error.message) from error

    return examine, sandbox.start


def _reason(report: Report) -> str:
    """Empty for a genuine file; its present state is not the file's affair."""
    if report.verdict in GENUINE:
        return ""
    failed = next((finding.detail for finding in report.findings if finding.outcome == "fail"), "")
    return f"{report.words.chinese}。{failed}"


def _unexamined(files: Sequence[bytes], _: datetime) -> list[str]:
    return [""] * len(files)
