"""The continuous checker: the office looks at itself, on a schedule, as an auditor would; every finding has its place.

    files      issued files read from the store, their seals verified anew, their proof of time; so many a round
    sheets     blanks counted one by one against the double-entry stock
    journal    the register against the journal: what is new since the last round, and daily the whole audit
    status     the statuses that the board publishes against those of the tables
    expiry     X.509 certificates of enabled seals that end soon
    statement  the newest statement of reconciliation with the city repository: its age, signature, and that both agree
    witnesses  how far the witnesses have followed
    deliveries events for the city repository laid aside, events that wait too long
    webhooks   targets that take nothing, events laid aside, events that wait too long
    permits    双公示 records near the end of their term, or beyond it
    state      that the progress of the round could be kept

A check that breaks is a finding too: the checker itself never stops the office.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from sqlmodel import col, select

from certlib.domain.publicity import NEAR
from certlib.domain.seal_life import SealState
from certlib.domain.verdict import Finding, StatusCode
from certlib.errors import CertlibError, StorageError
from certlib.formats.status import shard_of
from certlib.issue.check_deliveries import check_deliveries, check_webhooks
from certlib.issue.check_files import check_files
from certlib.issue.check_journal import check_since, check_whole
from certlib.issue.check_state import CheckState, one_round
from certlib.issue.check_statement import check_statement
from certlib.issue.office import Office
from certlib.register.damage import damage
from certlib.register.journal_store import witnessed_at
from certlib.register.publicity import pending
from certlib.register.seal_tables import SealCertificateRow, SealRow
from certlib.register.standing import standing
from certlib.register.stock import check_stock
from certlib.verify.audit_heads import WITNESSED_WITHIN

_DIFFERENCES = 20  # named one by one
WITNESSES = 2
"""How many an audit asks for."""
_COMPARED = 1000  # differences that are looked at once more


@dataclass(slots=True)
class Round:
    """One round: when, how far the rounds before came, and how much of the journal to look at.

    `whole` True or False, or None for the whole once in a while; `since` is a leaf to begin from.
    """

    office: Office
    now: datetime
    state: CheckState = field(default_factory=CheckState)
    whole: bool | None = None
    since: int | None = None

    @property
    def soon(self) -> timedelta:
        """How long before its end something is told of."""
        return timedelta(days=self.office.settings.check_warn_days)

    @property
    def is_whole(self) -> bool:
        """Whether the whole journal is due."""
        if self.whole is not None or self.since is not None:
            return bool(self.whole)
        at, every = self.state.full_at, timedelta(hours=self.office.settings.check_full_hours)
        return at is None or not self.state.head or not timedelta(0) <= self.now - at < every


Check = Callable[[Round], list[Finding]]


def check_office(
    office: Office, now: datetime, *, whole: bool | None = None, since: int | None = None
) -> tuple[Finding, ...]:
    """Every check, in order; at least one finding under each name, `pass` when nothing was found. Never raises.

    Goes on from where the last round came to; `whole` and `since` say how much of the journal to look at instead.
    """
    try:
        with one_round(office.settings.home):
            return _round(office, now, whole, since)
    except StorageError as error:  # the place of the state is broken: look all the same, and say so
        return (*_round(office, now, whole, since), Finding("state", "fail", error.message))


def _round(office: Office, now: datetime, whole: bool | None, since: int | None) -> tuple[Finding, ...]:
    this = Round(office, now, CheckState.load(office.settings.home), whole, since)
    found = [finding for name, check in CHECKS.items() for finding in _guarded(name, check, this)]
    return (*found, *_guarded("state", _kept, this))


def _guarded(name: str, check: Check, this: Round) -> list[Finding]:
    try:
        return check(this) or [Finding(name, "pass", "")]
    except CertlibError as error:
        return [Finding(name, "fail", error.message)]
    except Exception as error:  # noqa: BLE001  data past all rules must not end the watch
        return [Finding(name, "fail", f"检查中断（{type(error).__name__}）。{_damage(this, error)}")]


def _damage(this: Round, error: Exception) -> str:
    """Which rows it broke off over."""
    try:
        with this.office.register.reader() as session:
            return damage(session, error).message
    except Exception:  # noqa: BLE001  as above
        return "台账中有无法读取的内容。"


def _kept(this: Round) -> list[Finding]:
    this.state.save(this.office.settings.home)
    return []


def _files(this: Round) -> list[Finding]:
    return check_files(this.office, this.now, this.state, this.soon)


def _sheets(this: Round) -> list[Finding]:
    with this.office.register.reader() as session:
        return [_named("sheets", finding) for finding in check_stock(session) if finding.outcome != "pass"]


def _journal(this: Round) -> list[Finding]:
    """A round that found something is not gone on from: the next one looks again, and tells again."""
    if this.is_whole:
        head, found = check_whole(this.office, this.state.head)
    else:
        head, found = check_since(this.office, this.state.head, this.since)
    if not found:
        this.state.head = head
        this.state.full_at = this.now if this.is_whole else this.state.full_at
    return found


def _status(this: Round) -> list[Finding]:
    """Looked at once more where both differ: what was done between a look at the one and the other is no difference."""
    found = _differences(this)
    found = found and [one for one in _differences(this) if one in set(found)]
    return [
        Finding("status", "fail", f"索引号 {n}：台账为 {ours}，状态清单为 {theirs}。")
        for n, ours, theirs in found[:_DIFFERENCES]
    ]


def _differences(this: Round) -> list[tuple[int, int, int]]:
    """Index, status of the register, status published, as far as they differ."""
    office = this.office
    office.sequence()
    _, lists = office.board.statuses()
    with office.register.reader() as session:
        each = ((n, code, _published(lists, n)) for n, code in standing(session, at=this.now))
        return list(islice((one for one in each if one[1] != one[2]), _COMPARED))


def _published(lists: Mapping[int, bytes], n: int) -> int:
    """What the lists say of an index; of one beyond them that it is not in force, as their empty places do."""
    packed = lists.get(shard_of(n))
    if packed is None:
        return int(StatusCode.NOT_IN_FORCE)
    slot = n % (2 * len(packed))
    return packed[slot // 2] >> 4 * (slot % 2) & 15


def _expiry(this: Round) -> list[Finding]:
    """The certificates of the seals that stand enabled, in their present edition."""
    with this.office.register.reader() as session:
        query = (
            select(SealCertificateRow)
            .join(SealRow, col(SealRow.id) == SealCertificateRow.seal)
            .where(SealRow.state == SealState.ENABLED.value, SealCertificateRow.edition == SealRow.edition)
            .where(SealCertificateRow.not_after < this.now + this.soon)
            .order_by(col(SealCertificateRow.not_after))
        )
        rows = session.exec(query).all()
    return [
        Finding(
            "expiry",
            "fail" if row.not_after <= this.now else "warn",
            f"{row.seal} 号印章的 {row.suite} 证书到期于 {row.not_after:%Y-%m-%d}。",
        )
        for row in rows
    ]


def _statement(this: Round) -> list[Finding]:
    return list(check_statement(this.office, this.now))


def _witnesses(this: Round) -> list[Finding]:
    return witness_findings(this.office)


def witness_findings(office: Office) -> list[Finding]:
    """Have the witnesses cosign what they have not yet; what is wrong with any, under the name of the check.

    One that is away for longer than an audit bears is an alarm; fewer witnesses than it asks for are a warning.
    """
    asked = [_overdue(office, one) for one in office.ask_witnesses() if one.outcome != "pass"]
    few = len(office.witnesses) < WITNESSES
    missing = [Finding("witnesses", "warn", f"只设有 {len(office.witnesses)} 个见证，审计要求 {WITNESSES} 个。")]
    return [*(missing if few else ()), *(_named("witnesses", one) for one in asked)]


def _overdue(office: Office, finding: Finding) -> Finding:
    if finding.outcome != "unknown":
        return finding
    name = finding.check.partition(":")[2]
    with office.register.reader() as session:
        since = witnessed_at(session, name)
    if since is None or office.register.now() - since <= WITNESSED_WITHIN:
        return finding
    return replace(finding, outcome="fail", detail=f"{finding.detail}自 {since:%Y-%m-%d %H:%M} UTC 起没有它的见证。")


def _named(check: str, finding: Finding) -> Finding:
    """A finding of a part (`stock:a-type`, `witness:a-name`) under the name of its check, the part in its words.

    Alarms are kept by check: one under a name of its own would stay when the next round finds all sound.
    """
    _, _, part = finding.check.partition(":")
    return Finding(check, finding.outcome, f"{part}：{finding.detail}" if part else finding.detail)


def _deliveries(this: Round) -> list[Finding]:
    return list(check_deliveries(this.office, this.now))


def _webhooks(this: Round) -> list[Finding]:
    return list(check_webhooks(this.office, this.now))


def _permits(this: Round) -> list[Finding]:
    """The records with the earliest terms; a term that is over is told of as long as nothing was sent."""
    with this.office.register.reader() as session:
        rows = pending(session, this.office.catalogue, this.now, limit=_DIFFERENCES)
    return [
        Finding("permits", "warn", f"双公示 {row['number']} 应于 {row['due']} 前报送，{_left(row['days_left'])}。")
        for row in (one.as_json() for one in rows)
        if row["days_left"] <= NEAR
    ]


def _left(days: int) -> str:
    return f"剩 {days} 个工作日" if days >= 0 else f"已逾期 {-days} 个工作日"


CHECKS: Mapping[str, Check] = {
    "files": _files,
    "sheets": _sheets,
    "journal": _journal,
    "status": _status,
    "expiry": _expiry,
    "statement": _statement,
    "witnesses": _witnesses,
    "deliveries": _deliveries,
    "webhooks": _webhooks,
    "permits": _permits,
}
"""The checks by name."""
