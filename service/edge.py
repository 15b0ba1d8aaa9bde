"""What happens at the rim of every request: its id, its limits, its headers, its line in the log, its count.

Plain ASGI, in this order from outside: `Record` (id, log, metrics, headers), `Front`, `BodyLimit`. The log knows
routes by their template and callers by their client id; no path, query, header or body text is written.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.headers import CARRIED
from service.metrics import Metrics
from service.problems import bare_500, problem
from service.refusals import BodyTooLargeError

_REQUEST_ID = re.compile(r"[0-9A-Za-z-]{8,64}")
_CARRIED = tuple((name.encode(), value.encode()) for name, value in CARRIED.items())
_DISCARD = 64_000_000  # bytes of a refused body that are read and dropped, so that the answer reaches the sender

Log = structlog.stdlib.BoundLogger


class Record:
    """Give each request an id, each answer its headers, the log one line and the metrics one count."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, log: Any) -> None:
        self._app = app
        self._metrics = metrics
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        identity = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(12)
        scope["request_id"] = identity
        status = 0

        async def send_dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                dress(message, identity)
            await send(message)

        began = time.perf_counter()
        try:
            with self._metrics.in_flight.track_inprogress():
                await self._serve(scope, receive, send_dressed, lambda: status == 0)
        finally:
            self._note(scope, status, time.perf_counter() - began)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, unanswered: Callable[[], bool]) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001  the last border: whatever it is, its text stays here
            self._log.error("unforeseen", request_id=scope["request_id"], exc_info=error)
            if unanswered():
                await bare_500()(scope, receive, send)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = template(scope)
        self._metrics.count(scope["method"], route, status, seconds)
        self._log.info(
            "request",
            request_id=scope["request_id"],
            method=scope["method"],
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 1),
            client=scope.get("client_id", ""),
        )


class BodyLimit:
    """Refuse bodies that are too large, by declared length at once, else when the limit is passed."""

    def __init__(self, app: ASGIApp, *, default: int, paths: Mapping[str, int], base: str) -> None:
        self._app = app
        self._default = default
        self._paths = dict(paths)
        self._base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._paths.get(scope["path"], self._default)
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdigit() or int(declared) > limit:
            await _discard(receive)
            await problem(BodyTooLargeError(limit), base=self._base)(scope, receive, send)
            return
        await self._app(scope, _counted(receive, limit), send)


def dress(message: Message, request_id: str) -> None:
    """Add to a response's start what every answer carries; what the route has said itself stays."""
    said = message.get("headers", [])
    names = {name for name, _ in said}
    added = [pair for pair in _CARRIED if pair[0] not in names]
    message["headers"] = [*said, (b"x-request-id", request_id.encode()), *added]


def template(scope: Scope) -> str:
    """The route's template (`/v1/certificates/{identifier}`), or `unmatched`."""
    return str(getattr(scope.get("route"), "path", "unmatched"))


def _counted(receive: Receive, limit: int) -> Receive:
    taken = 0

    async def receive_counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise BodyTooLargeError(limit)
        return message

    return receive_counted


async def _discard(receive: Receive) -> None:
    taken = 0
    while taken < _DISCARD:
        message = await receive()
        taken += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return
