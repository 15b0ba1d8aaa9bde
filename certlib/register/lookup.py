"""The register's answer to the verifier: what stands behind a digest or an index, at a moment.

Implements `certlib.verify.lookup.RegisterLookup`. The past is replayed from the events, so "at" may lie behind.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from certlib.catalogue import Catalogue
from certlib.domain.actions import LegalState
from certlib.domain.certificate import Certificate, SheetFate, edition_verdict, sheet_verdict
from certlib.domain.civil import civil_date
from certlib.domain.holder import Holder
from certlib.domain.verdict import Verdict
from certlib.identifiers import check_code_matches
from certlib.register.certificates import load_certificate
from certlib.register.store import Register
from certlib.register.tables import CertificateRow, DocumentRow, EditionRow, EventRow, FileRow, SheetRow
from certlib.verify.lookup import RegisterState


class SqlLookup:
    """`RegisterLookup` over the register's tables."""

    def __init__(self, register: Register, catalogue: Catalogue) -> None:
        self._register, self._catalogue = register, catalogue

    def by_sha256(self, sha256: str, *, at: datetime) -> RegisterState | None:
        """The state of the issued file with this digest, or None."""
        with self._register.reader() as session:
            file = session.get(FileRow, sha256)
            return self._of_index(session, file.n, at) if file else None

    def by_index(self, n: int, *, at: datetime) -> RegisterState | None:
        """The state of the file or sheet with index `n`, or None."""
        with self._register.reader() as session:
            return self._of_index(session, n, at)

    def by_number(self, number: str, check: str, *, at: datetime) -> RegisterState | None:
        """The state of what bears this face number together with this check code, or None.

        What of it the public may see is decided by `certlib.issue.inspecting`.
        """
        with self._register.reader() as session:
            key = select(CertificateRow.key).where(CertificateRow.number == number).scalar_subquery()
            editions = session.exec(select(EditionRow).where(EditionRow.certificate == key)).all()
            documents = session.exec(select(DocumentRow).where(DocumentRow.number == number)).all()
            rows: list[EditionRow | DocumentRow] = [*editions, *documents]
            found = [row for row in rows if check_code_matches(check, row.check_code)]
            return self._of_index(session, found[-1].n, at) if found else None

    def _of_index(self, session: Session, n: int, at: datetime) -> RegisterState | None:
        edition = session.exec(select(EditionRow).where(EditionRow.n == n)).one_or_none()
        if edition is not None:
            return self._of_edition(session, edition, n=n, at=at, sheet=None)
        sheet = session.exec(select(SheetRow).where(SheetRow.n == n)).one_or_none()
        if sheet is not None:
            bearing = session.get_one(EditionRow, (sheet.certificate, sheet.edition))
            return self._of_edition(session, bearing, n=n, at=at, sheet=sheet)
        document = session.exec(select(DocumentRow).where(DocumentRow.n == n)).one_or_none()
        return self._of_document(document, at) if document else None

    def _of_edition(
        self, session: Session, edition: EditionRow, *, n: int, at: datetime, sheet: SheetRow | None
    ) -> RegisterState:
        row, certificate = load_certificate(session, edition.certificate)
        past = certificate_at(session, certificate, at)
        verdict = edition_verdict(past, edition.index, at)
        if sheet is not None:
            verdict = sheet_verdict(verdict, SheetFate(sheet.fate))
        current = past.edition_at(at)
        return RegisterState(
            verdict=verdict,
            identifier=edition.identifier if edition.index else row.identifier,
            number=row.number,
            title=self._catalogue.certificate_types[row.type].name,
            edition=edition.index,
            n=n,
            cause=past.cause,
            since=past.since if past.state is not LegalState.IN_FORCE else None,
            holder=Holder.of(edition.holder).masked,
            issuer=self._catalogue.authorities[row.authority].name,
            issued_on=edition.issued_on,
            valid_until=edition.valid_until,
            current_edition=current.index if current else 0,
            imported=row.imported,
            registered_at=edition.created_at,
        )

    def _of_document(self, row: DocumentRow, at: datetime) -> RegisterState:
        stands = Verdict.VALID if row.state == "in-force" else Verdict.VOIDED
        return RegisterState(
            verdict=stands if civil_date(at) >= row.issued_on else Verdict.NOT_IN_FORCE,
            identifier=row.number,
            number=row.number,
            title=self._catalogue.document_types[row.type].name,
            edition=1,
            n=row.n,
            holder=Holder.of(row.holder).masked,
            issuer=self._catalogue.authorities[row.authority].name,
            issued_on=row.issued_on,
            current_edition=1,
            registered_at=row.created_at,
        )


def certificate_at(session: Session, certificate: Certificate, at: datetime) -> Certificate:
    """The certificate as it stood at `at`: state, cause and editions of the events up to then."""
    events = session.exec(
        select(EventRow)
        .where(EventRow.certificate == certificate.key, EventRow.at <= at)
        .order_by(col(EventRow.version))
    ).all()
    if not events:
        return Certificate(key=certificate.key, type=certificate.type, number=certificate.number)
    if events[-1].version == certificate.version:
        return certificate
    last = events[-1]
    made = {event.edition for event in events if event.edition is not None}
    return Certificate(
        key=certificate.key,
        type=certificate.type,
        number=certificate.number,
        version=last.version,
        state=LegalState(last.target),
        cause=last.cause,
        since=last.at,
        editions=tuple(edition for edition in certificate.editions if edition.index in made),
    )
