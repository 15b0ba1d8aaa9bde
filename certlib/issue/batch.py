"""Batches: many issues or actions, each line with its own outcome, claimed by lease and resumable.

A line's idempotency key is the batch's id and its number, so a line taken over by another worker is not done twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, and_, col, func, or_, select, update

from certlib.errors import CertlibError, ConflictError, NotFoundError, RequestError
from certlib.register.idempotency import Answer
from certlib.register.store import Register
from certlib.register.tables import BatchLineRow, BatchRow

MAX_LINES = 100_000
_LEASE = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Line:
    """A claimed line: what to do, with which body, under which key."""

    batch: str
    number: int
    operation: str
    body: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The idempotency key of the line."""
        return f"batch:{self.batch}:{self.number}"


def add_batch(register: Register, lines: Sequence[Mapping[str, Any]], *, client: str) -> str:
    """Keep a batch; each line is `{"operation": "issue" | "document" | "act", …}`. Returns its id."""
    batch = secrets.token_hex(8)
    with register.writer() as session:
        at = register.moment(session)
        session.add(BatchRow(id=batch, client=client, total=len(lines), created_at=at))
        session.flush()
        for number, line in enumerate(lines, start=1):
            body = dict(line)
            operation = str(body.pop("operation", "issue"))
            session.add(BatchLineRow(batch=batch, line=number, operation=operation, body=body))
    return batch


def work_batch(
    register: Register, perform: Callable[[Line, str], Answer], *, owner: str, limit: int = 8, batch: str = ""
) -> int:
    """Claim up to `limit` lines and perform them; returns how many were done. `perform` gets line and client."""
    with register.writer() as session:
        now = register.moment(session)
        claimed = _claim(session, now, owner, limit, batch)
    for line, client in claimed:
        state, answer = _outcome(line, client, perform)
        with register.writer() as session:
            _close(session, register, line, state=state, answer=answer, owner=owner)
    return len(claimed)


def _claim(session: Session, now: datetime, owner: str, limit: int, batch: str) -> list[tuple[Line, str]]:
    due = or_(
        col(BatchLineRow.state) == "due",
        and_(col(BatchLineRow.state) == "leased", col(BatchLineRow.lease_until) <= now),
    )
    query = select(BatchLineRow, BatchRow.client).join(BatchRow, col(BatchRow.id) == BatchLineRow.batch).where(due)
    if batch:
        query = query.where(BatchLineRow.batch == batch)
    query = query.order_by(col(BatchLineRow.batch), col(BatchLineRow.line)).limit(limit)
    rows = session.exec(query.with_for_update(skip_locked=True, of=BatchLineRow)).all()
    for row, _ in rows:
        row.state, row.lease_owner, row.lease_until, row.attempts = "leased", owner, now + _LEASE, row.attempts + 1
        session.add(row)
    return [(Line(row.batch, row.line, row.operation, row.body), client) for row, client in rows]


def _outcome(line: Line, client: str, perform: Callable[[Line, str], Answer]) -> tuple[str, dict[str, Any]]:
    try:
        answer = perform(line, client)
    except RequestError as error:
        faults = [fault.as_json() for fault in error.faults]
        return "failed", {"code": error.code, "message": error.message, "faults": faults}
    except ConflictError as error:
        state = "due" if error.code == "in-progress" else "failed"
        return state, {"code": error.code, "message": error.message}
    except CertlibError as error:
        return "failed", {"code": error.code, "message": error.message}
    return "done", dict(answer.body)


def _close(session: Session, register: Register, line: Line, *, state: str, answer: dict[str, Any], owner: str) -> None:
    session.exec(
        update(BatchLineRow)
        .where(col(BatchLineRow.batch) == line.batch, col(BatchLineRow.line) == line.number)
        .where(col(BatchLineRow.lease_owner) == owner, col(BatchLineRow.state) == "leased")
        .values(state=state, answer=answer, lease_until=None)
    )
    open_lines = session.exec(
        select(func.count())
        .select_from(BatchLineRow)
        .where(BatchLineRow.batch == line.batch, col(BatchLineRow.state).in_(["due", "leased"]))
    ).one()
    if not open_lines:
        batch = session.get_one(BatchRow, line.batch)
        batch.state, batch.finished_at = "done", register.moment(session, batch.created_at)
        session.add(batch)


def batch_view(register: Register, batch: str) -> dict[str, Any]:
    """How a batch stands: counts by state."""
    with register.reader() as session:
        row = session.get(BatchRow, batch)
        if row is None:
            raise NotFoundError(f"没有批次 {batch}。")
        counts = session.exec(
            select(BatchLineRow.state, func.count()).where(BatchLineRow.batch == batch).group_by(BatchLineRow.state)
        ).all()
        by_state: dict[str, int] = dict(counts)
        return {
            "id": batch,
            "client": row.client,
            "state": row.state,
            "total": row.total,
            "done": by_state.get("done", 0),
            "failed": by_state.get("failed", 0),
            "open": by_state.get("due", 0) + by_state.get("leased", 0),
            "created_at": row.created_at.isoformat(),
            "finished_at": row.finished_at.isoformat() if row.finished_at else "",
        }


def batch_lines(register: Register, batch: str, *, after: int = 0, limit: int = 200) -> list[dict[str, Any]]:
    """The lines of a batch after line `after`, with their outcomes."""
    with register.reader() as session:
        rows = session.exec(
            select(BatchLineRow)
            .where(BatchLineRow.batch == batch, BatchLineRow.line > after)
            .order_by(col(BatchLineRow.line))
            .limit(limit)
        ).all()
        return [
            {"line": row.line, "operation": row.operation, "state": row.state, "answer": row.answer} for row in rows
        ]
