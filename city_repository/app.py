"""The application: `create_app(settings)` gives the repository as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from city_repository.faults import FaultPlan, FaultyWire
from city_repository.repository import Clock, Repository, open_repository
from city_repository.routes import comparing, control, page, push, sharing
from city_repository.routes.access import CallRefused
from city_repository.rules import TAKEN
from city_repository.settings import RepositorySettings
from city_repository.store import lose_event


def system_clock() -> datetime:
    """The moment now, in UTC."""
    return datetime.now(UTC)


def create_app(settings: RepositorySettings | None = None, *, clock: Clock = system_clock) -> FastAPI:
    """The repository. Raises `ConfigurationError` when settings or data files are wrong."""
    settings = settings or RepositorySettings()
    repository = open_repository(settings, clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        repository.start()
        yield
        repository.close()

    app = FastAPI(
        title="市电子证照库（模拟）· mock city certificate repository",
        version="1",
        description="归集、共享、对账接口；操作与代码取自 GB/T 36902–36906 的公开实现。",
        docs_url=None,
        redoc_url=None,
        max_body_size=settings.max_body,
        lifespan=lifespan,
    )
    app.state.repository = repository
    for router in (push.router, sharing.router, comparing.router, page.router, control.router):
        app.include_router(router)
    app.add_exception_handler(CallRefused, _refused)
    if settings.in_development:
        app.state.faults = plan = FaultPlan()
        app.add_middleware(FaultyWire, plan=plan, lose=partial(_lose, repository))
    return app


def _lose(repository: Repository, answer: Mapping[str, Any]) -> None:
    """Forget the events that an answer acknowledged."""
    now = repository.clock().isoformat(timespec="milliseconds")
    for line in answer.get("ReturnData", {}).get("SuccessData", ()):
        base, _, sequence = line["guid"].rpartition("#")
        if line["code"] == TAKEN:
            lose_event(repository.store, base, int(sequence), now=now)


def _refused(_: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, CallRefused)  # noqa: S101  registered for this class only
    body = {"error": refusal.error, "error_description": refusal.description}
    headers = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else None
    return JSONResponse(body, refusal.status, headers)
