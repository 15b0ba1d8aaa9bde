"""The ledger of seal uses (用印日志), beside the register: implements the Sealer's `UseLedger`.

The authorisation is checked here and nowhere else, in the transaction that reserves the use. A denial is recorded
in a transaction of its own; the key is never reached.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta

from sqlmodel import Session, col, select, update

from certlib.domain.page import Box
from certlib.domain.seal import SealAuthorisation
from certlib.errors import ConflictError, NotFoundError, SealDeniedError
from certlib.formats.leaf import Leaf
from certlib.register.store import Register
from certlib.register.tables import Intent, SealAuthorisationRow, SealUseRow
from certlib.sealing.order import SealOrder


class RegisterLedger:
    """`UseLedger` over the register's tables. `level` and `suite` are what the office's contract asks for."""

    def __init__(self, register: Register, *, level: str, suite: str, lease: timedelta) -> None:
        self._register, self._level, self._suite, self._lease = register, level, suite, lease

    def reserve(self, intent: str, *, now: datetime) -> SealOrder:
        """Take the intent from open to signing, check the authorisation, reserve one use. See `UseLedger`."""
        pdf, about = self._register.files.spooled(intent)
        with self._register.writer() as session:
            row = _take(session, intent, now, self._lease)
            release_orphans(session, self._register, row, now)
            authorisation = _covering(session, row, now)
            if authorisation is not None:
                row.sha256 = hashlib.sha256(pdf).hexdigest()
                use = self._open_use(session, row, authorisation, now)
                return self._order(row, use, pdf, Box(**about["placement"]))
            denied = f"没有授权可用{row.seal}号印章办理{row.item or row.type}的“{row.action}”，未用印。"
            session.add(_use(row, None, "denied", now, why=denied))
            self._register.journal.append(session, Leaf(kind="seal:denied", at=now, seal=row.seal))
        raise SealDeniedError(denied)

    def _open_use(
        self, session: Session, row: Intent, authorisation: SealAuthorisationRow, now: datetime
    ) -> SealUseRow:
        authorisation.uses += 1
        counter = self._register.next(session, f"seal:{row.seal}")
        use = _use(row, counter, "reserved", now, authorisation=authorisation)
        session.add_all([row, authorisation, use])
        session.flush()
        return use

    def _order(self, row: Intent, use: SealUseRow, pdf: bytes, placement: Box) -> SealOrder:
        return SealOrder(
            use=use.id or 0,
            counter=use.counter or 0,
            intent=row.id,
            attempt=row.attempt,
            seal=row.seal,
            seal_edition=use.seal_edition,
            authorisation=bytes.fromhex(use.authorisation_sha256),
            pdf=pdf,
            sha256=row.sha256,
            placement=placement,
            reason=str(row.plan["reason"]),
            level=self._level,
            suite=self._suite,
            reserved_at=use.reserved_at,
        )

    def release(self, order: SealOrder, *, why: str, now: datetime) -> None:
        """Record that the use came to nothing, and give the intent back unless a later attempt holds it."""
        with self._register.writer() as session:
            use = session.get(SealUseRow, order.use)
            if use is None or use.state != "reserved":
                return
            use.state, use.why, use.closed_at = "released", why, now
            session.add(use)
            session.exec(
                update(Intent)
                .where(col(Intent.id) == order.intent, col(Intent.attempt) == order.attempt)
                .where(col(Intent.state) == "signing")
                .values(state="open", lease_until=None)
            )
            self._register.journal.append(
                session, Leaf(kind="seal:released", at=now, seal=order.seal, use=order.counter)
            )


def close_use(
    session: Session, register: Register, order: SealOrder, *, output: str, number: str, at: datetime
) -> None:
    """Close a reserved use inside the transaction that registers its file."""
    use = session.get(SealUseRow, order.use)
    if use is None or use.state != "reserved":
        raise ConflictError("用印登记已被收回，本次结果作废。")
    use.state, use.output_sha256, use.number, use.closed_at = "used", output, number, at
    session.add(use)
    leaf = Leaf(kind="seal:used", at=at, seal=order.seal, use=order.counter, file=bytes.fromhex(output))
    register.journal.append(session, leaf)


def release_orphans(session: Session, register: Register, intent: Intent, at: datetime) -> None:
    """Release the reserved uses of an intent whose worker is gone; their counters stay used."""
    rows = session.exec(select(SealUseRow).where(SealUseRow.intent == intent.id, SealUseRow.state == "reserved")).all()
    for use in rows:
        use.state, use.why, use.closed_at = "released", "办理中断，由后续处理收回", at
        session.add(use)
        register.journal.append(session, Leaf(kind="seal:released", at=at, seal=use.seal, use=use.counter or 0))


def add_authorisation(session: Session, authorisation: SealAuthorisation, at: datetime) -> bool:
    """Put an authorisation in force; False when it is already there."""
    if session.get(SealAuthorisationRow, authorisation.id):
        return False
    session.add(
        SealAuthorisationRow(
            id=authorisation.id,
            seal=authorisation.seal,
            since=authorisation.since,
            until=authorisation.until,
            canonical=authorisation.canonical(),
            sha256=authorisation.digest().hex(),
            created_at=at,
        )
    )
    return True


def _take(session: Session, intent: str, now: datetime, lease: timedelta) -> Intent:
    row = session.exec(select(Intent).where(Intent.id == intent).with_for_update()).one_or_none()
    if row is None:
        raise NotFoundError(f"没有办理计划 {intent}。")
    if row.state not in {"open", "signing"}:
        raise ConflictError(f"{row.number} 的办理已经结束（{row.state}），未用印。")
    if row.state == "signing" and row.lease_until is not None and row.lease_until > now:
        raise ConflictError(f"{row.number} 正在用印，请稍候。", code="intent-open")
    row.state, row.attempt, row.lease_until = "signing", row.attempt + 1, now + lease
    return row


def _covering(session: Session, row: Intent, now: datetime) -> SealAuthorisationRow | None:
    candidates = session.exec(
        select(SealAuthorisationRow)
        .where(SealAuthorisationRow.seal == row.seal)
        .where(SealAuthorisationRow.since <= now, SealAuthorisationRow.until > now)
        .order_by(SealAuthorisationRow.id)
        .with_for_update()
    ).all()
    return next((candidate for candidate in candidates if _covers(candidate, row)), None)


def _covers(candidate: SealAuthorisationRow, row: Intent) -> bool:
    terms = json.loads(candidate.canonical)
    persons = set(row.plan.get("persons", []))
    return (
        terms["authority"] == row.authority
        and (not terms["items"] or row.item in terms["items"] or not row.item)
        and (not terms["types"] or row.type in terms["types"])
        and (not terms["actions"] or row.action in terms["actions"])
        and (not terms["persons"] or bool(persons & set(terms["persons"])))
        and (not terms["limit"] or candidate.uses < terms["limit"])
        and len(persons) >= terms["approvers"]
    )


def _use(
    row: Intent,
    counter: int | None,
    state: str,
    now: datetime,
    *,
    authorisation: SealAuthorisationRow | None = None,
    why: str = "",
) -> SealUseRow:
    return SealUseRow(
        seal=row.seal,
        counter=counter,
        intent=row.id,
        attempt=row.attempt,
        state=state,
        authorisation=authorisation.id if authorisation else "",
        authorisation_sha256=authorisation.sha256 if authorisation else "",
        item=row.item,
        case=row.case,
        type=row.type,
        action=row.action,
        number=row.number,
        persons={"approvers": row.plan.get("persons", [])},
        input_sha256=row.sha256,
        why=why,
        reserved_at=now,
        closed_at=None if state == "reserved" else now,
    )
