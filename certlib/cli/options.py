"""Options that several commands share."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from certlib.domain.civil import moment_asked

Home = Annotated[
    Path | None,
    typer.Option(
        "--home", envvar="CERTLIB_HOME", help="办公目录或设置文件，默认 certlib-home · home folder or settings file"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON · print JSON")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="不再询问 · do not ask")]


def _moment(text: str) -> datetime:
    try:
        return moment_asked(text, datetime.now(UTC))
    except (ValueError, OverflowError) as error:
        message = "应为 2026-10-01（该日终了时）或 2026-10-01T10:00:00（北京时间） · a day, or a time"
        raise typer.BadParameter(message) from error


At = Annotated[
    datetime | None,
    typer.Option(
        parser=_moment, metavar="DAY|TIME", help="某日或某一时刻的状态 · as it stood on that day, at that time"
    ),
]
