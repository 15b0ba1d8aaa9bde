"""Erasure of personal data (个人信息保护法47): the data and the salts go, the leaves stay valid.

Only of certificates and documents that are over: what is in force must remain verifiable, and the law keeps its
record (个人信息保护法13(1)三, 47(2)). The erasure is an act of two persons, with its grounds, and itself an event.
Numbers, dates, states and digests stay; names, facts, decisions, printed texts, files and salts go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from certlib.domain.actions import LegalState
from certlib.errors import Fault, NotFoundError, RequestError, TransitionError
from certlib.formats.leaf import Leaf
from certlib.register.certificates import load_certificate, sheets_of
from certlib.register.delivery_table import DeliveryRow
from certlib.register.row_tables import RowChange
from certlib.register.service_table import ServiceRow
from certlib.register.store import Register
from certlib.register.tables import AccessRow, CertificateRow, EditionRow, EventRow, FileRow, Intent

ERASED = "已依法删除"
_LIVE = frozenset({LegalState.IN_FORCE.value, LegalState.SUSPENDED.value})
_ADDRESSED = ("event", "edition", "intent", "certificate", "sheet", "service")


def erase_certificates(
    register: Register, keys: Iterable[str], *, grounds: str, person: str, second_person: str, client: str
) -> list[str]:
    """Erase what is personal in these certificates; gives their numbers. Nothing is erased when one may not be.

    Raises `RequestError` without grounds and two persons, `TransitionError` (code `in-force`) for a certificate that
    is not over, `NotFoundError`.
    """
    _require(grounds, person, second_person)
    numbers, files = [], []
    with register.writer() as session:
        for key in sorted(set(keys)):
            row, _ = load_certificate(session, key, lock=True)
            if row.state in _LIVE:
                message = f"{row.number} 仍在有效或暂扣期，依法须保存，未删除任何内容。"
                raise TransitionError(message, code="in-force")
            files += _erase(session, register, row)
            at = register.moment(session, row.updated_at)
            about = f"{grounds}（{person}、{second_person}）"
            session.add(AccessRow(at=at, client=client, subject=row.number, purpose=about, outcome="erased"))
            register.link(session, row.chain, Leaf(kind="certificate:erased", at=at))
            numbers.append(row.number)
    for sha256 in files:  # after the commit: a crash leaves a file too many, never a row without its file
        register.files.remove(sha256)
    return numbers


def certificates_of(session: Session, holder_code: str) -> list[str]:
    """The keys of a holder's certificates. Raises `NotFoundError` when there is none."""
    found = list(session.exec(select(CertificateRow.key).where(CertificateRow.holder_code == holder_code)).all())
    if not found:
        raise NotFoundError("没有这一持证主体的证照。")
    return found


def _require(grounds: str, person: str, second_person: str) -> None:
    faults = []
    if not grounds.strip():
        faults.append(Fault("grounds", "missing", "删除依据：须写明。", "删除依据", "Grounds are needed."))
    if not person or not second_person or person == second_person:
        faults.append(Fault("second_person", "two-persons", "删除须两人办理。", "复核人", "Two persons are needed."))
    if faults:
        raise RequestError(faults)


def _erase(session: Session, register: Register, row: CertificateRow) -> list[str]:
    del register
    row.holder_name, row.holder_code = ERASED, ""
    rows: list[Any] = [row]
    for edition in session.exec(select(EditionRow).where(EditionRow.certificate == row.key)):
        edition.facts, edition.printed, edition.decision = {}, {}, {}
        edition.holder = {"name": ERASED, "code": "", "code_type": row.holder_code_type}
        edition.salt = edition.code_salt = b""
        edition.code_text = edition.check_code = ""
        rows.append(edition)
    for intent in session.exec(select(Intent).where(Intent.certificate == row.key)):
        intent.plan = _shape(intent.plan)
        intent.salt = intent.code_salt = b""
        intent.problem = None
        rows.append(intent)
    for event in session.exec(select(EventRow).where(EventRow.certificate == row.key)):
        event.detail = {}
        rows.append(event)
    for sheet in sheets_of(session, row.key):
        sheet.detail, sheet.code_text = {}, ""
        rows.append(sheet)
    for service in session.exec(select(ServiceRow).where(ServiceRow.certificate == row.key)):
        service.record, service.salt = {}, b""
        rows.append(service)
    for delivery in session.exec(select(DeliveryRow).where(DeliveryRow.certificate == row.key)):
        delivery.message = {**delivery.message, "holder": {}, "facts": {}, "name": ERASED}
        rows.append(delivery)
    session.add_all(rows)
    session.flush()
    _forget_changes(session, row.key, rows)
    return list(session.exec(select(FileRow.sha256).where(FileRow.certificate == row.key)).all())


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
