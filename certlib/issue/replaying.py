"""The webhooks as who runs them sees them: what waits, what was laid aside and why; and replaying it.

    hook_views(office)                              # every target and how it stands
    hook_deliveries(office, "market", state="dead") # each with its reason
    replay(office, "market", {"dead": True, "reason": "对方已修复"}, client="certctl")

A replay sends personal data once more: it goes to the access log with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from certlib.errors import Fault, NotFoundError, RequestError
from certlib.issue.hooks import Hook, read_hooks
from certlib.issue.office import Office
from certlib.register.access_log import record_access
from certlib.register.delivery_table import DeliveryRow
from certlib.register.hook_deliveries import Choice, HookDeliveries

STATES = ("due", "leased", "done", "dead")
MOST_IDS = 1000
_LONGEST_REASON = 200  # characters
_WAYS = {
    "dead": "全部死信 · every dead letter",
    "ids": "事件编号的列表 · ids of events",
    "since": "起止时间 · a span of time",
}


def hooks_of(office: Office) -> dict[str, Hook]:
    """The targets of the settings by name."""
    return {hook.name: hook for hook in read_hooks(office.settings, office.catalogue)}


def hook_named(office: Office, name: str) -> Hook:
    """The target of that name. Raises `NotFoundError`."""
    found = hooks_of(office).get(name)
    if found is None:
        raise NotFoundError(f"没有名为 {name[:40]} 的 webhook。")
    return found


def queue_of(office: Office, hook: Hook) -> HookDeliveries:
    """The deliveries to a target."""
    return HookDeliveries(office.register.engine, office.register.files.read, target=hook.subscription.target)


def hook_view(office: Office, hook: Hook) -> dict[str, Any]:
    """One target: what it is told, where, and how its deliveries stand."""
    queue, told = queue_of(office, hook), hook.subscription
    backlog = queue.backlog()
    return {
        "name": hook.name,
        "address": hook.address.text,
        "content": told.content.value,
        "supervises": sorted(told.supervises),
        "authorities": sorted(told.authorities),
        "items": sorted(told.items),
        "waiting": backlog.due + backlog.leased,
        "delivered": backlog.done,
        "dead": backlog.dead,
        "blocked": backlog.blocked,
        "gone": queue.is_gone,
        "trouble": queue.trouble,
        "oldest": backlog.oldest.isoformat() if backlog.oldest else None,
    }


def hook_views(office: Office) -> list[dict[str, Any]]:
    """Every target, in the order of the settings."""
    return [hook_view(office, hook) for hook in hooks_of(office).values()]


def hook_deliveries(
    office: Office, name: str, *, state: str = "dead", after: int = 0, limit: int = 50
) -> dict[str, Any]:
    """A page of a target's deliveries in one state; `next` continues, 0 on the last page. Raises `NotFoundError`."""
    rows = queue_of(office, hook_named(office, name)).page(state=state, after=after, limit=limit + 1)
    following = rows[limit - 1].id if len(rows) > limit else 0
    return {"deliveries": [_view(row) for row in rows[:limit]], "next": following}


def hook_letters(office: Office, *, limit: int) -> list[dict[str, Any]]:
    """Every target with its dead letters, the oldest `limit` of each, and how many events wait behind each letter."""
    found = []
    for hook in hooks_of(office).values():
        queue = queue_of(office, hook)
        behind = queue.behind_dead()
        rows = queue.page(state="dead", after=0, limit=limit)
        letters = [{**_view(row), "operation": row.operation, "behind": behind[row.id or 0]} for row in rows]
        found.append({**hook_view(office, hook), "letters": letters})
    return found


def replay(office: Office, name: str, raw: Mapping[str, Any], *, client: str) -> dict[str, Any]:
    """Make chosen deliveries due again: `dead` (all of them), `ids`, or `since` and `until`; with a `reason`.

    `gone` says that the target still takes nothing, since the event at which it said so was not among them.

    Raises `RequestError` with every fault, `NotFoundError` for an unknown target.
    """
    hook = hook_named(office, name)
    choice, reason = _choice(raw)
    subject, purpose = f"webhook {hook.name}", f"{reason}（{_said(raw)}）"
    record_access(office.register, client=client, subject=subject, purpose=purpose, outcome="replayed")
    queue = queue_of(office, hook)
    replayed = queue.replay_chosen(choice, office.register.now())
    return {"name": hook.name, "replayed": replayed, "gone": queue.is_gone}


def _view(row: DeliveryRow) -> dict[str, Any]:
    return {
        "id": row.message.get("id", ""),
        "event": row.message.get("event") or f"publicity.{row.operation}",
        "certificate": row.identifier,
        "sequence": row.sequence,
        "at": row.created_at.isoformat(),
        "state": row.state,
        "attempts": row.attempts,
        "failures": row.failures,
        "reason": row.last_error,
        "next_attempt": row.available_at.isoformat() if row.state == "due" else None,
        "delivered_at": row.done_at.isoformat() if row.done_at else None,
    }


def _choice(raw: Mapping[str, Any]) -> tuple[Choice, str]:
    """What is to be replayed, and why. Raises `RequestError` with every fault."""
    faults: list[Fault] = []
    reason = raw.get("reason")
    if not isinstance(reason, str) or not 0 < len(reason.strip()) <= _LONGEST_REASON:
        faults.append(Fault("reason", "missing", "重放原因：须写明。", "重放原因", "A reason is needed."))
    ways = {"since" if way == "until" else way for way in raw if way in {"dead", "ids", "since", "until"}}
    if len(ways) != 1 or raw.get("dead", True) is not True:
        message = f"请选且只选一种：{'、'.join(f'{way}（{word}）' for way, word in _WAYS.items())}。"
        faults.append(Fault("", "one-way", message, "重放范围", "Name exactly one of dead, ids, since and until."))
    faults += [
        Fault(str(member), "unknown", "没有这一项。", english="No such member.")
        for member in sorted(raw.keys() - {"reason", "until", *_WAYS})
    ]
    ids = raw.get("ids", [])
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids) or len(ids) > MOST_IDS:
        message = f"事件编号应为文字的列表，至多 {MOST_IDS} 个。"
        faults.append(Fault("ids", "not-ids", message, "事件编号", "A list of ids of events."))
    elif "ids" in raw and not ids:
        faults.append(Fault("ids", "missing", "至少写一个事件编号。", "事件编号", "At least one id."))
    span = {end: _moment(raw[end], end, faults) for end in ("since", "until") if end in raw}
    if faults:
        raise RequestError(faults)
    return Choice(ids=tuple(ids), since=span.get("since"), until=span.get("until")), str(reason).strip()


def _moment(value: object, path: str, faults: list[Fault]) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        message = "应为带时区的 ISO 8601 时间。"
        faults.append(Fault(path, "not-a-time", message, "时间", "A time with its zone (ISO 8601)."))
        return None
    return moment


def _said(raw: Mapping[str, Any]) -> str:
    if "ids" in raw:
        return f"{len(raw['ids'])} 个事件"
    return "全部死信" if "dead" in raw else f"{raw.get('since', '')} 至 {raw.get('until', '')}"
