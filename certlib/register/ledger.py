"""The ledger of seal uses (用印日志), beside the register: implements the Sealer's `UseLedger`.

A use is allowed in one place (`seal_grants.grant`), in the transaction that reserves it. A denial is recorded in a
transaction of its own; the key is never reached. A use that came to nothing is released; its counter stays used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select, update

from certlib.catalogue import Catalogue
from certlib.domain.page import Box
from certlib.domain.seal_authorisation import SealPurpose
from certlib.domain.seal_life import SEAL_STATE_WORDS, SealState
from certlib.errors import ConflictError, NotFoundError, SealDeniedError
from certlib.register import seal_uses
from certlib.register.seal_grants import Grant, grant
from certlib.register.seal_store import read_spec
from certlib.register.seal_tables import SealAuthorisationRow, SealCertificateRow, SealRow, SealUseRow
from certlib.register.seal_uses import ELECTRONIC, Occasion
from certlib.register.store import Register
from certlib.register.tables import Intent
from certlib.sealing.order import SealOrder

_ORPHANED = "办理中断，由后续处理收回"


class RegisterLedger:
    """`UseLedger` over the register's tables. `level` and `suite` are what the office's contract asks for."""

    def __init__(self, register: Register, catalogue: Catalogue, *, level: str, suite: str, lease: timedelta) -> None:
        self._register, self._catalogue = register, catalogue
        self._level, self._suite, self._lease = level, suite, lease

    def reserve(self, intent: str, *, now: datetime) -> SealOrder:
        """Take the intent from open to signing, check seal and authorisation, reserve one use. See `UseLedger`."""
        pdf, about = self._register.files.spooled(intent)
        with self._register.writer() as session:
            row = _take(session, intent, now, self._lease)
            release_orphans(session, self._register, row, now)
            row.sha256 = hashlib.sha256(pdf).hexdigest()
            placement, straddle = Box(**about["placement"]), int(about.get("straddle", 0))
            occasion = occasion_of(row, placement, straddle)
            granted = self._granted(session, occasion, now)
            if not isinstance(granted, str):
                session.add(row)
                order = self._order(session, row, granted, occasion, pdf=pdf, placement=placement, now=now)
                return replace(order, straddle=straddle)
            seal_uses.deny(session, self._register, occasion, granted, now)
        raise SealDeniedError(f"{granted}，未用印。")

    def _granted(self, session: Session, occasion: Occasion, now: datetime) -> Grant | str:
        granted = grant(session, self._catalogue, occasion.purpose, occasion.outcome, at=now)
        if isinstance(granted, Grant) and self._suite not in granted.edition.certificates:
            return f"{granted.seal.id}号印章没有 {self._suite} 的证书"
        return granted

    def _order(
        self,
        session: Session,
        row: Intent,
        granted: Grant,
        occasion: Occasion,
        *,
        pdf: bytes,
        placement: Box,
        now: datetime,
    ) -> SealOrder:
        use = seal_uses.reserve(session, self._register, self._catalogue, occasion, granted, at=now)
        certificate = session.get_one(SealCertificateRow, granted.edition.certificates[self._suite])
        seal_uses.name_certificate(use, certificate)
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
            certificates=dict(granted.edition.certificates),
            spec=read_spec(granted.edition.spec),
        )

    def release(self, order: SealOrder, *, why: str, now: datetime) -> None:
        """Record that the use came to nothing, and give the intent back unless a later attempt holds it."""
        with self._register.writer() as session:
            session.exec(
                update(Intent)
                .where(col(Intent.id) == order.intent, col(Intent.attempt) == order.attempt)
                .where(col(Intent.state) == "signing")
                .values(state="open", lease_until=None)
            )
            use = session.get(SealUseRow, order.use, with_for_update=True)
            if use is not None and use.state == "reserved":
                seal_uses.close(session, self._register, use, "released", at=now, why=why)


def occasion_of(row: Intent, placement: Box, straddle: int = 0) -> Occasion:
    """What an intent wants its seal for, and where: at its place, and along the edges of several pages."""
    plan = row.plan
    return Occasion(
        kind=ELECTRONIC,
        purpose=SealPurpose(
            seal=row.seal,
            authority=row.authority,
            item=row.item,
            type=row.type,
            action=row.action,
            persons=tuple(plan.get("persons", ())),
        ),
        outcome=row.kind,
        case=row.case,
        number=row.number,
        decision=plan["decision"],
        document={
            "name": plan["title"],
            "identifier": row.identifier,
            "edition": row.edition,
            "reason": plan["reason"],
        },
        operator={"client": row.client, "worker": row.lease_owner},
        place=asdict(placement) | ({"straddle": straddle} if straddle else {}),
        intent=row.id,
        attempt=row.attempt,
        input_sha256=row.sha256,
    )


def close_use(
    session: Session,
    register: Register,
    order: SealOrder,
    *,
    output: str,
    number: str,
    at: datetime,
    result: Mapping[str, Any] | None = None,
) -> None:
    """Close a reserved use inside the transaction that registers its file; `result` is level and proof of time.

    Raises `ConflictError` when the use was taken back, `SealDeniedError` when the seal was stopped or the authorisation
    ended meanwhile: nothing comes into force that a verifier or auditor would find sealed without right.
    """
    use = session.get(SealUseRow, order.use, with_for_update=True)
    if use is None or use.state != "reserved":
        raise ConflictError("用印登记已被收回，本次结果作废。")
    seal = session.exec(select(SealRow).where(SealRow.id == order.seal).with_for_update(read=True)).one()
    if seal.state != SealState.ENABLED.value:
        state = SEAL_STATE_WORDS[SealState(seal.state)]
        raise SealDeniedError(f"{seal.id}号印章在办理期间{state}，本次用印作废。")
    if session.get_one(SealAuthorisationRow, use.authorisation).ended_at is not None:
        raise SealDeniedError(f"用印授权 {use.authorisation} 在办理期间已终止，本次用印作废。")
    use.output_sha256, use.number = output, number
    seal_uses.close(session, register, use, "used", at=at, result=result)


def release_orphans(
    session: Session, register: Register, intent: Intent, at: datetime, *, why: str = _ORPHANED
) -> None:
    """Release the reserved uses of an intent whose worker is gone; their counters stay used."""
    left = select(SealUseRow).where(SealUseRow.intent == intent.id, SealUseRow.state == "reserved")
    for use in session.exec(left.with_for_update()).all():
        seal_uses.close(session, register, use, "released", at=at, why=why)


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
