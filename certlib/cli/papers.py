"""`certctl paper`: blank sheets in stock, print files released to a print job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from certlib.cli.options import AsJson, Home
from certlib.cli.output import print_findings, print_json, print_table, progress
from certlib.domain.verdict import Finding
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings

CLIENT = "certctl"

paper = typer.Typer(no_args_is_help=True)


@paper.callback()
def _paper() -> None:
    """实体证照：空白证照的库存与打印 · blank sheets and printing."""


@paper.command()
def stock(home: Home = None, as_json: AsJson = False) -> None:
    """各类空白证照的结存与核对 · what is in stock, and whether the books balance."""
    with open_office(Settings.load(home)) as office:
        view = office.stock()
    if as_json:
        print_json(view)
        return
    for kind, book in view["types"].items():
        print_table(("账户", "张数"), [(name, str(count)) for name, count in book.items()], title=kind)
    print_findings("", [Finding(**finding) for finding in view["findings"]])


@paper.command()
def receive(
    kind: Annotated[str, typer.Argument(help="证照种类 · certificate type")],
    first: Annotated[str, typer.Argument(help="起号 · first serial")],
    last: Annotated[str, typer.Argument(help="止号 · last serial")],
    *,
    person: Annotated[str, typer.Option(help="经办人 · who received")],
    witness: Annotated[str, typer.Option(help="验收人 · who checked")],
    home: Home = None,
) -> None:
    """空白证照入库 · take blanks into stock."""
    with open_office(Settings.load(home)) as office:
        count = office.receive_blanks(kind, first, last, person=person, witness=witness)
    typer.echo(f"入库 {count} 张：{first} 至 {last}。")


@paper.command("print")
def print_sheets(
    identifier: Annotated[str, typer.Argument(help="证照标识 · the certificate's identifier")],
    *,
    output: Annotated[Path, typer.Option("--out", help="打印文件放在何处 · folder for the print files")] = Path(),
    purpose: Annotated[str, typer.Option(help="用途 · what for")] = "窗口出证",
    window: Annotated[str, typer.Option(help="窗口，用其领用的空白证照与打印偏移 · window")] = "",
    home: Home = None,
) -> None:
    """放出待打印的实体证照，一张一个文件，登记入日志 · release the print files of the sheets that wait."""
    with open_office(Settings.load(home)) as office, progress("正在排版…"):
        sheets = office.print_sheets(identifier, client=CLIENT, purpose=purpose, window=window)
    output.mkdir(parents=True, exist_ok=True)
    for sheet in sheets:
        file = output / f"{sheet.serial}-{sheet.label}.pdf"
        file.write_bytes(sheet.pdf)
        typer.echo(str(file))


@paper.command()
def move(
    act: Annotated[str, typer.Argument(help="allot 领用 | return 退回 | spoil 作废 | lose 报失 | destroy 销毁")],
    first: Annotated[str, typer.Argument(help="起号 · first serial")],
    last: Annotated[str, typer.Argument(help="止号 · last serial")],
    *,
    person: Annotated[str, typer.Option(help="经办人 · by whom")],
    window: Annotated[str, typer.Option(help="窗口 · window")] = "",
    witness: Annotated[str, typer.Option(help="见证人 · witness")] = "",
    reason: Annotated[str, typer.Option(help="理由 · reason")] = "",
    home: Home = None,
) -> None:
    """空白证照领用、退回、核销 · allot blanks, take them back, write them off."""
    with open_office(Settings.load(home)) as office:
        office.move_blanks(act, first, last, window=window, person=person, witness=witness, reason=reason)
    typer.echo(f"已登记：{first} 至 {last}。")


@paper.command()
def align(
    window: Annotated[str, typer.Argument(help="窗口；空：列出各窗口 · window, or none to list them")] = "",
    *,
    x: Annotated[float, typer.Option(help="向右几毫米，负数向左 · millimetres to the right")] = 0.0,
    y: Annotated[float, typer.Option(help="向下几毫米，负数向上 · millimetres down")] = 0.0,
    person: Annotated[str, typer.Option(help="经办人 · by whom")] = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """窗口打印机的偏移：试打一张，量出偏差，登记后自动修正 · what a window's printer is off by."""
    with open_office(Settings.load(home)) as office:
        found = [office.align_window(window, x, y, person=person)] if window else office.windows()
    if as_json:
        for one in found:
            print_json(one)
        return
    rows = [(one["window"], f"{one['x']:+g}", f"{one['y']:+g}", one["person"], one["at"]) for one in found]
    print_table(("窗口", "向右（毫米）", "向下（毫米）", "经办人", "登记时间"), rows, title="打印偏移")


@paper.command("sheet")
def sheet(
    number: Annotated[int, typer.Argument(help="实体证照序号（show 可见）· the sheet's id")],
    act: Annotated[str, typer.Argument(help="collect 领取 | spoil | lose | surrender | announce | destroy")],
    record: Annotated[list[str], typer.Argument(help="凭据，如 collector=陈志远 receipt=送达1 · the proof")],
    home: Home = None,
) -> None:
    """实体证照的领取、打印作废、遗失、收回、公告作废、销毁 · what was done with a sheet."""
    proof = dict(part.split("=", 1) for part in record if "=" in part)
    with open_office(Settings.load(home)) as office:
        view = office.act_on_sheet(number, act, proof)
    typer.echo(f"{view['label']} {view['serial']}：{view['state']}，{view['verdict_words']}。")
