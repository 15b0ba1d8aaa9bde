"""What the office shows of certificates and documents: plain JSON, for the API, the command line and auditors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, and_, col, or_, select

from certlib.catalogue import Catalogue
from certlib.domain.certificate import Certificate, SheetFate, edition_verdict, sheet_verdict
from certlib.domain.lifecycle import STATE_WORDS, permitted
from certlib.domain.verdict import WORDS, Verdict
from certlib.errors import NotFoundError
from certlib.identifiers import CertificateIdentifier
from certlib.register.certificates import load_certificate, sheets_of
from certlib.register.lookup import certificate_at
from certlib.register.seal_tables import SealUseRow
from certlib.register.tables import (
    CertificateRow,
    DocumentRow,
    EditionRow,
    EventRow,
    FileRow,
    Intent,
    SheetRow,
)


def key_of(identifier: str) -> str:
    """The key of the certificate that any of its editions' 证照标识 names. Raises `NotFoundError`."""
    try:
        parsed = CertificateIdentifier.parse(identifier)
    except ValueError as error:
        raise NotFoundError(f"“{identifier[:100]}”不是证照标识：{error}。") from error
    return f"{parsed.type_code}.{parsed.issuer}.{parsed.serial}"


def certificate_view(session: Session, catalogue: Catalogue, key: str, at: datetime) -> dict[str, Any]:
    """A certificate with editions, sheets, history and what is permitted, as it stood at `at`."""
    row, present = load_certificate(session, key)
    certificate = certificate_at(session, present, at)
    if not certificate.editions:
        raise NotFoundError(f"{row.number} 在所问时间尚未签发。")
    kind = catalogue.certificate_types[row.type]
    editions = _editions(session, key)
    shown = [_edition_view(session, row, certificate, edition, at) for edition in editions if edition.created_at <= at]
    newest = next(edition for edition in reversed(editions) if edition.created_at <= at)
    verdict = Verdict(shown[-1]["verdict"])
    return {
        "identifier": newest.identifier if newest.index else row.identifier,
        "number": row.number,
        "type": row.type,
        "name": kind.name,
        "state": certificate.state_at(at).value,
        "state_words": STATE_WORDS[certificate.state_at(at)],
        "cause": certificate.cause,
        "since": certificate.since.isoformat() if certificate.since else "",
        "verdict": verdict.value,
        "verdict_words": WORDS[verdict].chinese,
        "version": certificate.version,
        "edition": newest.index,
        "authority": row.authority,
        "issuer": catalogue.authorities[row.authority].name,
        "item": newest.item,
        "case": newest.case,
        "holder": newest.holder,
        "facts": newest.facts,
        "printed": newest.printed,
        "decision": newest.decision,
        "imported": row.imported,
        "paper_waived": newest.paper_waived,
        "editions": shown,
        "sheets": [sheet_view(sheet, certificate, at) for sheet in sheets_of(session, key) if sheet.created_at <= at],
        "history": [_event_view(event) for event in _events(session, key) if event.at <= at],
        **permissions(certificate, catalogue, at),
    }


def permissions(certificate: Certificate, catalogue: Catalogue, at: datetime) -> dict[str, Any]:
    """What may be done next, and why the rest may not."""
    permits = permitted(certificate, catalogue.certificate_types[certificate.type], at=at, calendar=catalogue.calendar)
    return {
        "permitted": [{"action": permit.action.value, "label": permit.label} for permit in permits if permit.allowed],
        "refused": [
            {"action": permit.action.value, "label": permit.label, "reason": permit.reason}
            for permit in permits
            if not permit.allowed
        ],
    }


def _editions(session: Session, key: str) -> Sequence[EditionRow]:
    return session.exec(select(EditionRow).where(EditionRow.certificate == key).order_by(col(EditionRow.index))).all()


def _events(session: Session, key: str) -> Sequence[EventRow]:
    return session.exec(select(EventRow).where(EventRow.certificate == key).order_by(col(EventRow.version))).all()


def _edition_view(
    session: Session, row: CertificateRow, certificate: Certificate, edition: EditionRow, at: datetime
) -> dict[str, Any]:
    files = files_of(session, and_(FileRow.certificate == row.key, FileRow.edition == edition.index))
    verdict = edition_verdict(certificate, edition.index, at)
    return {
        "index": edition.index,
        "identifier": edition.identifier,
        "n": edition.n,
        "action": edition.action,
        "case": edition.case,
        "issued_on": edition.issued_on.isoformat(),
        "effective_from": edition.effective_from.isoformat(),
        "valid_from": edition.valid_from.isoformat(),
        "valid_until": edition.valid_until.isoformat() if edition.valid_until else "",
        "verdict": verdict.value,
        "verdict_words": WORDS[verdict].chinese,
        "files": [file_view(file) for file in files],
    }


def sheet_view(sheet: SheetRow, certificate: Certificate, at: datetime) -> dict[str, Any]:
    """One sheet and the verdict on it."""
    verdict = sheet_verdict(edition_verdict(certificate, sheet.edition, at), SheetFate(sheet.fate))
    return {
        "id": sheet.id,
        "edition": sheet.edition,
        "kind": sheet.kind,
        "label": sheet.label,
        "copy_number": sheet.copy_number,
        "n": sheet.n,
        "state": sheet.state,
        "serial": sheet.serial or "",
        "recall": sheet.recall,
        "seal": sheet.seal,
        "verdict": verdict.value,
        "verdict_words": WORDS[verdict].chinese,
    }


def _event_view(event: EventRow) -> dict[str, Any]:
    return {
        "version": event.version,
        "action": event.action,
        "from": event.origin,
        "to": event.target,
        "cause": event.cause,
        "edition": event.edition,
        "at": event.at.isoformat(),
        "case": event.case,
        "detail": event.detail,
        "leaf": event.leaf.hex(),
    }


def edition_answer(session: Session, catalogue: Catalogue, intent: Intent, at: datetime) -> dict[str, Any]:
    """The answer to an issuance or an action that made an edition."""
    row, certificate = load_certificate(session, intent.certificate)
    sheets = [sheet_view(sheet, certificate, at) for sheet in sheets_of(session, row.key)]
    return {
        "number": intent.number,
        "identifier": intent.identifier,
        "edition": intent.edition,
        "n": intent.n,
        **_newest(session, FileRow.n == intent.n),
        "version": row.version,
        "state": row.state,
        "paper": "waived" if intent.plan["paper_waived"] else "to-print",
        "sheets": [sheet for sheet in sheets if sheet["edition"] == intent.edition],
        "recall": [sheet for sheet in sheets if sheet["recall"]],
        "links": certificate_links(intent.identifier, intent.edition),
        **permissions(certificate, catalogue, at),
    }


def standing_answer(session: Session, catalogue: Catalogue, row: CertificateRow, at: datetime) -> dict[str, Any]:
    """The answer to an action that changed the certificate's standing."""
    _, certificate = load_certificate(session, row.key)
    sheets = [sheet_view(sheet, certificate, at) for sheet in sheets_of(session, row.key)]
    return {
        "number": row.number,
        "identifier": row.identifier,
        "edition": row.edition,
        "version": row.version,
        "state": row.state,
        "cause": row.cause,
        "recall": [sheet for sheet in sheets if sheet["recall"]],
        "links": certificate_links(row.identifier, row.edition),
        **permissions(certificate, catalogue, at),
    }


def document_answer(session: Session, intent: Intent) -> dict[str, Any]:
    """The answer to the issue of a document."""
    return {
        "id": intent.id,
        "number": intent.number,
        "type": intent.type,
        "n": intent.n,
        **_newest(session, FileRow.n == intent.n),
        "version": 1,
        "state": "in-force",
        "links": {"self": f"/v1/documents/{intent.id}", "file": f"/v1/documents/{intent.id}/file"},
    }


def document_view(row: DocumentRow, catalogue: Catalogue, files: Sequence[FileRow]) -> dict[str, Any]:
    """A document as the office shows it."""
    return {
        "id": row.id,
        "number": row.number,
        "type": row.type,
        "name": catalogue.document_types[row.type].name,
        "authority": row.authority,
        "issuer": catalogue.authorities[row.authority].name,
        "item": row.item,
        "case": row.case,
        "holder": row.holder,
        "facts": row.facts,
        "decision": row.decision,
        "issued_on": row.issued_on.isoformat(),
        "n": row.n,
        "state": row.state,
        "version": row.version,
        "sha256": next((file.sha256 for file in reversed(files) if file.part == "file"), ""),
        "files": [file_view(file) for file in files],
        "links": {"self": f"/v1/documents/{row.id}", "file": f"/v1/documents/{row.id}/file"},
    }


def find_document(session: Session, document: str) -> DocumentRow | Intent:
    """A document by its id or number: sealed, or planned as an act's decision. Raises `NotFoundError`."""
    found = (
        session.get(DocumentRow, document)
        or session.exec(select(DocumentRow).where(DocumentRow.number == document)).first()
        or session.exec(
            select(Intent).where(Intent.kind == "document", or_(Intent.id == document, Intent.number == document))
        ).first()
    )
    if found is None:
        raise NotFoundError("没有这一文书。")
    return found


def document_state(session: Session, document: str) -> dict[str, Any]:
    """How far a document is: `pending`, `voided` with the problem, or `in-force` with the digest of its file."""
    row = find_document(session, document)
    if isinstance(row, Intent):
        return {"state": "voided", "problem": row.problem} if row.state == "voided" else {"state": "pending"}
    return {"state": row.state, **_newest(session, FileRow.document == row.id)}


def planned_document_view(intent: Intent, catalogue: Catalogue) -> dict[str, Any]:
    """A document that is planned and not sealed: pending, or voided with the problem."""
    return {
        "id": intent.id,
        "number": intent.number,
        "type": intent.type,
        "name": catalogue.document_types[intent.type].name,
        "authority": intent.authority,
        "issuer": catalogue.authorities[intent.authority].name,
        "item": intent.item,
        "case": intent.case,
        "holder": intent.plan["holder"],
        "facts": intent.plan["facts"],
        "decision": intent.plan["decision"],
        "issued_on": intent.plan["issued_on"],
        "n": intent.n,
        "state": "voided" if intent.state == "voided" else "pending",
        "problem": intent.problem or {},
        "version": 0,
        "sha256": "",
        "links": {"self": f"/v1/documents/{intent.id}"},
    }


def use_view(row: SealUseRow) -> dict[str, Any]:
    """One line of the ledger of seal uses."""
    return {
        "counter": row.counter,
        "seal": row.seal,
        "state": row.state,
        "item": row.item,
        "case": row.case,
        "type": row.type,
        "action": row.action,
        "number": row.number,
        "authorisation": row.authorisation,
        "reserved_at": row.reserved_at.isoformat(),
        "closed_at": row.closed_at.isoformat() if row.closed_at else "",
        "output_sha256": row.output_sha256,
        "why": row.why,
    }


def file_view(row: FileRow) -> dict[str, Any]:
    """One registered file: what it is, its level, and whether its time is proved."""
    return {
        "sha256": row.sha256,
        "part": row.part,
        "suite": row.suite,
        "level": row.level,
        "time_proof": time_proof(row),
        "predecessor": row.predecessor or "",
        "size": row.size,
        "proof": f"/log/files/{row.sha256}/proof",
    }


def time_proof(row: FileRow) -> str:
    """`proved` by a timestamp, `pending` while one is waited for, `none` where none was asked for."""
    if row.level not in {"B-B", "v4"}:
        return "proved"
    return "pending" if row.raise_at is not None else "none"


def certificate_links(identifier: str, edition: int) -> dict[str, str]:
    """The links of a certificate's answer."""
    base = f"/v1/certificates/{identifier}"
    return {
        "self": base,
        "file": f"{base}/editions/{edition}/file",
        "sheets": f"{base}/sheets",
        "actions": f"{base}/actions",
    }


def files_of(session: Session, condition: Any) -> Sequence[FileRow]:
    """The electronic files for which `condition` holds, oldest first."""
    query = select(FileRow).where(condition, col(FileRow.sheet).is_(None))
    return session.exec(query.order_by(col(FileRow.created_at), col(FileRow.predecessor).is_not(None))).all()


def part_of(files: Sequence[FileRow], part: str) -> FileRow:
    """The newest level of one part. Raises `NotFoundError` when the document has no such part."""
    found = [file for file in files if file.part == part]
    if not found:
        raise NotFoundError(f"没有 {part[:20]} 这一文件；可取的有 {'、'.join(sorted({file.part for file in files}))}。")
    return found[-1]


def _newest(session: Session, condition: Any) -> dict[str, str]:
    """Digest, level and proof of time of the newest level of a file."""
    files = [row for row in files_of(session, condition) if row.part == "file"]
    if not files:
        return {"sha256": "", "level": "", "time_proof": "none"}
    return {"sha256": files[-1].sha256, "level": files[-1].level, "time_proof": time_proof(files[-1])}
