"""`certctl bundle`: what an auditor takes away."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from certlib.cli.options import AsJson, Home
from certlib.cli.output import print_json, print_pairs, progress
from certlib.domain.civil import SHANGHAI
from certlib.issue.composition import open_office
from certlib.issue.exporting import export_office
from certlib.issue.settings import Settings


def bundle(
    path: Annotated[Path, typer.Argument(help="新文件夹，或 .tar 文件 · a new folder, or a .tar file")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """导出审计包：日志、台账对应、状态与信任清单，不含个人信息 · export a bundle for `certctl audit`."""
    with open_office(Settings.load(home)) as office, progress("正在导出…"):
        head = export_office(office, path)
    shown = {"bundle": str(path), "size": head.size, "root": head.root.hex(), "at": head.at.isoformat()}
    if as_json:
        print_json(shown)
        return
    at = head.at.astimezone(SHANGHAI).isoformat(timespec="seconds")
    print_pairs({"审计包": path, "日志条数": head.size, "日志根": head.root.hex(), "检查点时间": at})
