"""`certctl rehearse`: one case of each of the 98 items, in a home folder of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from certlib.cli.options import AsJson
from certlib.cli.output import print_json, print_table, progress
from certlib.issue.composition import open_office
from certlib.issue.rehearsal import Rehearsed, rehearse
from certlib.issue.settings import Settings


def rehearsal(
    output: Annotated[Path, typer.Option("--out", help="成品放在何处 · folder for the sealed files")] = Path(
        "rehearsal"
    ),
    as_json: AsJson = False,
) -> None:
    """98 个事项各办一件，从申请到用印成品 · one case of every item, to its sealed outcome."""
    with (
        tempfile.TemporaryDirectory(prefix="rehearsal-") as home,
        progress("正在逐项办理…"),
        open_office(Settings(home=Path(home), suite="p256-sha256")) as office,
    ):
        done = list(rehearse(office, now=office.register.now()))
    output.mkdir(parents=True, exist_ok=True)
    for one in done:
        if one.pdf:
            (output / f"{one.item.key}-{one.number}.pdf").write_bytes(one.pdf)
    if as_json:
        for one in done:
            print_json({"item": one.item.key, "outcome": one.outcome, "number": one.number, "error": one.error})
    else:
        rows = [(one.item.key, one.item.title[:24], one.outcome, one.number or one.error) for one in done]
        print_table(("事项", "名称", "结果", "编号"), rows, title="98 个事项 · the 98 items")
        typer.echo(_total(done))
    raise typer.Exit(1 if any(one.error for one in done) else 0)


def _total(done: list[Rehearsed]) -> str:
    failed = [one.item.key for one in done if one.error]
    return f"办结 {len(done) - len(failed)} 项，未办结 {len(failed)} 项{'：' + '、'.join(failed) if failed else ''}。"
