"""`certctl verify`: genuine, untouched, in force? With the auditor's installation only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from certlib.cli.codes import PICTURES, examine_picture, examine_text, is_code, names_code
from certlib.cli.options import AsJson
from certlib.cli.output import out, print_findings, progress
from certlib.cli.reporting import WRITERS, write_report
from certlib.domain.verdict import WORDS, Verdict
from certlib.verify.memory import Memory
from certlib.verify.page import CHECKS
from certlib.verify.remote import RemoteRegister
from certlib.verify.report import Report
from certlib.verify.roots import TrustRoots
from certlib.verify.sandbox import Sandbox
from certlib.verify.ses_file import SUFFIXES, national_authorities, original_beside

_STYLES = {"green": "bold green", "amber": "bold yellow", "red": "bold red", "grey": "bold dim"}
_UNCHECKED = "状态未核对"
_TODAY = timedelta(minutes=1)  # what was asked for earlier than that lies in the past

Files = Annotated[
    list[str], typer.Argument(help="文件、文件夹、照片，或二维码的文字 · files, folders, photos, or the text of a code")
]
Trust = Annotated[Path | None, typer.Option(help="信任目录，默认开发根证书 · folder of trusted roots")]
At = Annotated[datetime | None, typer.Option(help="某一时刻的结论 · as of this moment")]


def verify(
    files: Files,
    *,
    trust: Trust = None,
    register: Annotated[str, typer.Option(help="证照台账的网址，核对状态 · the register's address")] = "",
    at: At = None,
    state: Annotated[
        Path | None,
        typer.Option(help="记住见过的最新清单，更旧的不予采信 · remember the newest lists seen, believe no older one"),
    ] = None,
    require_status: Annotated[bool, typer.Option("--require-status", help="状态未核对即不通过")] = False,
    as_json: AsJson = False,
    report: Annotated[
        str, typer.Option(help="每件一份报告：html、pdf 或 json · one report a file", metavar="html|pdf|json")
    ] = "",
    to: Annotated[Path, typer.Option("--out", help="报告放在哪里 · folder of the reports")] = Path(),
) -> None:
    """核验文件和二维码：真不真、改没改、还有效吗 · verify sealed files and signed codes.

    退出码：0 通过，1 不通过，2 用法有误，3 无法读取 · exit codes: 0 sound, 1 not, 2 misuse, 3 unreadable.
    """
    if report and report not in WRITERS:
        raise typer.BadParameter(f"--report 应为 {'、'.join(WRITERS)} 之一")
    lookup = RemoteRegister(register) if register else None
    roots = _roots(trust, lookup, state, codes=any(map(names_code, files)))
    now = datetime.now(UTC)
    moment = at.astimezone(UTC) if at else now
    reports = []
    with Sandbox(roots) as sandbox:
        for path in _files(files):
            if isinstance(path, str):
                reports.append(examine_text(path, roots, lookup, at=moment, name=f"{path[:60]}…"))
                typer.echo(reports[-1].as_line()) if as_json else _print(reports[-1])
                continue
            with progress(f"正在核验 {path.name}…"):
                data = path.read_bytes()
                if path.suffix in SUFFIXES:
                    reports.append(_beside(sandbox, path, data, trust, moment))
                elif path.suffix.lower() in PICTURES:
                    reports.append(examine_picture(path, roots, lookup, at=moment))
                else:
                    found = sandbox.examine(data, at=moment, lookup=lookup, name=str(path))
                    if moment < now - _TODAY:
                        found = found.with_today(sandbox.examine(data, at=now, lookup=lookup, name=str(path)))
                    reports.append(found)
                if report:
                    write_report(reports[-1], report, to, partial(sandbox.pictures, data, at=moment))
            typer.echo(reports[-1].as_line()) if as_json else _print(reports[-1])
    if len(reports) > 1 and not as_json:
        _summary(reports)
    strict = bool(register) or require_status or any(shard.rolled_back for shard in roots.shards)
    if not as_json and any(report.verdict is Verdict.STATUS_UNKNOWN for report in reports):
        out.print(_UNCHECKED)
    raise typer.Exit(_code(reports, strict=strict))


def _roots(trust: Path | None, register: RemoteRegister | None, state: Path | None, *, codes: bool) -> TrustRoots:
    """What is trusted, with the signed lists that the folder lacks as the register gives them, for `codes` as well.

    All of it less what is older than `state` remembers; the newest is remembered there.
    """
    roots = TrustRoots.load(trust)
    if register is not None and roots.list_keys:
        listed = roots.trust_list or (register.trust_list(roots.list_keys) if codes else None)
        roots = replace(roots, trust_list=listed, seals=roots.seals or register.seal_list(roots.list_keys))
    if state is None:
        return roots
    memory = Memory.load(state)
    judged = memory.recall(roots)
    memory.save(state)
    return judged


def _beside(sandbox: Sandbox, path: Path, data: bytes, trust: Path | None, moment: datetime) -> Report:
    """A `.ses` with the file it stands beside, or an `.esl`."""
    original = original_beside(path)
    authorities = national_authorities(trust)
    beside = original.read_bytes() if original else None
    return sandbox.examine_ses(data, beside, authorities, at=moment, name=str(path))


def _files(words: Iterable[str]) -> Iterator[Path | str]:
    """Codes as they are, files as paths, folders as the sealed files in them; a path that is not there is misuse."""
    for word in words:
        path, kinds = Path(word), {".pdf", *SUFFIXES}
        if is_code(word):
            yield word
            continue
        if not path.exists():
            raise typer.BadParameter(f"{word[:200]} 不存在 (no such file, and not a code)")
        yield from sorted(file for file in path.rglob("*") if file.suffix in kinds) if path.is_dir() else (path,)


def _summary(reports: Iterable[Report]) -> None:
    """How many files came to which verdict, the weightiest first."""
    counts = Counter(report.verdict for report in reports)
    out.print("  ".join(f"{WORDS[verdict].chinese} {counts[verdict]}" for verdict in Verdict if counts[verdict]))


def _code(reports: Iterable[Report], *, strict: bool) -> int:
    """The worst of all: 1 outweighs 3, because a forgery outweighs a scan."""
    passing = {Verdict.VALID} if strict else {Verdict.VALID, Verdict.STATUS_UNKNOWN}
    verdicts = {report.verdict for report in reports} - passing
    if not verdicts:
        return 0
    return 3 if verdicts == {Verdict.UNREADABLE} else 1


def _print(report: Report) -> None:
    words = report.words
    out.print(Text.assemble((words.chinese, _STYLES[words.tone]), f"  {words.english}  ", report.file))
    certificate = report.certificate
    if certificate:
        out.print(f"  {certificate.title} {certificate.number}  {certificate.holder}  {certificate.issuer}")
    for seal in report.seals:
        out.print(f"  印章 {seal.seal}  {seal.owner or seal.subject}  {seal.level} {seal.suite}")
    if report.today_words is not None:
        out.print(f"  今日结论：{report.today_words.chinese}  Today: {report.today_words.english}")
    odd = [finding for finding in report.findings if finding.outcome != "pass"]
    if odd:
        print_findings("", odd, CHECKS)
