"""The report of statistics (统计分析): what the register counted, with names, shares and the office's overdue cases.

    report = statistics(office, Scope(date(2026, 1, 1), date(2026, 11, 24)))
    report["totals"]["certificates"]
    rows = report["items"]                      # one of `certlib.domain.figure_tables.TABLES`

Nothing in it is personal: no holder, no code, no face data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from certlib.catalogue import Catalogue
from certlib.domain.actions import Action, LegalState
from certlib.domain.civil import SHANGHAI, civil_date
from certlib.domain.decision import StepKind
from certlib.domain.delivery import CITY
from certlib.domain.figure_tables import TABLES
from certlib.domain.figures import ACT, CERTIFICATE, DOCUMENT, LONGEST, Cell, Counted, Delay, Scope, totals
from certlib.domain.kinds import OutcomeKind
from certlib.domain.lifecycle import RULES, STATE_WORDS
from certlib.domain.paper import BlankState
from certlib.domain.stock import compare
from certlib.domain.subscription import PREFIX
from certlib.errors import Fault, RequestError
from certlib.formats.spreadsheet import Cell as CsvCell
from certlib.formats.spreadsheet import csv_bytes
from certlib.issue.deadlines import DECIDE, SERVE, Overdue, is_outcome, overdue
from certlib.issue.office import Office
from certlib.register.statistics import count

SHOWN = 500
"""The most overdue cases that a report names; the total counts them all."""

_KIND_WORDS = {CERTIFICATE: "证照", ACT: "状态变动", DOCUMENT: "文书"}
_MEMBERS = {CERTIFICATE: "certificates", ACT: "acts", DOCUMENT: "documents"}
_ASKED = {"from": "起始日期", "to": "截止日期"}
_EARLIEST, _LATEST = date(1900, 1, 1), date(2999, 12, 31)  # beyond them a day has no moments in every time zone


def read_scope(asked: Mapping[str, str], catalogue: Catalogue, now: datetime, *, tenant: str = "") -> Scope:
    """The scope that a request or a form names: `from`, `to`, `item`, `authority`; this year so far without days.

    A `tenant` sees itself only. Raises `RequestError` with every fault.
    """
    today, faults = civil_date(now), list[Fault]()
    last = _day(asked, "to", today, faults)
    first = _day(asked, "from", date(last.year, 1, 1), faults)
    item, authority = asked.get("item", "").strip(), asked.get("authority", "").strip() or tenant
    if not faults and not 0 <= (last - first).days < LONGEST:
        english = f"The period must end after its begin and have at most {LONGEST} days."
        faults.append(Fault("to", "period", f"统计期间：截止不早于起始，不超过 {LONGEST} 日。", "截止日期", english))
    if item and item not in catalogue.items:
        faults.append(Fault("item", "unknown", "事项：清单中没有该事项（应如 2-25）。", "事项", "No such item."))
    if authority and (authority not in catalogue.authorities or (tenant and authority != tenant)):
        faults.append(Fault("authority", "unknown", "机关：没有该机关，或不在权限内。", "机关", "No such authority."))
    if faults:
        raise RequestError(faults)
    return Scope(first, last, item, authority)


def statistics(office: Office, scope: Scope) -> dict[str, Any]:
    """The report of `scope` as the register stands now."""
    catalogue = office.catalogue
    decides = tuple(kind.key for kind in catalogue.document_types.values() if is_outcome(kind))
    with office.register.reader() as session:
        now = office.register.moment(session)
        counted = count(session, scope, now, outcomes=decides, papers=_papers(catalogue, scope))
        late = [entry for entry in overdue(session, catalogue, now) if _concerns(entry, scope)]
    return shape(counted, late, scope, catalogue, now)


def shape(
    counted: Counted, late: Sequence[Overdue], scope: Scope, catalogue: Catalogue, now: datetime
) -> dict[str, Any]:
    """The report: the tables of `certlib.domain.figure_tables` by their keys, and the totals above them. Pure."""
    whole = _summed(totals(counted.cells, lambda _: "").get("", Counter()))
    paper = list(_paper(counted, catalogue))
    return {
        "period": {"from": scope.first.isoformat(), "to": scope.last.isoformat(), "by": _by(scope)},
        "at": now.astimezone(SHANGHAI).isoformat(timespec="seconds"),
        "item": scope.item,
        "authority": scope.authority,
        "totals": {
            **whole,
            "in_force": counted.states.get(LegalState.IN_FORCE, 0),
            "overdue": len(late),
            "overdue_decide": sum(entry.duty == DECIDE for entry in late),
            "overdue_serve": sum(entry.duty == SERVE for entry in late),
            "paper_difference": sum(abs(row["difference"]) for row in paper),
        },
        "items": list(_items(counted.cells, catalogue)),
        "authorities": list(_authorities(counted, catalogue)),
        "outcomes": list(_outcomes(counted.cells, catalogue)),
        "times": list(_times(counted.cells, scope)),
        "states": list(_states(counted.states)),
        "deliveries": [_delivery(delay) for delay in counted.delays],
        "overdue": [_late(entry, catalogue) for entry in late[:SHOWN]],
        "paper": paper,
        "paper_findings": [finding.as_json() for finding in compare(counted.books, counted.blanks)],
    }


def report_csv(report: Mapping[str, Any], table: str = "") -> bytes:
    """One table of the report as a CSV file; without `table` all of them, one under the other with their titles."""
    rows: list[list[CsvCell]] = []
    for one in TABLES:
        if table in {"", one.key}:
            if not table:
                rows += [[], [f"{one.chinese} · {one.english}"]] if rows else [[f"{one.chinese} · {one.english}"]]
            rows.append(
                [f"{column.chinese}（{column.unit}）" if column.unit else column.chinese for column in one.columns]
            )
            rows += [one.cells(row) for row in report[one.key]]
    return csv_bytes(rows)


def _day(asked: Mapping[str, str], name: str, default: date, faults: list[Fault]) -> date:
    text = asked.get(name, "").strip()
    try:
        day = date.fromisoformat(text) if text else default
    except ValueError:
        day = date.min
    if not _EARLIEST <= day <= _LATEST:
        label = _ASKED[name]
        faults.append(Fault(name, "not-a-date", f"{label}：应如 2026-01-31。", label, "A day such as 2026-01-31."))
        return default
    return day


def _by(scope: Scope) -> str:
    return "day" if scope.daily else "month"


def _concerns(entry: Overdue, scope: Scope) -> bool:
    return scope.item in {"", entry.item} and scope.authority in {"", entry.authority}


def _papers(catalogue: Catalogue, scope: Scope) -> tuple[str, ...]:
    if not scope.item:
        return ()
    kinds = [one.type for one in catalogue.items[scope.item].outcomes if one.kind is OutcomeKind.CERTIFICATE]
    return tuple(kinds) or ("",)  # an item without certificates has no blanks


def _summed(found: Mapping[str, int]) -> dict[str, int]:
    counts = {member: found.get(kind, 0) for kind, member in _MEMBERS.items()}
    return {**counts, "total": sum(counts.values())}


def _items(cells: Iterable[Cell], catalogue: Catalogue) -> Iterator[dict[str, Any]]:
    """The items that had outcomes, those with the most first; what was imported has no item."""
    found = totals(cells, lambda cell: cell.item)
    for key, counts in sorted(found.items(), key=lambda pair: (-pair[1].total(), pair[0])):
        item = catalogue.items.get(key)
        title = item.title if item else "补录（无事项）"
        yield {"item": key, "title": title, "department": item.city_department if item else "", **_summed(counts)}


def _authorities(counted: Counted, catalogue: Catalogue) -> Iterator[dict[str, Any]]:
    """Every authority that took part: the cases it accepted, reviewed, decided, and what was issued in its name."""
    found = totals(counted.cells, lambda cell: cell.authority)
    keys = sorted({*found, *counted.parties}, key=lambda key: (-found.get(key, Counter()).total(), key))
    for key in keys:
        steps = counted.parties.get(key, {})
        known = catalogue.authorities.get(key)
        yield {
            "authority": key,
            "name": known.name if known else key,
            **{step.value: steps.get(step.value, 0) for step in StepKind},
            **_summed(found.get(key, Counter())),
        }


def _outcomes(cells: Iterable[Cell], catalogue: Catalogue) -> Iterator[dict[str, Any]]:
    found: Counter[tuple[str, str, str]] = Counter()
    for cell in cells:
        found[cell.kind, cell.type, cell.action] += cell.count
    for (kind, type_key, action), number in sorted(found.items(), key=lambda pair: (-pair[1], pair[0])):
        known = catalogue.certificate_types.get(type_key)
        own = known.labels.get(Action(action)) if known and action else None
        yield {
            "kind": kind,
            "kind_words": _KIND_WORDS[kind],
            "type": type_key,
            "name": catalogue.kind(type_key).name,
            "action": action,
            "label": own or (RULES[Action(action)].label if action else "制发"),
            "count": number,
        }


def _times(cells: Iterable[Cell], scope: Scope) -> Iterator[dict[str, Any]]:
    found = totals(cells, lambda cell: cell.time)
    for time in scope.times():
        yield {"time": time, **_summed(found.get(time, Counter()))}


def _states(states: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    for state in LegalState:
        if states.get(state):
            yield {"state": state.value, "words": STATE_WORDS[state], "count": states[state]}


def _delivery(delay: Delay) -> dict[str, Any]:
    name = "市电子证照库" if delay.target == CITY else delay.target.removeprefix(PREFIX)
    seconds = {"p50": delay.p50, "p95": delay.p95, "max": delay.longest}
    rounded = {key: None if value is None else round(value, 3) for key, value in seconds.items()}
    counts = {"done": delay.done, "waiting": delay.waiting, "dead": delay.dead}
    return {"target": delay.target, "name": name, **counts, **rounded}


def _late(entry: Overdue, catalogue: Catalogue) -> dict[str, Any]:
    known = catalogue.authorities.get(entry.authority)
    return {**entry.as_json(), "authority_name": known.name if known else entry.authority}


def _paper(counted: Counted, catalogue: Catalogue) -> Iterator[dict[str, Any]]:
    """The ledger's balance by type; the difference is what came in less the blanks that are there one by one."""
    there: Counter[str] = Counter()
    for (key, _), number in counted.blanks.items():
        there[key] += number
    for key, book in sorted(counted.books.items()):
        known = catalogue.certificate_types.get(key)
        counts = {state.value: book.of(state) for state in BlankState}
        name, received = known.name if known else key, book.received
        yield {"type": key, "name": name, "received": received, **counts, "difference": received - there[key]}
