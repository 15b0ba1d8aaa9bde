"""`certctl`: one table of commands; a command's module is imported only when that command is called.

Commands of the service and of the mock city repository come by the entry point group `certctl.commands`.
Exit codes: 0 sound, 1 not, 2 misuse, 3 (`verify` only) unreadable.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer

from certlib import __version__
from certlib.cli.output import print_error
from certlib.errors import CertlibError, ConfigurationError

GROUP = "certctl.commands"


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table: the name, where its function or group of commands stands, what it does."""

    name: str
    target: str
    summary: str

    def load(self) -> Any:
        """The command's function or `typer.Typer`.

        Raises `ConfigurationError` when the packages it needs are not installed.
        """
        module, _, attribute = self.target.partition(":")
        try:
            return getattr(import_module(module), attribute)
        except ModuleNotFoundError as error:
            if error.name and error.name.startswith(("certlib", "service", "city_repository")):
                raise
            raise ConfigurationError(
                f"命令 {self.name} 需要 {error.name}，本机未安装；请安装 certlib[service]。"
            ) from error


COMMANDS = (
    Command("items", "certlib.cli.items:items", "98 个事项：谁受理、审核、批准，产出何种证照 · the items"),
    Command("issue", "certlib.cli.issuing:issue", "签发证照（--example 2-25 打印一份完整申请）· issue a certificate"),
    Command("act", "certlib.cli.issuing:act", "对证照办理变更、延续、暂扣、注销等 · act on a certificate"),
    Command("import", "certlib.cli.existing:import_", "补录存量证照，不用印 · register an existing certificate"),
    Command("show", "certlib.cli.issuing:show", "证照的状态、版本与可办事项 · show a certificate"),
    Command("batch", "certlib.cli.issuing:batch", "批量签发，一行一份申请 · issue many, one request a line"),
    Command("verify", "certlib.cli.verifying:verify", "核验文件：印章、完整性、状态 · verify files"),
    Command("audit", "certlib.cli.auditing:audit", "审计：逐项重算，逐处指出不符 · audit a bundle"),
    Command("witness", "certlib.cli.witnessing:witness", "见证他人的日志：只增才加签 · witness a journal"),
    Command("check", "certlib.cli.checking:check", "自查：文件、库存、日志、状态、到期 · the office checks itself"),
    Command("bundle", "certlib.cli.bundling:bundle", "导出审计包 · export a bundle for auditors"),
    Command("erase", "certlib.cli.erasing:erase", "依法删除个人信息，两人办理，不可恢复 · erase personal data"),
    Command("paper", "certlib.cli.papers:paper", "空白证照的库存与打印 · blank sheets and printing"),
    Command("service", "certlib.cli.serving:service", "送达：查看或登记 · service of a certificate or document"),
    Command("overdue", "certlib.cli.serving:overdue", "逾期未决定或未送达的办件 · cases beyond their time limits"),
    Command("stats", "certlib.cli.stats:stats", "统计分析：事项、机关、结果、时延、逾期、结存 · the office's figures"),
    Command("permits", "certlib.cli.permits:permits", "双公示：应报、临期、导出 · permits to be published"),
    Command("evidence", "certlib.cli.existing:evidence", "导出证据包 · an evidence pack that common tools check"),
    Command("rehearse", "certlib.cli.rehearsing:rehearsal", "98 个事项各办一件 · one case of every item"),
    Command("reconcile", "certlib.cli.reconciling:reconcile", "与市电子证照库对账 · compare with the city repository"),
    Command(
        "deliveries", "certlib.cli.reconciling:deliveries", "归集推送的积压与待处理 · deliveries that wait or died"
    ),
    Command("seal", "certlib.cli.seals:seal", "印章的一生、用印授权与用印日志 · seals, their authorisations and uses"),
    Command("signer", "certlib.cli.signer:signer", "签名进程：独占密钥 · the process that holds the keys"),
    Command("webhook", "certlib.cli.webhooks:webhook", "事件推送：目标、死信与重放 · webhooks and their replay"),
    Command("template", "certlib.cli.templates:template", "检查证照模板 · check templates"),
    Command("dev-pki", "certlib.cli.development:dev_pki", "生成开发用密钥与证书 · make the development keys"),
    Command("doctor", "certlib.cli.doctor:doctor", "检查本机能否签发与核验 · check this installation"),
)
# What the list says of commands that come by entry point, so that the list need not import a web framework.
SUMMARIES = {
    "demo": "用真实事项走完全程，文件留在 demo-out/ · the whole mission on real items",
    "serve": "启动签发服务 · the HTTP service",
    "worker": "后台投递与清扫 · deliveries and sweeps",
    "city": "模拟市电子证照库 · the mock city repository",
    "token": "取得审批系统的访问令牌 · a token for an approval system",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `certctl`; ends with `SystemExit`."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        typer.main.get_command(application(words))(words, prog_name="certctl")
    except CertlibError as error:
        print_error(error, as_json="--json" in words)
        sys.exit(2 if isinstance(error, ConfigurationError) else 1)
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        sys.stderr.close()
        sys.exit(0)


def application(words: Sequence[str]) -> typer.Typer:
    """The application with every command named, of which only the one that `words` call is imported."""
    app = typer.Typer(
        help="赣州市审批用印与证照签发 · seals approval documents and issues certificates of the city of Ganzhou",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(_root)
    for command in commands():
        loaded = command.load() if words and words[0] == command.name else _stub
        if isinstance(loaded, typer.Typer):
            app.add_typer(loaded, name=command.name, help=command.summary)
        else:
            app.command(command.name, help=command.summary if loaded is _stub else loaded.__doc__)(loaded)
    return app


def commands() -> Iterator[Command]:
    """Our own commands, then those of the installed entry points, by name."""
    yield from COMMANDS
    own = {command.name for command in COMMANDS}
    points: dict[str, EntryPoint] = {point.name: point for point in entry_points(group=GROUP)}
    for name in sorted(points.keys() - own):
        yield Command(name, points[name].value, SUMMARIES.get(name, ""))


def _stub() -> None:
    """Stands in the list for a command that was not called."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"certctl {__version__}")
        raise typer.Exit


def _root(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="版本")) -> None:
    """赣州市审批用印与证照签发."""
