"""Erasure of personal data (个人信息保护法47): the data and the salts go, the leaves stay valid.

Only of certificates and documents that are over: what is in force must remain verifiable, and the law keeps its
record (个人信息保护法13(1)三, 47(2)). A document is over when it is voided, or no certificate of its case is in force
or suspended. The erasure is an act of two persons, with its grounds, and itself an event. Numbers, dates, states and
digests stay; names, facts, decisions, printed texts, files and salts go, also those of plans that were voided. What
else says the same is reached too (`certlib.issue.erasing_copies`); what is still needed is kept, and named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, or_, select

from certlib.domain.actions import LegalState
from certlib.errors import Fault, NotFoundError, RequestError, TransitionError
from certlib.formats.leaf import Leaf
from certlib.issue.erasing_copies import ERASED, Kept, Traces, erase_copies, erase_masses
from certlib.register.bearers import note_access
from certlib.register.certificates import load_certificate, sheets_of
from certlib.register.delivery_table import DeliveryRow
from certlib.register.holder_table import CoHolderRow, held_together, is_among
from certlib.register.intents import UNFINISHED
from certlib.register.row_tables import RowChange
from certlib.register.service_table import ServiceRow
from certlib.register.store import Register
from certlib.register.subscriptions import chain_of
from certlib.register.tables import (
    CertificateRow,
    DocumentRow,
    EditionRow,
    EventRow,
    FileRow,
    Intent,
)

_LIVE = frozenset({LegalState.IN_FORCE.value, LegalState.SUSPENDED.value})
_CODE = re.compile(r"\[[^\]]*\]")
_ADDRESSED = ("event", "edition", "intent", "certificate", "sheet", "service", "document", "co_holder", "mass")


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """By whom and why: two persons, the grounds in words, the system that asked and the purpose it named."""

    grounds: str
    person: str
    second_person: str
    client: str
    purpose: str = ""

    def demand(self) -> None:
        """Return when nothing is lacking. Raises `RequestError` naming each lack."""
        faults = []
        if not self.grounds.strip():
            faults.append(Fault("grounds", "missing", "删除依据：须写明。", "删除依据", "Grounds are needed."))
        persons = {self.person.strip(), self.second_person.strip()}
        if len(persons) < 2 or "" in persons:
            faults.append(
                Fault("second_person", "two-persons", "删除须两人办理。", "复核人", "Two persons are needed.")
            )
        if faults:
            raise RequestError(faults)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data: certificates by key, documents and voided plans by id; `holder` is a code when all of it is meant."""

    certificates: Iterable[str] = ()
    documents: Iterable[str] = ()
    plans: Iterable[str] = ()
    holder: str = ""


@dataclass(frozen=True, slots=True)
class Erased:
    """The numbers of what was erased, and what was kept for a duty."""

    numbers: list[str] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)


def erase(register: Register, subject: Subject, erasure: Erasure) -> Erased:
    """Erase what is personal in these certificates, documents and voided plans, and in the copies of them.

    Nothing is erased when one may not be. Raises `RequestError` without grounds and two persons, `TransitionError`
    (code `in-force`) for one that is not over, `NotFoundError`.
    """
    erasure.demand()
    erased, files, traces = Erased(), list[str](), Traces(holder=subject.holder)
    with register.writer() as session:
        for key in sorted(set(subject.certificates)):
            row, _ = load_certificate(session, key, lock=True)
            _refuse_live(row.number, live=row.state in _LIVE)
            files += _erase_certificate(session, row, traces)
            erased.numbers.append(_conclude(session, register, row, "certificate:erased", erasure))
        for key in sorted(set(subject.documents)):
            document = session.get_one(DocumentRow, key)
            _refuse_live(document.number, live=document.state in _LIVE and _case_is_live(session, document.case))
            files += _erase_document(session, document, traces)
            erased.numbers.append(_conclude(session, register, document, "document:erased", erasure))
        for plan in _voided(session, subject, traces):
            _keep(session, plan.id, _erase_plans([plan]))
            erased.numbers.append(_conclude(session, register, plan, f"{plan.kind}:erased", erasure))
        _keep(session, "", erase_masses(session, subject.holder))
        erased.kept.extend([*_unfinished(session, subject, traces), *erase_copies(session, register, traces)])
    for sha256 in files:  # after the commit: a crash leaves a file too many, never a row without its file
        register.files.remove(sha256)
    return erased


def held_by(session: Session, holder_code: str) -> Subject:
    """All of a holder, with the certificates held with others. Raises `NotFoundError` when there is nothing."""
    first = CertificateRow.holder_code == holder_code
    query = select(CertificateRow.key).where(or_(first, col(CertificateRow.key).in_(held_together(holder_code))))
    certificates = session.exec(query).all()
    documents = session.exec(select(DocumentRow.id).where(is_among(col(DocumentRow.holder), holder_code))).all()
    planned = is_among(col(Intent.plan)["holder"], holder_code)
    plans = session.exec(select(Intent.id).where(Intent.state == "voided", planned)).all()
    if not certificates and not documents and not plans:
        raise NotFoundError("没有这一持证主体的证照或文书。")
    return Subject(certificates, documents, plans, holder_code)


def is_erased(session: Session, file: FileRow) -> bool:
    """Whether the certificate or document of a file was erased, so that the file itself is gone."""
    if file.document:
        document = session.get(DocumentRow, file.document)
        return document is not None and document.holder.get("name") == ERASED
    row = session.get(CertificateRow, file.certificate) if file.certificate else None
    return row is not None and row.holder_name == ERASED


def _refuse_live(number: str, *, live: bool) -> None:
    if live:
        message = f"{number} 仍在有效或暂扣期，或为这样的证照的文书，依法须保存，未删除任何内容。"
        raise TransitionError(message, code="in-force")


def _case_is_live(session: Session, case: str) -> bool:
    """Whether a certificate that this case issued or changed is in force or suspended."""
    if not case:
        return False
    query = (
        select(CertificateRow.key)
        .join(EventRow, col(EventRow.certificate) == CertificateRow.key)
        .where(EventRow.case == case, col(CertificateRow.state).in_(_LIVE))
    )
    return session.exec(query.limit(1)).first() is not None


def _conclude(
    session: Session, register: Register, row: CertificateRow | DocumentRow | Intent, kind: str, erasure: Erasure
) -> str:
    at = register.moment(session, row.updated_at if isinstance(row, CertificateRow) else row.created_at)
    said = "；".join(filter(None, [erasure.grounds, erasure.purpose]))
    about = f"{said}（{erasure.person}、{erasure.second_person}）"
    subject = row.key if isinstance(row, CertificateRow) else row.id
    note_access(session, at, client=erasure.client, subject=subject, purpose=about, outcome="erased")
    register.link(session, row.chain, Leaf(kind=kind, at=at))
    return row.number


def _voided(session: Session, subject: Subject, traces: Traces) -> list[Intent]:
    """The voided plans asked for, and those of the same cases; each has a chain of its own, unless erased already."""
    of = or_(col(Intent.id).in_(list(subject.plans)), col(Intent.case).in_(sorted(traces.cases)))
    query = select(Intent).where(Intent.state == "voided", of)
    found = [row for row in session.exec(query.order_by(col(Intent.id))).all() if row.salt]
    traces.take(found)
    return found


def _unfinished(session: Session, subject: Subject, traces: Traces) -> list[Kept]:
    """Issuances under way, by case or holder: they are decided first."""
    of = [col(Intent.case).in_(sorted(traces.cases)), col(Intent.certificate).in_(list(subject.certificates))]
    if traces.holder:
        of.append(is_among(col(Intent.plan)["holder"], traces.holder))
    rows = session.exec(select(Intent).where(col(Intent.state).in_(UNFINISHED), or_(*of))).all()
    return [Kept(row.number, "正在办理，办结后方可删除") for row in rows]


def _erase_certificate(session: Session, row: CertificateRow, traces: Traces) -> list[str]:
    row.holder_name, row.holder_code = ERASED, ""
    rows: list[Any] = [row]
    for edition in session.exec(select(EditionRow).where(EditionRow.certificate == row.key)):
        edition.facts, edition.printed, edition.decision = {}, {}, {}
        edition.holder = {"name": ERASED, "code": "", "code_type": row.holder_code_type}
        edition.salt = edition.code_salt = b""
        edition.code_text = edition.check_code = ""
        rows.append(edition)
    for other in session.exec(select(CoHolderRow).where(CoHolderRow.certificate == row.key)):
        other.name, other.code = ERASED, ""
        rows.append(other)
    rows += _plans(session, Intent.certificate == row.key)
    for event in session.exec(select(EventRow).where(EventRow.certificate == row.key)):
        event.detail = {}
        rows.append(event)
    for sheet in sheets_of(session, row.key):
        sheet.detail, sheet.code_text = {}, ""
        rows.append(sheet)
    rows += _services(session, ServiceRow.certificate == row.key)
    rows += _deliveries(session, row.key)
    traces.take(rows)
    _keep(session, row.key, rows)
    return list(session.exec(select(FileRow.sha256).where(FileRow.certificate == row.key)).all())


def _erase_document(session: Session, row: DocumentRow, traces: Traces) -> list[str]:
    row.holder = {"name": ERASED, "code": "", "code_type": str(row.holder.get("code_type", ""))}
    row.facts, row.printed, row.decision = {}, {}, {}
    row.salt = row.code_salt = b""
    row.code_text = row.check_code = ""
    rows = [row, *_plans(session, Intent.id == row.id), *_services(session, ServiceRow.document == row.id)]
    rows += _deliveries(session, chain_of(row))
    traces.take(rows)
    _keep(session, row.id, rows)
    return list(session.exec(select(FileRow.sha256).where(FileRow.document == row.id)).all())


def _plans(session: Session, which: Any) -> list[Intent]:
    return _erase_plans(session.exec(select(Intent).where(which, col(Intent.state).not_in(UNFINISHED))).all())


def _erase_plans(plans: Iterable[Intent]) -> list[Intent]:
    found = list(plans)
    for intent in found:
        intent.plan = _shape(intent.plan)
        intent.salt = intent.code_salt = b""
        intent.problem = None
    return found


def _services(session: Session, which: Any) -> list[ServiceRow]:
    found = list(session.exec(select(ServiceRow).where(which)))
    for service in found:
        service.record, service.salt = {}, b""
    return found


def _deliveries(session: Session, chain: str) -> list[DeliveryRow]:
    """What was told of it to whomever; of what they answered the code alone stays, since they may have quoted it."""
    found = list(session.exec(select(DeliveryRow).where(DeliveryRow.certificate == chain)))
    for delivery in found:
        delivery.message = {**delivery.message, "holder": {}, "facts": {}, "name": ERASED}
        delivery.answer = {name: value for name, value in delivery.answer.items() if name != "message"}
        code = _CODE.match(delivery.last_error)
        delivery.last_error = code[0] if code else ""
    return found


def _keep(session: Session, key: str, rows: Sequence[Any]) -> None:
    session.add_all(rows)
    session.flush()
    _forget_changes(session, key, rows)


def _shape(plan: dict[str, Any]) -> dict[str, Any]:
    """What of a plan must stay: which sheets there were, and the days."""
    sheets = [
        {name: sheet[name] for name in ("n", "kind", "copy_number", "label", "seal") if name in sheet}
        for sheet in plan.get("sheets", ())
    ]
    days: dict[str, Any] = {
        name: plan[name] for name in ("issued_on", "effective_from", "valid_from", "valid_until") if name in plan
    }
    return {
        **days,
        "sheets": sheets,
        "printed": {},
        "facts": {},
        "decision": {},
        "holder": {"name": ERASED, "code": "", "code_type": ""},
        "paper_waived": plan.get("paper_waived", False),
    }


def _forget_changes(session: Session, key: str, rows: Iterable[Any]) -> None:
    """The salts of the older digests of these rows go too: without them nobody can search for what stood there."""
    for row in rows:
        name = row.__tablename__
        if name not in _ADDRESSED:
            continue
        primary = [getattr(row, column.name) for column in row.__table__.primary_key]
        text = "/".join(map(str, primary)) or key
        statement = update(RowChange).where(col(RowChange.name) == name, col(RowChange.key) == text).values(salt=b"")
        session.connection().execute(statement)
