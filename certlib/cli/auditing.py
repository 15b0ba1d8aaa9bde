"""`certctl audit`: everything in a bundle computed anew, each breach with its place. Auditor's installation only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from certlib.cli.options import AsJson
from certlib.cli.output import out, print_findings, print_json, print_table, progress
from certlib.crypto.development import development_key
from certlib.domain.civil import SHANGHAI
from certlib.domain.verdict import Finding
from certlib.errors import ConfigurationError, VerificationError
from certlib.formats.tlog_checkpoint import Checkpoint
from certlib.formats.tlog_note import COSIGNATURE, ED25519, Note, VerifierKey
from certlib.verify.audit import AuditReport, AuditTrust, unreadable
from certlib.verify.audit import audit as audit_bundle
from certlib.verify.audit_meanings import ADVICE
from certlib.verify.bundle import CHECKPOINT, MAX_FILE, Bundle, open_bundle
from certlib.verify.roots import TrustRoots

Keys = Annotated[
    Path | None,
    typer.Option("--keys", help="日志公钥，一行一个，默认开发密钥 · the journal's keys"),
]
Witnesses = Annotated[Path | None, typer.Option(help="见证人公钥，一行一个 · public keys of witnesses")]
Since = Annotated[list[Path] | None, typer.Option(help="以前留存的检查点 · a checkpoint kept from an earlier audit")]
Files = Annotated[
    Path | None,
    typer.Option(exists=True, help="抽来的签发文件（文件或目录），查其是否登记在日志 · issued files to look for"),
]
Trust = Annotated[Path | None, typer.Option(help="信任目录，默认开发密钥 · folder of trusted keys")]


def audit(
    bundle: Annotated[Path, typer.Argument(exists=True, readable=False, help="审计包 · the bundle")],
    *,
    keys: Keys = None,
    witnesses: Witnesses = None,
    since: Since = None,
    trust: Trust = None,
    files: Files = None,
    quorum: Annotated[int, typer.Option(min=0, help="须有几个见证签名 · cosignatures that are needed")] = 2,
    as_json: AsJson = False,
) -> None:
    """审计：日志只增、逐证相接、用印计数、台账与状态一致，逐处指出不符 · audit a bundle.

    退出码：0 查过的全部相符（末行说明有无未核对的），1 有不符，2 用法有误
    exit codes: 0 what was checked holds (the last line tells what was not), 1 not, 2 misuse.
    """
    given = read_keys(keys) if keys else None
    cosigners = read_keys(witnesses) if witnesses else _development_witnesses() if keys is None else []
    roots, needed = TrustRoots.load(trust).list_keys, _quorum(quorum, cosigners)
    notes, drawn = [_note(path) for path in since or ()], _digests(files) if files else {}
    try:
        with open_bundle(bundle) as opened, progress("正在审计…"):
            journal = _development_keys(opened) if given is None else given
            trusted = AuditTrust(journal=journal, witnesses=cosigners, trust_roots=roots)
            now = datetime.now(UTC)
            report = audit_bundle(opened, trusted, since=notes, quorum=needed, files=drawn, now=now)
    except VerificationError as error:
        report = unreadable(error)
    print_json(_json(report)) if as_json else _print(report, bundle)
    raise typer.Exit(0 if report.holds else 1)


def read_keys(path: Path) -> list[VerifierKey]:
    """The public keys of a file, one a line (C2SP signed-note).

    Raises `ConfigurationError` when the file cannot be read, a line is not a key, or there is none."""
    lines = _text(path, "公钥文件").splitlines()
    keys = [VerifierKey.parse(line) for line in lines if line.strip() and not line.startswith("#")]
    if not keys:
        raise ConfigurationError(f"公钥文件 {path} 中没有公钥；应一行一个，如 名称+编号+公钥。")
    return keys


def _note(path: Path) -> str:
    """A checkpoint kept from before. Raises `ConfigurationError` when the file cannot be read at all."""
    return _text(path, "留存的检查点", errors="replace")


def _text(path: Path, what: str, *, errors: str = "strict") -> str:
    """A small text file. Raises `ConfigurationError`."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
        if len(data) > MAX_FILE:
            raise ConfigurationError(f"{what} {path} 超过 {MAX_FILE} 字节。")
        return data.decode("utf-8", errors=errors)
    except OSError as error:
        raise ConfigurationError(f"{what} {path} 无法读取：{error.strerror}。") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{what} {path} 无法读取：不是文本文件。") from error


def _digests(path: Path) -> dict[str, bytes]:
    """The SHA-256 of a file, or of each file in a folder, by name. Raises `ConfigurationError`."""
    found: dict[str, bytes] = {}
    try:
        for one in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if one.is_file():
                with one.open("rb") as file:
                    found[str(one.relative_to(path) if path.is_dir() else one.name)] = file_digest(
                        file, "sha256"
                    ).digest()
    except OSError as error:
        raise ConfigurationError(f"抽查的文件 {path} 无法读取：{error.strerror}。") from error
    return found


def _development_keys(bundle: Bundle) -> list[VerifierKey]:
    """The development journal's key under the bundle's own name: only the name is taken from the bundle."""
    try:
        origin = Checkpoint.parse(Note.parse(bundle.read(CHECKPOINT).decode(errors="replace")).text).origin
    except VerificationError:
        return []  # the audit says what is wrong with it
    public = development_key("journal").public_key[-32:]  # RFC 8410: the key ends the SubjectPublicKeyInfo
    return [VerifierKey(origin, algorithm, public) for algorithm in (ED25519, COSIGNATURE)]


def _quorum(wanted: int, witnesses: Sequence[VerifierKey]) -> int:
    """None without any witness's key; never quietly fewer than were asked for."""
    if witnesses and len(witnesses) < wanted:
        raise ConfigurationError(f"只有 {len(witnesses)} 个见证公钥，不够 {wanted} 个；请用 --quorum 另定。")
    return wanted if witnesses else 0


def _development_witnesses() -> list[VerifierKey]:
    names = ("witness-archive", "witness-audit")
    return [VerifierKey(name, COSIGNATURE, development_key(name).public_key[-32:]) for name in names]


def _json(report: AuditReport) -> dict[str, object]:
    return {
        "origin": report.origin,
        "size": report.size,
        "root": report.root.hex(),
        "at": report.at.isoformat() if report.at else "",
        "holds": report.holds,
        "unchecked": list(report.unchecked),
        "findings": [finding.as_json() | _advice(finding) for finding in report.findings],
        "breaches": [breach.as_json() for breach in report.breaches],
        "breach_count": report.breach_count,
        "erased": report.erased,
    }


def _advice(finding: Finding) -> dict[str, str]:
    return ADVICE[finding.check]._asdict() if finding.outcome == "fail" else {}


def _print(report: AuditReport, path: Path) -> None:
    print_findings(escape(_title(report, path)), report.findings)
    print_table(("检查", "位置 · place", "不符之处 · breach"), _rows(report))
    for finding in report.findings:
        if finding.outcome == "fail":
            advice = ADVICE[finding.check]
            out.print(f"[bold]{finding.check}[/bold] {advice.chinese}\n  [dim]{advice.english}[/dim]")
    out.print(f"{_verdict(report)}{_left(report)}")


def _title(report: AuditReport, path: Path) -> str:
    if not report.origin:
        return str(path)
    at = f"，签于 {report.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}" if report.at else ""
    return f"{report.origin}：{report.size} 条{at}"


def _verdict(report: AuditReport) -> str:
    if not report.holds:
        return f"[red]{report.breach_count} 处不符[/red] · breaches: {report.breach_count}"
    if report.unchecked:
        names = "、".join(report.unchecked)
        words = f"查过的相符，但有未核对的：{names}"
        return f"[yellow]{words}[/yellow] · what was checked holds, not all was checked"
    return "[green]全部相符[/green] · everything holds"


def _left(report: AuditReport) -> str:
    erased = report.erased
    return f"；{erased} 处内容已依法删除 · {erased} contents were erased by law" if erased else ""


def _rows(report: AuditReport) -> Iterable[tuple[str, str, str]]:
    rows = [(breach.check, escape(breach.place), escape(breach.message)) for breach in report.breaches]
    more = report.breach_count - len(rows)
    return [*rows, ("…", "", f"另有 {more} 处 · {more} more")] if more else rows
