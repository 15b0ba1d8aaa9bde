"""Statistics of the register: one grouped statement for each kind of row, all of them in the reader's one moment.

What comes back is bounded by days or months, items and kinds, never by the number of certificates. Counting by
Shanghai days: `issued_on` is one already, a moment is moved by the database.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Date, Float, Integer, and_, case, cast, extract, func, select
from sqlmodel import Session, col

from certlib.domain.actions import LegalState
from certlib.domain.civil import civil_date, day_start
from certlib.domain.decision import StepKind
from certlib.domain.figures import ACT, CERTIFICATE, DOCUMENT, Cell, Counted, Delay, Scope
from certlib.domain.lifecycle import RULES
from certlib.domain.subscription import FILED
from certlib.register.delivery_table import DeliveryRow
from certlib.register.stock import blanks, books
from certlib.register.tables import CertificateRow, DocumentRow, EditionRow, EventRow

STEPS = tuple(step.value for step in StepKind)
_ACTS = tuple(action.value for action, rule in RULES.items() if not rule.new_edition)


def count(
    session: Session, scope: Scope, now: datetime, *, outcomes: tuple[str, ...], papers: tuple[str, ...]
) -> Counted:
    """Everything that is counted of `scope`.

    `outcomes` are the document types that decide a case; `papers` narrows the blanks to these certificate types.
    """
    counter = _Counter(session, scope)
    return Counted(
        cells=[*counter.editions(), *counter.acts(), *counter.documents()],
        states=counter.states(civil_date(now)),
        parties=counter.parties(outcomes),
        delays=counter.delays(),
        books=books(session, papers),
        blanks=blanks(session, papers),
    )


class _Counter:
    """Asks the questions of one scope."""

    def __init__(self, session: Session, scope: Scope) -> None:
        self._session, self._scope = session, scope
        self._sqlite = session.get_bind().dialect.name == "sqlite"

    def editions(self) -> Iterator[Cell]:
        """Editions by the day of issue; what was imported counts as such."""
        query = self._of_certificates(select(EditionRow), EditionRow.item).where(
            self._within(col(EditionRow.issued_on))
        )
        keys = (EditionRow.item, CertificateRow.authority, CertificateRow.type, EditionRow.action)
        return self._cells(query, CERTIFICATE, col(EditionRow.issued_on), keys)

    def acts(self) -> Iterator[Cell]:
        """Changes of standing, by the Shanghai day on which they took effect."""
        query = select(EventRow).join(CertificateRow, col(CertificateRow.key) == EventRow.certificate)
        begin, end = day_start(self._scope.first), day_start(self._scope.last + timedelta(days=1))
        query = query.where(col(EventRow.action).in_(_ACTS), col(EventRow.at) >= begin, col(EventRow.at) < end)
        query = self._narrowed(query, CertificateRow.item, CertificateRow.authority)
        keys = (CertificateRow.item, CertificateRow.authority, CertificateRow.type, EventRow.action)
        return self._cells(query, ACT, self._day(col(EventRow.at)), keys)

    def documents(self) -> Iterator[Cell]:
        """Sealed documents and receipts by their day."""
        query = select(DocumentRow).where(self._within(col(DocumentRow.issued_on)))
        query = self._narrowed(query, DocumentRow.item, DocumentRow.authority)
        keys = (DocumentRow.item, DocumentRow.authority, DocumentRow.type)
        return self._cells(query, DOCUMENT, col(DocumentRow.issued_on), keys)

    def states(self, today: date) -> dict[str, int]:
        """Certificates by legal state on the day `today`, whenever they were issued; expiry is computed."""
        ends = func.coalesce(EditionRow.valid_until, date.max)
        over = and_(col(CertificateRow.state) == LegalState.IN_FORCE.value, ends < today)
        state = case((over, LegalState.EXPIRED.value), else_=CertificateRow.state)
        newest = and_(
            col(EditionRow.certificate) == CertificateRow.key, col(EditionRow.index) == CertificateRow.edition
        )
        query = select(CertificateRow).join(EditionRow, newest)
        query = self._narrowed(query, CertificateRow.item, CertificateRow.authority)
        return {str(name): int(number) for name, number in self._grouped(query, [state])}

    def parties(self, outcomes: tuple[str, ...]) -> dict[str, Counter[str]]:
        """Decided cases by the authority of each step: an edition is one, and a deciding paper without an edition."""
        editions = self._of_certificates(select(EditionRow), EditionRow.item)
        cases = select(col(EditionRow.case)).where(col(EditionRow.case) != "")
        papers = select(DocumentRow).where(col(DocumentRow.type).in_(outcomes), col(DocumentRow.case).not_in(cases))
        papers = self._narrowed(papers, DocumentRow.item, DocumentRow.authority)
        found: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for query, row in ((editions, EditionRow), (papers, DocumentRow)):
            steps = [col(row.decision)[step]["authority"].as_string() for step in STEPS]
            for *authorities, number in self._grouped(query.where(self._within(col(row.issued_on))), steps):
                for step, authority in zip(STEPS, authorities, strict=True):
                    if authority:
                        found[str(authority)][step] += int(number)
        return dict(found)

    def delays(self) -> list[Delay]:
        """The deliveries of the period by target, by first arrival; what was handed over as a file is none."""
        query = select(DeliveryRow).where(
            col(DeliveryRow.day) >= self._scope.first.isoformat(),
            col(DeliveryRow.day) <= self._scope.last.isoformat(),
            col(DeliveryRow.target) != FILED,
        )
        if self._scope.item or self._scope.authority:
            query = query.join(EditionRow, col(EditionRow.identifier) == DeliveryRow.identifier)
            query = self._of_certificates(query, EditionRow.item)
        states: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for target, state, number in self._grouped(query, [DeliveryRow.target, DeliveryRow.state]):
            states[target][state] += number
        ranks = {row[0]: row[1:] for row in self._rows(self._ranked(query))}
        return [
            Delay(target, found["done"], found["due"] + found["leased"], found["dead"], *ranks.get(target, ()))
            for target, found in sorted(states.items())
        ]

    def _ranked(self, query: Any) -> Any:
        """Median, 95th hundredth and longest delay in seconds, by target: the nearest rank among the arrived."""
        delay = self._seconds(col(DeliveryRow.created_at), col(DeliveryRow.done_at))
        target = col(DeliveryRow.target)
        inner = query.where(DeliveryRow.state == "done").with_only_columns(
            target.label("target"),
            delay.label("delay"),
            func.row_number().over(partition_by=target, order_by=delay).label("place"),
            func.count().over(partition_by=target).label("number"),
        )
        rows = inner.subquery()

        def rank(hundredths: int) -> Any:
            place = (rows.c.number * hundredths + 99) // 100
            return func.max(case((rows.c.place == place, rows.c.delay)))

        return select(rows.c.target, rank(50), rank(95), func.max(rows.c.delay)).group_by(rows.c.target)

    def _cells(self, query: Any, kind: str, day: Any, keys: tuple[Any, ...]) -> Iterator[Cell]:
        times = [day] if self._scope.daily else [cast(extract(part, day), Integer) for part in ("year", "month")]
        for row in self._grouped(query, [*times, *keys]):
            time, (item, authority, type_key, *action) = row[: len(times)], row[len(times) : -1]
            yield Cell(_time(time), kind, item, authority, type_key, action[0] if action else "", int(row[-1]))

    def _grouped(self, query: Any, columns: Sequence[Any]) -> Any:
        """How many rows there are of each combination; grouped outside, where an expression has a name."""
        named = (column.label(f"c{place}") for place, column in enumerate(columns))
        inner = query.with_only_columns(*named).subquery()
        return self._rows(select(*inner.c, func.count()).group_by(*inner.c))

    def _rows(self, query: Any) -> Any:
        return self._session.connection().execute(query).all()

    def _of_certificates(self, query: Any, item: Any) -> Any:
        joined = query.join(CertificateRow, col(CertificateRow.key) == EditionRow.certificate)
        return self._narrowed(joined, item, CertificateRow.authority)

    def _narrowed(self, query: Any, item: Any, authority: Any) -> Any:
        if self._scope.item:
            query = query.where(item == self._scope.item)
        return query.where(authority == self._scope.authority) if self._scope.authority else query

    def _within(self, day: Any) -> Any:
        return day.between(self._scope.first, self._scope.last)

    def _day(self, at: Any) -> Any:
        """The Shanghai day of a moment (UTC+8 all year since 1992)."""
        if self._sqlite:
            return func.date(at, "+8 hours", type_=Date)
        return cast(func.timezone("Asia/Shanghai", at), Date)

    def _seconds(self, start: Any, end: Any) -> Any:
        if self._sqlite:
            return (func.julianday(end) - func.julianday(start)) * 86_400.0
        return cast(extract("epoch", end - start), Float)


def _time(parts: Sequence[Any]) -> str:
    if len(parts) == 2:
        return f"{parts[0]:04}-{parts[1]:02}"
    return parts[0].isoformat() if isinstance(parts[0], date) else str(parts[0])
