"""The 双公示 record of each permit in our words: what was granted to whom, by which decision, until when.

`certlib.city.publicity` writes it in the names of the credit platform. An edition is a record; so is a document that
itself grants (批复). A decision document sealed after the certificate, or a change of standing, brings the record anew;
`certlib.register.publicity` says which records are to be sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, select

from certlib.catalogue import Catalogue
from certlib.domain.actions import Action, LegalState
from certlib.domain.lifecycle import RULES
from certlib.domain.subscription import is_granted_by_document, is_permit
from certlib.register.tables import CertificateRow, DocumentRow, EditionRow

SUPERSEDED = "superseded"
"""The state of a record whose permit a later edition has replaced, whatever has become of the certificate since."""

GRANTING = ("licence-decision", "change-decision", "renewal-decision")
"""The documents that grant what a certificate then attests."""


_ENDS = frozenset({Action.REVOKE, Action.WITHDRAW, Action.CANCEL})


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
        "version": row.version,
        "type": row.type,
        "kind": kind.kind,
        **_standing(session, row, edition),
        "decision": {"name": word[0], "number": word[1]},
        "certificate": {"name": kind.name, "number": row.number},
        "decided_on": edition.issued_on.isoformat(),
        "valid_from": edition.valid_from.isoformat(),
        "valid_until": edition.valid_until.isoformat() if edition.valid_until else "",
    }


def document_record(session: Session, catalogue: Catalogue, row: DocumentRow) -> dict[str, Any]:
    """The record of a document that itself grants; it holds from its own day on, until a decision ends it."""
    kind, ending = catalogue.document_types[row.type], ending_document(session, catalogue, row)
    day = row.issued_on.isoformat()
    return {
        **_common(catalogue, row.authority, row.item, row.holder, row.facts),
        "identifier": row.number,
        "version": row.version,
        "type": row.type,
        "kind": kind.kind,
        "state": ending_types(catalogue)[ending.type] if ending and row.state == LegalState.IN_FORCE else row.state,
        "cause": "",
        "decision": {"name": kind.name, "number": row.number},
        "certificate": {"name": "", "number": ""},
        "decided_on": day,
        "valid_from": day,
        "valid_until": "",
    }


def ending_types(catalogue: Catalogue) -> Mapping[str, str]:
    """The documents that end what they name (撤销、撤回、注销决定书), each with the state it brings about."""
    kinds = catalogue.document_types.values()
    return {kind.key: RULES[kind.action].target.value for kind in kinds if kind.action in _ENDS}


def ended_by(catalogue: Catalogue, granting: Any, ending: Any) -> ColumnElement[bool]:
    """Whether the row `ending` names the document `granting` as what it ends: under the same item, by its number."""
    types, named = ending_types(catalogue), col(ending.facts)["certificate_number"].as_string()
    return and_(col(ending.type).in_(types), col(ending.item) == granting.item, named == granting.number)


def ending_document(session: Session, catalogue: Catalogue, row: DocumentRow) -> DocumentRow | None:
    """The newest decision that ended what the document grants; None while it holds."""
    query = select(DocumentRow).where(ended_by(catalogue, row, DocumentRow))
    return session.exec(query.order_by(col(DocumentRow.created_at).desc()).limit(1)).first()


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


def grants(catalogue: Catalogue, row: DocumentRow) -> bool:
    """Whether the document is a permit of its own."""
    item = catalogue.items.get(row.item)
    return item is not None and is_permit(item) and is_granted_by_document(item, row.type)


def _standing(session: Session, row: CertificateRow, edition: EditionRow) -> dict[str, str]:
    later = select(EditionRow.index).where(EditionRow.certificate == row.key, EditionRow.index > edition.index)
    if session.exec(later.where(col(EditionRow.activated).is_(True)).limit(1)).first() is not None:
        return {"state": SUPERSEDED, "cause": ""}
    return {"state": row.state, "cause": row.cause}
