"""What the city repository is told of an event, in our words; `certlib.city` maps it to theirs."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session, select

from certlib.catalogue import Catalogue
from certlib.register.tables import CertificateRow, EditionRow, EventRow, FileRow


def message_of(
    session: Session,
    catalogue: Catalogue,
    row: CertificateRow,
    event: EventRow,
    *,
    operation: str = "",
    sha256: str = "",
) -> dict[str, Any]:
    """The delivery of one event: `predecessor` is the edition before; the queue sets `sequence`, not the version."""
    edition = _edition(session, row.key, row.edition if event.edition is None else event.edition)
    kind, authority = catalogue.certificate_types[row.type], catalogue.authorities[row.authority]
    return {
        "identifier": edition.identifier if edition.index else row.identifier,
        "sequence": event.version,
        "version": event.version,
        "operation": operation or event.action,
        "at": event.at.isoformat(),
        "state": row.state,
        "cause": row.cause,
        "type": row.type,
        "type_code": kind.code,
        "number": row.number,
        "name": kind.name,
        "holder": {
            "name": row.holder_name,
            "code": row.holder_code,
            "code_type": row.holder_code_type,
            **({"others": edition.holder["others"]} if edition.holder.get("others") else {}),
        },
        "issuer": {"name": authority.name, "code": authority.uscc, "level": authority.level},
        "item": edition.item,
        "facts": edition.printed,
        "issued_on": edition.issued_on.isoformat(),
        "effective_from": edition.effective_from.isoformat(),
        "valid_from": edition.valid_from.isoformat(),
        "valid_until": edition.valid_until.isoformat() if edition.valid_until else "",
        "edition": edition.index,
        "predecessor": _predecessor(session, row.key, event.edition or 0),
        "file": _file(session, sha256) if sha256 else None,
    }


def _edition(session: Session, certificate: str, index: int) -> EditionRow:
    return session.exec(
        select(EditionRow).where(EditionRow.certificate == certificate, EditionRow.index == index)
    ).one()


def _predecessor(session: Session, certificate: str, index: int) -> str:
    """The 证照标识 of the edition that a new one supersedes, empty when the event makes none or the first."""
    return _edition(session, certificate, index - 1).identifier if index > 1 else ""


def _file(session: Session, sha256: str) -> dict[str, Any]:
    row = session.get(FileRow, sha256)
    return {"sha256": sha256, "size": row.size if row else 0, "level": row.level if row else ""}
