"""The checker's look at what goes to others: what was laid aside, what waits too long, for the city and for webhooks.

A finding names no event and repeats no words that a counterpart chose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from certlib.domain.verdict import Finding
from certlib.issue.office import Office
from certlib.issue.repairing import city_queue
from certlib.issue.replaying import hook_views

LATE = timedelta(hours=1)  # that an event may wait
_CODE = re.compile(r"\[((?:counterpart|delivery|target)-[a-z]{1,20})\]")


def check_deliveries(office: Office, now: datetime) -> Iterator[Finding]:
    """How deliveries to the city repository stand; nothing where the office has none."""
    if not office.settings.city_url:
        return
    backlog = city_queue(office).undelivered()
    if backlog.dead:
        words = f"向市电子证照库的推送有 {backlog.dead} 个死信，其后另有 {backlog.blocked} 个事件等候。"
        yield Finding("deliveries", "fail", words)
    if backlog.unread:
        yield Finding("deliveries", "fail", f"有 {backlog.unread} 个待推送事件的文件读不到，请检查文件存储。")
    if backlog.oldest and backlog.age(now) > LATE:
        waiting = backlog.due + backlog.leased
        words = f"有 {waiting} 个事件待推送至市电子证照库，最早的自 {backlog.oldest.isoformat()[:16]} 起。"
        yield Finding("deliveries", "warn", words)


def check_webhooks(office: Office, now: datetime) -> Iterator[Finding]:
    """How deliveries to each webhook of the settings stand."""
    for view in hook_views(office):
        yield from _webhook(view, now)


def _webhook(view: Mapping[str, Any], now: datetime) -> Iterator[Finding]:
    name, oldest = view["name"], view["oldest"]
    if view["gone"]:
        yield Finding("webhooks", "fail", f"{name} 答复不再接收（410），已停止向其推送；恢复后请重放死信。")
    elif view["dead"]:
        yield Finding("webhooks", "fail", f"{name} 有 {view['dead']} 个死信，其后另有 {view['blocked']} 个事件等候。")
    if oldest and now - datetime.fromisoformat(oldest) > LATE:
        words = f"{name} 有 {view['waiting']} 个事件待推送，最早的自 {oldest[:16]} 起"
        yield Finding("webhooks", "warn", f"{words}{because(view['trouble'])}。")


def because(trouble: str) -> str:
    """The code of what holds an event up; the words after it may be the receiver's own, and stay in the register."""
    code = _CODE.match(trouble)
    return f"（{code[1]}）" if code else "（原因见推送记录）" if trouble else ""
