"""Erasure of personal data (个人信息保护法47): the data and the salts go, the leaves stay valid.

Only of certificates and documents that are over: what is in force must remain verifiable, and the law keeps its
record (个人信息保护法13(1)三, 47(2)). A document is over when it is voided, or no certificate of its case is in force
or suspended. The erasure is an act of two persons, with its grounds, and itself an event. Numbers, dates, states and
digests stay; names, facts, decisions, printed texts, files and salts go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, or_, select

from certlib.domain.actions import LegalState
from certlib.errors import Fault, NotFoundError, RequestError, TransitionError
from certlib.formats.leaf import Leaf
from certlib.register.certificates import load_certificate, sheets_of
from certlib.register.delivery_table import DeliveryRow
from certlib.register.holder_table import CoHolderRow, held_together
from certlib.register.row_tables import RowChange
from certlib.register.service_table import ServiceRow
from certlib.register.store import Register
from certlib.register.subscriptions import chain_of
from certlib.register.tables import (
    AccessRow,
    CertificateRow,
    DocumentRow,
    EditionRow,
    EventRow,
    FileRow,
    Intent,
)

ERASED = "已依法删除"
_LIVE = frozenset({LegalState.IN_FORCE.value, LegalState.SUSPENDED.value})
_CODE = re.compile(r"\[[^\]]*\]")
_ADDRESSED = ("event", "edition", "intent", "certificate", "sheet", "service", "document", "co_holder")


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """By whom and why: two persons, the grounds in words, the system that asked."""

    grounds: str
    person: str
    second_person: str
    client: str

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


def erase(register: Register, certificates: Iterable[str], documents: Iterable[str], erasure: Erasure) -> list[str]:
    """Erase what is personal in these certificates (by key) and documents (by id); gives their numbers.

    Nothing is erased when one may not be. Raises `RequestError` without grounds and two persons, `TransitionError`
    (code `in-force`) for one that is not over, `NotFoundError`.
    """
    erasure.demand()
    numbers: list[str] = []
    files: list[str] = []
    with register.writer() as session:
        for key in sorted(set(certificates)):
            row, _ = load_certificate(session, key, lock=True)
            _refuse_live(row.number, live=row.state in _LIVE)
            files += _erase_certificate(session, row)
            numbers.append(_conclude(session, register, row, "certificate:erased", erasure))
        for key in sorted(set(documents)):
            document = session.get_one(DocumentRow, key)
            _refuse_live(document.number, live=document.state in _LIVE and _case_is_live(session, document.case))
            files += _erase_document(session, document)
            numbers.append(_conclude(session, register, document, "document:erased", erasure))
    for sha256 in files:  # after the commit: a crash leaves a file too many, never a row without its file
        register.files.remove(sha256)
    return numbers


def held_by(session: Session, holder_code: str) -> tuple[list[str], list[str]]:
    """The keys of a holder's certificates, those held with others too, and the ids of its documents.

    Raises `NotFoundError` when there are none."""
    first = CertificateRow.holder_code == holder_code
    query = select(CertificateRow.key).where(or_(first, col(CertificateRow.key).in_(held_together(holder_code))))
    certificates = session.exec(query).all()
    holder = col(DocumentRow.holder)["code"].as_string()
    documents = session.exec(select(DocumentRow.id).where(holder == holder_code)).all()
    if not certificates and not documents:
        raise NotFoundError("没有这一持证主体的证照或文书。")
    return list(certificates), list(documents)


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
    session: Session, register: Register, row: CertificateRow | DocumentRow, kind: str, erasure: Erasure
) -> str:
    at = register.moment(session, row.updated_at if isinstance(row, CertificateRow) else row.created_at)
    about = f"{erasure.grounds}（{erasure.person}、{erasure.second_person}）"
    session.add(AccessRow(at=at, client=erasure.client, subject=row.number, purpose=about, outcome="erased"))
    register.link(session, row.chain, Leaf(kind=kind, at=at))
    return row.number


def _erase_certificate(session: Session, row: CertificateRow) -> list[str]:
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
    _keep(session, row.key, rows)
    return list(session.exec(select(FileRow.sha256).where(FileRow.certificate == row.key)).all())


def _erase_document(session: Session, row: DocumentRow) -> list[str]:
    row.holder = {"name": ERASED, "code": "", "code_type": str(row.holder.get("code_type", ""))}
    row.facts, row.printed, row.decision = {}, {}, {}
    row.salt = row.code_salt = b""
    row.code_text = row.check_code = ""
    rows = [row, *_plans(session, Intent.id == row.id), *_services(session, ServiceRow.document == row.id)]
    rows += _deliveries(session, chain_of(row))
    _keep(session, row.id, rows)
    return list(session.exec(select(FileRow.sha256).where(FileRow.document == row.id)).all())


def _plans(session: Session, which: Any) -> list[Intent]:
    found = list(session.exec(select(Intent).where(which)))
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


def _keep(session: Session, key: str, rows: list[Any]) -> None:
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
