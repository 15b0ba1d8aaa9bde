"""Deliveries to the city repository that were laid aside: why, what they say, and sending them again.

    dead_letters(office)                                       # each with its reason
    dead_letter(office, 7, client="certctl", purpose="改正")     # with its message
    repair(office, {"ids": [7], "reason": "代码已改正", "message": {…}}, client="certctl")

A message holds personal data: reading one, and sending one again, goes to the access log with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session

from certlib.errors import Fault, RequestError
from certlib.issue.office import Office
from certlib.register.access_log import record_access
from certlib.register.bearers import note_access
from certlib.register.deliveries import SqlDeliveries
from certlib.register.delivery_table import DeliveryRow

_LONGEST_REASON = 200  # characters
_MOST = 1000
_MEMBERS = frozenset({"ids", "reason", "message"})
_FIXED = ("identifier", "operation", "state")  # what happened is not for a repair to say


def city_queue(office: Office) -> SqlDeliveries:
    """The deliveries to the city repository."""
    return SqlDeliveries(office.register.engine, office.register.files.read)


def dead_letters(office: Office) -> dict[str, Any]:
    """How deliveries stand, and every dead letter with its reason, oldest first; no personal data."""
    queue = city_queue(office)
    backlog = queue.backlog()
    counts = {name: getattr(backlog, name) for name in ("due", "leased", "done", "dead", "blocked", "unread")}
    age = round(backlog.age(office.register.now()).total_seconds(), 1)
    behind = queue.behind_dead()
    letters = [_view(row, behind[row.id or 0]) for row in queue.dead_letters()]
    return {**counts, "oldest_seconds": age, "dead_letters": letters}


def dead_letter(office: Office, id_: int, *, client: str, purpose: str) -> dict[str, Any]:
    """One dead letter with its message; the look is logged. Raises `NotFoundError`."""
    queue = city_queue(office)
    row = queue.dead_letter(id_)
    record_access(office.register, client=client, subject=row.certificate, purpose=purpose, outcome="dead letter shown")
    return {**_view(row, queue.behind_dead()[id_]), "message": row.message}


def repair(office: Office, raw: Mapping[str, Any], *, client: str) -> dict[str, Any]:
    """Make dead letters due again: those of `ids`, or all; one of them with its `message` put right; for a `reason`.

    Raises `RequestError` with every fault, `NotFoundError` when one is no dead letter; nothing is sent then.
    """
    faults = list(_faults(raw))
    if faults:
        raise RequestError(faults)
    reason, message = str(raw["reason"]).strip(), raw.get("message")
    outcome = "replayed" if message is None else "put right and replayed"

    def note(session: Session, letters: Sequence[DeliveryRow]) -> None:
        if message is not None:
            _check_message(message, letters[0])
        at = office.register.moment(session)
        for row in letters:
            note_access(session, at, client=client, subject=row.certificate, purpose=reason, outcome=outcome)

    now = office.register.now()
    replayed = city_queue(office).replay_all(now, ids=raw.get("ids"), message=message, before=note)
    for tell in office.register.on_delivery:
        tell()
    return {"replayed": replayed}


def _view(row: DeliveryRow, behind: int) -> dict[str, Any]:
    return {
        "id": row.id,
        "identifier": row.identifier,
        "sequence": row.sequence,
        "operation": row.operation,
        "reason": row.last_error,
        "attempts": row.attempts,
        "behind": behind,
        "at": row.created_at.isoformat(),
    }


def _faults(raw: Mapping[str, Any]) -> list[Fault]:
    faults = [
        Fault(str(name), "unknown", "没有这一项。", english="No such member.") for name in sorted(raw.keys() - _MEMBERS)
    ]
    reason, ids = raw.get("reason"), raw.get("ids", [0])
    if not isinstance(reason, str) or not 0 < len(reason.strip()) <= _LONGEST_REASON:
        faults.append(Fault("reason", "missing", "重推原因：须写明。", "重推原因", "A reason is needed."))
    if not isinstance(ids, list) or not 0 < len(ids) <= _MOST or not all(map(_is_id, ids)):
        message = f"编号应为整数的列表，至多 {_MOST} 个。"
        faults.append(Fault("ids", "not-ids", message, "待处理编号", "A list of ids of dead letters."))
    elif len(set(ids)) < len(ids):
        faults.append(Fault("ids", "twice", "编号重复，每条只能写一次。", "待处理编号", "An id stands there twice."))
    elif "message" in raw and ("ids" not in raw or len(ids) != 1):
        message = "改正的内容只能配一个编号。"
        faults.append(Fault("message", "one-id", message, "改正的内容", "A message needs exactly one id."))
    if "message" in raw and not isinstance(raw["message"], dict):
        faults.append(Fault("message", "not-object", "改正的内容应为 JSON 对象。", "改正的内容", "A JSON object."))
    return faults


def _is_id(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _check_message(message: Mapping[str, Any], row: DeliveryRow) -> None:
    """Refuse a message about another certificate or event. Raises `RequestError`."""
    faults = [
        Fault(f"message.{name}", "fixed", f"{name} 不可改动。", "改正的内容", f"{name} cannot be changed.")
        for name in _FIXED
        if message.get(name) != row.message.get(name)
    ]
    if faults:
        raise RequestError(faults)
