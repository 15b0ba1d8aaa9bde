"""The continuous checker: the office looks at itself, on a schedule, as an auditor would; every finding has its place.

    files      a sample of the issued files read from the store, their seals verified anew
    sheets     blanks counted one by one against the double-entry stock
    journal    the register against the journal: the whole audit of a bundle made now
    status     the statuses that the board publishes against those of the tables
    expiry     X.509 certificates of enabled seals that end soon
    witnesses  how far the witnesses have followed
    webhooks   targets that take nothing, events laid aside, events that wait too long

A check that breaks is a finding too: the checker itself never stops the office.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from certlib.domain.seal_life import SealState
from certlib.domain.verdict import Finding
from certlib.errors import CertlibError
from certlib.formats.status import shard_of
from certlib.issue.office import Office
from certlib.issue.replaying import hook_views
from certlib.register.bundle_files import bundle_files
from certlib.register.export import export_bundle
from certlib.register.seal_tables import SealCertificateRow, SealRow
from certlib.register.standing import standing
from certlib.register.stock import check_stock
from certlib.register.tables import FileRow
from certlib.verify.audit import AuditTrust, audit
from certlib.verify.bundle import open_bundle
from certlib.verify.span import guard

SOON = timedelta(days=60)
LATE = timedelta(hours=1)  # that an event for a webhook may wait
_DIFFERENCES = 20  # named one by one

Check = Callable[[Office, datetime], list[Finding]]


def check_office(office: Office, now: datetime) -> tuple[Finding, ...]:
    """Every check, in order; at least one finding each, `pass` when nothing was found. Never raises."""
    return tuple(finding for name, check in CHECKS.items() for finding in _guarded(name, check, office, now))


def _guarded(name: str, check: Check, office: Office, now: datetime) -> list[Finding]:
    try:
        return check(office, now) or [Finding(name, "pass", "")]
    except CertlibError as error:
        return [Finding(name, "fail", error.message)]
    except Exception as error:  # noqa: BLE001  data past all rules must not end the watch
        return [Finding(name, "fail", f"检查中断：{type(error).__name__}，台账中有无法读取的内容")]


def _files(office: Office, _now: datetime) -> list[Finding]:
    with office.register.reader() as session:
        query = select(FileRow.sha256, FileRow.level, FileRow.size).order_by(col(FileRow.sha256))
        rows = session.exec(query).all()
    sample = random.sample(list(rows), min(len(rows), office.settings.check_sample))
    return [found for row in sample if (found := _file(office, *row)) is not None]


def _file(office: Office, sha256: str, level: str, size: int) -> Finding | None:
    """The bytes are those registered; a sealed PDF has whole signatures that cover it to its end."""
    try:
        data = office.register.files.read(sha256)
    except CertlibError as error:
        return Finding("files", "fail", error.message)
    if len(data) != size:
        return Finding("files", "fail", f"文件 {sha256[:12]}… 的大小与登记不符。")
    if level != "print" and data.startswith(b"%PDF") and (faults := guard(data).faults):
        return Finding("files", "fail", f"文件 {sha256[:12]}…：{faults[0].detail}")
    return None


def _sheets(office: Office, _now: datetime) -> list[Finding]:
    with office.register.reader() as session:
        return [finding for finding in check_stock(session) if finding.outcome != "pass"]


def _journal(office: Office, _now: datetime) -> list[Finding]:
    trust = AuditTrust(journal=office.journal.verifiers, witnesses=[one.verifier for one in office.witnesses])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle"
        with office.register.reader() as session, bundle_files(path) as files:
            export_bundle(session, office.journal, files)
        with open_bundle(path) as bundle:
            report = audit(bundle, trust)
    return [Finding("journal", "fail", f"{one.place}：{one.message}") for one in report.breaches]


def _status(office: Office, now: datetime) -> list[Finding]:
    office.sequence()
    _, lists = office.board.statuses()
    with office.register.reader() as session:
        differing = list(_differences(session, lists, now))
    return [
        Finding("status", "fail", f"索引号 {n}：台账为 {ours}，状态清单为 {theirs}。")
        for n, ours, theirs in differing[:_DIFFERENCES]
    ]


def _differences(session: Session, lists: Mapping[int, bytes], now: datetime) -> list[tuple[int, int, int]]:
    return [
        (n, code, published)
        for n, code in standing(session, at=now)
        if (published := _published(lists, n)) is not None and published != code
    ]


def _published(lists: Mapping[int, bytes], n: int) -> int | None:
    packed = lists.get(shard_of(n))
    if packed is None:
        return None
    slot = n % (2 * len(packed))
    return packed[slot // 2] >> 4 * (slot % 2) & 15


def _expiry(office: Office, now: datetime) -> list[Finding]:
    """The certificates of the seals that stand enabled, in their present edition."""
    with office.register.reader() as session:
        query = (
            select(SealCertificateRow)
            .join(SealRow, col(SealRow.id) == SealCertificateRow.seal)
            .where(SealRow.state == SealState.ENABLED.value, SealCertificateRow.edition == SealRow.edition)
            .where(SealCertificateRow.not_after < now + SOON)
            .order_by(col(SealCertificateRow.not_after))
        )
        rows = session.exec(query).all()
    return [
        Finding(
            "expiry",
            "fail" if row.not_after <= now else "warn",
            f"{row.seal} 号印章的 {row.suite} 证书到期于 {row.not_after:%Y-%m-%d}。",
        )
        for row in rows
    ]


def _witnesses(office: Office, _now: datetime) -> list[Finding]:
    return [one for one in office.ask_witnesses() if one.outcome != "pass"]


def _webhooks(office: Office, now: datetime) -> list[Finding]:
    return [finding for view in hook_views(office) for finding in _webhook(view, now)]


def _webhook(view: Mapping[str, Any], now: datetime) -> Iterator[Finding]:
    name, oldest = view["name"], view["oldest"]
    if view["gone"]:
        yield Finding("webhooks", "fail", f"{name} 答复不再接收（410），已停止向其推送；恢复后请重放死信。")
    elif view["dead"]:
        yield Finding("webhooks", "fail", f"{name} 有 {view['dead']} 个死信，其后另有 {view['blocked']} 个事件等候。")
    if oldest and now - datetime.fromisoformat(oldest) > LATE:
        words = f"{name} 有 {view['waiting']} 个事件待推送，最早的自 {oldest[:16]} 起。{view['trouble']}"
        yield Finding("webhooks", "warn", words)


CHECKS: Mapping[str, Check] = {
    "files": _files,
    "sheets": _sheets,
    "journal": _journal,
    "status": _status,
    "expiry": _expiry,
    "witnesses": _witnesses,
    "webhooks": _webhooks,
}
"""The checks by name."""
