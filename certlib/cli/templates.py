"""`certctl template check`: try faces as data before they meet a citizen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from certlib.cli.options import AsJson
from certlib.cli.output import print_findings, print_json, progress
from certlib.document.check import check_template
from certlib.document.templates import Templates, find_templates

template = typer.Typer(no_args_is_help=True)
Folder = Annotated[
    Path | None, typer.Argument(help="一种证照的文件夹，或其上一级；默认随附的全部 · a face's folder, or its parent")
]
Fonts = Annotated[Path | None, typer.Option(help="本市字体目录 · the city's fonts")]


@template.callback()
def _template() -> None:
    """证照模板：一种证照一个文件夹 · faces as data."""


@template.command()
def check(folder: Folder = None, fonts: Fonts = None, as_json: AsJson = False) -> None:
    """用模板自带的样例逐面排版并检查 · set every sample of a template and check the pages."""
    root = folder or find_templates()
    folders = [root] if (root / "template.toml").is_file() else [root / key for key in Templates(root).keys()]  # noqa: SIM118
    failed = not folders
    for one in folders:
        with progress(f"{one.name}…"):
            findings = check_template(one, fonts=fonts)
        failed |= any(finding.outcome == "fail" for finding in findings)
        if as_json:
            print_json({"template": one.name, "findings": [finding.as_json() for finding in findings]})
        else:
            odd = [finding for finding in findings if finding.outcome != "pass"]
            print_findings(f"{one.name}：{len(findings) - len(odd)} 项正常，{len(odd)} 项需看", odd)
    raise typer.Exit(1 if failed else 0)
