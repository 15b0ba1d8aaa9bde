"""What the office journals of itself, on a schedule: status lists when they changed, accesses by the hour, statements.

Called by every tick; each does nothing while nothing is due, whichever worker calls.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from certlib.issue.publishing import StatusBoard
from certlib.register.published import STATEMENT, STATUS, last_published, record_published
from certlib.register.store import Register

STATUS_EVERY = timedelta(minutes=1)


def announce_status_lists(register: Register, board: StatusBoard, *, every: timedelta = STATUS_EVERY) -> int:
    """Journal the digest of each status list that says something new, each at most once in `every`; gives how many."""
    size, lists = board.statuses()
    done = 0
    for shard, packed in lists.items():
        with register.reader() as session:
            now, last = register.moment(session), last_published(session, STATUS, str(shard))
        same = last is not None and last.sha256 == hashlib.sha256(packed).hexdigest()
        if same or (last is not None and now - last.at < every):
            continue
        with register.writer() as session:
            at = register.moment(session)
            record_published(session, register, STATUS, packed, at=at, about=str(shard), number=size)
        done += 1
    return done


def keep_statement(register: Register, statement: bytes, *, target: str) -> None:
    """Archive and journal the day's signed statement of reconciliation with `target` (`certlib.city.statement`).

    The file store has it under the digest that the journal commits to. Raises `StorageError`.
    """
    register.files.create(statement)
    with register.writer() as session:
        record_published(session, register, STATEMENT, statement, at=register.moment(session), about=target)
