"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[
    Path | None,
    typer.Option(
        "--home", envvar="CERTLIB_HOME", help="办公目录或设置文件，默认 certlib-home · home folder or settings file"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON · print JSON")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="不再询问 · do not ask")]
