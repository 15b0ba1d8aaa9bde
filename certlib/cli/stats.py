"""`certctl stats`: the report of statistics as tables, JSON or CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from certlib.cli.options import AsJson, Home
from certlib.cli.output import print_json, print_pairs, print_table, write_file
from certlib.domain.figure_tables import TABLES, Table
from certlib.errors import NotFoundError
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings
from certlib.issue.statistics import read_scope, report_csv, statistics

_TOTALS = {
    "certificates": "证照（版）",
    "acts": "状态变动",
    "documents": "文书",
    "in_force": "现时有效证照",
    "overdue_decide": "逾期未决定",
    "overdue_serve": "逾期未送达",
    "paper_difference": "空白证照差额",
}


def stats(
    *,
    first: Annotated[str, typer.Option("--from", help="起始日期，默认当年元旦 · first day, YYYY-MM-DD")] = "",
    last: Annotated[str, typer.Option("--to", help="截止日期，默认今日 · last day")] = "",
    item: Annotated[str, typer.Option(help="只看该事项，如 2-25 · one item")] = "",
    authority: Annotated[str, typer.Option(help="只看该决定机关 · one deciding authority")] = "",
    table: Annotated[str, typer.Option(help=f"只要一张表 · one table: {'、'.join(one.key for one in TABLES)}")] = "",
    csv: Annotated[Path | None, typer.Option(help="写成 CSV，供表格软件打开；- 为标准输出 · write CSV")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """统计分析：按事项、机关、结果、时间、状态，推送时延、逾期、空白证照结存 · the figures of the office."""
    if table and table not in {one.key for one in TABLES}:
        raise NotFoundError(f"没有“{table[:40]}”这张表。")
    with open_office(Settings.load(home)) as office:
        asked = {"from": first, "to": last, "item": item, "authority": authority}
        report = statistics(office, read_scope(asked, office.catalogue, office.register.now()))
    if csv is not None:
        _write(csv, report_csv(report, table))
    elif as_json:
        print_json(report[table] if table else report)
    else:
        _show(report, table)


def _write(path: Path, data: bytes) -> None:
    if str(path) == "-":
        typer.echo(data, nl=False)
        return
    write_file(path, data)
    typer.echo(str(path))


def _show(report: dict[str, Any], table: str) -> None:
    if not table:
        period = report["period"]
        print_pairs({"期间": f"{period['from']} 至 {period['to']}", "统计时间": report["at"]})
        print_pairs({words: report["totals"][key] for key, words in _TOTALS.items()})
    for one in TABLES:
        if table in {"", one.key} and (rows := _rows(one, report)):
            print_table([column.chinese for column in one.columns], rows, title=f"\n{one.chinese}")


def _rows(table: Table, report: dict[str, Any]) -> list[list[str]]:
    return [["" if cell is None else str(cell) for cell in table.cells(row)] for row in report[table.key]]
