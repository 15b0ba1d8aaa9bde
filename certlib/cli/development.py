"""`certctl dev-pki`: the keys everybody has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from certlib.cli.options import AsJson
from certlib.cli.output import print_json, progress
from certlib.crypto.pki import make_development_pki


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
