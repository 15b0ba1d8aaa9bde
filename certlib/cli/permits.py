"""`certctl permits`: the 双公示 rows that are due, and files of them for the credit platform."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from certlib.city.permits import PermitDesk
from certlib.city.publicity import load_template
from certlib.cli.options import AsJson, Home
from certlib.cli.output import err, print_json, print_table, write_file
from certlib.domain.publicity import NEAR
from certlib.issue.composition import open_office
from certlib.issue.office import Office
from certlib.issue.settings import Settings

CLIENT = "certctl"

permits = typer.Typer(no_args_is_help=True)


class Form(StrEnum):
    """The form of an exported file."""

    CSV = "csv"
    JSON = "json"


Mapped = Annotated[Path | None, typer.Option("--template", help="平台映射文件（TOML）· the platform's template")]
Authority = Annotated[str, typer.Option(help="只看该机关 · one deciding authority only")]
Purpose = Annotated[str, typer.Option(help="用途，记入查阅日志 · what for; goes to the access log")]
Out = Annotated[Path | None, typer.Option("--out", help="写入何处 · the file to write")]


@permits.callback()
def _permits() -> None:
    """双公示：应报、临期、逾期，导出报送文件 · permits to be published, and files for the credit platform."""


@permits.command()
def due(
    *,
    within: Annotated[int | None, typer.Option(help="只看剩余工作日不多于此数的 · at most so many days left")] = None,
    authority: Authority = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """应报而未报的双公示记录，期限近的在前；退出码 1：有逾期 · what is due; exit 1: something is late."""
    with open_office(Settings.load(home)) as office:
        rows = _desk(office, None).due(authority=authority, within=within)
    if as_json:
        print_json({"permits": rows})
    else:
        heading = ("类型", "编号", "名称", "事项", "起算", "期限", "剩余工作日")
        print_table(heading, [_line(row) for row in rows], title="双公示应报" if rows else "没有应报的双公示记录。")
    raise typer.Exit(1 if any(row["days_left"] < 0 for row in rows) else 0)


@permits.command()
def export(
    *,
    out: Out = None,
    form: Annotated[Form, typer.Option(help="csv 或 json · form of the file")] = Form.CSV,
    purpose: Purpose = "报送双公示",
    authority: Authority = "",
    template: Mapped = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """导出应报的双公示记录，标记为已报并记入日志 · write what is due to a file; marked as sent, journalled."""
    with open_office(Settings.load(home)) as office:
        desk = _desk(office, template)
        made = desk.export(client=CLIENT, purpose=purpose, authority=authority)
        path = out or Path(f"shuanggongshi-{made.number:06}.{form}")
        if made.number:
            _write(path, desk.file(made.number, form, client=CLIENT, purpose=purpose), made.number)
            office.sequence()
    if as_json:
        print_json({**made.as_json(), "file": str(path) if made.number else ""})
    else:
        typer.echo(_said(made.as_json(), path))
        for fault in made.faults:
            err.print(f"[yellow]{fault['identifier']}：{fault['message']}[/yellow]")
    raise typer.Exit(1 if made.faults else 0)


@permits.command()
def exports(home: Home = None, as_json: AsJson = False) -> None:
    """已导出的各批及其文件摘要 · the exports made, with the digests of their files."""
    with open_office(Settings.load(home)) as office:
        made = _desk(office, None).exports()
    if as_json:
        print_json({"exports": made})
        return
    rows = [(str(one["number"]), one["at"], one["authority"], one["sha256"].get("csv", "")) for one in made]
    print_table(("批次", "时间", "机关", "CSV 文件 SHA-256"), rows, title="双公示导出" if rows else "没有导出过。")


@permits.command()
def again(
    number: Annotated[int, typer.Argument(help="批次 · number of the export")],
    *,
    out: Out = None,
    form: Annotated[Form, typer.Option(help="csv 或 json · form of the file")] = Form.CSV,
    purpose: Purpose = "重取双公示文件",
    template: Mapped = None,
    home: Home = None,
) -> None:
    """重新取得某批文件；查阅记入日志 · the file of an export once more."""
    with open_office(Settings.load(home)) as office:
        data = _desk(office, template).file(number, form, client=CLIENT, purpose=purpose)
    path = out or Path(f"shuanggongshi-{number:06}.{form}")
    _write(path, data, number)
    typer.echo(str(path))


def _desk(office: Office, template: Path | None) -> PermitDesk:
    return PermitDesk(office.register, office.catalogue, load_template(template))


def _write(path: Path, data: bytes, number: int) -> None:
    """Write the file. Ends the command as misuse when it cannot be written; the export stands, as it says."""
    write_file(path, data, otherwise=f"第 {number} 批已登记，请用 certctl permits again {number} 重取。")


def _line(row: dict[str, Any]) -> tuple[str, ...]:
    left = row["days_left"]
    shown = f"[red]逾期 {-left}[/red]" if left < 0 else f"[yellow]{left}[/yellow]" if left <= NEAR else str(left)
    days = shown if row["certain"] else f"{shown}（该年节假日未公布）"
    return row["row_words"], row["number"], row["name"], row["item"], row["began_on"], row["due"], days


def _said(made: dict[str, Any], path: Path) -> str:
    if not made["number"]:
        return "没有可导出的双公示记录。"
    rows = made["rows"]
    counts = f"新增 {rows['new']}、更正 {rows['correction']}、撤下 {rows['withdrawal']}"
    return f"第 {made['number']} 批：{counts}，已写入 {path}。"
