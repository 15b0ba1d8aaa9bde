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

from certlib.errors import CertlibError, ConflictError, Fault, IdempotencyError, NotFoundError, RequestError
from certlib.register.idempotency import Answer, body_digest
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


def add_batch(register: Register, lines: Sequence[Mapping[str, Any]], *, client: str, key: str = "") -> str:
    """Keep a batch; each line is `{"operation": "issue" | "document" | "act", …}`. Returns its id.

    The same `key` with the same lines is the same batch. Raises `RequestError` for an empty or too long one,
    `IdempotencyError` when the key came with other lines.
    """
    if not 0 < len(lines) <= MAX_LINES:
        message = f"批量：应有 1 至 {MAX_LINES} 行，现有 {len(lines)} 行。"
        raise RequestError([Fault("lines", "bad-batch", message, "批量", "Too many lines, or none.")])
    digest = body_digest("batch", list(lines))
    with register.writer() as session:
        known = _known(session, client, key, digest)
        return known or insert_batch(session, lines, client=client, at=register.moment(session), key=key, digest=digest)


def insert_batch(
    session: Session, lines: Sequence[Mapping[str, Any]], *, client: str, at: datetime, key: str = "", digest: str = ""
) -> str:
    """Write a batch into the caller's transaction and return its id."""
    batch = secrets.token_hex(8)
    row = BatchRow(id=batch, client=client, key=key or None, body_sha256=digest, total=len(lines), created_at=at)
    session.add(row)
    session.flush()
    for number, line in enumerate(lines, start=1):
        body = dict(line)
        operation = str(body.pop("operation", "issue"))
        session.add(BatchLineRow(batch=batch, line=number, operation=operation, body=body))
    return batch


def _known(session: Session, client: str, key: str, digest: str) -> str:
    if not key:
        return ""
    row = session.exec(select(BatchRow).where(BatchRow.client == client, BatchRow.key == key)).first()
    if row is not None and row.body_sha256 != digest:
        raise IdempotencyError("同一个 Idempotency-Key 已用于另一批，本次未受理；请换一个新的键。")
    return row.id if row else ""


def work_batch(
    register: Register, perform: Callable[[Line, str], Answer], *, owner: str, limit: int = 8, batch: str = ""
) -> int:
    """Claim up to `limit` lines and perform them; returns how many were done. `perform` gets line and client."""
    with register.writer() as session:
        now = register.moment(session)
        claimed = _claim(session, now, owner, limit, batch)
    for line, client in claimed:
        state, answer = outcome_of(line, client, perform)
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


def outcome_of(line: Line, client: str, perform: Callable[[Line, str], Answer]) -> tuple[str, dict[str, Any]]:
    """State and answer of a line: what it raised becomes its own outcome and touches no other line."""
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
    close_batch(session, register, line.batch)


def close_batch(session: Session, register: Register, batch: str) -> None:
    """Write down that a batch is done, when none of its lines is open."""
    open_lines = session.exec(
        select(func.count())
        .select_from(BatchLineRow)
        .where(BatchLineRow.batch == batch, col(BatchLineRow.state).in_(["due", "leased"]))
    ).one()
    if not open_lines:
        row = session.get_one(BatchRow, batch)
        row.state, row.finished_at = "done", register.moment(session, row.created_at)
        session.add(row)


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
