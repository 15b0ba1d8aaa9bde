"""Reading a certificate from the register: its row, the domain's view of it, its sheets, the status of each index."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from certlib.domain.actions import LegalState
from certlib.domain.certificate import (
    Certificate,
    Edition,
    SheetFate,
    edition_verdict,
    sheet_verdict,
    status_code,
)
from certlib.errors import NotFoundError
from certlib.register.tables import CertificateRow, EditionRow, SheetRow


def load_certificate(session: Session, key: str, *, lock: bool = False) -> tuple[CertificateRow, Certificate]:
    """A certificate's row and the domain's view of it. Raises `NotFoundError` when there is none."""
    query = select(CertificateRow).where(CertificateRow.key == key)
    row = session.exec(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFoundError("没有这一证照。")
    editions = session.exec(
        select(EditionRow).where(EditionRow.certificate == key).order_by(col(EditionRow.index))
    ).all()
    return row, Certificate(
        key=row.key,
        type=row.type,
        number=row.number,
        version=row.version,
        state=LegalState(row.state),
        cause=row.cause,
        since=row.since,
        editions=tuple(to_edition(edition) for edition in editions),
    )


def to_edition(row: EditionRow) -> Edition:
    """The domain's view of an edition row."""
    return Edition(
        index=row.index,
        n=row.n,
        issued_on=row.issued_on,
        effective_from=row.effective_from,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
    )


def sheets_of(session: Session, certificate: str) -> Sequence[SheetRow]:
    """All sheets of a certificate, oldest first."""
    return session.exec(select(SheetRow).where(SheetRow.certificate == certificate).order_by(col(SheetRow.id))).all()


def statuses(session: Session, certificate: Certificate, at: datetime) -> tuple[tuple[int, int], ...]:
    """The status of every index of a certificate as it now stands: files and sheets alike."""
    verdicts = {edition.index: edition_verdict(certificate, edition.index, at) for edition in certificate.editions}
    files = [(edition.n, int(status_code(verdicts[edition.index]))) for edition in certificate.editions]
    sheets = [
        (sheet.n, int(status_code(sheet_verdict(verdicts[sheet.edition], SheetFate(sheet.fate)))))
        for sheet in sheets_of(session, certificate.key)
        if sheet.edition in verdicts
    ]
    return tuple(sorted(files + sheets))
