"""`certctl webhook`: where events are told, what was laid aside and why, and sending it again."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Annotated, Any

import typer

from certlib.cli.options import AsJson, Home
from certlib.cli.output import print_json, print_table
from certlib.domain.civil import SHANGHAI
from certlib.formats.webhook import WebhookSecret
from certlib.issue.composition import open_office
from certlib.issue.replaying import STATES, hook_deliveries, hook_views, replay
from certlib.issue.settings import Settings

CLIENT = "certctl"

webhook = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="设置中的名称 · its name in the settings")]
At = Annotated[datetime | None, typer.Option(help="时刻，不带时区为北京时间 · a moment")]


@webhook.callback()
def _webhook() -> None:
    """事件推送：目标、死信与重放 · webhooks."""


@webhook.command("list")
def list_(
    name: Annotated[str, typer.Argument(help="某一目标；空：全部目标 · one target")] = "",
    *,
    state: Annotated[str, typer.Option(help="due、leased、done、dead 或 all")] = "dead",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """推送目标及其积压；写明目标时列出其死信与原因 · the targets, or one's dead letters with their reasons."""
    if state not in {*STATES, "all"}:
        raise typer.BadParameter(f"状态只能是 {'、'.join(STATES)} 或 all。")
    with open_office(Settings.load(home)) as office:
        if not name:
            _print_targets(hook_views(office), as_json=as_json)
            return
        lines, after = [], 0
        while True:
            wanted = "" if state == "all" else state
            page = hook_deliveries(office, name, state=wanted, after=after, limit=200)
            lines += page["deliveries"]
            after = page["next"]
            if not after:
                break
    _print_deliveries(lines, as_json=as_json)


@webhook.command("replay")
def replay_(
    name: Name,
    *,
    reason: Annotated[str, typer.Option(help="重放原因 · why")],
    dead: Annotated[bool, typer.Option("--dead", help="全部死信 · every dead letter")] = False,
    event: Annotated[list[str] | None, typer.Option("--event", help="事件编号，可多次 · id, repeatable")] = None,
    since: At = None,
    until: At = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """重放死信、某几个事件或某一段时间的事件；编号与内容不变 · send again, under the same ids."""
    raw: dict[str, Any] = {"reason": reason}
    raw |= {"dead": True} if dead else {}
    raw |= {"ids": event} if event else {}
    raw |= {end: _civil(at).isoformat() for end, at in (("since", since), ("until", until)) if at}
    with open_office(Settings.load(home)) as office:
        done = replay(office, name, raw, client=CLIENT)
    if as_json:
        print_json(done)
        return
    typer.echo(f"已重放 {done['replayed']} 个事件，由后台按序推送。")
    if done["gone"]:
        typer.echo("该目标已答复不再接收（410）：须重放其死信（--dead）后才会继续推送。")


@webhook.command()
def secret() -> None:
    """生成一个新密钥，交给接收方 · make a secret for a receiver."""
    typer.echo(WebhookSecret(secrets.token_bytes(32)).text)


def _print_targets(views: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        for view in views:
            print_json(view)
        return
    rows = [
        (
            view["name"],
            view["address"],
            str(view["waiting"]),
            str(view["delivered"]),
            str(view["dead"]),
            "对方已停收（410）" if view["gone"] else view["trouble"],
        )
        for view in views
    ]
    print_table(("名称", "地址", "待推送", "已送达", "死信", "说明"), rows)


def _print_deliveries(lines: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        for line in lines:
            print_json(line)
        return
    rows = [
        (line["id"], line["event"], line["certificate"], line["at"][:19], line["state"], line["reason"])
        for line in lines
    ]
    print_table(("事件编号", "事件", "证照标识", "时间", "状态", "原因"), rows)


def _civil(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)
