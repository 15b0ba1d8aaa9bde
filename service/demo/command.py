"""`certctl demo`: the whole mission on real items, printed as an official would read it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from certlib.cli.options import AsJson
from certlib.cli.output import err, out, print_json
from service.clients import read_key
from service.commands import DEVELOPMENT_CLIENT, development_key_file
from service.demo.bundle import audited
from service.demo.caller import ApprovalSystem
from service.demo.folder import Folder
from service.demo.judge import Judge
from service.demo.phones import links, make_tls
from service.demo.play import Play, Playbill
from service.demo.script import Script, read_story
from service.demo.telling import summary, tell
from service.demo.town import LOOPBACK, Town, open_town

_DEFAULT = Path("demo-out")


def demo(
    output: Annotated[Path, typer.Option("--out", help="文件留在何处 · where the files are left")] = _DEFAULT,
    serve: Annotated[bool, typer.Option(help="办完后不退出，可用浏览器或手机查验 · stay up")] = False,
    host: Annotated[str, typer.Option(help="供手机访问的本机地址（启用 TLS）· this machine's address for phones")] = "",
    port: Annotated[int, typer.Option(help="端口，0 为任选 · port")] = 0,
    as_json: AsJson = False,
) -> None:
    """用真实事项走完全程：签发、变动、归集、核验、识破改动 · the whole mission on real items."""
    folder = Folder.fresh(output)
    tls = make_tls(folder.home, host, now=datetime.now(UTC)) if host not in {"", LOOPBACK} else None
    with open_town(folder.home, host=host, port=port, tls=tls) as town:
        told = perform(town, folder)
        folder.tell(summary(told))
        print_json(summary(told)) if as_json else tell(told, folder, out)
        if serve:
            _stay(town)
    raise typer.Exit(0 if told.sound else 1)


def perform(town: Town, folder: Folder) -> Playbill:
    """Carry the story through `town`, leaving its files in `folder`."""
    now = datetime.now(UTC)
    key = read_key(development_key_file(DEVELOPMENT_CLIENT))
    with ApprovalSystem(town.service, DEVELOPMENT_CLIENT, key, trust=town.trust) as system:
        judge, catalogue = Judge(town.service, town.trust), town.office.catalogue
        play = Play(read_story(), Script(now), system, catalogue, folder, judge, town.city, town.supervision.received)
        for what, step in _steps(play):
            with _said(what):
                step()
    with _said("导出审计包并审计"):
        play.told.audit = audited(town.office, folder)
    return play.told


def _steps(play: Play) -> Iterator[tuple[str, Callable[[], None]]]:
    yield "空白证照入库", play.take_blanks
    yield f"核发 {len(play.story.certificates)} 件证照", play.issue
    yield "制发审批文书与备案回执", play.seal_documents
    yield "变更、延续、更正、补证、暂扣与发还、注销、撤销", play.act
    yield "归集至市电子证照库", play.deliver
    yield "审管信息推送至监管部门", play.inform
    yield "逐件核验", play.verify


@contextmanager
def _said(what: str) -> Iterator[None]:
    with err.status(f"{what}…"):
        yield
    err.print(f"[green]✓[/green] {what}")


def _stay(town: Town) -> None:
    key = read_key(development_key_file(DEVELOPMENT_CLIENT))
    with ApprovalSystem(town.service, DEVELOPMENT_CLIENT, key, trust=town.trust) as system:
        address = system.statistics_link()
    out.print(f"统计分析（半小时内有效）\n  [link={address}]{address}[/link]", soft_wrap=True)
    for line in links(town):
        out.print(line, soft_wrap=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        err.print("已停止。")
