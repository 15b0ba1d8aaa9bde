"""The deliveries to one webhook target: claimed as those to the city, listed and replayed by whoever runs the target.

Rules:
* A target that answered "gone" (410) has a dead letter with that reason, and gets nothing more until it is replayed.
* A replay makes rows due again in their places: id and content stay, and each certificate's events keep their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, update
from sqlmodel import Session, col, select

from certlib.domain.delivery import GONE
from certlib.register.deliveries import SqlDeliveries, is_in, is_open
from certlib.register.delivery_table import DeliveryRow
from certlib.register.engine import reader, writer

_IDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which rows to replay: dead letters alone, or also what was delivered, by id of the event or by its time."""

    ids: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_dead_only(self) -> bool:
        """Whether nothing is named: then it means every dead letter."""
        return not self.ids and self.since is None and self.until is None


class HookDeliveries(SqlDeliveries):
    """The deliveries to one webhook target."""

    @property
    def is_gone(self) -> bool:
        """Whether the target has said that it takes nothing more."""
        with reader(self._engine) as session:
            return self._is_gone(session)

    @property
    def trouble(self) -> str:
        """Why the event that is next in turn has not arrived yet; empty while nothing has failed."""
        query = select(DeliveryRow.last_error).where(DeliveryRow.target == self._target, is_open())
        failed = query.where(DeliveryRow.last_error != "").order_by(col(DeliveryRow.available_at)).limit(1)
        with reader(self._engine) as session:
            return session.exec(failed).first() or ""

    def page(self, *, state: str, after: int, limit: int) -> list[DeliveryRow]:
        """Deliveries in that state (every state without one), by number from `after` on."""
        query = select(DeliveryRow).where(DeliveryRow.target == self._target, col(DeliveryRow.id) > after)
        if state:
            query = query.where(DeliveryRow.state == state)
        with reader(self._engine) as session:
            return list(session.exec(query.order_by(col(DeliveryRow.id)).limit(limit)))

    def replay_chosen(self, choice: Choice, now: datetime) -> int:
        """Make the chosen rows due again; how many they were. Rows on their way are left to it."""
        with writer(self._engine) as session:
            return sum(self._reopen(session, conditions, now) for conditions in self._conditions(choice))

    def _conditions(self, choice: Choice) -> list[list[ColumnElement[bool]]]:
        states = ("dead",) if choice.is_dead_only else ("dead", "done")
        common = [col(DeliveryRow.target) == self._target, col(DeliveryRow.state).in_(states)]
        if choice.since is not None:
            common.append(col(DeliveryRow.created_at) >= choice.since)
        if choice.until is not None:
            common.append(col(DeliveryRow.created_at) < choice.until)
        named = [choice.ids[start : start + _IDS_AT_ONCE] for start in range(0, len(choice.ids), _IDS_AT_ONCE)]
        event = DeliveryRow.message["id"].as_string()
        return [[*common, event.in_(part)] for part in named] or [common]

    @staticmethod
    def _reopen(session: Session, conditions: Sequence[ColumnElement[bool]], now: datetime) -> int:
        found = session.exec(
            update(DeliveryRow)
            .where(*conditions)
            .values(state="due", available_at=now, lease_until=None, failures=0, last_error="")
            .execution_options(synchronize_session=False)
        )
        return int(found.rowcount)

    def _is_due(self, session: Session, now: datetime) -> bool:
        return super()._is_due(session, now) and not self._is_gone(session)

    def _is_gone(self, session: Session) -> bool:
        query = select(DeliveryRow.id).where(
            DeliveryRow.target == self._target,
            is_in("dead"),
            col(DeliveryRow.last_error).startswith(f"[{GONE}]"),
        )
        return session.exec(query.limit(1)).first() is not None
