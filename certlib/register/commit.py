"""The commit that brings an edition or a document into force: all of it, or nothing of it.

In one transaction: the fence (intent, attempt, certificate version), edition or document, registered file, sheets to
print, the older sheets to recall, the use closed, the journal leaf with the statuses that hold from now on, and the
delivery to the city repository.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, select

from certlib.domain.actions import Action, LegalState
from certlib.domain.certificate import Certificate, Edition, SheetFate
from certlib.domain.lifecycle import Event, Rule
from certlib.errors import ConflictError, StaleVersionError
from certlib.formats.leaf import Leaf
from certlib.register.certificates import sheets_of
from certlib.register.holder_table import co_holders
from certlib.register.ledger import close_use
from certlib.register.store import Register
from certlib.register.tables import CertificateRow, DocumentRow, EditionRow, EventRow, FileRow, Intent, SheetRow
from certlib.sealing.order import Sealed, SealOrder


@dataclass(frozen=True, slots=True)
class Registered:
    """A sealed file that lies in the store and waits for its commit."""

    order: SealOrder
    sealed: Sealed


def fence(session: Session, order: SealOrder) -> Intent:
    """The intent of an order, locked. Raises `ConflictError` when a later attempt or a void has overtaken it."""
    # the certificate first, as an act that voids the intent does: in the other order the two would wait for each other
    certificate = select(Intent.certificate).where(Intent.id == order.intent).scalar_subquery()
    session.exec(select(CertificateRow.key).where(CertificateRow.key == certificate).with_for_update()).one_or_none()
    intent = session.exec(select(Intent).where(Intent.id == order.intent).with_for_update()).one()
    if intent.state != "signing" or intent.attempt != order.attempt:
        raise ConflictError(f"{intent.number} 的办理已由后续处理接手，本次结果作废。", code="intent-overtaken")
    return intent


def check_version(intent: Intent, row: CertificateRow) -> None:
    """Raise `StaleVersionError` when the certificate has moved on since the intent was opened."""
    if row.version != intent.certificate_version:
        raise StaleVersionError(f"{row.number} 在办理期间已有变动，本次办理作废；请重新提交。")


def planned_edition(intent: Intent) -> Edition:
    """The edition that an intent would make."""
    plan = intent.plan
    until = plan["valid_until"]
    return Edition(
        index=intent.edition,
        n=intent.n,
        issued_on=date.fromisoformat(plan["issued_on"]),
        effective_from=date.fromisoformat(plan["effective_from"]),
        valid_from=date.fromisoformat(plan["valid_from"]),
        valid_until=date.fromisoformat(until) if until else None,
    )


def blank_certificate(intent: Intent) -> Certificate:
    """The certificate before its first edition."""
    return Certificate(key=intent.certificate, type=intent.type, number=intent.number)


def new_row(intent: Intent, at: datetime) -> CertificateRow:
    """The row of a certificate that comes into being."""
    holder = intent.plan["holder"]
    return CertificateRow(
        key=intent.certificate,
        type=intent.type,
        number=intent.number,
        authority=intent.authority,
        item=intent.item,
        holder_name=holder["name"],
        holder_code=holder["code"],
        holder_code_type=holder["code_type"],
        state=LegalState.PLANNED.value,
        since=at,
        version=0,
        edition=0,
        identifier=intent.identifier,
        imported=intent.action == Action.IMPORT,
        chain=intent.chain,
        created_at=at,
        updated_at=at,
    )


def apply_event(session: Session, row: CertificateRow, event: Event, *, intent: Intent | None, client: str) -> EventRow:
    """Write what an event does to the certificate's row, and the event itself."""
    row.version, row.state, row.cause = event.version, event.target.value, event.cause
    row.since = row.updated_at = event.at
    if intent is not None:
        holder = intent.plan["holder"]
        row.edition, row.identifier = intent.edition, intent.identifier
        row.holder_name, row.holder_code, row.holder_code_type = holder["name"], holder["code"], holder["code_type"]
    session.add(row)
    session.flush()
    kept = EventRow(
        certificate=row.key,
        version=event.version,
        action=event.action.value,
        origin=event.origin.value,
        target=event.target.value,
        cause=event.cause,
        edition=event.edition.index if event.edition else None,
        at=event.at,
        case=intent.case if intent else str(event.detail.get("case", "")),
        client=client,
        detail=dict(event.detail),
    )
    session.add(kept)
    return kept


def add_edition(session: Session, intent: Intent, event: Event) -> EditionRow:
    """Write the edition an intent planned."""
    plan, edition = intent.plan, event.edition
    assert edition is not None  # noqa: S101  `decide` has made the event with its edition
    row = EditionRow(
        certificate=intent.certificate,
        index=edition.index,
        identifier=intent.identifier,
        n=edition.n,
        action=intent.action,
        item=intent.item,
        case=intent.case,
        facts=plan["facts"],
        printed=plan["printed"],
        decision=plan["decision"],
        holder=plan["holder"],
        issued_on=edition.issued_on,
        effective_from=edition.effective_from,
        valid_from=edition.valid_from,
        valid_until=edition.valid_until,
        activated=edition.effective_from <= intent.day,
        salt=intent.salt,
        code_salt=intent.code_salt,
        code_text=plan["code_text"],
        check_code=plan["check_code"],
        paper_waived=plan["paper_waived"],
        intent=intent.id,
        created_at=event.at,
    )
    session.add_all([row, *co_holders(row.certificate, row.index, row.holder)])
    return row


def add_sheets(session: Session, intent: Intent, at: datetime) -> None:
    """Write the sheets an edition is to have; they wait to be printed."""
    for sheet in intent.plan["sheets"]:
        session.add(
            SheetRow(
                certificate=intent.certificate,
                edition=intent.edition,
                kind=sheet["kind"],
                copy_number=sheet["copy_number"],
                label=sheet["label"],
                n=sheet["n"],
                code_text=sheet["code_text"],
                seal=sheet["seal"],
                created_at=at,
            )
        )
    session.flush()


def settle_sheets(session: Session, certificate: str, rule: Rule, cause: str, newest: int) -> None:
    """What an action does to the sheets that exist: older ones are to be recalled, lost ones are void."""
    if rule.sheets == "keep":
        return
    older = rule.sheets == "new"
    for sheet in sheets_of(session, certificate):
        if older and sheet.edition >= newest:
            continue
        if sheet.state == "to-print":
            sheet.state = "void"  # never printed: nobody has it, and its code shares the edition's fate
        elif sheet.fate == SheetFate.SOUND and sheet.state in {"printed", "collected"}:  # paper that is out
            sheet.recall = True
            if cause == "lost":
                sheet.fate, sheet.state, sheet.recall = SheetFate.LOST.value, "lost", False
        session.add(sheet)


def add_file(session: Session, registered: Registered, intent: Intent, at: datetime) -> None:
    """Register the sealed file; what has no archive timestamp yet is for the worker to raise."""
    certificate = intent.kind == "certificate"
    session.add(
        FileRow(
            sha256=registered.sealed.sha256,
            certificate=intent.certificate if certificate else None,
            edition=intent.edition if certificate else None,
            document=None if certificate else intent.id,
            level=registered.sealed.level,
            suite=registered.order.suite,
            size=len(registered.sealed.pdf),
            n=intent.n,
            created_at=at,
            raise_at=_raise_at(registered, at),
        )
    )


def add_parts(
    session: Session, register: Register, registered: Registered, intent: Intent, *, chain: bytes, at: datetime
) -> None:
    """Register what the same use of the seal made beside the file: row and leaf `file:copy` or `file:ses` for each."""
    certificate = intent.kind == "certificate"
    for part in registered.sealed.parts:
        session.add(
            FileRow(
                sha256=part.sha256,
                certificate=intent.certificate if certificate else None,
                edition=intent.edition if certificate else None,
                document=None if certificate else intent.id,
                level=part.level,
                suite=part.suite,
                part=part.name,
                size=len(part.data),
                n=intent.n,
                created_at=at,
                raise_at=_raise_at(registered, at) if part.name == "copy" else None,
            )
        )
        register.link(session, chain, Leaf(kind=f"file:{part.name}", at=at, file=bytes.fromhex(part.sha256)))


def _raise_at(registered: Registered, at: datetime) -> datetime | None:
    """A file sealed at B-B because that was asked for is left as it is; one that waits for its proof is not."""
    return None if registered.order.level == "B-B" else at


def add_document(session: Session, intent: Intent, at: datetime) -> None:
    """Write the document an intent planned."""
    plan = intent.plan
    session.add(
        DocumentRow(
            id=intent.id,
            type=intent.type,
            number=intent.number,
            authority=intent.authority,
            item=intent.item,
            case=intent.case,
            holder=plan["holder"],
            facts=plan["facts"],
            printed=plan["printed"],
            decision=plan["decision"],
            issued_on=date.fromisoformat(plan["issued_on"]),
            n=intent.n,
            salt=intent.salt,
            code_salt=intent.code_salt,
            code_text=plan["code_text"],
            check_code=plan["check_code"],
            chain=intent.chain,
            created_at=at,
        )
    )


def finish_intent(session: Session, register: Register, intent: Intent, registered: Registered, at: datetime) -> None:
    """Close the use, with its level and proof of time, and the intent."""
    sealed = registered.sealed
    result = {
        "level": sealed.level,
        "suite": registered.order.suite,
        "signed_at": sealed.signed_at.isoformat(),
        "timestamped_at": sealed.timestamped_at.isoformat() if sealed.timestamped_at else "",
        "signature_sha256": sealed.signature_sha256,
    }
    order = registered.order
    close_use(session, register, order, output=sealed.sha256, number=intent.number, at=at, result=result)
    intent.state, intent.finished_at, intent.lease_until = "done", at, None
    session.add(intent)


def journal_event(
    session: Session, register: Register, row: CertificateRow | Intent, kind: str, at: datetime, **parts: Any
) -> bytes:
    """Append a chain's next leaf."""
    return register.link(session, row.chain, Leaf(kind=kind, at=at, **parts))
