"""`certctl verify`: genuine, untouched, in force? With the auditor's installation only."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from certlib.cli.codes import PICTURES, examine_picture, examine_text, is_code, names_code, unreadable
from certlib.cli.options import AsJson, At
from certlib.cli.output import err, out, print_findings, print_table, progress, visible
from certlib.cli.reporting import WRITERS, write_report
from certlib.domain.verdict import WORDS, Finding, Verdict
from certlib.verify.examine import MAX_SIZE
from certlib.verify.meanings import in_english
from certlib.verify.memory import Memory
from certlib.verify.page import CLAIMED, numbered
from certlib.verify.pictures import Pictures
from certlib.verify.remote import RemoteRegister
from certlib.verify.report import Report
from certlib.verify.roots import TrustRoots
from certlib.verify.sandbox import Sandbox
from certlib.verify.ses_file import SUFFIXES, national_authorities, original_beside

_STYLES = {"green": "bold green", "amber": "bold yellow", "red": "bold red", "grey": "bold dim"}
_KINDS = frozenset({".pdf", *SUFFIXES})  # what of a folder is verified
_REPORT = ".report.pdf"  # what an earlier run may have left in the folder
_FORGED = {Verdict.UNREADABLE, Verdict.UNSEALED, Verdict.SIGNATURE_INVALID, Verdict.ALTERED}
_UNCHECKED = "状态未核对"
_TODAY = timedelta(minutes=1)  # what was asked for earlier than that lies in the past
_MOST_NAMED, _MOST_KINDS = 20, 12  # files that do not pass, and endings of files passed over, in the summary

Files = Annotated[
    list[str], typer.Argument(help="文件、文件夹、照片，或二维码的文字 · files, folders, photos, or the text of a code")
]
Trust = Annotated[Path | None, typer.Option(help="信任目录，默认开发根证书 · folder of trusted roots")]


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

    退出码：0 通过，1 不通过，2 用法有误，3 无法读取，130 中断 · exit codes: 0 sound, 1 not, 2 misuse, 3 unreadable,
    130 interrupted.
    """
    if report and report not in WRITERS:
        raise typer.BadParameter(f"--report 应为 {'、'.join(WRITERS)} 之一")
    lookup = RemoteRegister(register) if register else None
    roots = _roots(trust, lookup, state, codes=any(map(names_code, files)))
    strict = bool(register) or require_status or any(shard.rolled_back for shard in roots.shards)
    now = datetime.now(UTC)
    subjects, others = _subjects(files)
    reports: list[Report] = []
    with Sandbox(roots) as sandbox:
        desk = _Desk(sandbox, lookup, trust, at or now, now)
        try:
            for found, data in desk.reports(subjects):
                reports.append(found)
                if report:
                    write_report(found, report, to, partial(desk.pictures, data), beside=reports[:-1])
                typer.echo(found.as_line()) if as_json else _print(found)
        except KeyboardInterrupt:
            err.print(f"已中断：核验了 {len(reports)}/{len(subjects)} 件 · interrupted")
            if not as_json:
                _summary(reports, strict=strict)
            raise typer.Exit(130) from None
    if others:
        kinds = "、".join(f"{visible(kind)} {count}" for kind, count in others.most_common(_MOST_KINDS))
        err.print(f"另有 {others.total()} 个文件不是电子证照，未核验 · not verified: {kinds}", markup=False)
    if len(reports) > 1 and not as_json:
        _summary(reports, strict=strict)
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

    def reports(self, subjects: Sequence[Path | str]) -> Iterator[tuple[Report, bytes]]:
        """A report on each file or code, with the file's bytes (none for a code)."""
        for number, subject in enumerate(subjects, start=1):
            name = f"{subject[:60]}…" if isinstance(subject, str) else subject.name
            with progress(f"正在核验 {number}/{len(subjects)} {visible(name)}…"):
                examined = self._code(subject, name) if isinstance(subject, str) else self._file(subject)
            yield examined

    def pictures(self, data: bytes) -> Pictures | None:
        """The pages of a PDF; a code, a photo or a `.ses` has none."""
        return self.sandbox.pictures(data, at=self.moment) if data.startswith(b"%PDF-") else None

    def _code(self, text: str, name: str) -> tuple[Report, bytes]:
        return self._judged(lambda at: examine_text(text, self.sandbox.trust, self.lookup, at=at, name=name)), b""

    def _file(self, path: Path) -> tuple[Report, bytes]:
        try:
            with path.open("rb") as file:
                data = file.read(MAX_SIZE + 1)  # what is larger is refused unread
            return self._judged(self._look(path, data)), data
        except OSError as error:
            return unreadable(str(path), f"文件打不开：{error.strerror}。", self.moment), b""

    def _judged(self, look: Callable[[datetime], Report]) -> Report:
        """What is found at the moment asked and, where that has passed, besides what holds now."""
        found = look(self.moment)
        return found.with_today(look(self.now)) if self.moment < self.now - _TODAY else found

    def _look(self, path: Path, data: bytes) -> Callable[[datetime], Report]:
        """How this kind of file is examined; a `.ses` with the file it stands beside."""
        name, trust, lookup = str(path), self.sandbox.trust, self.lookup
        if path.suffix.lower() in PICTURES:
            return lambda at: examine_picture(path, trust, lookup, at=at)
        if path.suffix.lower() not in SUFFIXES:
            return lambda at: self.sandbox.examine(data, at=at, lookup=lookup, name=name)
        original, authorities = original_beside(path), national_authorities(self.trust)
        beside = original.read_bytes() if original else None

        def look(at: datetime) -> Report:
            found = self.sandbox.examine_ses(data, beside, authorities, at=at, name=name)
            grown = found.finding("range")
            if beside is None or grown is None or grown.outcome != "warn":
                return found
            return _with_growth(found, self.sandbox.examine(beside, at=at, lookup=lookup, name=name))

        return look


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


def _subjects(words: Iterable[str]) -> tuple[list[Path | str], Counter[str]]:
    """Codes as they are, files as paths, folders as the sealed files in them; nothing to verify is misuse.

    Besides, of how many other files the folders have, by their ending.
    """
    subjects: list[Path | str] = []
    others: Counter[str] = Counter()
    for word in words:
        path = Path(word)
        if is_code(word):
            subjects.append(word)
        elif path.is_dir():
            before = len(subjects)
            subjects += _in_folder(path, others)
            if len(subjects) == before:
                raise typer.BadParameter(f"{word[:200]} 中没有可核验的文件 (no {'、'.join(sorted(_KINDS))} in it)")
        elif path.exists():
            subjects.append(path)
        else:
            raise typer.BadParameter(f"{word[:200]} 不存在 (no such file, and not a code)")
    return subjects, others


def _in_folder(folder: Path, others: Counter[str]) -> list[Path | str]:
    """The sealed files below a folder, by name, and each folder in it that cannot be opened: a report says so of it."""
    found: list[Path | str] = []
    closed: list[OSError] = []
    for place, _, names in os.walk(folder, onerror=closed.append):
        for path in (Path(place, name) for name in names):
            sealed = path.suffix.lower() in _KINDS and not path.name.endswith(_REPORT)
            if sealed and (path.is_file() or path.is_symlink()):  # a pipe would be waited for without end
                found.append(path)
            else:
                others[path.suffix.lower() or path.name] += 1
    return sorted([*found, *(Path(error.filename) for error in closed)])


def _summary(reports: Sequence[Report], *, strict: bool) -> None:
    """How many files came to which verdict, the weightiest first, and the names of those that do not pass."""
    counts = Counter(report.verdict for report in reports)
    rows = [(WORDS[one].chinese, WORDS[one].english, str(counts[one])) for one in Verdict if counts[one]]
    print_table(("结论", "verdict", "件数"), [*rows, ("共计", "in all", str(len(reports)))], title="汇总 · summary")
    failed = [report for report in reports if report.verdict not in _passing(strict=strict)]
    for report in failed[:_MOST_NAMED]:
        _tell(f"{report.words.chinese}  {report.file}")
    if len(failed) > _MOST_NAMED:
        out.print(f"  … 共 {len(failed)} 件未通过 · {len(failed)} did not pass")


def _passing(*, strict: bool) -> set[Verdict]:
    return {Verdict.VALID} if strict else {Verdict.VALID, Verdict.STATUS_UNKNOWN}


def _code(reports: Iterable[Report], *, strict: bool) -> int:
    """The worst of all: 1 outweighs 3, because a forgery outweighs a scan.

    A signature beside a file that was not at hand does not pass: there is nothing that it was found to cover.
    """
    passing = _passing(strict=strict)
    verdicts = {report.verdict for report in reports if report.verdict not in passing or _covers_nothing(report)}
    if not verdicts:
        return 0
    return 3 if verdicts == {Verdict.UNREADABLE} else 1


def _with_growth(beside: Report, pdf: Report) -> Report:
    """The report on a signature whose file has grown since, when the PDF's own signatures do not vouch for the rest."""
    if pdf.verdict not in _FORGED:
        return beside
    kept = tuple(finding for finding in beside.findings if finding.check != "range")
    grown = Finding("range", "fail", "签章之后文件有追加，追加的部分没有 PDF 自身的签名证明。")
    return replace(beside, verdict=Verdict.ALTERED, findings=(*kept, grown))


def _covers_nothing(report: Report) -> bool:
    compared = report.finding("hash")
    return compared is not None and compared.outcome == "unknown"


def _print(report: Report) -> None:
    words = report.words
    out.print(Text.assemble((words.chinese, _STYLES[words.tone]), f"  {words.english}  ", visible(report.file)))
    certificate = report.certificate
    if certificate:
        _tell(f"{certificate.title} {certificate.number}  {certificate.holder}  {certificate.issuer}")
    claimed = "（自称，未经证实 · claimed）" if report.verdict in CLAIMED else ""
    for seal in report.seals:
        _tell(f"印章{claimed} {seal.seal}  {seal.owner or seal.subject}  {seal.level} {seal.suite}")
    if report.today_words is not None:
        _tell(f"今日结论：{report.today_words.chinese}  Today: {report.today_words.english}")
    odd = [finding for finding in report.findings if finding.outcome != "pass"]
    if odd:
        print_findings("", odd, numbered(report), said=_said)


def _said(finding: Finding) -> str:
    """A finding's detail, and below it what it means in English."""
    return "\n".join(filter(None, (visible(finding.detail), visible(in_english(finding)))))


def _tell(line: str) -> None:
    """A line of what a stranger's file says: no markup of ours, and nothing that steers the terminal."""
    out.print(f"  {visible(line)}", markup=False)
