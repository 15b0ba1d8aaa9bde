"""The status of every index as the register's own tables have it, journal aside: what the audit compares with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from certlib.domain.verdict import StatusCode
from certlib.register.certificates import load_certificate, statuses
from certlib.register.tables import CertificateRow, DocumentRow, Intent

_DOCUMENT_CODES = {"in-force": StatusCode.VALID}


def standing(session: Session, *, at: datetime) -> Iterator[tuple[int, int]]:
    """Index and status code of every file and sheet ever planned, as of `at`; in no particular order."""
    seen: set[int] = set()
    for key in session.connection().scalars(select(col(CertificateRow.key)).order_by(col(CertificateRow.key))).all():
        for n, code in _of_certificate(session, key, at):
            seen.add(n)
            yield n, code
        session.expunge_all()
    for n, state in session.connection().execute(select(col(DocumentRow.n), col(DocumentRow.state))):
        seen.add(n)
        yield n, int(_DOCUMENT_CODES.get(state, StatusCode.PRINT_VOIDED))
    for n, plan in session.connection().execute(select(col(Intent.n), col(Intent.plan))):
        for index in plan_indices(n, plan):
            if index not in seen:
                seen.add(index)
                yield index, int(StatusCode.NOT_IN_FORCE)


def _of_certificate(session: Session, key: str, at: datetime) -> Sequence[tuple[int, int]]:
    """Nothing for a certificate whose rows cannot be read: the audit then misses its indices, and names them."""
    try:
        return statuses(session, load_certificate(session, key)[1], at)
    except (ValueError, KeyError, TypeError):
        return ()


def plan_indices(n: int, plan: dict[str, object]) -> list[int]:
    """All indices that an intent planned: its file's and its sheets'."""
    sheets = plan.get("sheets")
    return sorted([n, *(sheet["n"] for sheet in sheets if "n" in sheet)] if isinstance(sheets, list) else [n])
