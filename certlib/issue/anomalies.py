"""What an auditor should look at: signs in the register that something went another way than it should.

    gap            a seal's ledger lacks numbers below its counter
    compromised    a seal was used after the moment from which it is held to be compromised
    denied         a use was asked for and not allowed
    released       a use was reserved and given back: nothing was sealed
    open           a use has been reserved for over an hour
    outside-hours  a seal was used outside office hours
    same-person    one person reviewed and approved
    voided         a number was taken and its issuance voided
    overdue        a case not decided, an outcome not served in time
    recall         paper of an older edition that is still out
    unprinted      paper that waits to be printed for too long
    checker        the continuous checker found something

A sign is no breach: a batch may run at night. Each kind counts all it has and shows the newest `SHOWN`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, and_, col, select

from certlib.domain.calendar import Calendar
from certlib.domain.civil import SHANGHAI, civil_date, day_start
from certlib.domain.verdict import Finding
from certlib.issue.deadlines import overdue
from certlib.issue.office import Office
from certlib.register import audit_uses
from certlib.register.audit_uses import Lines
from certlib.register.seal_tables import SealRow, SealUseRow
from certlib.register.seal_uses import moment_text
from certlib.register.tables import CertificateRow, EditionRow, Intent, SheetRow

SHOWN = 50
OPENS, CLOSES = 8, 18  # o'clock in Shanghai; the office's hours with a margin for who comes early or leaves late
STALE = timedelta(hours=1)
RECALL_WITHIN = 30  # days; ours: no rule says how soon an older sheet must be handed in
PRINT_WITHIN = 10  # working days, those of service (行政许可法44)

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sign:
    """One kind of sign: how grave, in which words, with how many cases and the newest of them."""

    kind: str
    tone: str  # red | amber
    words: str
    english: str
    count: int
    entries: Sequence[Entry]

    def as_json(self) -> dict[str, Any]:
        """The sign as the API shows it."""
        return {
            "kind": self.kind,
            "tone": self.tone if self.count else "green",
            "words": self.words,
            "english": self.english,
            "count": self.count,
            "entries": list(self.entries),
        }


@dataclass(frozen=True, slots=True)
class Look:
    """One look through the register: of a period, at the seals and certificates of an authority (empty: all)."""

    office: Office
    session: Session
    lines: Lines
    now: datetime
    findings: Sequence[Finding] = ()


Found = tuple[int, Iterable[Entry]]


def is_office_time(calendar: Calendar, at: datetime) -> bool:
    """Whether offices are open at the moment `at`."""
    local = at.astimezone(SHANGHAI)
    return calendar.is_working(local.date()) and OPENS <= local.hour < CLOSES


def anomalies(office: Office, lines: Lines, findings: Sequence[Finding] = ()) -> list[dict[str, Any]]:
    """Every kind of sign within the period of `lines`; `findings` are those of the checker's last round."""
    with office.register.reader() as session:
        look = Look(office, session, lines, office.register.moment(session), findings)
        return [_sign(look, kind).as_json() for kind in SIGNS]


def _sign(look: Look, kind: str) -> Sign:
    tone, words, english, find = SIGNS[kind]
    count, entries = find(look)
    return Sign(kind, tone, words, english, count, list(entries)[:SHOWN])


def _of_state(state: str) -> Callable[[Look], Found]:
    def find(look: Look) -> Found:
        lines = replace(look.lines, state=state)
        return _counted(look, lines), map(_use, audit_uses.newest_uses(look.session, lines, limit=SHOWN))

    return find


def _counted(look: Look, lines: Lines) -> int:
    return sum(count for *_, count in audit_uses.counted_uses(look.session, lines))


def _open(look: Look) -> Found:
    stale = look.now - STALE
    until = min(look.lines.until or stale, stale)
    lines = replace(look.lines, state="reserved", until=until)
    return _counted(look, lines), map(_use, audit_uses.newest_uses(look.session, lines, limit=SHOWN))


def _gaps(look: Look) -> Found:
    found = []
    for seal, last in sorted(audit_uses.counters(look.session).items()):
        if look.lines.seal in {"", seal} and _owns(look, seal):
            for first, end in audit_uses.counter_gaps(look.session, seal, last):
                missing = f"第 {first} 次" if first == end else f"第 {first} 至 {end} 次"
                found.append({"seal": seal, "detail": f"用印日志缺少{missing}，计数已到 {last}"})
    return len(found), found


def _owns(look: Look, seal: str) -> bool:
    row = look.session.get(SealRow, seal)
    return row is not None and look.lines.authority in {"", row.authority}


def _compromised(look: Look) -> Found:
    rows = look.session.exec(select(SealRow).where(col(SealRow.compromised_since).is_not(None))).all()
    count, found = 0, []
    for row in rows:
        if look.lines.seal in {"", row.id} and row.compromised_since is not None:
            since = max(row.compromised_since, look.lines.since or row.compromised_since)
            lines = replace(look.lines, seal=row.id, state="used", since=since)
            count += _counted(look, lines)
            found += [_use(line) for line in audit_uses.newest_uses(look.session, lines, limit=SHOWN)]
    return count, found


def _outside(look: Look) -> Found:
    lines, calendar = replace(look.lines, state="used"), look.office.catalogue.calendar
    hours = [
        (hour, count)
        for hour, _, count in audit_uses.hourly_uses(look.session, lines)
        if not is_office_time(calendar, hour)
    ]
    newest = [hour for hour, _ in hours[-SHOWN:]]  # each has one use at least
    rows = audit_uses.uses_within(look.session, lines, newest, limit=SHOWN)
    return sum(count for _, count in hours), map(_use, rows)


def _same_person(look: Look) -> Found:
    count, rows = audit_uses.same_person(look.session, look.lines, limit=SHOWN)
    return count, (
        {**_use(row), "detail": f"审核与批准同为 {row.record['approval']['approval']['person']}"} for row in rows
    )


def _voided(look: Look) -> Found:
    lines, at = look.lines, col(Intent.finished_at)
    where = [Intent.state == "voided", *_within(at, lines)]
    where += [Intent.authority == lines.authority] if lines.authority else []
    where += [Intent.seal == lines.seal] if lines.seal else []
    query = select(Intent).where(*where).order_by(at.desc())
    count = look.session.exec(select(func.count()).select_from(Intent).where(*where)).one()
    return count, [
        {
            "at": moment_text(row.finished_at),
            "seal": row.seal,
            "number": row.number,
            "detail": (row.problem or {}).get("message", ""),
        }
        for row in look.session.exec(query.limit(SHOWN)).all()
    ]


def _overdue(look: Look) -> Found:
    found = [
        {
            "at": day_start(entry.due).isoformat(),
            "number": entry.case,
            "detail": f"{entry.as_json()['words']}：{entry.name}，期限 {entry.due}，超过 {entry.days} 个工作日",
        }
        for entry in overdue(look.session, look.office.catalogue, look.now)
        if look.lines.authority in {"", entry.authority}
    ]
    return len(found), found


def _recall(look: Look) -> Found:
    """Sheets to be handed in, from the day of the edition that replaced them."""
    newest = and_(col(EditionRow.certificate) == CertificateRow.key, col(EditionRow.index) == CertificateRow.edition)
    query = (
        select(SheetRow, CertificateRow, EditionRow.created_at)
        .join(CertificateRow, col(CertificateRow.key) == SheetRow.certificate)
        .join(EditionRow, newest)
        .where(col(SheetRow.recall).is_(True), col(SheetRow.state).in_(["printed", "collected"]))
        .where(EditionRow.created_at < look.now - timedelta(days=RECALL_WITHIN))
    )
    return _sheets(look, query, "旧版{label}（{serial}）自 {day} 起应收回")


def _unprinted(look: Look) -> Found:
    latest = day_start(look.office.catalogue.calendar.before(civil_date(look.now), PRINT_WITHIN))
    query = (
        select(SheetRow, CertificateRow, SheetRow.created_at)
        .join(CertificateRow, col(CertificateRow.key) == SheetRow.certificate)
        .where(SheetRow.state == "to-print", SheetRow.created_at < latest)
    )
    return _sheets(look, query, "{label}自 {day} 起待打印")


def _sheets(look: Look, query: Any, text: str) -> Found:
    if look.lines.authority:
        query = query.where(CertificateRow.authority == look.lines.authority)
    count = look.session.exec(select(func.count()).select_from(query.subquery())).one()
    rows = look.session.exec(query.order_by(col(SheetRow.id).desc()).limit(SHOWN)).all()
    return count, [
        {
            "at": moment_text(since),
            "number": row.number,
            "identifier": row.identifier,
            "detail": text.format(label=sheet.label, serial=sheet.serial or "无编号", day=civil_date(since)),
        }
        for sheet, row, since in rows
    ]


def _checker(look: Look) -> Found:
    found = [
        {"detail": f"{one.check}：{one.detail}", "tone": "red" if one.outcome == "fail" else "amber"}
        for one in look.findings
        if one.outcome != "pass"
    ]
    return len(found), found


def _within(column: Any, lines: Lines) -> list[Any]:
    since = [] if lines.since is None else [column >= lines.since]
    return since if lines.until is None else [*since, column < lines.until]


def _use(row: SealUseRow) -> Entry:
    return {
        "at": moment_text(row.reserved_at),
        "seal": row.seal,
        "counter": row.counter,
        "number": row.number,
        "identifier": row.record.get("document", {}).get("identifier", ""),
        "detail": row.why,
    }


SIGNS: Mapping[str, tuple[str, str, str, Callable[[Look], Found]]] = {
    "gap": ("red", "用印计数不连续", "Gaps in a seal's numbers", _gaps),
    "compromised": ("red", "失密之后仍有用印", "Uses of a compromised seal", _compromised),
    "denied": ("amber", "用印被拒绝", "Uses denied", _of_state("denied")),
    "released": ("amber", "用印预留后释放，未盖章", "Uses given back, nothing sealed", _of_state("released")),
    "open": ("amber", "预留超过一小时未办结", "Uses reserved for over an hour", _open),
    "outside-hours": ("amber", f"工作日 {OPENS}–{CLOSES} 时以外用印", "Uses outside office hours", _outside),
    "same-person": ("amber", "审核与批准为同一人", "One person reviewed and approved", _same_person),
    "voided": ("amber", "编号已取用而办理作废", "Issuances voided", _voided),
    "overdue": ("red", "逾期未决定或未送达", "Time limits passed", _overdue),
    "recall": ("amber", f"旧版实体证照超过 {RECALL_WITHIN} 日未收回", "Older paper still out", _recall),
    "unprinted": ("amber", f"实体证照超过 {PRINT_WITHIN} 个工作日未打印", "Paper not printed", _unprinted),
    "checker": ("red", "持续检查发现的问题", "Findings of the checker", _checker),
}
"""Kind of sign: tone, words in Chinese and English, and how it is found."""
