"""`certctl verify`: genuine, untouched, in force? With the auditor's installation only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from certlib.cli.codes import PICTURES, examine_picture, examine_text, is_code, names_code, unreadable
from certlib.cli.options import AsJson
from certlib.cli.output import out, print_findings, progress, visible
from certlib.cli.reporting import WRITERS, write_report
from certlib.domain.verdict import WORDS, Finding, Verdict
from certlib.verify.examine import MAX_SIZE
from certlib.verify.meanings import in_english
from certlib.verify.memory import Memory
from certlib.verify.page import NUMBERED
from certlib.verify.remote import RemoteRegister
from certlib.verify.report import Report
from certlib.verify.roots import TrustRoots
from certlib.verify.sandbox import Sandbox
from certlib.verify.ses_file import SUFFIXES, national_authorities, original_beside

_STYLES = {"green": "bold green", "amber": "bold yellow", "red": "bold red", "grey": "bold dim"}
_KINDS = frozenset({".pdf", *SUFFIXES})  # what of a folder is verified
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
    reports: list[Report] = []
    with Sandbox(roots) as sandbox:
        desk = _Desk(sandbox, lookup, trust, at.astimezone(UTC) if at else now, now)
        for found, data in desk.reports(_files(files)):
            reports.append(found)
            if report and data:
                write_report(found, report, to, partial(sandbox.pictures, data, at=desk.moment), beside=reports[:-1])
            typer.echo(found.as_line()) if as_json else _print(found)
    if len(reports) > 1 and not as_json:
        _summary(reports)
    strict = bool(register) or require_status or any(shard.rolled_back for shard in roots.shards)
    if not as_json and any(one.verdict is Verdict.STATUS_UNKNOWN for one in reports):
        out.print(_UNCHECKED)
    raise typer.Exit(_code(reports, strict=strict))


@dataclass(frozen=True, slots=True)
class _Desk:
    """What every file of one call is examined with, at the `moment` asked and, where that has passed, `now` as well."""

    sandbox: Sandbox
    lookup: RemoteRegister | None
    trust: Path | None
    moment: datetime
    now: datetime

    def reports(self, subjects: Iterable[Path | str]) -> Iterator[tuple[Report, bytes]]:
        """A report on each file or code, with the file's bytes (none for a code)."""
        for subject in subjects:
            if isinstance(subject, str):
                told = f"{subject[:60]}…"
                yield examine_text(subject, self.sandbox.trust, self.lookup, at=self.moment, name=told), b""
                continue
            with progress(f"正在核验 {subject.name}…"):
                examined = self._file(subject)
            yield examined

    def _file(self, path: Path) -> tuple[Report, bytes]:
        try:
            with path.open("rb") as file:
                data = file.read(MAX_SIZE + 1)  # what is larger is refused unread
        except OSError as error:
            return unreadable(str(path), f"文件打不开：{error.strerror}。", self.moment), b""
        if path.suffix.lower() in SUFFIXES:
            return self._beside(path, data), data
        if path.suffix.lower() in PICTURES:
            return examine_picture(path, self.sandbox.trust, self.lookup, at=self.moment), data
        found = self.sandbox.examine(data, at=self.moment, lookup=self.lookup, name=str(path))
        if self.moment < self.now - _TODAY:
            found = found.with_today(self.sandbox.examine(data, at=self.now, lookup=self.lookup, name=str(path)))
        return found, data

    def _beside(self, path: Path, data: bytes) -> Report:
        """A `.ses` with the file it stands beside, or an `.esl`."""
        original = original_beside(path)
        beside = original.read_bytes() if original else None
        authorities = national_authorities(self.trust)
        return self.sandbox.examine_ses(data, beside, authorities, at=self.moment, name=str(path))


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


def _files(words: Iterable[str]) -> Iterator[Path | str]:
    """Codes as they are, files as paths, folders as the sealed files in them; nothing to verify is misuse."""
    for word in words:
        path = Path(word)
        if is_code(word):
            yield word
        elif path.is_dir():
            found = sorted(file for file in path.rglob("*") if file.suffix.lower() in _KINDS and not file.is_dir())
            if not found:
                raise typer.BadParameter(f"{word[:200]} 中没有可核验的文件 (no {'、'.join(sorted(_KINDS))} in it)")
            yield from found
        elif path.exists():
            yield path
        else:
            raise typer.BadParameter(f"{word[:200]} 不存在 (no such file, and not a code)")


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
    out.print(Text.assemble((words.chinese, _STYLES[words.tone]), f"  {words.english}  ", visible(report.file)))
    certificate = report.certificate
    if certificate:
        _tell(f"{certificate.title} {certificate.number}  {certificate.holder}  {certificate.issuer}")
    for seal in report.seals:
        _tell(f"印章 {seal.seal}  {seal.owner or seal.subject}  {seal.level} {seal.suite}")
    if report.today_words is not None:
        _tell(f"今日结论：{report.today_words.chinese}  Today: {report.today_words.english}")
    odd = [finding for finding in report.findings if finding.outcome != "pass"]
    if odd:
        print_findings("", odd, NUMBERED, said=_said)


def _said(finding: Finding) -> str:
    """A finding's detail, and below it what it means in English."""
    return "\n".join(filter(None, (visible(finding.detail), visible(in_english(finding)))))


def _tell(line: str) -> None:
    """A line of what a stranger's file says: no markup of ours, and nothing that steers the terminal."""
    out.print(f"  {visible(line)}", markup=False)
