"""What bears an index, whose it is and whether the public may see it; and the log of accesses to it (访问日志)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from certlib.catalogue import Catalogue
from certlib.domain.civil import day_start
from certlib.domain.holder import Holder
from certlib.register.tables import AccessRow, DocumentRow, EditionRow, SheetRow

OUTCOMES = frozenset(
    {
        "shown",
        "exported",
        "given",
        "printed",
        "denied",
        "yes",
        "no",
        "refused",
        "erased",
        "dead letter shown",
        "replayed",
        "put right and replayed",
    }
)
"""What may come of an access; the auditor's page has words for each."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """What bears an index: `subject` names the certificate (its key) or document (its id), `public` its type's rule."""

    subject: str
    kind: str  # certificate | document
    holder: Holder
    public: bool

    def is_shown(self, on: date) -> bool:
        """Whether the public may look it up: never a minor's, nor what its type keeps from the public."""
        return self.public and not self.holder.is_minor(on)


def bearer_of(session: Session, catalogue: Catalogue, n: int) -> Bearer | None:
    """What bears index `n` (a file or a sheet), or None."""
    edition = session.exec(select(EditionRow).where(EditionRow.n == n)).one_or_none()
    if edition is None:
        sheet = session.exec(select(SheetRow).where(SheetRow.n == n)).one_or_none()
        edition = session.get(EditionRow, (sheet.certificate, sheet.edition)) if sheet else None
    if edition is not None:
        return Bearer(edition.certificate, "certificate", Holder.of(edition.holder), public=True)
    document = session.exec(select(DocumentRow).where(DocumentRow.n == n)).one_or_none()
    if document is None:
        return None
    public = catalogue.document_types[document.type].public
    return Bearer(document.id, "document", Holder.of(document.holder), public=public)


def note_access(session: Session, at: datetime, *, client: str, subject: str, purpose: str, outcome: str) -> None:
    """Write down one access: who, to what (a certificate's key, a document's id), why, and what came of it."""
    if outcome not in OUTCOMES:
        raise ValueError(f"no outcome of an access: {outcome}")
    session.add(AccessRow(at=at, client=client, subject=subject, purpose=purpose, outcome=outcome))


def accesses_on(session: Session, day: date, *, subject: str, purpose: str) -> int:
    """How many accesses to `subject` for `purpose` the log has of one Shanghai day."""
    begin = day_start(day)
    those = (
        AccessRow.subject == subject,
        AccessRow.purpose == purpose,
        col(AccessRow.at) >= begin,
        col(AccessRow.at) < begin + timedelta(days=1),
    )
    return session.exec(select(func.count()).select_from(AccessRow).where(*those)).one()
