"""`certctl check`: the office's own look at itself, once."""

from __future__ import annotations

from typing import Annotated

import typer

from certlib.cli.options import AsJson, Home
from certlib.cli.output import print_findings, print_json, progress
from certlib.issue.checking import check_office
from certlib.issue.composition import open_office
from certlib.issue.office import Office
from certlib.issue.settings import Settings

Since = Annotated[
    int | None, typer.Option(min=0, help="只查日志自此条起，不查全部 · the journal from this leaf on, not the whole")
]


def check(home: Home = None, since: Since = None, as_json: AsJson = False) -> None:
    """自查：文件、库存、日志、状态清单、到期、对账、见证 · check the office as the worker does every hour.

    日志查全部，除非给出 --since；文件接着上一轮查 · the whole journal, files from where the last round ended.
    退出码：0 没有问题，1 有，2 用法有误 · exit codes: 0 nothing found, 1 something, 2 misuse.
    """
    with open_office(Settings.load(home)) as office, progress("正在自查…"):
        office.sequence()
        _refuse_beyond(office, since)
        findings = check_office(office, office.register.now(), whole=since is None, since=since)
    if as_json:
        print_json({"findings": [finding.as_json() for finding in findings]})
    else:
        print_findings("自查", findings)
    raise typer.Exit(1 if any(finding.outcome == "fail" for finding in findings) else 0)


def _refuse_beyond(office: Office, since: int | None) -> None:
    with office.register.reader() as session:
        size = office.journal.head(session).size
    if since is not None and since > size:
        raise typer.BadParameter(f"--since {since}：日志只有 {size} 条，没有检查 (the journal has {size} leaves)。")
