"""The client of a webhook's target: an event of the register as a signed message (Standard Webhooks).

Rules:
* The body is the canonical JSON of the event: the same bytes at every attempt and every replay, under the same id.
* Each attempt carries its own second and a signature by each secret in use.
* 2xx is delivered; 410 lays the event aside and stops the target (`certlib.register.hook_deliveries`); a redirect is
  not followed and holds everything up until the address is put right; 429, 502, 503 and 504 slow down; the rest is
  tried again.

    client = WebhookClient(Address.parse("https://supervision.example/hook"), [secret], clock=clock)
    DeliveryWorker(queue, client, name="worker-1", clock=clock, pace=PACE).run(stop)
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from math import inf
from typing import Any

from certlib import __version__
from certlib.city.client import Answer
from certlib.city.mapping import Dialect, Line
from certlib.city.wire import Reply, Resolve, look_up, post
from certlib.city.worker import Pace
from certlib.domain.delivery import GONE, Delivery
from certlib.domain.targets import Address
from certlib.errors import CounterpartError, DeliveryDelayedError, DeliveryRefusedError
from certlib.formats.facts import canonical
from certlib.formats.webhook import WebhookSecret, webhook_headers

TIMEOUT = 20.0  # seconds for the whole exchange; the standard recommends 15 to 30
PACE = Pace(parallel=4, idle=1.0, first=5.0, longest=300.0, give_up=1000, silence=inf)
"""Waits double from 5 s to 5 min; what fails for its own sake is laid aside after some two and a half days.

However many calls fail in a row: a quiet target has one event alone, and that may be what it never takes.
"""

_AWAY = frozenset({429, 502, 503, 504})
_GONE = 410
_SHOWN = 200  # characters of a refusal
# A status is all that a receiver answers: there are no lines to read.
_STATUS = Dialect(
    name="standard-webhooks", endpoints={}, envelope={}, answer={}, undigested=frozenset(), codes={}, fields=()
)


class WebhookClient:
    """One target; safe to share between threads. `private` lets it lie on a private address (development)."""

    def __init__(
        self,
        address: Address,
        secrets: Sequence[WebhookSecret],
        *,
        clock: Callable[[], datetime],
        private: bool = False,
        timeout: float = TIMEOUT,
        trust: ssl.SSLContext | None = None,
        resolve: Resolve = look_up,
    ) -> None:
        self._address, self._secrets, self._clock = address, tuple(secrets), clock
        self._private, self._timeout, self._resolve = private, timeout, resolve
        self._trust = trust or ssl.create_default_context()
        self.dialect = _STATUS

    def push(self, delivery: Delivery) -> Answer:
        """Send one event and return the answer that took it.

        Raises `DeliveryDelayedError`, `DeliveryRefusedError` (the target is gone) or `CounterpartError`.
        """
        id_, body = str(delivery.message["id"]), webhook_body(delivery.message)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"certlib/{__version__}",
            **webhook_headers(id_, body, self._secrets, at=self._clock()),
        }
        reply = post(
            self._address,
            body,
            headers,
            seconds=self._timeout,
            trust=self._trust,
            private=self._private,
            resolve=self._resolve,
        )
        if not reply.is_success:
            raise _failure(reply, self._address)
        line = Line(kind="success", guid=id_, code=str(reply.status), message="")
        return Answer(line=line, digest=hashlib.sha256(body).hexdigest())


def webhook_body(message: Mapping[str, Any]) -> bytes:
    """The body of an event: its type and moment, and what it is about, in canonical JSON.

    The id stands in the header alone; `sequence` in the data numbers the target's events of one certificate.
    """
    kind = str(message.get("event") or f"publicity.{message['operation']}")
    data = {name: value for name, value in message.items() if name not in {"id", "event", "at"}}
    return canonical({"type": kind, "timestamp": message["at"], "data": data})


def _failure(reply: Reply, address: Address) -> Exception:
    """What an answer other than 2xx stands for."""
    said = f"：{reply.text[:_SHOWN]}" if reply.text else ""
    if reply.status == _GONE:
        message = f"目标 {address.place} 答复不再接收（410），已停止向其推送；恢复后请重放。"
        return DeliveryRefusedError(message, code=GONE)
    if 300 <= reply.status < 400:
        message = f"目标 {address.place} 要求转向（{reply.status}），未跟随，推送暂停；请核对地址设置。"
        return CounterpartError(message, code="counterpart-redirect")
    if reply.status in _AWAY:
        message = f"目标 {address.place} 暂不可用（{reply.status}），稍后重试。"
        return DeliveryDelayedError(message, outage=True, after=reply.after)
    message = f"目标 {address.place} 未接收（{reply.status}）{said}"
    return DeliveryDelayedError(message, code="counterpart-status", after=reply.after)
