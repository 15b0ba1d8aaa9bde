"""`certctl reconcile` and `certctl deliveries`: both sides compared, and what could not be delivered put right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from certlib.cli.options import AsJson, Home
from certlib.cli.output import out, print_json, print_pairs, print_table, progress, read_json, write_file
from certlib.issue.composition import open_office
from certlib.issue.repairing import city_queue, dead_letter, dead_letters, repair
from certlib.issue.settings import Settings

if TYPE_CHECKING:
    from certlib.city.reconcile import Reconciliation

deliveries = typer.Typer(no_args_is_help=True, help="归集推送：积压、待处理、重推 · deliveries to the city repository")
_CLIENT = "certctl"  # of the access log
_NAMED = 20  # differences printed one by one


def reconcile(
    home: Home = None,
    *,
    repair: Annotated[bool, typer.Option("--repair", help="缺失、被改的重新推送 · deliver again what differs")] = False,
    out_file: Annotated[Path | None, typer.Option("--out", help="另存签名声明 · write the signed statement")] = None,
    as_json: AsJson = False,
) -> None:
    """对账：与市电子证照库逐条比对，出具签名声明并存入日志 · compare both sides, journal the signed statement.

    退出码：0 双方一致，1 不一致 · exit codes: 0 equal, 1 not.
    """
    from certlib.city.opening import compare, open_city  # noqa: PLC0415
    from certlib.domain.delivery import CITY  # noqa: PLC0415

    settings = Settings.load(home)
    with open_office(settings) as office, progress("正在对账…"):
        with open_city(settings, clock=office.register.now) as client:
            now = office.register.now()
            found, signed = compare(city_queue(office), client, office.board.keys.at(now), now=now, repair=repair)
        office.keep_statement(signed, target=CITY)
        office.sequence()
    if out_file:
        write_file(out_file, signed, otherwise="对账声明已存入日志。")
    _show(found, as_json=as_json)
    raise typer.Exit(0 if found.equal else 1)


def _show(found: Reconciliation, *, as_json: bool) -> None:
    statement = found.statement("city")
    if as_json:
        differing = [{"kind": one.kind, "chain": one.chain, "sequences": one.sequences} for one in found.differences]
        print_json({**statement.as_json(), "repaired": found.repaired, "chains": differing})
        return
    out.print(statement.sentence)
    rows = [(_KINDS[one.kind], one.chain, "、".join(map(str, one.sequences))) for one in found.differences[:_NAMED]]
    print_table(("差异", "证照", "事件序号"), rows)
    if found.repaired:
        out.print(f"已重新推送 {found.repaired} 条；送达后请再次对账。")


_KINDS = {"missing": "缺失", "stale": "滞后", "changed": "被改", "foreign": "多出"}


@deliveries.command("list")
def list_(home: Home = None, as_json: AsJson = False) -> None:
    """积压与待处理的推送，逐条给出原因 · the backlog, and each dead letter with its reason.

    退出码：0 没有待处理的，1 有 · exit codes: 0 no dead letters, 1 some.
    """
    with open_office(Settings.load(home)) as office:
        standing = dead_letters(office)
    letters = standing["dead_letters"]
    if as_json:
        print_json(standing)
    else:
        waiting = {"待推送": standing["due"] + standing["leased"], "最久等待": f"{standing['oldest_seconds']} 秒"}
        print_pairs(
            {**waiting, "已送达": standing["done"], "待处理": standing["dead"], "因其等待": standing["blocked"]}
        )
        rows = [(str(one["id"]), one["identifier"], one["operation"], one["reason"]) for one in letters]
        print_table(("编号", "证照标识", "操作", "原因"), rows)
    raise typer.Exit(1 if letters else 0)


Number = Annotated[int, typer.Argument(help="编号 · id of the dead letter")]
Reason = Annotated[str, typer.Option(help="原因，记入查阅日志 · why; it goes to the access log")]


@deliveries.command()
def show(number: Number, reason: Reason, home: Home = None) -> None:
    """打印一条待处理推送的内容，可改正后以 replay --message 重推 · print a dead letter's message, to be put right."""
    with open_office(Settings.load(home)) as office:
        print_json(dead_letter(office, number, client=_CLIENT, purpose=reason)["message"])


@deliveries.command()
def replay(
    reason: Reason,
    number: Annotated[int | None, typer.Argument(help="编号；不给则全部 · id; none: all of them")] = None,
    home: Home = None,
    *,
    message: Annotated[Path | None, typer.Option(help="改正后的内容（JSON）· the message put right")] = None,
) -> None:
    """重推待处理的推送 · make dead letters due again."""
    raw: dict[str, Any] = {"reason": reason}
    raw |= {"ids": [number]} if number is not None else {}
    raw |= {"message": read_json(message)} if message else {}
    with open_office(Settings.load(home)) as office:
        count = repair(office, raw, client=_CLIENT)["replayed"]
    out.print(f"{count} 条将重新推送。")
