"""The 双公示 record of each permit in our words: what was granted to whom, by which decision, until when.

`certlib.city.publicity` writes it in the names of the credit platform. An edition is a record; so is a document that
itself grants (批复). A decision document sealed after the certificate, or a change of standing, brings the record anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, or_, select

from certlib.catalogue import Catalogue
from certlib.domain.civil import civil_date
from certlib.domain.subscription import is_granted_by_document, is_permit
from certlib.register.delivery_table import DeliveryRow
from certlib.register.tables import CertificateRow, DocumentRow, EditionRow

PUBLISH_WITHIN = 7
"""Working days after the decision within which a permit is published."""

GRANTING = ("licence-decision", "change-decision", "renewal-decision")
"""The documents that grant what a certificate then attests."""


@dataclass(frozen=True, slots=True)
class Unpublished:
    """A permit whose record has not arrived anywhere yet; `days` are the working days beyond its term, or 0."""

    number: str
    name: str
    item: str
    authority: str
    decided_on: date
    due: date
    days: int
    certain: bool

    def as_json(self) -> dict[str, Any]:
        """The entry as the API and the command line show it."""
        names = ("number", "name", "item", "authority", "days", "certain")
        shown: dict[str, Any] = {name: getattr(self, name) for name in names}
        return {**shown, "decided_on": self.decided_on.isoformat(), "due": self.due.isoformat()}


def is_published_edition(catalogue: Catalogue, row: CertificateRow, edition: EditionRow) -> bool:
    """Whether the edition is a permit of ours to publish; what was imported was published by who granted it."""
    item = catalogue.items.get(edition.item)
    return bool(edition.index) and item is not None and is_permit(item) and row.type in catalogue.certificate_types


def edition_record(session: Session, catalogue: Catalogue, row: CertificateRow, edition: EditionRow) -> dict[str, Any]:
    """The record of a certificate's edition as it stands."""
    kind = catalogue.certificate_types[row.type]
    decision = _granting(session, edition.case)
    word = (catalogue.document_types[decision.type].name, decision.number) if decision else (kind.name, row.number)
    facts = {**(decision.facts if decision else {}), **edition.facts}
    return {
        **_common(catalogue, row.authority, edition.item, edition.holder, facts),
        "identifier": edition.identifier,
        "type": row.type,
        "kind": kind.kind,
        "state": row.state,
        "cause": row.cause,
        "decision": {"name": word[0], "number": word[1]},
        "certificate": {"name": kind.name, "number": row.number},
        "decided_on": edition.issued_on.isoformat(),
        "valid_from": edition.valid_from.isoformat(),
        "valid_until": edition.valid_until.isoformat() if edition.valid_until else "",
    }


def document_record(catalogue: Catalogue, row: DocumentRow) -> dict[str, Any]:
    """The record of a document that itself grants; it holds from its own day on."""
    kind = catalogue.document_types[row.type]
    day = row.issued_on.isoformat()
    return {
        **_common(catalogue, row.authority, row.item, row.holder, row.facts),
        "identifier": row.number,
        "type": row.type,
        "kind": kind.kind,
        "state": row.state,
        "cause": "",
        "decision": {"name": kind.name, "number": row.number},
        "certificate": {"name": "", "number": ""},
        "decided_on": day,
        "valid_from": day,
        "valid_until": "",
    }


def _common(
    catalogue: Catalogue, authority: str, item: str, holder: Mapping[str, Any], facts: Mapping[str, Any]
) -> dict[str, Any]:
    issuer = catalogue.authorities[authority]
    return {
        "item": item,
        "item_title": catalogue.items[item].title,
        "holder": dict(holder),
        "facts": dict(facts),
        "issuer": {"name": issuer.name, "code": issuer.uscc},
    }


def _granting(session: Session, case: str) -> DocumentRow | None:
    if not case:
        return None
    query = select(DocumentRow).where(DocumentRow.case == case, col(DocumentRow.type).in_(GRANTING))
    return session.exec(query.order_by(col(DocumentRow.created_at).desc())).first()


def records(session: Session, catalogue: Catalogue, first: date, last: date) -> Iterator[dict[str, Any]]:
    """The records of all permits decided from `first` to `last`, by the day of decision."""
    for edition, row in session.exec(_editions(EditionRow.issued_on >= first, EditionRow.issued_on <= last)):
        if is_published_edition(catalogue, row, edition):
            yield edition_record(session, catalogue, row, edition)
    documents = select(DocumentRow).where(DocumentRow.issued_on >= first, DocumentRow.issued_on <= last)
    for document in session.exec(documents.order_by(col(DocumentRow.issued_on), DocumentRow.number)):
        if grants(catalogue, document):
            yield document_record(catalogue, document)


def grants(catalogue: Catalogue, row: DocumentRow) -> bool:
    """Whether the document is a permit of its own."""
    item = catalogue.items.get(row.item)
    return item is not None and is_permit(item) and is_granted_by_document(item, row.type)


def unpublished(session: Session, catalogue: Catalogue, now: datetime) -> list[Unpublished]:
    """Permits whose record has not arrived by webhook or file, the earliest term first."""
    arrived = select(DeliveryRow.identifier).where(_publicity(), DeliveryRow.state == "done")
    found = []
    for edition, row in session.exec(_editions(col(EditionRow.identifier).not_in(arrived))):
        if is_published_edition(catalogue, row, edition):
            name = catalogue.certificate_types[row.type].name
            found.append(_waiting(catalogue, row.number, name, edition.item, row.authority, edition.issued_on, now))
    for document in session.exec(select(DocumentRow).where(col(DocumentRow.number).not_in(arrived))):
        if grants(catalogue, document):
            name = catalogue.document_types[document.type].name
            place = (document.number, name, document.item, document.authority, document.issued_on)
            found.append(_waiting(catalogue, *place, now))
    return sorted(found, key=lambda entry: (entry.due, entry.number))


def _editions(*conditions: ColumnElement[bool] | bool) -> Any:
    same = and_(col(CertificateRow.key) == EditionRow.certificate)
    query = select(EditionRow, CertificateRow).join(CertificateRow, same).where(*conditions)
    return query.order_by(col(EditionRow.issued_on), EditionRow.identifier)


def _publicity() -> ColumnElement[bool]:
    return or_(DeliveryRow.operation == "publish", DeliveryRow.operation == "publish-again")


def _waiting(  # noqa: PLR0917  the columns of one entry
    catalogue: Catalogue, number: str, name: str, item: str, authority: str, decided_on: date, now: datetime
) -> Unpublished:
    calendar, today = catalogue.calendar, civil_date(now)
    due = calendar.after(decided_on, PUBLISH_WITHIN)
    late = calendar.between(due, today) if due < today else 0
    return Unpublished(number, name, item, authority, decided_on, due, late, calendar.knows(due))
