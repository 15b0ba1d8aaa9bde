"""Telling subscribers of an event in its own transaction (审管信息推送): a delivery row for each that wants it.

The webhook's id is made here, from the event alone: every target and every attempt gets the same one. Holder and facts
stand where the city's message has them, so that an erasure reaches them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, select

from certlib.catalogue import Catalogue
from certlib.domain.actions import Action
from certlib.domain.civil import civil_date
from certlib.domain.lifecycle import RULES
from certlib.domain.mandate import covering
from certlib.domain.subscription import Content, Subscription
from certlib.register.deliveries import enqueue
from certlib.register.permits import (
    GRANTING,
    document_record,
    edition_record,
    ending_types,
    grants,
    is_published_edition,
)
from certlib.register.tables import CertificateRow, DocumentRow, EditionRow

PUBLISH, PUBLISH_AGAIN = "publish", "publish-again"
_STEPS = ("acceptance", "review", "approval")
_KEPT = (
    "identifier",
    "version",
    "operation",
    "at",
    "state",
    "cause",
    "type",
    "name",
    "number",
    "holder",
    "issuer",
    "item",
    "issued_on",
    "effective_from",
    "valid_from",
    "valid_until",
    "edition",
    "predecessor",
    "file",
)


def tell(
    session: Session,
    subscriptions: Iterable[Subscription],
    catalogue: Catalogue,
    row: CertificateRow,
    message: Mapping[str, Any],
    *,
    now: datetime,
) -> None:
    """Enqueue a certificate's event, whose message to the city is `message`, for every subscriber that wants it."""
    if not (subscribers := tuple(subscriptions)):
        return
    edition = session.exec(
        select(EditionRow).where(EditionRow.certificate == row.key, EditionRow.index == message["edition"])
    ).one()
    item = str(message["item"]) or _item_of_type(catalogue, row.type)
    supervisor = supervisor_of(catalogue, item, civil_date(now))
    parties = {row.authority, *_parties(edition.decision)}
    notice = _notice(catalogue, {**message, "item": item}, edition.case, supervisor, row.authority)
    wanting = [one for one in subscribers if one.wants(item=item, supervisor=supervisor, parties=parties)]
    for subscription in wanting:
        if subscription.content is Content.EVENTS:
            enqueue(session, certificate=row.key, message=notice, now=now, target=subscription.target)
        elif message["operation"] != "replace-file" and is_published_edition(catalogue, row, edition):
            record = edition_record(session, catalogue, row, edition)
            operation = PUBLISH if RULES[Action(message["operation"])].new_edition else PUBLISH_AGAIN
            _publish(session, subscription, row.key, record, operation, now)
            if operation == PUBLISH and edition.activated:
                _correct_predecessor(session, subscription, catalogue, row, edition, now)


def tell_of_document(
    session: Session, subscriptions: Iterable[Subscription], catalogue: Catalogue, document: str, *, now: datetime
) -> None:
    """Enqueue a sealed document for every subscriber that wants it; a granting one brings the permit's record anew."""
    if not (subscribers := tuple(subscriptions)):
        return
    row = session.get_one(DocumentRow, document)
    supervisor = supervisor_of(catalogue, row.item, civil_date(now))
    parties = {row.authority, *_parties(row.decision)}
    for subscription in subscribers:
        if not subscription.wants(item=row.item, supervisor=supervisor, parties=parties):
            continue
        if subscription.content is Content.EVENTS:
            notice = _document_notice(catalogue, row, supervisor, now)
            enqueue(session, certificate=chain_of(row), message=notice, now=now, target=subscription.target)
        elif grants(catalogue, row):
            record = document_record(session, catalogue, row)
            _publish(session, subscription, chain_of(row), record, PUBLISH, now)
        elif row.type in ending_types(catalogue):
            _publish_ended(session, subscription, catalogue, row, now)
        elif row.type in GRANTING:
            _publish_anew(session, subscription, catalogue, row, now)


def supervisor_of(catalogue: Catalogue, item: str, day: date) -> str:
    """Who supervises the item on `day` by its mandate; empty for an import, which has no item."""
    mandates = catalogue.mandates.get(item, ())
    mandate = covering(mandates, day) or (mandates[-1] if mandates else None)
    return mandate.supervises if mandate else ""


def event_id(*parts: object) -> str:
    """The stable id of an event, without a full stop as the signature's format asks."""
    return "evt_" + hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:32]


def chain_of(row: DocumentRow) -> str:
    """The name of a document's events in the queues, where a certificate has its key."""
    return f"document:{row.id}"


def _correct_predecessor(  # noqa: PLR0917  as few as a row has
    session: Session,
    subscription: Subscription,
    catalogue: Catalogue,
    row: CertificateRow,
    edition: EditionRow,
    now: datetime,
) -> None:
    """The permit that this edition replaces is published anew as superseded."""
    before = session.get(EditionRow, (row.key, edition.index - 1))
    if before is not None and is_published_edition(catalogue, row, before):
        record = edition_record(session, catalogue, row, before)
        _publish(session, subscription, row.key, record, PUBLISH_AGAIN, now)


def _publish_anew(
    session: Session, subscription: Subscription, catalogue: Catalogue, document: DocumentRow, now: datetime
) -> None:
    if not document.case:
        return
    editions = session.exec(select(EditionRow).where(EditionRow.case == document.case)).all()
    for edition in editions:
        row = session.exec(
            select(CertificateRow).where(CertificateRow.key == edition.certificate).with_for_update()
        ).one()
        if is_published_edition(catalogue, row, edition):
            record = edition_record(session, catalogue, row, edition)
            _publish(session, subscription, row.key, {**record, "document": document.number}, PUBLISH_AGAIN, now)


def _publish_ended(
    session: Session, subscription: Subscription, catalogue: Catalogue, ending: DocumentRow, now: datetime
) -> None:
    """The permit that was granted by the document which `ending` names is published anew as over."""
    named = select(DocumentRow).where(DocumentRow.number == str(ending.facts.get("certificate_number", "")))
    row = session.exec(named.where(DocumentRow.item == ending.item).with_for_update()).one_or_none()
    if row is not None and grants(catalogue, row):
        record = document_record(session, catalogue, row)
        _publish(session, subscription, chain_of(row), {**record, "document": ending.number}, PUBLISH_AGAIN, now)


def _publish(  # noqa: PLR0917  as few as a row has
    session: Session, subscription: Subscription, chain: str, record: Mapping[str, Any], operation: str, now: datetime
) -> None:
    message = published(record, operation, now)
    enqueue(session, certificate=chain, message=message, now=now, target=subscription.target)


def published(record: Mapping[str, Any], operation: str, now: datetime) -> dict[str, Any]:
    """The message that carries a 双公示 record, with an id of its own for each thing the record says."""
    key = (record["identifier"], record.get("version", 0), record.get("document", ""), record["state"])
    return {**record, "id": event_id("publicity", *key), "operation": operation, "at": now.isoformat()}


def _item_of_type(catalogue: Catalogue, type_key: str) -> str:
    """The first item that yields the type, for a certificate that was imported and has none."""
    yielding = (key for key, item in catalogue.items.items() if type_key in {one.type for one in item.outcomes})
    return next(yielding, "")


def _notice(
    catalogue: Catalogue, message: Mapping[str, Any], case: str, supervisor: str, authority: str
) -> dict[str, Any]:
    operation = str(message["operation"])
    rule = next((rule for action, rule in RULES.items() if action == operation), None)
    file = message["file"] or {}
    return {
        **{name: message[name] for name in _KEPT},
        "id": event_id(message["identifier"], message["version"], operation, file.get("sha256", "")),
        "event": f"certificate.{operation}",
        "label": rule.label if rule else "更换文件",
        "case": case,
        "item_title": catalogue.items[message["item"]].title if message["item"] in catalogue.items else "",
        "authority": authority,
        "supervisor": _named(catalogue, supervisor),
    }


def _document_notice(catalogue: Catalogue, row: DocumentRow, supervisor: str, now: datetime) -> dict[str, Any]:
    kind, issuer = catalogue.document_types[row.type], catalogue.authorities[row.authority]
    return {
        "id": event_id("document", row.id, row.version),
        "event": "document.sealed",
        "operation": "document",
        "label": "制发文书",
        "identifier": row.number,
        "at": now.isoformat(),
        "state": row.state,
        "type": row.type,
        "name": kind.name,
        "number": row.number,
        "holder": row.holder,
        "issuer": {"name": issuer.name, "code": issuer.uscc, "level": issuer.level},
        "item": row.item,
        "item_title": catalogue.items[row.item].title if row.item in catalogue.items else "",
        "case": row.case,
        "authority": row.authority,
        "supervisor": _named(catalogue, supervisor),
        "issued_on": row.issued_on.isoformat(),
    }


def _named(catalogue: Catalogue, authority: str) -> dict[str, str] | None:
    found = catalogue.authorities.get(authority)
    return {"key": found.key, "name": found.name, "code": found.uscc} if found else None


def _parties(decision: Mapping[str, Any]) -> Iterable[str]:
    for name in _STEPS:
        step = decision.get(name)
        if isinstance(step, Mapping) and step.get("authority"):
            yield str(step["authority"])
