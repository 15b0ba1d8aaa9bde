"""What time brings about: editions whose day has come take the place of the ones before them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from certlib.domain.civil import civil_date
from certlib.register.certificates import load_certificate, statuses
from certlib.register.commit import journal_event
from certlib.register.store import Register
from certlib.register.tables import EditionRow


def activate_editions(register: Register) -> int:
    """Journal every edition renewed ahead whose effective day has come; returns how many."""
    with register.reader() as session:
        waiting = [(row.certificate, row.index) for row in _due(session, register.moment(session))]
    for certificate, index in waiting:
        with register.writer() as session:
            _activate(session, register, certificate, index)
    return len(waiting)


def _due(session: Session, now: datetime) -> Sequence[EditionRow]:
    query = select(EditionRow).where(col(EditionRow.activated).is_(False), EditionRow.effective_from <= civil_date(now))
    return session.exec(query.limit(200)).all()


def _activate(session: Session, register: Register, key: str, index: int) -> None:
    row, certificate = load_certificate(session, key, lock=True)
    edition = session.get_one(EditionRow, (key, index))
    if edition.activated:
        return
    edition.activated = True
    session.add(edition)
    at = register.moment(session, row.updated_at)
    now = statuses(session, certificate, at)
    journal_event(session, register, row, "certificate:effective", at, statuses=now)
