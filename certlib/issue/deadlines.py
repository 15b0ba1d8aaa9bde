"""Time limits (行政许可法 42, 44): cases accepted and not decided in time, outcomes decided and not served in time.

A case is known by its papers: one that states 受理日期 says that it was accepted, an extension says until when. What
decides it is an edition, a document of the last step, an act, or the refusal to accept. Days are working days by the
catalogue's calendar; `certain` is false when the limit falls in a year whose holidays are not announced yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select as select_columns
from sqlmodel import Session, and_, col, or_, select

from certlib.catalogue import Catalogue
from certlib.domain.calendar import SERVE_WITHIN, decision_due, service_due
from certlib.domain.civil import civil_date
from certlib.domain.decision import StepKind
from certlib.domain.kinds import DocumentType
from certlib.domain.paper import SheetState
from certlib.domain.service import ServedCarrier
from certlib.register.service_table import ServiceRow
from certlib.register.tables import CertificateRow, DocumentRow, EditionRow, EventRow, SheetRow

DECIDE, SERVE = "decide", "serve"
_WORDS = {DECIDE: "逾期未作出决定", SERVE: "逾期未送达"}

_OF_EDITION: tuple[Any, ...] = (
    EditionRow.case,
    EditionRow.item,
    EditionRow.issued_on,
    CertificateRow.type,
    CertificateRow.number,
    CertificateRow.authority,
)


@dataclass(frozen=True, slots=True)
class Overdue:
    """One time limit that has passed: what is to be done, for which case, since when."""

    duty: str  # decide | serve
    case: str
    item: str
    name: str  # of the item, or of what is to be served with its number
    authority: str  # who is to act
    began_on: date  # accepted or decided
    due: date
    days: int  # working days beyond
    certain: bool

    def as_json(self) -> dict[str, Any]:
        """The entry as the API and the command line show it."""
        return {
            "duty": self.duty,
            "words": _WORDS[self.duty],
            "case": self.case,
            "item": self.item,
            "name": self.name,
            "authority": self.authority,
            "began_on": self.began_on.isoformat(),
            "due": self.due.isoformat(),
            "days": self.days,
            "certain": self.certain,
        }


def overdue(session: Session, catalogue: Catalogue, now: datetime) -> list[Overdue]:
    """Every time limit that has passed at `now`, the longest overdue first."""
    clerk = _Clerk(session, catalogue, civil_date(now))
    found = [*clerk.undecided(), *clerk.editions(), *clerk.documents()]
    return sorted(found, key=lambda entry: (entry.due, entry.case))


@dataclass(frozen=True, slots=True)
class _Clerk:
    """Looks through the register on one day."""

    session: Session
    catalogue: Catalogue
    today: date

    def undecided(self) -> Iterator[Overdue]:
        """Accepted cases without an outcome; an extension notice moves their limit."""
        case = col(DocumentRow.case)
        papers = self.session.exec(
            select(DocumentRow)
            .where(col(DocumentRow.type).in_(self._accepting()), DocumentRow.case != "")
            .where(case.not_in(select(col(EditionRow.case))), case.not_in(select(col(EventRow.case))))
            .where(case.not_in(select(col(DocumentRow.case)).where(self._decides())))
            .order_by(col(DocumentRow.created_at))
        ).all()
        until = {row.case: date.fromisoformat(row.facts["due_on"]) for row in papers if row.facts.get("due_on")}
        for row in {row.case: row for row in reversed(papers)}.values():  # the first paper of each case
            began = civil_date(datetime.fromisoformat(row.decision["acceptance"]["at"]))
            due = until.get(row.case) or decision_due(self.catalogue.calendar, began)
            place = (row.case, row.item, self._decider(row))
            yield from self._late(DECIDE, place, self.catalogue.items[row.item].title, began, due)

    def editions(self) -> Iterator[Overdue]:
        """Newest editions whose paper, or whose file where paper was waived, has not reached the holder."""
        newest = and_(
            col(CertificateRow.key) == EditionRow.certificate, col(CertificateRow.edition) == EditionRow.index
        )
        query = (
            select_columns(*_OF_EDITION)
            .join(CertificateRow, newest)
            .where(
                col(CertificateRow.state) == "in-force",
                col(EditionRow.action) != "import",
                self._old(EditionRow.issued_on),
            )
            .where(
                or_(
                    and_(col(EditionRow.paper_waived).is_(True), _not_served(ServedCarrier.FILE)),
                    and_(col(EditionRow.paper_waived).is_(False), _not_served(ServedCarrier.PAPER), _held_back()),
                )
            )
        )
        for case, item, issued_on, kind, number, authority in self._few_at_once(query):
            due = service_due(self.catalogue.calendar, issued_on)
            name = f"{self.catalogue.certificate_types[kind].name} {number}"
            yield from self._late(SERVE, (case, item, authority), name, issued_on, due)

    def documents(self) -> Iterator[Overdue]:
        """Decisions, replies, opinions, lists and receipts that nobody has been served."""
        served = select(col(ServiceRow.document)).where(col(ServiceRow.document).is_not(None))
        row = DocumentRow
        columns: tuple[Any, ...] = (row.case, row.item, row.issued_on, row.type, row.number, row.authority)
        query = select_columns(*columns)
        query = query.where(self._decides(), self._old(row.issued_on), col(row.id).not_in(served))
        for case, item, issued_on, kind, number, authority in self._few_at_once(query):
            due = service_due(self.catalogue.calendar, issued_on)
            name = f"{self.catalogue.document_types[kind].name} {number}"
            yield from self._late(SERVE, (case, item, authority), name, issued_on, due)

    def _few_at_once(self, query: Any) -> Iterator[Any]:
        """Lines of the named columns only, a thousand in memory: years of papers may wait, each with its texts."""
        yield from self.session.connection().execute(query, execution_options={"yield_per": 1000})

    def _late(self, duty: str, place: tuple[str, str, str], name: str, began: date, due: date) -> Iterator[Overdue]:
        if due < self.today:
            calendar, (case, item, authority) = self.catalogue.calendar, place
            yield Overdue(
                duty=duty,
                case=case,
                item=item,
                name=name,
                authority=authority,
                began_on=began,
                due=due,
                days=calendar.between(due, self.today),
                certain=calendar.knows(due),
            )

    def _old(self, day: Any) -> Any:
        return col(day) <= self.today - timedelta(days=SERVE_WITHIN)

    def _accepting(self) -> list[str]:
        return [kind.key for kind in self.catalogue.document_types.values() if _says_accepted(kind)]

    def _decides(self) -> Any:
        kinds = [kind.key for kind in self.catalogue.document_types.values() if is_outcome(kind)]
        return col(DocumentRow.type).in_(kinds)

    def _decider(self, row: DocumentRow) -> str:
        mandate = self.catalogue.mandate_on(row.item, row.issued_on)
        return mandate.decides if mandate else row.authority


def _says_accepted(kind: DocumentType) -> bool:
    """Whether a paper of that kind states that the case was accepted, before it is decided."""
    return kind.step != StepKind.APPROVAL and any(spec.key == "accepted_on" for spec in kind.fields)


def is_outcome(kind: DocumentType) -> bool:
    """Whether a paper of that kind ends the case and is meant for its applicant."""
    return kind.step == StepKind.APPROVAL and kind.outward and kind.kind != "record"


def _not_served(carrier: ServedCarrier) -> Any:
    same = and_(col(ServiceRow.certificate) == EditionRow.certificate, col(ServiceRow.edition) == EditionRow.index)
    return ~select(col(ServiceRow.id)).where(same, col(ServiceRow.carrier) == carrier.value).exists()


def _held_back() -> Any:
    """A sheet of the edition that its holder has not got."""
    same = and_(col(SheetRow.certificate) == EditionRow.certificate, col(SheetRow.edition) == EditionRow.index)
    waiting = col(SheetRow.state).in_([SheetState.TO_PRINT.value, SheetState.PRINTED.value])
    return select(col(SheetRow.id)).where(same, waiting).exists()
