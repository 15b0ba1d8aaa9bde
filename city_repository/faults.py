"""Faults on purpose, between the wire and the application; for development and tests only.

    kind        what a caller sees
    slow        an answer after `seconds`
    timeout     nothing for `seconds`, the push is taken in meanwhile
    error       500, the push is not taken in
    reset       the connection is cut, the push is not taken in
    lost-ack    the push is taken in, then the connection is cut
    duplicate   the push arrives twice
    reorder     the connection is cut; the push arrives `seconds` later, after others
    lose        the push is acknowledged, then its events are forgotten
    reject      valid records are refused with E99
    down        every connection is cut

Every fault lasts until it is switched off, or as many seconds as `lasts` says: an hour down is
`{"kind": "down", "lasts": 3600}`.
Faults concern pushes only, except `down`, which concerns everything but this control and the health check.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

KINDS = ("slow", "timeout", "error", "reset", "lost-ack", "duplicate", "reorder", "lose", "reject", "down")
_EXEMPT = ("/control", "/healthz")


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that befalls a `share` (0..1) of pushes, for so many seconds from when it is switched on (0: no end)."""

    kind: str
    share: float = 1.0
    seconds: float = 1.0
    lasts: float = 0.0


@dataclass(slots=True)
class FaultPlan:
    """The faults switched on, drawn from a seeded source, and how often each befell a push."""

    faults: tuple[Fault, ...] = ()
    seed: int = 0
    befallen: dict[str, int] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    _since: float = 0.0
    _random: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311  repeatable, not secret
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def set(self, faults: tuple[Fault, ...], seed: int) -> None:
        """Switch these faults on and all others off; the counts begin anew."""
        with self._lock:
            self.faults, self.seed, self.befallen, self._since = faults, seed, {}, self.clock()
            self._random = random.Random(seed)  # noqa: S311

    def draw(self, path: str) -> Fault | None:
        """The fault that befalls a request to `path`, if any."""
        if not self.faults or path.startswith(_EXEMPT):
            return None
        with self._lock:
            faults = self._lasting()
            down = next((fault for fault in faults if fault.kind == "down"), None)
            found = down or (self._pick(faults) if path == "/push" else None)
            if found is not None:
                self.befallen[found.kind] = self.befallen.get(found.kind, 0) + 1
            return found

    def _lasting(self) -> list[Fault]:
        gone = self.clock() - self._since
        return [fault for fault in self.faults if not fault.lasts or gone < fault.lasts]

    def _pick(self, faults: list[Fault]) -> Fault | None:
        left = self._random.random()
        for fault in faults:
            if left < fault.share:
                return fault
            left -= fault.share
        return None


class FaultyWire:
    """ASGI middleware that plays the plan; `lose` forgets the events named by an answer's body."""

    def __init__(self, app: Application, plan: FaultPlan, lose: Callable[[Mapping[str, Any]], None]) -> None:
        self._app, self._plan, self._lose = app, plan, lose
        self._later: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, with the fault drawn for it."""
        fault = self._plan.draw(scope["path"]) if scope["type"] == "http" else None
        if fault is None:
            await self._app(scope, receive, send)
        else:
            await self._play(fault, _Exchange(self._app, scope, await _body(receive), send))

    async def _play(self, fault: Fault, exchange: _Exchange) -> None:
        match fault.kind:
            case "slow":
                await asyncio.sleep(fault.seconds)
                await exchange.answer()
            case "timeout":
                await exchange.swallow()
                await asyncio.sleep(fault.seconds)
                await exchange.cut()
            case "error":
                await exchange.fail()
            case "lost-ack":
                await exchange.swallow()
                await exchange.cut()
            case "duplicate":
                await exchange.swallow()
                await exchange.answer()
            case "reorder":
                await exchange.cut()
                task = asyncio.create_task(self._after(fault.seconds, exchange))
                self._later.add(task)
                task.add_done_callback(self._later.discard)
            case "lose":
                answer = await exchange.answer()
                await asyncio.to_thread(self._lose, answer)
            case "reject":
                exchange.scope["fault"] = "reject"
                await exchange.answer()
            case _:
                await exchange.cut()

    async def _after(self, seconds: float, exchange: _Exchange) -> None:
        await asyncio.sleep(seconds)
        await exchange.swallow()


@dataclass(slots=True)
class _Exchange:
    """One request with its body read, which the application may answer once, twice, or to nobody."""

    app: Application
    scope: Scope
    body: bytes
    send: Send

    async def answer(self) -> Mapping[str, Any]:
        """Let the application answer the caller, and return the answer's JSON."""
        return await self._run(self.send)

    async def swallow(self) -> None:
        """Let the application work and keep its answer from the caller."""
        await self._run(None)

    async def fail(self) -> None:
        """Answer 500."""
        headers = [(b"content-type", b"application/json")]
        await self.send({"type": "http.response.start", "status": 500, "headers": headers})
        await self.send({"type": "http.response.body", "body": b'{"error":"fault"}'})

    async def cut(self) -> None:
        """Cut the connection: the server closes it when a begun answer is not finished."""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await self.send({"type": "http.response.start", "status": 200, "headers": headers})

    async def _run(self, send: Send | None) -> Mapping[str, Any]:
        given = [False]
        parts: list[bytes] = []

        async def receive() -> Message:
            if given[0]:
                await asyncio.sleep(3600)
            given[0] = True
            return {"type": "http.request", "body": self.body, "more_body": False}

        async def watch(message: Message) -> None:
            parts.append(message.get("body", b""))
            if send is not None:
                await send(message)

        await self.app(dict(self.scope), receive, watch)
        try:
            answer: Mapping[str, Any] = json.loads(b"".join(parts))
        except ValueError:
            return {}
        return answer


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)
