"""Existing certificates (存量证照): what was issued before us comes into the register; nothing is sealed.

An import names its source and the scan it was read from, and is made by two persons. It is edition 0: the first action
on it makes our first edition. The paper its holder has is a sheet like others, recalled when an action replaces it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, select

from certlib.catalogue import Catalogue
from certlib.catalogue.checks import check_decision, check_facts, check_holder
from certlib.domain.actions import Action
from certlib.domain.certificate import Certificate, Edition
from certlib.domain.civil import chinese_date, civil_date
from certlib.domain.decision import Decision
from certlib.domain.holder import Holder
from certlib.domain.kinds import CertificateType
from certlib.domain.lifecycle import Command, Event, decide
from certlib.errors import ConflictError, Fault, RequestError
from certlib.formats.facts import commitment
from certlib.identifiers import CertificateIdentifier, check_number
from certlib.issue.draft import decision_json
from certlib.issue.planning import facts_json
from certlib.issue.requests import Reading, read_decision, read_holder
from certlib.register.certificates import load_certificate, statuses
from certlib.register.commit import journal_event
from certlib.register.deliveries import enqueue
from certlib.register.holder_table import co_holders
from certlib.register.idempotency import Answer, begin, settle
from certlib.register.intents import new_salts
from certlib.register.messages import message_of
from certlib.register.store import Register
from certlib.register.subscriptions import tell
from certlib.register.tables import CertificateRow, EditionRow, EventRow, SheetRow

_SHA256 = re.compile(r"[0-9a-f]{64}")
LABELS = {"source": "来源", "scan_sha256": "扫描件摘要", "serial": "原证纸号", "issued_on": "发证日期"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A checked import: the certificate as it stood, where it was read from, and who vouches for it."""

    kind: CertificateType
    authority: str
    decision: Decision
    second_person: str
    holder: Holder
    facts: Mapping[str, Any]
    texts: Mapping[str, str]
    number: str
    serial: str
    source: str
    scan_sha256: str
    issued_on: date
    valid_from: date
    valid_until: date | None


def plan_import(raw: object, catalogue: Catalogue, *, now: datetime) -> Import:
    """Read and check a request to import. Raises `RequestError` with every fault."""
    reading = Reading(raw)
    kind = catalogue.certificate_types.get(reading.text("type"))
    if kind is None:
        reading.faults.append(Fault("type", "unknown-type", "证照种类：没有这一种类。", "证照种类", "No such type."))
    decision = read_decision(reading.inner("decision"))
    holder = read_holder(reading.inner("holder"))
    facts, number = reading.mapping("facts"), reading.text("number")
    second_person, serial = reading.text("second_person"), reading.text("serial", required=False)
    source, scan = reading.text("source"), reading.text("scan_sha256")
    issued, since, until = reading.day("issued_on"), reading.day("valid_from"), reading.day("valid_until")
    reading.close()
    today = civil_date(now)
    authority = decision.authority if decision.authority in catalogue.authorities else ""
    faults = [*reading.faults, *check_decision(decision, None, catalogue, now=now, decider=authority)]
    faults += [*check_holder(holder, today=today, kind=kind), *_days(issued, since, until, today), *_scan(scan)]
    texts: Mapping[str, str] = {}
    if kind is not None:
        found, texts = check_facts(kind, facts, today=today, holder=holder)
        faults += [*found, *_number(kind, number)]
    if faults or kind is None or issued is None:
        raise RequestError(faults)
    return Import(
        kind=kind,
        authority=authority,
        decision=decision,
        second_person=second_person,
        holder=holder,
        facts=facts,
        texts=texts,
        number=number,
        serial=serial,
        source=source,
        scan_sha256=scan,
        issued_on=issued,
        valid_from=since or issued,
        valid_until=until,
    )


def _days(issued: date | None, since: date | None, until: date | None, today: date) -> list[Fault]:
    label = LABELS["issued_on"]
    if issued is None:
        return [Fault("issued_on", "missing", f"{label}：缺少该项。", label, "The day of issue is missing.")]
    if issued > today:
        return [Fault("issued_on", "ahead", f"{label}：不得晚于今天。", label, "Lies ahead.")]
    if until is not None and until < (since or issued):
        message = "有效期截止日期：早于起始日期。"
        return [Fault("valid_until", "dates-in-wrong-order", message, "有效期截止日期", "Ends before it begins.")]
    return []


def _scan(sha256: str) -> list[Fault]:
    label = LABELS["scan_sha256"]
    if not sha256 or _SHA256.fullmatch(sha256):
        return []
    return [Fault("scan_sha256", "bad-digest", f"{label}：应为 64 位十六进制 SHA-256。", label, "Not a SHA-256.")]


def _number(kind: CertificateType, number: str) -> list[Fault]:
    try:
        check_number(kind.number, number)
    except ValueError as error:
        return [Fault("number", "bad-number", f"证照编号：{error}。", "证照编号", "Not a number of this type.")]
    return []


def register_import(register: Register, catalogue: Catalogue, plan: Import, *, origin: tuple[str, str, str]) -> Answer:
    """Commit an import; `origin` is client, idempotency key and body digest.

    Raises `ConflictError` (code `already-registered`) when the number is in the register.
    """
    client, key, digest = origin
    with register.writer() as session:
        at = register.moment(session)
        _refuse_known(session, plan)
        begin(session, client, key, digest, intent="", at=at)
        row, event = _rows(session, register, catalogue, plan, client=client, at=at)
        _, certificate = load_certificate(session, row.key)
        edition = session.get_one(EditionRow, (row.key, 0))
        parts = {
            "statuses": statuses(session, certificate, at),
            "commitment": commitment(edition.salt, edition.printed),
        }
        event.leaf = journal_event(session, register, row, "certificate:imported", at, **parts)
        message = message_of(session, catalogue, row, event)
        enqueue(session, certificate=row.key, message=message, now=at)
        tell(session, register.subscriptions, catalogue, row, message, now=at)
        answer = Answer(201, _answer(row), row.version)
        settle(session, client, key, answer)
    return answer


def _refuse_known(session: Session, plan: Import) -> None:
    query = select(CertificateRow).where(CertificateRow.type == plan.kind.key, CertificateRow.number == plan.number)
    if session.exec(query).first() is not None:
        raise ConflictError(f"{plan.number} 已在台账中，不重复补录。", code="already-registered")


def _rows(
    session: Session, register: Register, catalogue: Catalogue, plan: Import, *, client: str, at: datetime
) -> tuple[CertificateRow, EventRow]:
    year = plan.issued_on.year
    serial = register.next(session, f"serial:{plan.kind.key}:{year}")
    issuer = catalogue.authorities[plan.authority].uscc
    key = f"{plan.kind.code}.{issuer}.{year}{serial:06}"
    n = register.next(session, "n", 2)
    edition = Edition(
        index=0,
        n=n,
        issued_on=plan.issued_on,
        effective_from=plan.valid_from,
        valid_from=plan.valid_from,
        valid_until=plan.valid_until,
    )
    event = _event(catalogue, plan, key, edition, at)
    row = _certificate(register, session, plan, key, event)
    session.add(row)
    session.flush()
    kept = EventRow(
        certificate=key,
        version=1,
        action=event.action.value,
        origin=event.origin.value,
        target=event.target.value,
        edition=0,
        at=at,
        client=client,
        detail=dict(event.detail),
    )
    session.add_all([kept, _edition(catalogue, plan, row, edition, at=at), _paper(plan, key, n + 1, at)])
    session.add_all(co_holders(key, 0, plan.holder.json))
    session.flush()
    return row, kept


def _event(catalogue: Catalogue, plan: Import, key: str, edition: Edition, at: datetime) -> Event:
    blank = Certificate(key=key, type=plan.kind.key, number=plan.number)
    command = Command(action=Action.IMPORT, decision=plan.decision, edition=edition, second_person=plan.second_person)
    detail = {
        "decision": decision_json(plan.decision),
        "second_person": plan.second_person,
        "source": plan.source,
        "scan_sha256": plan.scan_sha256,
    }
    return replace(decide(blank, plan.kind, command, at=at, calendar=catalogue.calendar), detail=detail)


def _certificate(register: Register, session: Session, plan: Import, key: str, event: Event) -> CertificateRow:
    type_code, issuer, serial = key.split(".")
    return CertificateRow(
        key=key,
        type=plan.kind.key,
        number=plan.number,
        authority=plan.authority,
        item="",
        holder_name=plan.holder.name,
        holder_code=plan.holder.code,
        holder_code_type=plan.holder.code_type.value,
        state=event.target.value,
        since=event.at,
        version=1,
        edition=0,
        identifier=CertificateIdentifier(type_code, issuer, serial, 1).text,
        imported=True,
        chain=register.open_chain(session),
        created_at=event.at,
        updated_at=event.at,
    )


def _edition(catalogue: Catalogue, plan: Import, row: CertificateRow, edition: Edition, *, at: datetime) -> EditionRow:
    salt, code_salt = new_salts()
    printed = {
        **plan.texts,
        "number": plan.number,
        "issuer": catalogue.authorities[plan.authority].name,
        "issued_on": chinese_date(edition.issued_on),
        "valid_from": chinese_date(edition.valid_from),
        "valid_until": chinese_date(edition.valid_until) if edition.valid_until else "长期",
    }
    return EditionRow(
        certificate=row.key,
        index=0,
        identifier=f"{row.identifier}/imported",  # the identifier itself is taken by our first edition
        n=edition.n,
        action=Action.IMPORT.value,
        item="",
        case="",
        facts=facts_json(plan.facts),
        printed=printed,
        decision=decision_json(plan.decision),
        holder=plan.holder.json,
        issued_on=edition.issued_on,
        effective_from=edition.effective_from,
        valid_from=edition.valid_from,
        valid_until=edition.valid_until,
        salt=salt,
        code_salt=code_salt,
        intent=f"import:{row.key}",
        created_at=at,
    )


def _paper(plan: Import, key: str, n: int, at: datetime) -> SheetRow:
    """The paper its holder has: collected long ago, to be recalled when an action replaces it."""
    copy = plan.kind.copies[0] if plan.kind.copies else None
    return SheetRow(
        certificate=key,
        edition=0,
        kind=copy.kind if copy else "original",
        copy_number=1,
        label=copy.label if copy else "证书",
        n=n,
        state="collected",
        serial=f"import:{plan.serial}" if plan.serial else None,
        seal="stamped",
        created_at=at,
        detail={"imported": True, "source": plan.source},
    )


def _answer(row: CertificateRow) -> dict[str, Any]:
    return {
        "number": row.number,
        "identifier": row.identifier,
        "edition": 0,
        "version": row.version,
        "state": row.state,
        "imported": True,
        "note": "补录登记，未由本系统签发",
        "links": {"self": f"/v1/certificates/{row.identifier}"},
    }
