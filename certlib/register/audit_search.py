"""Certificates and documents as an auditor looks them up: by number, seal, person and period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast
from sqlmodel import Session, col, or_, select

from certlib.register.holder_table import held_together
from certlib.register.seal_tables import SealUseRow
from certlib.register.tables import CertificateRow, DocumentRow, EditionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for; empty means any, all given must fit. `person` is a holder, any of several, by name or code.

    A number is a face number, its beginning or end, a 证照标识 or a case number. `since` inclusive, `until` not.
    """

    authority: str = ""
    number: str = ""
    seal: str = ""
    person: str = ""
    since: datetime | None = None
    until: datetime | None = None


def find_certificates(session: Session, wanted: Wanted, *, limit: int) -> Sequence[CertificateRow]:
    """The certificates that fit, the newest first; a period means an edition made within it."""
    row, text = CertificateRow, wanted.number
    query = select(row).where(*_of(col(row.authority), wanted.authority))
    if text:
        case = select(EditionRow.certificate).where(or_(EditionRow.case == text, EditionRow.identifier == text))
        query = query.where(or_(col(row.number).contains(text, autoescape=True), col(row.key).in_(case)))
    if wanted.person:
        query = query.where(
            or_(
                col(row.holder_name).contains(wanted.person, autoescape=True),
                row.holder_code == wanted.person,
                col(row.key).in_(held_together(wanted.person, name=wanted.person)),
            )
        )
    made = [*_within(col(EditionRow.created_at), wanted)]
    if made:
        query = query.where(col(row.key).in_(select(EditionRow.certificate).where(*made)))
    if wanted.seal:
        query = query.where(col(row.number).in_(select(SealUseRow.number).where(SealUseRow.seal == wanted.seal)))
    return session.exec(query.order_by(col(row.updated_at).desc()).limit(limit)).all()


def find_documents(session: Session, wanted: Wanted, *, limit: int) -> Sequence[DocumentRow]:
    """The documents that fit, the newest first."""
    row, text = DocumentRow, wanted.number
    query = select(row).where(*_of(col(row.authority), wanted.authority), *_within(col(row.created_at), wanted))
    if text:
        query = query.where(or_(col(row.number).contains(text, autoescape=True), row.case == text, row.id == text))
    if wanted.person:
        name, code = (col(row.holder)[part].as_string() for part in ("name", "code"))
        query = query.where(or_(cast(name, String).contains(wanted.person, autoescape=True), code == wanted.person))
    if wanted.seal:
        query = query.where(col(row.number).in_(select(SealUseRow.number).where(SealUseRow.seal == wanted.seal)))
    return session.exec(query.order_by(col(row.created_at).desc()).limit(limit)).all()


def _of(column: Any, authority: str) -> list[Any]:
    return [column == authority] if authority else []


def _within(column: Any, wanted: Wanted) -> list[Any]:
    since = [] if wanted.since is None else [column >= wanted.since]
    return since if wanted.until is None else [*since, column < wanted.until]
