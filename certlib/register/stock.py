"""Blanks in the register: each one a row, every movement a line of the double-entry ledger, both in one transaction."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby

from sqlmodel import Session, col, func, select

from certlib.domain.paper import Blank, BlankAct, BlankState, move_blank
from certlib.domain.stock import SUPPLIER, Balance, Movement, SerialRange, account, balance, compare
from certlib.domain.verdict import Finding
from certlib.errors import ConflictError, NotFoundError
from certlib.register.tables import BlankRow, StockMovementRow

_CHUNK = 500  # serials asked for in one statement


def receive(
    session: Session, type_key: str, serials: SerialRange, *, at: datetime, person: str, witness: str, reason: str = ""
) -> int:
    """Take a range into stock. Raises `ConflictError` (code `stock-overlap`) when a serial is already known."""
    for chunk in _chunks(list(serials)):
        known = session.exec(select(BlankRow.serial).where(col(BlankRow.serial).in_(chunk)).limit(1)).first()
        if known is not None:
            message = f"空白证照 {known} 已入库，号段重叠，未入库任何一张。"
            raise ConflictError(message, code="stock-overlap")
        session.add_all(BlankRow(serial=serial, type=type_key, updated_at=at) for serial in chunk)
    entry = Movement(type_key, serials, SUPPLIER, account(BlankState.STOCK))
    _post(session, entry, at, person=person, witness=witness, reason=reason)
    return serials.count


def move(
    session: Session,
    act: BlankAct,
    serials: Iterable[str],
    *,
    at: datetime,
    type_key: str = "",
    window: str = "",
    person: str = "",
    witness: str = "",
    reason: str = "",
    sheet: int | None = None,
) -> None:
    """Move blanks by `act`, all or none. Raises `TransitionError` naming the first that may not be moved."""
    rows = [_locked(session, serial) for serial in serials]
    moved = []
    for row in rows:
        before = Blank(row.serial, row.type, BlankState(row.state), row.window)
        after = move_blank(before, act, type=type_key, window=window)
        moved.append((before, after))
        row.state, row.window, row.updated_at = after.state.value, after.window, at
        row.sheet = sheet if act is BlankAct.USE else row.sheet
        session.add(row)
    for movement in _joined(moved):
        _post(session, movement, at, person=person, witness=witness, reason=reason)


def available(session: Session, type_key: str, window: str, count: int) -> list[str]:
    """Serials that a window may print on: allotted to it, or, for no window, in stock. Lowest first.

    Raises `ConflictError` (code `no-blanks`) when there are fewer than `count`.
    """
    state = BlankState.ALLOTTED if window else BlankState.STOCK
    query = select(BlankRow.serial).where(BlankRow.type == type_key, BlankRow.state == state.value)
    if window:
        query = query.where(BlankRow.window == window)
    serials = session.exec(query.order_by(col(BlankRow.serial)).limit(count)).all()
    if len(serials) < count:
        place = f"窗口“{window}”领用的" if window else "库存"
        message = f"{place}空白证照不足：需 {count} 张，仅 {len(serials)} 张，未打印。"
        raise ConflictError(message, code="no-blanks")
    return list(serials)


def balances(session: Session) -> dict[str, Balance]:
    """The balance of every type, from all movements."""
    rows = session.exec(select(StockMovementRow).order_by(col(StockMovementRow.id))).all()
    return balance(Movement(row.type, SerialRange.of(row.first, row.last), row.credit, row.debit) for row in rows)


def check_stock(session: Session) -> list[Finding]:
    """The nightly check: the ledger's balances against the blanks counted one by one."""
    return compare(balances(session), blanks(session))


def books(session: Session, types: Sequence[str] = ()) -> dict[str, Balance]:
    """The balance of these types, or of all, summed by the database: what each account gained less what it gave."""
    accounts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for side, sign in ((col(StockMovementRow.debit), 1), (col(StockMovementRow.credit), -1)):
        query = select(StockMovementRow.type, side, func.sum(StockMovementRow.count))
        query = query.where(col(StockMovementRow.type).in_(types)) if types else query
        for type_key, name, number in session.exec(query.group_by(StockMovementRow.type, side)):
            accounts[type_key][name] += sign * int(number)
    return {type_key: Balance(dict(found)) for type_key, found in accounts.items()}


def blanks(session: Session, types: Sequence[str] = ()) -> dict[tuple[str, BlankState], int]:
    """The blanks of these types, or of all, counted one by one."""
    query = select(BlankRow.type, BlankRow.state, func.count())
    query = query.where(col(BlankRow.type).in_(types)) if types else query
    rows = session.exec(query.group_by(BlankRow.type, BlankRow.state))
    return {(kind, BlankState(state)): number for kind, state, number in rows}


def _locked(session: Session, serial: str) -> BlankRow:
    row = session.exec(select(BlankRow).where(BlankRow.serial == serial).with_for_update()).one_or_none()
    if row is None:
        raise NotFoundError(f"没有空白证照 {serial[:40]}。")
    return row


def _joined(moved: Sequence[tuple[Blank, Blank]]) -> list[Movement]:
    """One movement for each run of bordering serials that go the same way."""

    def way(pair: tuple[Blank, Blank]) -> tuple[str, str, str]:
        before, after = pair
        return before.type, account(before.state, before.window), account(after.state, after.window)

    movements: list[Movement] = []
    for (kind, source, target), pairs in groupby(moved, key=way):
        for before, _ in pairs:
            one = SerialRange.of(before.serial, before.serial)
            last = movements[-1] if movements else None
            if last and (last.type, last.source, last.target) == (kind, source, target) and _borders(last.serials, one):
                joined = SerialRange(one.prefix, one.width, last.serials.start, one.end)
                movements[-1] = Movement(kind, joined, source, target)
            else:
                movements.append(Movement(kind, one, source, target))
    return movements


def _borders(run: SerialRange, one: SerialRange) -> bool:
    return (run.prefix, run.width, run.end + 1) == (one.prefix, one.width, one.start)


def _post(
    session: Session, movement: Movement, at: datetime, *, person: str = "", witness: str = "", reason: str = ""
) -> None:
    session.add(
        StockMovementRow(
            type=movement.type,
            first=movement.serials.first,
            last=movement.serials.last,
            count=movement.serials.count,
            debit=movement.target,
            credit=movement.source,
            at=at,
            person=person,
            witness=witness,
            reason=reason,
        )
    )


def _chunks(serials: list[str]) -> Iterable[list[str]]:
    return (serials[start : start + _CHUNK] for start in range(0, len(serials), _CHUNK))
