"""Intents: what will be issued, on record before the key is used; opened once, finished or voided, never forgotten."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, or_, select

from certlib.errors import CaseAlreadyIssuedError, ConflictError, IntentOpenError
from certlib.formats.leaf import Leaf
from certlib.register.ledger import release_orphans
from certlib.register.store import Register
from certlib.register.tables import Intent

UNFINISHED = ("open", "signing")


def refuse_second_case(session: Session, case: str, type_key: str, action: str) -> None:
    """Raise `CaseAlreadyIssuedError` when this case has, or is about to have, this outcome."""
    row = session.exec(
        select(Intent).where(
            Intent.case == case, Intent.type == type_key, Intent.action == action, Intent.state != "voided"
        )
    ).first()
    if row is not None:
        done = row.state == "done"
        message = f"办件 {case} 已{'签发' if done else '在办理'}{row.number}，不重复签发。"
        raise CaseAlreadyIssuedError(message, extra={"number": row.number, "identifier": row.identifier})


def refuse_second_intent(session: Session, certificate: str) -> None:
    """Raise `IntentOpenError` when an issuance of this certificate is under way."""
    row = open_intent_of(session, certificate)
    if row is not None:
        raise IntentOpenError(f"{row.number} 另有办理（{row.case}）正在进行，请待其办结。")


def open_intent_of(session: Session, certificate: str) -> Intent | None:
    """The unfinished intent of a certificate, if there is one."""
    if not certificate:
        return None
    return session.exec(
        select(Intent).where(Intent.certificate == certificate, col(Intent.state).in_(UNFINISHED)).with_for_update()
    ).first()


def add_intent(
    session: Session, register: Register, intent: Intent, indices: Sequence[int], commitment: bytes, *, at: datetime
) -> None:
    """Put a numbered intent on record and its `planned` leaf in the journal: every index not in force yet."""
    session.add(intent)
    session.flush()
    leaf = Leaf(
        kind=f"{intent.kind}:planned",
        at=at,
        commitment=commitment,
        statuses=tuple((n, 0xF) for n in sorted(indices)),
    )
    register.link(session, intent.chain, leaf)


def new_salts() -> tuple[bytes, bytes]:
    """A 32-byte salt for the journal's commitment and a 16-byte one for the code's hash."""
    return secrets.token_bytes(32), secrets.token_bytes(16)


def void_intent(session: Session, register: Register, intent: Intent, problem: dict[str, Any], at: datetime) -> None:
    """Close an intent without an outcome: its numbers and indices stay used, the problem stays readable."""
    if intent.state not in UNFINISHED:
        return
    release_orphans(session, register, intent, at, why=str(problem["message"]))
    intent.state, intent.problem, intent.finished_at, intent.lease_until = "voided", problem, at, None
    session.add(intent)
    register.link(session, intent.chain, Leaf(kind=f"{intent.kind}:plan-voided", at=at))


def take_over(session: Session, intent_id: str, owner: str, now: datetime, lease: timedelta) -> Intent:
    """Take the lease of an unfinished intent whose worker let go or died.

    Raises `ConflictError` (code `in-progress`) while another worker holds it.
    """
    row = session.exec(select(Intent).where(Intent.id == intent_id).with_for_update()).one()
    if row.state in UNFINISHED and row.lease_until is not None and row.lease_until > now and row.lease_owner != owner:
        raise ConflictError(f"{row.number} 正在办理，请稍候重试。", code="in-progress")
    row.lease_owner = owner
    if row.state == "open":
        row.lease_until = now + lease
    session.add(row)
    return row


def abandoned(session: Session, now: datetime, limit: int = 50) -> Sequence[Intent]:
    """Unfinished intents that nobody holds: to be finished, or voided when their day is over."""
    return session.exec(
        select(Intent)
        .where(col(Intent.state).in_(UNFINISHED))
        .where(or_(col(Intent.lease_until).is_(None), col(Intent.lease_until) <= now))
        .order_by(col(Intent.created_at))
        .limit(limit)
    ).all()
