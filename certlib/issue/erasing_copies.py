"""What else says the same as the register: answers kept for replay, lines of batches, conditions of mass actions.

An erasure reaches them with the rows they were made from. A request that still waits is kept, since the law has it
answered (行政许可法32, 34), and named; an act that waits on an erased certificate can only fail, so it ends at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, or_, select

from certlib.issue.batch import close_batch
from certlib.register.holder_table import is_among
from certlib.register.service_table import ServiceRow
from certlib.register.store import Register
from certlib.register.tables import BatchLineRow, EventRow, IdempotencyRow, Intent, MassRow

ERASED = "已依法删除"
_ANSWERED = ("number", "identifier", "edition", "id", "type", "n", "version", "state", "sha256", "links")
_WAITING = ("due", "leased")
_PROPOSED = ("proposed", "approved")
_BATCH = "batch:"  # the key of a line: `issue.batch.Line.key`


@dataclass(frozen=True, slots=True)
class Kept:
    """What was not erased, and the duty for which it is still needed."""

    what: str
    why: str

    def as_json(self) -> dict[str, str]:
        """As the API and the command line show it."""
        return {"what": self.what, "why": self.why}


@dataclass(slots=True)
class Traces:
    """By what the copies of erased rows are found: keys of requests, moments of acts, identifiers, cases, holder."""

    keys: set[tuple[str, str]] = field(default_factory=set)  # client, idempotency key
    moments: set[tuple[str, datetime]] = field(default_factory=set)  # client, when it was answered
    identifiers: set[str] = field(default_factory=set)
    cases: set[str] = field(default_factory=set)
    holder: str = ""  # the code, when all of a holder is erased

    def take(self, rows: Iterable[Any]) -> None:
        """Remember what the rows tell, before or after they are erased."""
        for row in rows:
            if isinstance(row, Intent) and row.key:
                self.keys.add((row.client, row.key))
            elif isinstance(row, ServiceRow):
                self.moments.add((row.client, row.created_at))
            elif isinstance(row, EventRow):
                self.moments.add((row.client, row.at))
            self.cases |= {row.case} if getattr(row, "case", "") else set()
            self.identifiers |= {row.identifier} if getattr(row, "identifier", "") else set()


def erase_copies(session: Session, register: Register, traces: Traces) -> list[Kept]:
    """Erase what the copies say of the traced rows; gives what is kept."""
    for answer in _answers(session, traces):
        answer.body = _bare(answer.body)
        session.add(answer)
    return [*_erase_lines(session, register, traces), *_waiting_masses(session, traces.holder)]


def erase_masses(session: Session, holder: str) -> list[MassRow]:
    """Take the holder's code out of the conditions of mass actions that are over; gives them."""
    found = [row for row in _masses(session, holder) if row.state not in _PROPOSED]
    for row in found:
        row.where = {**row.where, "holder_code": ERASED}
    return found


def _answers(session: Session, traces: Traces) -> Iterator[IdempotencyRow]:
    for client, key in sorted(traces.keys):
        found = session.get(IdempotencyRow, (client, key))
        if found is not None:
            yield found
    for client, at in sorted(traces.moments):
        query = select(IdempotencyRow).where(IdempotencyRow.client == client, IdempotencyRow.created_at == at)
        yield from session.exec(query).all()


def _bare(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What of an answer names nobody; a problem keeps its code, since its words may quote the request."""
    bare: dict[str, Any] = {name: answer[name] for name in _ANSWERED if name in answer}
    if "services" in answer:
        bare |= {name: answer[name] for name in ("due", "carrier", "complete") if name in answer}
        bare["services"] = [{**service, "record": {}} for service in answer["services"]]
    if "document" in answer:
        bare["document"] = {name: answer["document"][name] for name in _ANSWERED if name in answer["document"]}
    if "problem" in answer:
        bare["problem"] = {"code": answer["problem"]["code"], "message": ERASED}
    if "code" in answer:  # of a line that failed
        bare |= {"code": answer["code"], "message": ERASED}
    return bare


def _erase_lines(session: Session, register: Register, traces: Traces) -> Iterator[Kept]:
    for line in _lines(session, traces):
        on_erased = line.body.get("identifier") in traces.identifiers
        if line.state in _WAITING and not on_erased:
            yield Kept(f"批量 {line.batch} 第 {line.line} 行", "申请尚待办理，办结后方可删除")
            continue
        ended = line.state in _WAITING
        line.answer = {"code": "erased", "message": ERASED} if ended else _bare(line.answer)
        line.body = {name: line.body[name] for name in ("identifier", "action") if name in line.body}
        line.state, line.lease_until = ("failed", None) if ended else (line.state, line.lease_until)
        session.add(line)
        session.flush()
        if ended:
            close_batch(session, register, line.batch)


def _lines(session: Session, traces: Traces) -> list[BatchLineRow]:
    """The lines whose request is of the traced rows: by the key they were done under, certificate, case or holder."""
    body = col(BatchLineRow.body)
    named = [key.removeprefix(_BATCH).rsplit(":", 1) for _, key in traces.keys if key.startswith(_BATCH)]
    conditions = [
        (col(BatchLineRow.batch) == batch) & (col(BatchLineRow.line) == int(line)) for batch, line in sorted(named)
    ]
    conditions.append(body["identifier"].as_string().in_(sorted(traces.identifiers)))
    conditions.append(body["case", "number"].as_string().in_(sorted(traces.cases)))
    if traces.holder:
        conditions.append(is_among(body["holder"], traces.holder))
    query = select(BatchLineRow).where(or_(*conditions)).order_by(col(BatchLineRow.batch), col(BatchLineRow.line))
    return list(session.exec(query.with_for_update()).all())


def _waiting_masses(session: Session, holder: str) -> Iterator[Kept]:
    for row in _masses(session, holder):
        if row.state in _PROPOSED:
            yield Kept(f"批量办理 {row.id}", "尚待复核或开始，办结或撤销后方可删除")


def _masses(session: Session, holder: str) -> Iterable[MassRow]:
    named = col(MassRow.where)["holder_code"].as_string() == holder
    return session.exec(select(MassRow).where(named).order_by(col(MassRow.id))).all() if holder else ()
