"""Which 双公示 records are to be sent, and by when: permits never sent, and those that changed after they were sent.

A record has been sent when it arrived by webhook or was handed over as a file. What was handed over is a delivery that
is done, with the number of its export, so that the same file can be made again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Subquery, exists, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, and_, col, or_, select

from certlib.catalogue import Catalogue
from certlib.domain.civil import civil_date
from certlib.domain.publicity import ROW_WORDS, RowKind, days_left, row_of
from certlib.domain.subscription import FILED, is_permit
from certlib.register.deliveries import enqueue
from certlib.register.delivery_table import DeliveryRow
from certlib.register.permits import (
    GRANTING,
    SUPERSEDED,
    document_record,
    edition_record,
    ended_by,
    ending_document,
    grants,
    is_published_edition,
)
from certlib.register.subscriptions import PUBLISH, PUBLISH_AGAIN, chain_of, published
from certlib.register.tables import CertificateRow, DocumentRow, EditionRow

LIMIT = 2_000
"""The most rows that one list or export holds; what is left comes with the next."""

_AT_ONCE = 200  # rows read ahead: what was never sent may be all there is


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A row to be sent. `began_on` is the day of the decision or of the change, from which the term runs.

    `left` are the working days to its end, negative beyond; `certain` is false in a year without known holidays.
    """

    row: RowKind
    chain: str  # of the deliveries: the certificate's key, or the document
    authority: str
    record: Mapping[str, Any]
    began_on: date
    due: date
    left: int
    certain: bool

    def as_json(self) -> dict[str, Any]:
        """The entry as the API and the command line show it: no holder, which a list does not need."""
        record = self.record
        chinese, english = ROW_WORDS[self.row]
        return {
            "row": self.row.value,
            "row_words": chinese,
            "row_english": english,
            "number": record["certificate"]["number"] or record["decision"]["number"],
            "identifier": record["identifier"],
            "name": record["certificate"]["name"] or record["decision"]["name"],
            "item": record["item"],
            "item_title": record["item_title"],
            "authority": self.authority,
            "issuer": record["issuer"]["name"],
            "state": record["state"],
            "began_on": self.began_on.isoformat(),
            "due": self.due.isoformat(),
            "days_left": self.left,
            "certain": self.certain,
        }


def pending(
    session: Session, catalogue: Catalogue, now: datetime, *, authority: str = "", limit: int = LIMIT
) -> list[Pending]:
    """The rows to be sent at `now`, the earliest term first; only those of one deciding authority when it is given.

    At most `limit` of certificates and as many of documents are looked up, the oldest first.
    """
    finder = _Finder(session, catalogue, civil_date(now), authority)
    found = [*islice(finder.editions(), limit), *islice(finder.documents(), limit)]
    return sorted(found, key=lambda entry: (entry.due, entry.record["identifier"]))[:limit]


def note_filed(session: Session, rows: Iterable[Pending], number: int, now: datetime) -> None:
    """Mark these rows as handed over with the export `number`."""
    for pending_row in rows:
        operation = PUBLISH if pending_row.row is RowKind.NEW else PUBLISH_AGAIN
        message = published({**pending_row.record, "row": pending_row.row.value}, operation, now)
        row = enqueue(session, certificate=pending_row.chain, message=message, now=now, target=FILED)
        row.state, row.done_at, row.answer = "done", now, {"export": number}
        session.add(row)


def filed(session: Session, number: int) -> list[Mapping[str, Any]]:
    """The records of one export, in its order, as they were handed over (less what was erased since)."""
    query = select(DeliveryRow.message).where(
        DeliveryRow.target == FILED, col(DeliveryRow.answer)["export"].as_integer() == number
    )
    return list(session.exec(query.order_by(col(DeliveryRow.id))))


@dataclass(frozen=True, slots=True)
class _Finder:
    """Looks through the register on one day."""

    session: Session
    catalogue: Catalogue
    today: date
    authority: str

    def editions(self) -> Iterator[Pending]:
        """Editions never sent, or whose certificate, later edition or decision document came after they were."""
        sent, newest = aliased(DeliveryRow), _newest_arrived()
        changed = or_(_version(sent) != CertificateRow.version, _other_decision(sent), _superseded_unsaid(sent))
        query = (
            select(EditionRow, CertificateRow, sent.message)
            .join(CertificateRow, col(CertificateRow.key) == EditionRow.certificate)
            .outerjoin(newest, newest.c.identifier == EditionRow.identifier)
            .outerjoin(sent, col(sent.id) == newest.c.id)
            .where(EditionRow.index > 0, or_(col(sent.id).is_(None), changed))
            .where(col(EditionRow.item).in_(self._permits()), self._own(col(CertificateRow.authority)))
            .order_by(col(EditionRow.issued_on), EditionRow.identifier)
        )
        for edition, row, message in self.session.exec(query.execution_options(yield_per=_AT_ONCE)):
            # after an erasure there is nobody left to publish
            if is_published_edition(self.catalogue, row, edition) and edition.holder.get("code"):
                record = edition_record(self.session, self.catalogue, row, edition)
                place = (row.key, row.authority, edition.issued_on, civil_date(row.updated_at))
                yield from self._row(place, record, message)

    def documents(self) -> Iterator[Pending]:
        """Granting documents never sent, or in another state now, or ended by a decision."""
        sent, newest, ending = aliased(DeliveryRow), _newest_arrived(), aliased(DocumentRow)
        ended = exists().where(ended_by(self.catalogue, DocumentRow, ending))
        changed = or_(_version(sent) != DocumentRow.version, ended)
        query = (
            select(DocumentRow, sent.message)
            .outerjoin(newest, newest.c.identifier == DocumentRow.number)
            .outerjoin(sent, col(sent.id) == newest.c.id)
            .where(col(DocumentRow.item).in_(self._permits()), or_(col(sent.id).is_(None), changed))
            .where(self._own(col(DocumentRow.authority)))
            .order_by(col(DocumentRow.issued_on), DocumentRow.number)
        )
        for row, message in self.session.exec(query.execution_options(yield_per=_AT_ONCE)):
            if grants(self.catalogue, row) and row.holder.get("code"):
                over = ending_document(self.session, self.catalogue, row)
                place = (chain_of(row), row.authority, row.issued_on, over.issued_on if over else self.today)
                yield from self._row(place, document_record(self.session, self.catalogue, row), message)

    def _row(
        self, place: tuple[str, str, date, date], record: Mapping[str, Any], sent: Mapping[str, Any] | None
    ) -> Iterator[Pending]:
        row = row_of(record, sent)
        if row is None:
            return
        chain, authority, decided_on, changed_on = place
        began = decided_on if row is RowKind.NEW else changed_on
        calendar = self.catalogue.calendar
        due = calendar.after(began, self.catalogue.publish_within)
        yield Pending(
            row=row,
            chain=chain,
            authority=authority,
            record=record,
            began_on=began,
            due=due,
            left=days_left(calendar, due, self.today),
            certain=calendar.knows(due),
        )

    def _permits(self) -> list[str]:
        return [key for key, item in self.catalogue.items.items() if is_permit(item)]

    def _own(self, column: Any) -> ColumnElement[bool] | bool:
        return column == self.authority if self.authority else True


def _newest_arrived() -> Subquery:
    """The last record of each permit that arrived anywhere."""
    operation = col(DeliveryRow.operation).in_((PUBLISH, PUBLISH_AGAIN))
    query = select(DeliveryRow.identifier, func.max(DeliveryRow.id).label("id"))
    return query.where(operation, DeliveryRow.state == "done").group_by(col(DeliveryRow.identifier)).subquery()


def _version(sent: Any) -> Any:
    """Of which version the record sent is; -1 where it does not say."""
    return func.coalesce(col(sent.message)["version"].as_integer(), -1)


def _other_decision(sent: Any) -> Any:
    """A decision document that grants what the edition attests, and that the record sent does not name."""
    same_case = and_(col(DocumentRow.case) == EditionRow.case, col(DocumentRow.case) != "")
    unsaid = col(sent.message)["decision"]["number"].as_string() != DocumentRow.number
    return exists().where(same_case, col(DocumentRow.type).in_(GRANTING), unsaid)


def _superseded_unsaid(sent: Any) -> Any:
    """A later edition that is effective, of which the record sent says nothing."""
    later = aliased(EditionRow)
    follows = and_(col(later.certificate) == EditionRow.certificate, later.index > EditionRow.index)
    unsaid = col(sent.message)["state"].as_string() != SUPERSEDED
    return and_(unsaid, exists().where(follows, col(later.activated).is_(True)))
