"""`certctl audit`: everything in a bundle computed anew, each breach with its place. Auditor's installation only."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import file_digest
from pathlib import Path
from typing import Annotated

import typer

from certlib.cli.options import AsJson
from certlib.cli.output import out, print_findings, print_json, print_table, progress
from certlib.crypto.development import development_key
from certlib.errors import ConfigurationError
from certlib.formats.tlog_note import COSIGNATURE, ED25519, VerifierKey
from certlib.verify.audit import AuditReport, AuditTrust
from certlib.verify.audit import audit as audit_bundle
from certlib.verify.bundle import ABOUT, Bundle, open_bundle
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
    bundle: Annotated[Path, typer.Argument(exists=True, help="审计包 · the bundle")],
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

    退出码：0 全部相符，1 有不符 · exit codes: 0 everything holds, 1 not.
    """
    with open_bundle(bundle) as opened, progress("正在审计…"):
        trusted = AuditTrust(
            journal=read_keys(keys) if keys else _development_keys(opened),
            witnesses=read_keys(witnesses) if witnesses else _development_witnesses() if keys is None else (),
            trust_roots=TrustRoots.load(trust).list_keys,
        )
        notes = [_note(path) for path in since or ()]
        drawn = _digests(files) if files else {}
        report = audit_bundle(opened, trusted, since=notes, quorum=_quorum(quorum, trusted), files=drawn)
    print_json(_json(report)) if as_json else _print(report)
    raise typer.Exit(0 if report.holds else 1)


def read_keys(path: Path) -> list[VerifierKey]:
    """The public keys of a file, one a line (C2SP signed-note).

    Raises `ConfigurationError` when the file cannot be read or a line is not a key."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"公钥文件 {path} 无法读取。") from error
    return [VerifierKey.parse(line) for line in lines if line.strip() and not line.startswith("#")]


def _note(path: Path) -> str:
    """A checkpoint kept from before. Raises `ConfigurationError` when the file cannot be read at all."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigurationError(f"留存的检查点 {path} 无法读取：{error.strerror}。") from error


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
        origin = str(json.loads(bundle.read(ABOUT))["origin"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"审计包没有可读的 {ABOUT}；请用 --keys 给出日志公钥。") from error
    public = development_key("journal").public_key[-32:]  # RFC 8410: the key ends the SubjectPublicKeyInfo
    return [VerifierKey(origin, algorithm, public) for algorithm in (ED25519, COSIGNATURE)]


def _quorum(wanted: int, trusted: AuditTrust) -> int:
    """None without any witness's key; never quietly fewer than were asked for."""
    if trusted.witnesses and len(trusted.witnesses) < wanted:
        raise ConfigurationError(f"只有 {len(trusted.witnesses)} 个见证公钥，不够 {wanted} 个；请用 --quorum 另定。")
    return wanted if trusted.witnesses else 0


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
        "findings": [finding.as_json() for finding in report.findings],
        "breaches": [breach.as_json() for breach in report.breaches],
        "breach_count": report.breach_count,
        "erased": report.erased,
    }


def _print(report: AuditReport) -> None:
    print_findings(f"{report.origin}：{report.size} 条", report.findings)
    print_table(("检查", "位置", "不符之处"), _rows(report))
    verdict = "[green]全部相符[/green]" if report.holds else f"[red]{report.breach_count} 处不符[/red]"
    out.print(f"{verdict}{f'，{report.erased} 处内容已依法删除' if report.erased else ''}")


def _rows(report: AuditReport) -> Iterable[tuple[str, str, str]]:
    return [(breach.check, breach.place, breach.message) for breach in report.breaches]
