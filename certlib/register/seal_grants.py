"""Seal authorisations in the register, and the one place where a use of a seal is allowed or denied.

`grant` is asked inside the transaction that records the use, under the lock of the seal's row: is the seal in use, may
its kind stand on such a thing, does an authorisation cover it. Whoever puts an authorisation in force or ends it holds
the same lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from certlib.catalogue import Catalogue
from certlib.domain.civil import civil_date
from certlib.domain.seal import SealAuthorisation, SealKind
from certlib.domain.seal_authorisation import SealPurpose, contradicted, governing, shortfall
from certlib.domain.seal_life import SEAL_STATE_WORDS, SealState
from certlib.domain.seal_table import SealedThing, allowed_kinds
from certlib.errors import ConflictError, NotFoundError
from certlib.formats.leaf import Leaf
from certlib.register.seal_store import current_edition, find_seal, get_seal
from certlib.register.seal_tables import SealAuthorisationRow, SealEditionRow, SealRow
from certlib.register.store import Register

KIND_WORDS: Mapping[SealKind, str] = {SealKind.APPROVAL: "行政审批专用章", SealKind.ORGAN: "机关印章"}


@dataclass(frozen=True, slots=True)
class Grant:
    """A use that is allowed: the seal in its present edition, under which authorisation."""

    seal: SealRow
    edition: SealEditionRow
    authorisation: SealAuthorisationRow


def grant(session: Session, catalogue: Catalogue, purpose: SealPurpose, outcome: str, *, at: datetime) -> Grant | str:
    """The grant for `purpose` on a certificate or document (`outcome`), or why it is denied (Chinese).

    Locks the seal's row; the caller counts the use in the same transaction.
    """
    row = find_seal(session, purpose.seal, lock=True)
    edition = current_edition(session, row) if row else None
    if row is None or edition is None or row.state != SealState.ENABLED.value:
        state = SEAL_STATE_WORDS[SealState(row.state)] if row else "没有登记"
        return f"{purpose.seal}号印章{state}"
    thing = SealedThing(
        outcome=outcome,
        authority=row.authority,
        type=purpose.type,
        action=purpose.action,
        item=purpose.item,
        day=civil_date(at),
    )
    if SealKind(row.kind) not in (kinds := allowed_kinds(catalogue.seal_table, thing)):
        wanted = "或".join(KIND_WORDS[kind] for kind in kinds) or "任何印章"
        verb = "应当盖" if kinds else "不得盖"
        return f"{catalogue.kind(purpose.type).name}{verb}{wanted}，不能用{row.name}"
    authorisation = _covering(session, purpose, at)
    return authorisation if isinstance(authorisation, str) else Grant(row, edition, authorisation)


def _covering(session: Session, purpose: SealPurpose, at: datetime) -> SealAuthorisationRow | str:
    rows = {row.id: row for row in in_force(session, purpose.seal, at=at)}
    found = governing([SealAuthorisation.read(row.canonical) for row in rows.values()], purpose)
    reasons = [shortfall(one, purpose, rows[one.id].uses) for one in found]
    for one, reason in zip(found, reasons, strict=True):
        if not reason:
            return rows[one.id]
    return next(
        filter(None, reasons), f"没有授权可用{purpose.seal}号印章办理{purpose.item or purpose.type}的“{purpose.action}”"
    )


def in_force(session: Session, seal: str, *, at: datetime) -> Sequence[SealAuthorisationRow]:
    """The authorisations of a seal that are in force at `at`."""
    rows = session.exec(
        select(SealAuthorisationRow)
        .where(SealAuthorisationRow.seal == seal)
        .where(SealAuthorisationRow.since <= at, SealAuthorisationRow.until > at)
        .order_by(SealAuthorisationRow.id)
    ).all()
    return [row for row in rows if row.ended_at is None or row.ended_at > at]


def authorisations(session: Session, seal: str = "") -> Sequence[SealAuthorisationRow]:
    """Every authorisation there ever was, of one seal or of all."""
    query = select(SealAuthorisationRow)
    if seal:
        query = query.where(SealAuthorisationRow.seal == seal)
    return session.exec(query.order_by(col(SealAuthorisationRow.created_at), col(SealAuthorisationRow.id))).all()


def authorisation_by_digest(session: Session, sha256: str) -> SealAuthorisationRow:
    """The authorisation whose canonical text has this digest (hexadecimal). Raises `NotFoundError`."""
    row = session.exec(select(SealAuthorisationRow).where(SealAuthorisationRow.sha256 == sha256)).one_or_none()
    if row is None:
        raise NotFoundError(f"没有摘要为 {sha256[:12]}… 的用印授权。")
    return row


def add_authorisation(
    session: Session, register: Register, authorisation: SealAuthorisation, *, record: Mapping[str, Any], at: datetime
) -> bool:
    """Put an authorisation in force; False when it is already there word for word.

    `record` says who made it. Raises `ConflictError` (code `authorisation-contradicts`) when it contradicts another,
    `NotFoundError` for a seal that is not registered.
    """
    get_seal(session, authorisation.seal, lock=True)
    existing = session.get(SealAuthorisationRow, authorisation.id)
    rows = {row.id: row for row in (*authorisations(session, authorisation.seal), *filter(None, [existing]))}
    others = [(SealAuthorisation.read(row.canonical), row.ended_at or row.until) for row in rows.values()]
    why = contradicted(authorisation, others)
    if why:
        raise ConflictError(f"用印授权 {authorisation.id} 未生效：{why}。", code="authorisation-contradicts")
    if existing is not None:
        return False
    session.add(
        SealAuthorisationRow(
            id=authorisation.id,
            seal=authorisation.seal,
            authority=authorisation.authority,
            since=authorisation.since,
            until=authorisation.until,
            canonical=authorisation.canonical(),
            sha256=authorisation.digest().hex(),
            record=dict(record),
            created_at=at,
        )
    )
    leaf = Leaf(kind="seal:authorised", at=at, seal=authorisation.seal, commitment=authorisation.digest())
    register.journal.append(session, leaf)
    return True


def end_authorisation(
    session: Session, register: Register, authorisation: str, *, record: Mapping[str, Any], at: datetime
) -> SealAuthorisationRow:
    """End an authorisation at `at`; its text and digest stay.

    Raises `NotFoundError`, `ConflictError` (code `authorisation-over`) when it is over already.
    """
    found = session.get(SealAuthorisationRow, authorisation)
    if found is None:
        raise NotFoundError(f"没有编号为 {authorisation[:60]} 的用印授权。")
    get_seal(session, found.seal, lock=True)
    session.refresh(found)
    if (found.ended_at or found.until) <= at:
        raise ConflictError(f"用印授权 {found.id} 已经终止。", code="authorisation-over")
    found.ended_at, found.record = at, {**found.record, "ended": dict(record)}
    session.add(found)
    leaf = Leaf(kind="seal:authorisation-ended", at=at, seal=found.seal, commitment=bytes.fromhex(found.sha256))
    register.journal.append(session, leaf)
    return found
