"""What `certctl` prints: tables for people, one JSON value a line for programs, errors as one sentence.

Results go to standard output, everything else (errors, progress, questions) to standard error.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from certlib.domain.verdict import Finding
from certlib.errors import CertlibError, RequestError

_NO_NAMES: Mapping[str, str] = MappingProxyType({})
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """One JSON value on one line, Chinese as it is."""
    typer.echo(json.dumps(value, ensure_ascii=False, separators=(", ", ": "), default=str))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> None:
    """A table with a heading line; without rows only its title."""
    filled = list(rows)
    out.print(table(columns, filled, title=title) if filled else title)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> Table:
    """A table in the form all commands share."""
    made = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")  # Chinese has no spaces to break at: the rest would be cut off
    for row in rows:
        made.add_row(*row)
    return made


def print_pairs(pairs: Mapping[str, object]) -> None:
    """Name and value, one pair a line."""
    made = Table(box=None, show_header=False, pad_edge=False)
    for name, value in pairs.items():
        made.add_row(f"[bold]{name}[/bold]", str(value))
    out.print(made)


_OUTCOMES = {
    "pass": "[green]正常[/green]",
    "warn": "[yellow]注意[/yellow]",
    "fail": "[red]不符[/red]",
    "unknown": "[dim]未知[/dim]",
}


def visible(text: str) -> str:
    """The text without characters that steer a terminal, or turn round what stands beside them; each shows as �."""
    return "".join("\ufffd" if unicodedata.category(one) in {"Cc", "Cf", "Cs"} else one for one in text)


def _detail(finding: Finding) -> str:
    return finding.detail


def print_findings(
    title: str,
    findings: Iterable[Finding],
    names: Mapping[str, str] = _NO_NAMES,
    *,
    said: Callable[[Finding], str] = _detail,
) -> None:
    """Findings as a table, one a line; `names` are words for checks, `said` what is told of each."""
    rows = [
        (escape(names.get(finding.check, finding.check)), _OUTCOMES[finding.outcome], escape(said(finding)))
        for finding in findings
    ]
    print_table(("检查", "结果", "说明"), rows, title=title)


def print_error(error: CertlibError, *, as_json: bool) -> None:
    """An error as one sentence with its code; the faults of a request as a table."""
    faults = error.faults if isinstance(error, RequestError) else ()
    if as_json:
        body: dict[str, Any] = {"code": error.code, "message": error.message, **error.extra}
        if faults:
            body["faults"] = [fault.as_json() for fault in faults]
        err.print_json(json.dumps(body, ensure_ascii=False, default=str), indent=None)
        return
    err.print(f"[red]{escape(error.message)}[/red] [dim]({error.code})[/dim]", soft_wrap=True)
    if faults:
        rows = [(escape(fault.path), fault.label, escape(fault.message), fault.code) for fault in faults]
        err.print(table(("位置", "名称", "问题", "代码"), rows))


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Show that work is under way, on a terminal only."""
    if not err.is_terminal:
        yield
        return
    with err.status(what):
        yield


def read_json(file: Path) -> Any:
    """The JSON in `file`, or on standard input for `-`. Ends the command as misuse when there is none."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        return json.loads(text)
    except OSError as error:
        raise typer.BadParameter(f"{file} 无法读取：{error.strerror}。") from error
    except ValueError as error:
        raise typer.BadParameter(f"{file} 不是 JSON：{error}。") from error


def write_file(path: Path, data: bytes, *, otherwise: str = "") -> None:
    """Write a file that was asked for. Ends the command as misuse when it cannot be; `otherwise` says what stands."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise typer.BadParameter(f"{path} 无法写入：{error.strerror}。{otherwise}") from error


def read_bytes(file: Path) -> bytes:
    """What is in `file`, of `-` what comes in."""
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file} 无法读取：{error.strerror}。") from error
