"""`certctl doctor`: for whoever sets certlib up."""

from __future__ import annotations

import typer

from certlib.cli.options import AsJson, Home
from certlib.cli.output import print_findings, print_json, progress
from certlib.issue.health import examine_machine
from certlib.issue.settings import Settings


def doctor(home: Home = None, as_json: AsJson = False) -> None:
    """检查本机能否签发与核验 · can this machine issue and verify?"""
    with progress("正在检查…"):
        findings = examine_machine(Settings.load(home))
    if as_json:
        for finding in findings:
            print_json(finding.as_json())
    else:
        print_findings("", findings)
    raise typer.Exit(1 if any(finding.outcome == "fail" for finding in findings) else 0)
