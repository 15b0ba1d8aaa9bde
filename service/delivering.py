"""Deliveries to the city repository as the service runs them: the worker, its alarms, the day's comparison.

    watch = Watch(office)
    with Delivering(office, watch, clock=clock, log=log, on_dead=count) as delivering:
        delivering.worker.run(stop)          # in one thread
        delivering.reconcile_when_due()      # now and then, in another

A dead letter alarms at once, and so does a file that cannot be read. How long the oldest event has waited, why nothing
can be delivered and how far both sides differed at the last comparison are in `Watch.standing`, for metrics and
readiness.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from certlib.city.opening import compare, open_city
from certlib.city.statement import Statement, read_statement
from certlib.city.worker import DeliveryWorker
from certlib.domain.civil import SHANGHAI, civil_date
from certlib.domain.delivery import CITY, Delivery
from certlib.errors import CertlibError, DeliveryError
from certlib.issue.office import Office
from certlib.issue.repairing import city_queue
from certlib.register.deliveries import Undelivered
from certlib.register.published import STATEMENT, last_published
from certlib.register.turns import end_turn, take_turn

_FRESH = 3.0  # seconds for which a look at the queue is good enough
_AGAIN = timedelta(hours=1)  # after which sides that differed are compared again
_TURN, _LONGEST = "reconcile:city", 900.0  # of a comparison, seconds; one that is killed is made by another after that


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How deliveries stand. `trouble` is why nothing can be delivered; `statement` that of the last comparison."""

    backlog: Undelivered
    age: float  # seconds the oldest undelivered event has waited
    trouble: str
    statement: Statement | None

    @property
    def alarms(self) -> list[str]:
        """The codes of what a person must see to."""
        differing = self.statement is not None and any(self.statement.differences.values())
        found = {
            "delivery-dead": self.backlog.dead,
            "delivery-unread": self.backlog.unread,
            "delivery-trouble": self.trouble,
            "delivery-drift": differing,
        }
        return [code for code, there in found.items() if there]

    def as_json(self) -> dict[str, Any]:
        """For whoever watches; it names no certificate."""
        statement = self.statement
        return {
            "alarms": self.alarms,
            "waiting": self.backlog.due + self.backlog.leased,
            "oldest_seconds": round(self.age, 1),
            "dead": self.backlog.dead,
            "blocked": self.backlog.blocked,
            "unread": self.backlog.unread,
            "trouble": self.trouble,
            "reconciled": statement
            and {"at": statement.at.isoformat(), "equal": statement.equal, "differences": dict(statement.differences)},
        }


class Watch:
    """How deliveries stand, looked up at most every three seconds however often it is asked."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._lock = threading.Lock()
        self._seen: tuple[float, Standing] | None = None
        self.trouble: Callable[[], str] = lambda: ""  # of the worker, in this process or told by another

    def standing(self, now: datetime) -> Standing | None:
        """The standing at `now`; None when the office delivers nothing."""
        if not self._office.settings.city_url:
            return None
        with self._lock:
            if self._seen is None or time.monotonic() - self._seen[0] > _FRESH:
                self._seen = (time.monotonic(), self._look(now))
            return self._seen[1]

    def _look(self, now: datetime) -> Standing:
        backlog = city_queue(self._office).undelivered()
        age = backlog.age(now).total_seconds()
        return Standing(backlog=backlog, age=age, trouble=self.trouble(), statement=last_statement(self._office))


def last_statement(office: Office) -> Statement | None:
    """The statement of the last comparison as it is archived; None when there is none that can be read."""
    with office.register.reader() as session:
        row = last_published(session, STATEMENT, CITY)
    try:
        if row is None:
            return None
        return read_statement(office.register.files.read(row.sha256), office.board.keys.at(row.at).public_key)
    except CertlibError:
        return None


class Delivering:
    """The worker and the comparison of one process."""

    def __init__(
        self,
        office: Office,
        watch: Watch,
        *,
        clock: Callable[[], datetime],
        log: Any,
        on_dead: Callable[[], None] = lambda: None,
    ) -> None:
        """Raises `ConfigurationError` for an address or account that cannot be used."""
        self._office, self._clock, self._log, self._on_dead = office, clock, log, on_dead
        self._client = open_city(office.settings, clock=clock)
        self._queue = city_queue(office)
        self.worker = DeliveryWorker(
            self._queue, self._client, name=office.owner, clock=clock, on_dead=self._alarm, on_unread=self._unread
        )
        watch.trouble = lambda: self.worker.trouble

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def reconcile_when_due(self) -> bool:
        """Compare both sides when the day's statement is due, and keep it; whether it was.

        Of several workers one compares, whoever comes first; the others find it done. Raises `CertlibError` when that
        cannot be done now.
        """
        engine, owner = self._office.register.engine, f"{self._office.owner}-{id(self):x}"
        if not self._is_due() or not take_turn(engine, _TURN, owner, self._clock(), seconds=_LONGEST):
            return False
        try:
            return self._is_due() and self._reconcile()  # another may have done it before this turn came
        finally:
            end_turn(engine, _TURN, owner)

    def _is_due(self) -> bool:
        return is_due(last_statement(self._office), self._clock(), hour=self._office.settings.reconcile_hour)

    def _reconcile(self) -> bool:
        now, repair = self._clock(), self._office.settings.reconcile_repair
        try:
            found, signed = compare(self._queue, self._client, self._office.board.keys.at(now), now=now, repair=repair)
        except DeliveryError as error:
            self._log.error("alarm", code="reconciliation-failed", detail=error.message)
            raise
        self._office.keep_statement(signed, target=CITY)
        if found.differences:
            counts = found.statement(CITY).differences
            self._log.error("alarm", code="delivery-drift", repaired=found.repaired, **counts)
        return True

    def _alarm(self, delivery: Delivery, _reason: str) -> None:
        """The reason stays in the register: it may hold what a log must not."""
        self._on_dead()
        self._log.error("alarm", code="delivery-dead", delivery=delivery.id, operation=delivery.operation)

    def _unread(self, delivery: Delivery, code: str) -> None:
        self._log.error("alarm", code="delivery-unread", delivery=delivery.id, detail=code)


def is_due(last: Statement | None, now: datetime, *, hour: int) -> bool:
    """Whether a comparison is due: once a day from `hour` (Asia/Shanghai) on, hourly while both sides differ.

    A negative hour means never.
    """
    if hour < 0 or now.astimezone(SHANGHAI).hour < hour:
        return False
    if last is None or civil_date(last.at) < civil_date(now):
        return True
    return any(last.differences.values()) and now - last.at >= _AGAIN
