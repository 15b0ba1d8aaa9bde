"""Service (送达): certificates on both carriers, documents in one; recorded once, proved, journalled.

Paper that leaves our hands by a service is collected by it; a certificate's service is complete when the paper has
been served, or the file where paper was waived. A document is served by any one way.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from certlib.catalogue import Catalogue
from certlib.domain.calendar import service_due
from certlib.domain.civil import civil_date
from certlib.domain.holder import Holder
from certlib.domain.paper import SheetState, collector_faults
from certlib.domain.service import PROOFS, WAYS, ServedCarrier, Service, Way, service_faults
from certlib.errors import ConflictError, Fault, RequestError, TransitionError
from certlib.formats.facts import commitment
from certlib.formats.leaf import Leaf
from certlib.issue import paper
from certlib.issue.requests import Reading
from certlib.register.certificates import load_certificate, sheets_of
from certlib.register.idempotency import Answer, begin, settle
from certlib.register.service_table import ServiceRow, service_facts
from certlib.register.store import Register
from certlib.register.tables import CertificateRow, DocumentRow, EditionRow, SheetRow

Origin = tuple[str, str, str]  # client, idempotency key, digest of the body


@dataclass(frozen=True, slots=True)
class Served:
    """Whether an edition or document has been served: what is due to the holder, and what was recorded."""

    due: ServedCarrier
    complete: bool
    services: Sequence[ServiceRow]


def read_service(raw: object) -> Service:
    """The service a request records. Raises `RequestError` with every fault of its shape."""
    reading = Reading(raw)
    way, served_at = reading.choice("way", Way, None), reading.moment("served_at")
    proof = {key: reading.text(key, required=False) for key in PROOFS}
    reading.close()
    if reading.faults or way is None or served_at is None:
        raise RequestError(reading.faults)
    return Service(way, served_at, {key: text for key, text in proof.items() if text})


def serve_certificate(register: Register, catalogue: Catalogue, key: str, service: Service, origin: Origin) -> Answer:
    """Record that the newest edition of a certificate was served on its holder, on the carrier of the service's way.

    Raises `RequestError` for a record that proves nothing, `TransitionError` while a sheet waits to be printed,
    `ConflictError` (code `already-served`) the second time.
    """
    with register.writer() as session:
        row, _ = load_certificate(session, key, lock=True)
        edition = session.get_one(EditionRow, (key, row.edition))
        at = register.moment(session, row.updated_at)
        _require(service, ready_at=edition.created_at, now=at)
        _refuse_second(session, row.number, certificate=key, edition=edition.index, carrier=service.carrier.value)
        if service.carrier is ServedCarrier.PAPER:
            _hand_over(session, register, row, edition, service, at=at)
        place = {"certificate": key, "edition": edition.index, "carrier": service.carrier.value}
        _record(session, register, row.chain, service, client=origin[0], at=at, **place)
        view = service_view(edition_service(session, edition), catalogue, edition.issued_on)
        return _answer(session, view, origin, at)


def serve_document(register: Register, catalogue: Catalogue, document: str, service: Service, origin: Origin) -> Answer:
    """Record that a document was served on its addressee. Raises as `serve_certificate` does."""
    with register.writer() as session:
        row = session.exec(select(DocumentRow).where(DocumentRow.id == document).with_for_update()).one()
        if not catalogue.document_types[row.type].outward:
            raise TransitionError(f"{row.number} 是内部文书，不对外送达。")
        at = register.moment(session, row.created_at)
        _require(service, ready_at=row.created_at, now=at)
        _refuse_second(session, row.number, document=row.id)
        place = {"document": row.id, "carrier": ServedCarrier.DOCUMENT.value}
        _record(session, register, row.chain, service, client=origin[0], at=at, **place)
        view = service_view(document_service(session, row), catalogue, row.issued_on)
        return _answer(session, view, origin, at)


def edition_service(session: Session, edition: EditionRow) -> Served:
    """How the service of an edition stands: sheets collected at the window count as served."""
    services = _services(session, ServiceRow.certificate == edition.certificate, ServiceRow.edition == edition.index)
    done = {row.carrier for row in services}
    if edition.paper_waived:
        return Served(ServedCarrier.FILE, ServedCarrier.FILE.value in done, services)
    sheets = [sheet for sheet in sheets_of(session, edition.certificate) if sheet.edition == edition.index]
    live = [sheet for sheet in sheets if sheet.state not in _GONE]
    collected = bool(live) and all(sheet.collected_at is not None for sheet in live)
    return Served(ServedCarrier.PAPER, collected or ServedCarrier.PAPER.value in done, services)


def document_service(session: Session, row: DocumentRow) -> Served:
    """How the service of a document stands."""
    services = _services(session, ServiceRow.document == row.id)
    return Served(ServedCarrier.DOCUMENT, bool(services), services)


def service_view(served: Served, catalogue: Catalogue, issued_on: date) -> dict[str, Any]:
    """A service as the office shows it, with the last day of its time limit (行政许可法44)."""
    return {
        "due": service_due(catalogue.calendar, issued_on).isoformat(),
        "carrier": served.due.value,
        "complete": served.complete,
        "services": [
            {
                "carrier": row.carrier,
                "way": row.way,
                "way_words": WAYS[Way(row.way)].label,
                "served_at": row.served_at.isoformat(),
                "record": row.record,
                "leaf": row.leaf.hex(),
            }
            for row in served.services
        ],
    }


_GONE = frozenset({SheetState.SPOILED.value, SheetState.VOID.value, SheetState.LOST.value, SheetState.DESTROYED.value})


def _services(session: Session, *conditions: Any) -> Sequence[ServiceRow]:
    return session.exec(select(ServiceRow).where(*conditions).order_by(col(ServiceRow.id))).all()


def _require(service: Service, *, ready_at: datetime, now: datetime) -> None:
    faults = service_faults(service, ready_at=ready_at, now=now)
    if faults:
        raise RequestError(faults, f"送达记录有 {len(faults)} 处问题，未登记。")


def _refuse_second(session: Session, number: str, **place: Any) -> None:
    query = select(ServiceRow).where(*(getattr(ServiceRow, name) == value for name, value in place.items()))
    found = session.exec(query).first()
    if found is not None:
        label = WAYS[Way(found.way)].label
        raise ConflictError(f"{number} 已于 {civil_date(found.served_at)} {label}，不重复登记。", code="already-served")


def _hand_over(
    session: Session, register: Register, row: CertificateRow, edition: EditionRow, service: Service, *, at: datetime
) -> None:
    """The sheets that wait for their holder leave our hands, unless the way leaves them here (公告)."""
    if edition.paper_waived:
        message = f"送达方式：{row.number} 的持证主体已放弃实体证照，只须电子送达。"
        raise RequestError([Fault("way", "paper-waived", message, "送达方式", "The holder has waived paper.")])
    sheets = [sheet for sheet in sheets_of(session, row.key) if sheet.edition == edition.index]
    if any(sheet.state == SheetState.TO_PRINT for sheet in sheets):
        raise TransitionError(f"{row.number} 尚有实体证照待打印，打印后才能送达。")
    collection = {"relation": service.proof.get("relation", ""), "collector": service.proof.get("recipient", "")}
    if strange := collector_faults(collection, Holder.of(edition.holder)):
        raise RequestError([replace(fault, path="recipient") for fault in strange])
    if WAYS[service.way].hands_over:
        for sheet in sheets:
            if sheet.state == SheetState.PRINTED:
                paper.hand_over(session, register, row, sheet, _collection(service, sheet), at=at)


def _collection(service: Service, sheet: SheetRow) -> dict[str, str]:
    """What is recorded of a sheet that this service hands over."""
    proof = service.proof
    label = WAYS[service.way].label
    return {
        "collector": proof.get("recipient") or label,
        "relation": proof.get("relation") or "holder",
        "document": proof.get("identity") or proof.get("tracking") or proof.get("place", ""),
        "receipt": proof.get("receipt") or label,
        "serial": sheet.serial or "",
    } | ({"authorisation": proof["authorisation"]} if "authorisation" in proof else {})


def _record(
    session: Session, register: Register, chain: bytes, service: Service, *, client: str, at: datetime, **place: Any
) -> None:
    """The row, and the leaf that commits to it, on the chain of the certificate or document."""
    row = ServiceRow(
        **place,
        way=service.way.value,
        served_at=service.served_at,
        record=dict(service.proof),
        salt=secrets.token_bytes(32),
        client=client,
        created_at=at,
    )
    leaf = Leaf(kind="service:served", at=at, commitment=commitment(row.salt, service_facts(row)))
    row.leaf = register.link(session, chain, leaf)
    session.add(row)
    session.flush()


def _answer(session: Session, view: dict[str, Any], origin: Origin, at: datetime) -> Answer:
    client, key, digest = origin
    begin(session, client, key, digest, intent="", at=at)
    answer = Answer(201, view, 1)
    settle(session, client, key, answer)
    return answer
