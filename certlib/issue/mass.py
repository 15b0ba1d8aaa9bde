"""Mass actions: a law changed, a key was compromised, an authority was renamed.

Proposed with a count and a dry run, approved by a second person (双人复核), begun only after a window in which anybody
who may propose can cancel. Then it is a batch like others: each certificate has its own outcome.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlmodel import Session, col, or_, select

from certlib.domain.actions import Action
from certlib.errors import Fault, NotFoundError, RequestError, TransitionError
from certlib.formats.leaf import Leaf
from certlib.issue.batch import insert_batch
from certlib.register.holder_table import held_now_with
from certlib.register.store import Register
from certlib.register.tables import CertificateRow, EditionRow, MassRow

WINDOW = timedelta(hours=1)
_FILTERS = {
    "type": CertificateRow.type,
    "authority": CertificateRow.authority,
    "state": CertificateRow.state,
}
_HOLDER = "holder_code"  # of any of those who hold the edition in force
_DAYS = ("issued_from", "issued_until")


def propose(
    register: Register,
    action: Action,
    body: Mapping[str, Any],
    where: Mapping[str, str],
    *,
    person: str,
    reason: str,
    client: str,
) -> dict[str, Any]:
    """Put a mass action forward; nothing happens to any certificate yet. Raises `RequestError`."""
    faults = _faults(where, person, reason)
    if faults:
        raise RequestError(faults)
    with register.writer() as session:
        at = register.moment(session)
        found = affected(session, where)
        row = MassRow(
            id=secrets.token_hex(8),
            client=client,
            action=action.value,
            where=dict(where),
            body=dict(body),
            reason=reason,
            proposer=person,
            count=len(found),
            created_at=at,
        )
        session.add(row)
        register.journal.append(session, Leaf(kind="mass:proposed", at=at))
        return view(row)


def approve(register: Register, mass: str, *, person: str, window: timedelta = WINDOW) -> dict[str, Any]:
    """A second person approves; it begins when `window` has passed. Raises `TransitionError` for the proposer."""
    with register.writer() as session:
        row = _locked(session, mass, "proposed")
        if not person or person == row.proposer:
            raise TransitionError("批量办理须双人复核：复核人不得为提出人。")
        at = register.moment(session, row.created_at)
        row.state, row.approver, row.starts_at = "approved", person, at + window
        session.add(row)
        register.journal.append(session, Leaf(kind="mass:approved", at=at))
        return view(row)


def cancel(register: Register, mass: str) -> dict[str, Any]:
    """Call a mass action off before it begins. Raises `TransitionError` when it has."""
    with register.writer() as session:
        row = _locked(session, mass, "proposed", "approved")
        row.state = "cancelled"
        session.add(row)
        register.journal.append(session, Leaf(kind="mass:cancelled", at=register.moment(session, row.created_at)))
        return view(row)


def begin_due(register: Register) -> int:
    """Turn every approved mass action whose window has passed into a batch; returns how many."""
    with register.reader() as session:
        now = register.moment(session)
        due = session.exec(select(MassRow.id).where(MassRow.state == "approved", col(MassRow.starts_at) <= now)).all()
    for mass in due:
        with register.writer() as session:
            row = _locked(session, mass, "approved")
            at = register.moment(session, row.created_at)
            lines = [
                {**row.body, "operation": "act", "identifier": identifier, "action": row.action}
                for identifier in affected(session, row.where)
            ]
            row.state, row.batch = "begun", insert_batch(session, lines, client=row.client, at=at) if lines else ""
            session.add(row)
            register.journal.append(session, Leaf(kind="mass:begun", at=at))
    return len(due)


def affected(session: Session, where: Mapping[str, str]) -> list[str]:
    """The identifiers of the certificates that a filter names."""
    query = select(CertificateRow.identifier).order_by(col(CertificateRow.key))
    for name, column in _FILTERS.items():
        if name in where:
            query = query.where(column == where[name])
    if _HOLDER in where:
        code, row = where[_HOLDER], CertificateRow
        query = query.where(or_(row.holder_code == code, held_now_with(code, col(row.key), col(row.edition))))
    if any(name in where for name in _DAYS):
        query = query.join(
            EditionRow,
            (col(EditionRow.certificate) == CertificateRow.key) & (col(EditionRow.index) == CertificateRow.edition),
        )
    if "issued_from" in where:
        query = query.where(EditionRow.issued_on >= date.fromisoformat(where["issued_from"]))
    if "issued_until" in where:
        query = query.where(EditionRow.issued_on <= date.fromisoformat(where["issued_until"]))
    return list(session.exec(query).all())


def view(row: MassRow) -> dict[str, Any]:
    """A mass action as the office shows it."""
    return {
        "id": row.id,
        "action": row.action,
        "where": row.where,
        "reason": row.reason,
        "proposer": row.proposer,
        "approver": row.approver,
        "state": row.state,
        "count": row.count,
        "starts_at": row.starts_at.isoformat() if row.starts_at else "",
        "batch": row.batch,
    }


def _faults(where: Mapping[str, str], person: str, reason: str) -> list[Fault]:
    faults = []
    if not where or not (where.get("type") or where.get("authority")):
        message = "范围：至少写明证照种类或机关。"
        faults.append(Fault("where", "too-wide", message, "范围", "Name at least a type or an authority."))
    unknown = sorted(set(where) - {*_FILTERS, _HOLDER, *_DAYS})
    if unknown:
        message = f"范围：不认识的条件 {'、'.join(name[:30] for name in unknown)}。"
        faults.append(Fault("where", "unexpected", message, "范围", "Unknown conditions."))
    for name in _DAYS:
        try:
            date.fromisoformat(where.get(name) or "2000-01-01")
        except ValueError:
            faults.append(Fault(f"where.{name}", "not-a-date", "范围：不是日期。", "范围", "Not a date."))
    for name, text, label in (("person", person, "提出人"), ("reason", reason, "事由")):
        if not text:
            faults.append(Fault(name, "missing", f"{label}：缺少该项。", label, "Is missing."))
    return faults


def _locked(session: Session, mass: str, *states: str) -> MassRow:
    row = session.exec(select(MassRow).where(MassRow.id == mass).with_for_update()).one_or_none()
    if row is None:
        raise NotFoundError(f"没有批量办理 {mass[:40]}。")
    if row.state not in states:
        raise TransitionError(f"批量办理 {mass} 现为 {row.state}，不能再作此处理。")
    return row
