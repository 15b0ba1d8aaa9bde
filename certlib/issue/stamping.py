"""Seals on paper: printed with the sheet (套印) or stamped by hand (加盖实物印章). Both are uses like any other.

They are allowed in the same place and stand in the same ledger, under the seal's same counter. A stamp is recorded
before the sheet is handed over, once for each sheet; a paper copy of a document is stamped as often as it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from certlib.catalogue import Catalogue
from certlib.domain.civil import civil_date
from certlib.domain.paper import SheetState
from certlib.domain.seal import SealKind, SealSpec
from certlib.domain.seal_authorisation import SealPurpose
from certlib.domain.seal_table import CERTIFICATE, DOCUMENT, SealedThing
from certlib.errors import ConflictError, NotFoundError, SealDeniedError, TransitionError
from certlib.issue.seal_requests import StampRequest
from certlib.register import seal_grants, seal_store, seal_uses
from certlib.register.certificates import load_certificate
from certlib.register.commit import journal_event
from certlib.register.idempotency import Answer, begin, find, replay, settle
from certlib.register.seal_tables import SealUseRow
from certlib.register.seal_uses import PRINTED, STAMPED, Occasion
from certlib.register.store import Register
from certlib.register.tables import CertificateRow, DocumentRow, EditionRow, Intent, SheetRow

BY_HAND = "stamped"  # what a type's copy says of its seal
_STEPS = ("approval", "review", "acceptance")


def stamp(
    register: Register,
    catalogue: Catalogue,
    request: StampRequest,
    *,
    origin: tuple[str, str, str],
    may: Callable[[str], bool],
) -> Answer:
    """Record that paper was stamped by hand, and return the line of the ledger.

    `origin` is client, idempotency key and body digest: the same request again has the same answer. `may` says whether
    paper of an authority may be known to the caller. Raises `SealDeniedError` when the seal may not be used for it (the
    denial is recorded), `NotFoundError` for a sheet or document that does not exist, `TransitionError` for a sheet that
    is not printed or needs no stamp, `ConflictError` (code `already-stamped`) the second time.
    """
    client, key, digest = origin
    with register.writer() as session:
        prior = find(session, client, key, digest)
        if prior is not None and (kept := replay(prior)):
            return kept
        if request.document:
            at, occasion, sheet = *_of_document(session, register, catalogue, request, client), None
        else:
            at, occasion, sheet = _of_sheet(session, register, catalogue, request, client)
        if not may(occasion.purpose.authority):
            raise NotFoundError("没有这一实体证照或文书。")
        used = use_on_paper(session, register, catalogue, [(occasion, "")], at=at)
        if not isinstance(used, str):
            if sheet is not None:
                _mark(session, register, sheet, used[0], request.record)
            session.flush()
            answer = Answer(201, seal_uses.use_view(used[0]))
            begin(session, client, key, digest, intent="", at=at)
            settle(session, client, key, answer)
            return answer
    raise SealDeniedError(f"{used}，不得加盖；本次已记录。")


def use_on_paper(
    session: Session, register: Register, catalogue: Catalogue, wanted: Sequence[tuple[Occasion, str]], *, at: datetime
) -> list[SealUseRow] | str:
    """Record uses on paper, each with the SHA-256 of its print file: all of them, or none.

    A denial is recorded and its reason (Chinese) returned; what was reserved before it is released.
    """
    lines: list[SealUseRow] = []
    for occasion, file in wanted:
        granted = seal_grants.grant(session, catalogue, occasion.purpose, occasion.outcome, at=at)
        if isinstance(granted, str):
            seal_uses.deny(session, register, occasion, granted, at)
            for line in lines:
                line.output_sha256 = ""
                seal_uses.close(session, register, line, "released", at=at, why=granted)
            return granted
        lines.append(seal_uses.reserve(session, register, catalogue, occasion, granted, at=at))
        lines[-1].output_sha256 = file
    for line in lines:
        seal_uses.close(session, register, line, "used", at=at)
    return lines


def printed(
    session: Session,
    catalogue: Catalogue,
    row: CertificateRow,
    edition: EditionRow,
    sheet: SheetRow,
    *,
    serial: str,
    operator: Mapping[str, Any],
) -> Occasion:
    """What the seal is printed for, on one sheet."""
    occasion = _on_sheet(session, catalogue, row, edition, sheet, kind=PRINTED, operator=operator)
    return replace(occasion, document={**occasion.document, "serial": serial})


def seal_on(session: Session, catalogue: Catalogue, row: CertificateRow, edition: EditionRow) -> SealSpec:
    """The seal that goes on an edition's paper, in its present edition: the one its file was sealed with."""
    seal = seal_store.live_seal(session, _seal_of(session, catalogue, row, edition))
    found = seal_store.find_seal(session, seal)
    made = seal_store.current_edition(session, found) if found else None
    return seal_store.read_spec(made.spec) if made else catalogue.seals[seal]


def _seal_of(session: Session, catalogue: Catalogue, row: CertificateRow, edition: EditionRow) -> str:
    intent = session.get(Intent, edition.intent)
    if intent is not None and intent.seal:
        return intent.seal
    thing = SealedThing(
        outcome=CERTIFICATE,
        authority=row.authority,
        type=row.type,
        action=edition.action,
        item=edition.item,
        day=civil_date(edition.created_at),
    )
    return catalogue.seal_for(thing, SealKind.APPROVAL).id


def _of_sheet(
    session: Session, register: Register, catalogue: Catalogue, request: StampRequest, client: str
) -> tuple[datetime, Occasion, SheetRow]:
    sheet = session.exec(select(SheetRow).where(SheetRow.id == request.sheet).with_for_update()).one_or_none()
    if sheet is None:
        raise NotFoundError(f"没有实体证照 {request.sheet}。")
    row, _ = load_certificate(session, sheet.certificate, lock=True)
    if sheet.seal != BY_HAND:
        raise TransitionError(f"{row.number}的{sheet.label}套印印章，无须加盖。")
    if STAMPED in sheet.detail:
        raise ConflictError(f"{row.number}的{sheet.label}已加盖印章。", code="already-stamped")
    if sheet.state != SheetState.PRINTED.value:
        raise TransitionError(f"{row.number}的{sheet.label}不在已打印、待领取的状态，不能加盖印章。")
    edition = session.get_one(EditionRow, (row.key, sheet.edition))
    occasion = _on_sheet(
        session, catalogue, row, edition, sheet, kind=STAMPED, operator={"client": client, **request.record}
    )
    return register.moment(session, row.updated_at), _with_request(occasion, request), sheet


def _on_sheet(
    session: Session,
    catalogue: Catalogue,
    row: CertificateRow,
    edition: EditionRow,
    sheet: SheetRow,
    *,
    kind: str,
    operator: Mapping[str, Any],
) -> Occasion:
    return Occasion(
        kind=kind,
        purpose=SealPurpose(
            seal=seal_store.live_seal(session, _seal_of(session, catalogue, row, edition)),
            authority=row.authority,
            item=edition.item,
            type=row.type,
            action=edition.action,
            persons=approvers(edition.decision),
        ),
        outcome=CERTIFICATE,
        case=edition.case,
        number=row.number,
        decision=edition.decision,
        document={
            "name": catalogue.certificate_types[row.type].name,
            "identifier": edition.identifier,
            "edition": edition.index,
            "carrier": sheet.label,
            "copy": sheet.copy_number,
            "serial": sheet.serial or "",
            "copies": 1,
        },
        operator=operator,
        sheet=sheet.id,
    )


def _of_document(
    session: Session, register: Register, catalogue: Catalogue, request: StampRequest, client: str
) -> tuple[datetime, Occasion]:
    row = session.get(DocumentRow, request.document)
    row = row or session.exec(select(DocumentRow).where(DocumentRow.number == request.document)).first()
    if row is None:
        raise NotFoundError("没有这一文书。")
    kind, at = catalogue.document_types[row.type], register.moment(session, row.created_at)
    occasion = Occasion(
        kind=STAMPED,
        purpose=SealPurpose(
            seal=seal_store.live_seal(session, session.get_one(Intent, row.id).seal),
            authority=row.authority,
            item=row.item,
            type=row.type,
            action="issue",
            persons=approvers(row.decision),
        ),
        outcome=DOCUMENT,
        case=row.case,
        number=row.number,
        decision=row.decision,
        document={"name": kind.name, "carrier": "纸质件", "copies": request.copies},
        operator={"client": client, **request.record},
    )
    return at, _with_request(occasion, request)


def _with_request(occasion: Occasion, request: StampRequest) -> Occasion:
    """The occasion with the seal and the second person that the request names."""
    purpose, second = occasion.purpose, request.record.get("second_person", "")
    persons = tuple(dict.fromkeys(filter(None, (*purpose.persons, second))))
    return replace(occasion, purpose=replace(purpose, seal=request.seal or purpose.seal, persons=persons))


def _mark(session: Session, register: Register, sheet: SheetRow, line: SealUseRow, record: Mapping[str, str]) -> None:
    sheet.detail = {**sheet.detail, STAMPED: {"use": line.counter, "seal": line.seal, **record}}
    session.add(sheet)
    row, _ = load_certificate(session, sheet.certificate)
    journal_event(session, register, row, "sheet:stamped", line.reserved_at)


def approvers(decision: Mapping[str, Any]) -> tuple[str, ...]:
    """Who approved: the person of the decision's last step, else the body that ordered it."""
    for step in _STEPS:
        person = decision.get(step, {}).get("person")
        if person:
            return (str(person),)
    return tuple(filter(None, (str(decision.get("authority", "")),)))
