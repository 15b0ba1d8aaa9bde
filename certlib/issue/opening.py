"""The first transaction: a draft gets its numbers and indices and stands on record before the key is used."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlmodel import Session, select

from certlib.domain.civil import chinese_date, civil_date
from certlib.domain.kinds import Allocator
from certlib.errors import StaleVersionError
from certlib.formats.code import CodePayload
from certlib.formats.facts import commitment, facts_digest
from certlib.identifiers import CertificateIdentifier, check_code, document_number, format_number
from certlib.issue.draft import Draft, decision_json
from certlib.issue.planning import facts_json
from certlib.register.certificates import load_certificate
from certlib.register.intents import add_intent, new_salts, refuse_second_case, refuse_second_intent
from certlib.register.seal_store import live_seal
from certlib.register.store import Register
from certlib.register.tables import CertificateRow, Intent


class Coder(Protocol):
    """Signs the payload of a code and gives the full text of the QR code."""

    def text(self, payload: CodePayload) -> str:
        """`https://HOST/v#1…`."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What the first transaction allots."""

    key: str
    number: str
    identifier: str
    file_n: int
    sheet_ns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Opening:
    """What the first transaction needs beside the draft."""

    register: Register
    coder: Coder
    lease: timedelta
    owner: str


def open_intent(session: Session, opening: Opening, draft: Draft, *, client: str, key: str) -> Intent:
    """Number `draft` and put it on record, inside the caller's transaction.

    Raises `CaseAlreadyIssuedError`, `IntentOpenError`, `StaleVersionError`; nothing is numbered then.
    """
    register = opening.register
    if draft.case:
        refuse_second_case(session, draft.case, draft.type, draft.action)
    chain, floor = _chain(session, register, draft)
    at = register.moment(session, floor)
    numbers = _numbers(session, register, draft)
    salt, code_salt = new_salts()
    plan = _plan(draft, numbers, opening.coder, code_salt, at)
    intent = Intent(
        id=secrets.token_hex(16),
        kind=draft.kind,
        type=draft.type,
        action=draft.action,
        item=draft.item,
        case=draft.case,
        authority=draft.authority,
        seal=live_seal(session, draft.seal),
        seal_kind=draft.seal_kind,
        certificate=numbers.key,
        certificate_version=draft.certificate_version,
        edition=draft.edition if draft.kind == "certificate" else 0,
        number=numbers.number,
        identifier=numbers.identifier,
        n=numbers.file_n,
        day=civil_date(at),
        plan=plan,
        salt=salt,
        code_salt=code_salt,
        chain=chain,
        lease_owner=opening.owner,
        lease_until=at + opening.lease,
        client=client,
        key=key,
        created_at=at,
    )
    indices = (numbers.file_n, *numbers.sheet_ns)
    add_intent(session, register, intent, indices, commitment(salt, plan["printed"]), at=at)
    return intent


def _chain(session: Session, register: Register, draft: Draft) -> tuple[bytes, datetime | None]:
    if not draft.certificate:
        return register.open_chain(session), None
    refuse_second_intent(session, draft.certificate)
    row, _ = load_certificate(session, draft.certificate, lock=True)
    if row.version != draft.certificate_version:
        raise StaleVersionError(f"{row.number} 已有变动（现为第 {row.version} 次登记），请重新读取后再办理。")
    return row.chain, row.updated_at


def _numbers(session: Session, register: Register, draft: Draft) -> Numbers:
    year = draft.issued_on.year
    n = register.next(session, "n", 1 + len(draft.sheets))
    ns = tuple(range(n + 1, n + 1 + len(draft.sheets)))
    number = draft.number or _number(session, register, draft, year)
    if draft.kind == "document":
        return Numbers("", number, "", n, ns)
    key = draft.certificate or _new_key(session, register, draft, year)
    return Numbers(key, number, _identifier(key, draft.edition), n, ns)


def _number(session: Session, register: Register, draft: Draft, year: int) -> str:
    numbering = draft.numbering
    assert numbering.allocator is Allocator.LOCAL  # noqa: S101  planning has asked for the others' numbers
    scope = numbering.scope or draft.type
    if draft.kind == "document":
        serial = register.next(session, f"document:{draft.authority}:{scope}:{year}")
        return document_number(draft.document_word, year, serial, numbering)
    while True:  # a number that an existing certificate brought along is passed over
        serial = register.next(session, f"number:{scope}:{year}")
        number = format_number(numbering, year=year, serial=serial, facts=draft.facts)
        if session.exec(select(CertificateRow.key).where(CertificateRow.number == number)).first() is None:
            return number


def _new_key(session: Session, register: Register, draft: Draft, year: int) -> str:
    serial = register.next(session, f"serial:{draft.type}:{year}")
    return f"{draft.type_code}.{draft.issuer_code}.{year}{serial:06}"


def _identifier(key: str, edition: int) -> str:
    type_code, issuer, serial = key.split(".")
    return CertificateIdentifier(type_code, issuer, serial, edition).text


def _plan(draft: Draft, numbers: Numbers, coder: Coder, code_salt: bytes, at: datetime) -> dict[str, Any]:
    typed = check_code(code_salt, numbers.number)
    printed = {
        **draft.texts,
        "number": numbers.number,
        "identifier": numbers.identifier,
        "edition": f"{draft.edition:03}",
        "issuer": draft.issuer,
        "issued_on": chinese_date(draft.issued_on),
        "valid_from": chinese_date(draft.valid_from),
        "valid_until": chinese_date(draft.valid_until) if draft.valid_until else "长期",
        "check_code": typed,
    }
    digest = facts_digest(code_salt, printed)

    def code(n: int, carrier: int) -> str:
        return coder.text(_payload(draft, numbers.number, digest, n, carrier))

    return {
        "title": draft.name,
        "english": draft.english,
        "label": draft.label,
        "reason": draft.reason,
        "template": draft.template,
        "issuer": draft.issuer,
        "issuer_code": draft.issuer_code,
        "facts": facts_json(draft.facts),
        "printed": printed,
        "labels": dict(draft.labels),
        "holder": draft.holder.json,
        "decision": decision_json(draft.decision),
        "persons": list(draft.persons),
        "issued_on": draft.issued_on.isoformat(),
        "effective_from": draft.effective_from.isoformat(),
        "valid_from": draft.valid_from.isoformat(),
        "valid_until": draft.valid_until.isoformat() if draft.valid_until else "",
        "cause": draft.cause,
        "evidence": list(draft.evidence),
        "second_person": draft.second_person,
        "paper_waived": draft.paper_waived,
        "check_code": typed,
        "code_text": code(numbers.file_n, 0),
        "sheets": [
            {
                "kind": sheet.kind,
                "label": sheet.label,
                "copy_number": sheet.copy_number,
                "seal": sheet.seal,
                "n": n,
                "code_text": code(n, 1 if sheet.kind == "original" else 1 + sheet.copy_number),
            }
            for sheet, n in zip(draft.sheets, numbers.sheet_ns, strict=True)
        ],
        "opened_at": at.isoformat(),
        "owed": draft.owed,
    }


def _payload(draft: Draft, number: str, digest: bytes, n: int, carrier: int) -> CodePayload:
    holder, today = draft.holder, draft.issued_on
    name = "" if holder.is_minor(today) else holder.masked
    return CodePayload(
        type_number=draft.code_number,
        number=number,
        edition=draft.edition,
        name=name,
        issued=draft.issued_on,
        expires=draft.valid_until,
        digest=digest,
        n=n,
        carrier=carrier,
        issuer_number=draft.issuer_number,
    )
