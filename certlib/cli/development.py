"""`certctl dev-pki`, `doctor`: for whoever sets certlib up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from certlib.cli.options import AsJson, Home
from certlib.cli.output import print_json, print_table, progress
from certlib.crypto.pki import make_development_pki
from certlib.issue.health import examine_machine
from certlib.issue.settings import Settings

_OUTCOMES = {"pass": "[green]正常[/green]", "warn": "[yellow]注意[/yellow]", "fail": "[red]不可用[/red]"}


def dev_pki(
    folder: Annotated[Path, typer.Argument(help="目录，内有或将有 pki.toml · the folder")] = Path("keys-dev"),
    description: Annotated[Path | None, typer.Option("--from", help="pki.toml 另在他处 · the description")] = None,
    as_json: AsJson = False,
) -> None:
    """生成开发用密钥与证书；已有的密钥保留，内容不变则字节不变 · make the development keys."""
    with progress("正在生成开发用密钥…"):
        made = make_development_pki(folder, description)
    if as_json:
        print_json([str(path) for path in made])
    else:
        typer.echo(f"{folder}：{len(made)} 个文件。开发密钥人人可得，只供开发。")


def doctor(home: Home = None, as_json: AsJson = False) -> None:
    """检查本机能否签发与核验 · can this machine issue and verify?"""
    with progress("正在检查…"):
        findings = examine_machine(Settings.load(home))
    if as_json:
        for finding in findings:
            print_json(finding.as_json())
    else:
        print_table(("检查", "结果", "说明"), [(f.check, _OUTCOMES[f.outcome], f.detail) for f in findings])
    raise typer.Exit(1 if any(finding.outcome == "fail" for finding in findings) else 0)
