"""Deliveries as rows: written in the event's transaction, claimed by lease, in order per certificate.

Rules:
* `enqueue` runs inside the caller's transaction: event and delivery are one commit, and nothing is sent from there.
* A claim is one statement. It takes the oldest undelivered row of each certificate whose time has come; a row left
  leased by a dead worker comes back when its lease ends. On SQLite the write lock of `writer` keeps claims apart, on
  PostgreSQL `FOR UPDATE SKIP LOCKED` does.
* `attempts` is the fence: what a worker reports on an outdated claim is not taken, and the row goes
  out once more: the counterpart is idempotent.
* A revocation may pass a predecessor that is dead, or that has failed `STUCK_AFTER` times.

    with writer(engine) as session:
        enqueue(session, certificate=row.key, message=message, file=sha256, now=now)
    queue = SqlDeliveries(engine, files.read)
    for delivery in queue.claim("worker-1", now, limit=8, lease_seconds=60):
        ...
        queue.done(delivery, answer, now)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, bindparam, func, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from certlib.domain.civil import civil_date
from certlib.domain.delivery import CITY, UNREAD, URGENT, Delivery
from certlib.errors import NotFoundError, StorageError
from certlib.register.delivery_table import DeliveryRow
from certlib.register.engine import reader, writer

STUCK_AFTER = 5
"""Failed attempts after which a revocation no longer waits for its predecessor."""

ENQUEUED = "enqueued"
"""In a session's `info`: its transaction wrote a delivery."""

_ERROR_LENGTH = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OPEN = ("due", "leased")


def is_open() -> ColumnElement[bool]:
    """Whether a row is not delivered yet and not laid aside.

    The states stand in the statement itself: SQLite takes a partial index only when it can read its condition there.
    """
    return col(DeliveryRow.state).in_(bindparam("open", _OPEN, expanding=True, literal_execute=True, unique=True))


def is_in(state: str) -> ColumnElement[bool]:
    """Whether a row is in that one state, which stands in the statement itself."""
    return col(DeliveryRow.state) == bindparam("state", state, literal_execute=True, unique=True)


def enqueue(
    session: Session,
    *,
    certificate: str,
    message: Mapping[str, Any],
    now: datetime,
    file: str = "",
    target: str = CITY,
) -> DeliveryRow:
    """Write a delivery into the caller's transaction and return its row; `file` is the SHA-256 of a registered file.

    The event gets the next sequence of its certificate and target, and the message carries it; that is not the
    certificate's version, since an exchanged file is an event too. The caller's transaction must hold the
    certificate's row, so that two events of one certificate cannot take the same place.
    """
    sequence = _next_sequence(session, target, certificate)
    row = DeliveryRow(
        target=target,
        certificate=certificate,
        sequence=sequence,
        operation=str(message["operation"]),
        identifier=str(message["identifier"]),
        message={**message, "sequence": sequence},
        file=file,
        urgent=message["operation"] in URGENT,
        day=civil_date(datetime.fromisoformat(message["at"])).isoformat(),
        available_at=now,
        created_at=now,
    )
    session.add(row)
    session.flush()
    session.info[ENQUEUED] = True
    return row


def _next_sequence(session: Session, target: str, certificate: str) -> int:
    newest = session.exec(
        select(func.max(DeliveryRow.sequence)).where(
            DeliveryRow.target == target, DeliveryRow.certificate == certificate
        )
    ).one()
    return (newest or 0) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """What has not arrived at a target: rows by state, rows that wait behind a dead one, and the oldest waiting.

    `unread` counts those of `due` and `leased` whose file could not be read when it was last tried.
    """

    due: int
    leased: int
    dead: int
    blocked: int
    unread: int
    oldest: datetime | None

    def age(self, now: datetime) -> timedelta:
        """How long the oldest undelivered event has waited."""
        return max(now - self.oldest, timedelta()) if self.oldest else timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog(Undelivered):
    """The same, and how many have arrived."""

    done: int


class SqlDeliveries:
    """The deliveries to one target in the register's database; `read` gives a registered file by its SHA-256."""

    def __init__(self, engine: Engine, read: Callable[[str], bytes], *, target: str = CITY) -> None:
        self._engine, self._read, self._target = engine, read, target

    def claim(self, worker: str, now: datetime, limit: int, lease_seconds: float) -> list[Delivery]:
        """Lease up to `limit` rows to `worker` and return them, the longest waiting first.

        While nothing is due that takes no lock: workers ask some times a second, also when nobody issues anything.
        """
        with reader(self._engine) as session:
            if not self._is_due(session, now):
                return []
        until = now + timedelta(seconds=lease_seconds)
        with writer(self._engine) as session:
            ids = _claimable(self._target, now, limit)
            rows = session.exec(
                update(DeliveryRow)
                .where(col(DeliveryRow.id).in_(select(ids.c.id)))
                .values(
                    state="leased",
                    lease_owner=worker,
                    lease_until=until,
                    available_at=until,
                    attempts=DeliveryRow.attempts + 1,
                )
                .returning(DeliveryRow)
                .execution_options(synchronize_session=False)
            ).scalars()
            claimed = sorted(rows, key=lambda row: (row.created_at, row.id or 0))
            return [replace(self._delivery(session, row), lease_until=until) for row in claimed]

    def _is_due(self, session: Session, now: datetime) -> bool:
        """Whether any row's time has come, even if it has to wait for another."""
        due = (is_open(), col(DeliveryRow.available_at) <= now)
        query = select(DeliveryRow.id).where(DeliveryRow.target == self._target, *due)
        return session.exec(query.limit(1)).first() is not None

    def renew(self, deliveries: Sequence[Delivery], now: datetime, lease_seconds: float) -> list[Delivery]:
        """Hold these claims from `now` on for longer; those that are still ours. The others are another worker's."""
        until = now + timedelta(seconds=lease_seconds)
        with writer(self._engine) as session:
            return [
                replace(one, lease_until=until)
                for one in deliveries
                if _change(session, one, lease_until=until, available_at=until)
            ]

    def done(self, delivery: Delivery, answer: Mapping[str, Any], now: datetime, *, digest: str = "") -> None:
        """Close a delivery with the counterpart's answer and the digest of the record as it went."""
        self.done_all([(delivery, answer, digest)], now)

    def done_all(self, reports: Sequence[tuple[Delivery, Mapping[str, Any], str]], now: datetime) -> None:
        """Close several deliveries in one commit, as `done` does each; the moment of a first arrival stays."""
        arrived = func.coalesce(col(DeliveryRow.done_at), now)
        closed = {"state": "done", "done_at": arrived, "repair": False, "failures": 0, "last_error": ""}
        with writer(self._engine) as session:
            for delivery, answer, digest in reports:
                _close(session, delivery, answer=dict(answer), digest=digest, **closed)

    def retry(self, delivery: Delivery, error: str, at: datetime, *, outage: bool = False) -> None:
        """Give a delivery back, to be tried again from `at` on; an outage is not held against the record."""
        failures = delivery.failures + (not outage)
        with writer(self._engine) as session:
            _close(session, delivery, state="due", available_at=at, failures=failures, last_error=error[:_ERROR_LENGTH])

    def dead(self, delivery: Delivery, reason: str, now: datetime) -> None:
        """Lay a delivery aside with the reason; later events of its certificate wait, revocations do not."""
        with writer(self._engine) as session:
            _close(session, delivery, state="dead", available_at=now, last_error=reason[:_ERROR_LENGTH])

    def reopen(self, chain: str, sequences: Sequence[int], now: datetime, *, repair: bool = False) -> int:
        """Make delivered events due again, because the counterpart lost them (or, with `repair`, changed them)."""
        with writer(self._engine) as session:
            found = session.exec(
                update(DeliveryRow)
                .where(
                    *_of(self._target, chain),
                    col(DeliveryRow.sequence).in_(sequences),
                    col(DeliveryRow.state) == "done",
                )
                .values(state="due", available_at=now, lease_until=None, repair=repair)
            )
            return int(found.rowcount)

    def replay(self, id_: int, now: datetime, *, message: Mapping[str, Any] | None = None) -> None:
        """Make a dead letter due again, with its message put right where `message` is given.

        Raises `NotFoundError` when there is no such dead letter.
        """
        self.replay_all(now, ids=[id_], message=message)

    def replay_all(
        self,
        now: datetime,
        *,
        ids: Sequence[int] | None = None,
        message: Mapping[str, Any] | None = None,
        before: Callable[[Session, Sequence[DeliveryRow]], None] = lambda *_: None,
    ) -> int:
        """Make dead letters due again in one commit, those of `ids` or all; `message` is that of one, put right.

        `before` looks at them, and writes into the same commit. Raises `NotFoundError` when one of `ids` is no dead
        letter, and what `before` raises; none goes then.
        """
        wanted = [col(DeliveryRow.id).in_(ids)] if ids is not None else []
        with writer(self._engine) as session:
            query = select(DeliveryRow).where(DeliveryRow.target == self._target, is_in("dead"), *wanted)
            rows = session.exec(query.order_by(col(DeliveryRow.id)).with_for_update()).all()
            for id_ in sorted({*(ids or ())} - {row.id for row in rows}):
                raise _no_letter(id_)
            before(session, rows)
            for row in rows:
                row.state, row.available_at, row.failures = "due", now, 0
                row.message = row.message if message is None else {**message, "sequence": row.sequence}
                session.add(row)
        return len(rows)

    def delivered(self) -> Iterator[tuple[str, int, str]]:
        """Chain, sequence and digest of every event counted as delivered, by chain and sequence."""
        row = DeliveryRow
        query = (
            select(row.certificate, row.sequence, row.digest)
            .where(row.target == self._target, row.state == "done")
            .order_by(row.certificate, col(row.sequence))
        )
        with reader(self._engine) as session:
            yield from session.exec(query.execution_options(yield_per=10_000))

    def places(self, chains: Sequence[str]) -> dict[str, dict[int, tuple[str, str]]]:
        """All events of these chains: sequence to state and digest."""
        row = DeliveryRow
        query = select(row.certificate, row.sequence, row.state, row.digest).where(
            row.target == self._target, col(row.certificate).in_(chains)
        )
        found: dict[str, dict[int, tuple[str, str]]] = {}
        with reader(self._engine) as session:
            for chain, sequence, state, digest in session.exec(query):
                found.setdefault(chain, {})[sequence] = (state, digest)
        return found

    def daily(self, first: str, last: str) -> dict[str, int]:
        """How many events counted as delivered happened on each day from `first` to `last`, Asia/Shanghai."""
        row = DeliveryRow
        query = (
            select(row.day, func.count())
            .where(row.target == self._target, row.state == "done", row.day >= first, row.day <= last)
            .group_by(row.day)
        )
        with reader(self._engine) as session:
            return dict(session.exec(query).all())

    def dead_letter(self, id_: int) -> DeliveryRow:
        """One delivery laid aside. Raises `NotFoundError` when there is no such dead letter."""
        with reader(self._engine) as session:
            row = session.get(DeliveryRow, id_)
        if row is None or row.state != "dead" or row.target != self._target:
            raise _no_letter(id_)
        return row

    def dead_letters(self) -> list[DeliveryRow]:
        """The deliveries laid aside, oldest first, each with its reason."""
        with reader(self._engine) as session:
            query = select(DeliveryRow).where(DeliveryRow.target == self._target, is_in("dead"))
            return list(session.exec(query.order_by(col(DeliveryRow.id))))

    def behind_dead(self) -> Counter[int]:
        """How many events wait behind each dead letter, by its id."""
        with reader(self._engine) as session:
            return Counter(dead for _, dead in self._behind_dead(session))

    def undelivered(self) -> Undelivered:
        """What has not arrived. It is asked every few seconds, so it reads no row that has."""
        with reader(self._engine) as session:
            return Undelivered(**self._undelivered(session))

    def backlog(self) -> Backlog:
        """How the deliveries stand, with a count of those that have arrived."""
        with reader(self._engine) as session:
            return Backlog(**self._undelivered(session), done=self._number(session, is_in("done")))

    def _undelivered(self, session: Session) -> dict[str, Any]:
        row = DeliveryRow
        waiting = select(row.state, func.count(), func.min(row.created_at)).where(row.target == self._target, is_open())
        found = {state: (number, oldest) for state, number, oldest in session.exec(waiting.group_by(row.state))}
        return {
            **{state: found[state][0] if state in found else 0 for state in _OPEN},
            "dead": self._number(session, is_in("dead")),
            "blocked": len({id_ for id_, _ in self._behind_dead(session)}),
            "unread": self._number(session, *_unread()),
            "oldest": min((oldest for _, oldest in found.values()), default=None),
        }

    def _behind_dead(self, session: Session) -> list[tuple[int, int]]:
        """Each due row that waits behind a dead one, with the id of that one."""
        behind = aliased(DeliveryRow)
        later = and_(
            col(behind.target) == DeliveryRow.target,
            col(behind.certificate) == DeliveryRow.certificate,
            col(behind.sequence) > DeliveryRow.sequence,
        )
        query = select(behind.id, DeliveryRow.id).select_from(DeliveryRow).join(behind, later)
        query = query.where(DeliveryRow.target == self._target, is_in("dead"), behind.state == "due")
        return [(waiting or 0, dead or 0) for waiting, dead in session.exec(query)]

    def _number(self, session: Session, *conditions: ColumnElement[bool]) -> int:
        query = select(func.count()).select_from(DeliveryRow).where(DeliveryRow.target == self._target, *conditions)
        return int(session.exec(query).one())

    def _delivery(self, session: Session, row: DeliveryRow) -> Delivery:
        assert row.id is not None  # noqa: S101  it has just come from the database
        return Delivery(
            id=row.id,
            chain=row.certificate,
            identifier=row.identifier,
            sequence=row.sequence,
            operation=row.operation,
            message=row.message,
            file=partial(self._file, row.file) if row.file else None,
            attempts=row.attempts,
            failures=row.failures,
            predecessor_unknown=row.urgent and self._passes(session, row),
            repair=row.repair,
        )

    def _file(self, sha256: str) -> bytes:
        """A file that is missing may come back, from a backup or with its disk: that is the store's trouble."""
        try:
            return self._read(sha256)
        except NotFoundError as error:
            raise StorageError(error.message, code=f"{UNREAD}missing") from error

    def _passes(self, session: Session, row: DeliveryRow) -> bool:
        """Whether the claimed row goes ahead of an undelivered one."""
        query = (
            select(func.count())
            .select_from(DeliveryRow)
            .where(
                *_of(self._target, row.certificate),
                DeliveryRow.sequence < row.sequence,
                DeliveryRow.state != "done",
            )
        )
        return session.exec(query).one() > 0


def _unread() -> tuple[ColumnElement[bool], ...]:
    """Open rows whose file could not be read. Every row is later than the epoch: said to SQLite, it takes the index."""
    return is_open(), col(DeliveryRow.available_at) > _EPOCH, col(DeliveryRow.last_error).startswith(f"[{UNREAD}")


def _no_letter(id_: int) -> NotFoundError:
    return NotFoundError(f"没有编号为 {id_} 的待处理推送。")


def _close(session: Session, delivery: Delivery, **values: object) -> None:
    """End a claim; without effect when another has taken the row over."""
    _change(session, delivery, lease_owner="", lease_until=None, **values)


def _change(session: Session, delivery: Delivery, **values: object) -> bool:
    """Change the row of a claim; whether it was still this claim's."""
    found = session.exec(
        update(DeliveryRow)
        .where(
            col(DeliveryRow.id) == delivery.id,
            col(DeliveryRow.state) == "leased",
            col(DeliveryRow.attempts) == delivery.attempts,
        )
        .values(**values)
    )
    return bool(found.rowcount)


def _of(target: str, certificate: str) -> tuple[ColumnElement[bool], ...]:
    return (col(DeliveryRow.target) == target, col(DeliveryRow.certificate) == certificate)


def _earlier(row: type[DeliveryRow], before: type[DeliveryRow]) -> Any:
    return select(before.id).where(
        before.target == row.target, before.certificate == row.certificate, before.sequence < row.sequence
    )


def _claimable(target: str, now: datetime, limit: int) -> Any:
    """The ids that may be claimed, locked as they are chosen; a CTE, so that the limit counts once (PostgreSQL)."""
    row = DeliveryRow
    query: Any = (
        select(col(row.id).label("id"))
        .where(row.target == target, is_open(), row.available_at <= now, ~_in_the_way(row).exists())
        .order_by(col(row.available_at), col(row.id))
        .limit(limit)
        .with_for_update(skip_locked=True, of=row)
    )
    return query.cte("claimable").prefix_with("MATERIALIZED", dialect="postgresql")


def _in_the_way(row: type[DeliveryRow]) -> Any:
    """The earlier events that `row` has to wait for: any undelivered one; for a revocation only one that can still go.

    An earlier event can still go when it is being delivered, is a revocation itself, or has no stuck one before it.
    """
    before, first = aliased(DeliveryRow), aliased(DeliveryRow)
    behind_stuck = _earlier(before, first).where(_stuck(first)).exists()
    can_go = and_(~_stuck(before), or_(col(before.state) == "leased", col(before.urgent), ~behind_stuck))
    return _earlier(row, before).where(before.state != "done", or_(~col(row.urgent), can_go))


def _stuck(row: type[DeliveryRow]) -> ColumnElement[bool]:
    failing = and_(col(row.state) == "due", col(row.failures) >= STUCK_AFTER)
    return or_(col(row.state) == "dead", failing)
