"""The HTTP service as one application.

    with Office.open(settings) as office:
        app = create_app(assemble(office, service_settings, clients=clients, token_key=key))

The application holds no global state: everything it needs is in the `Running` it is made from.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI

from certlib import __version__
from certlib.issue.health import examine_suites
from service import openapi, problems
from service.background import Worker
from service.edge import BodyLimit, Record
from service.examples import request_examples
from service.front import Front
from service.pages.site import citizen_site
from service.routes import (
    audit,
    batches,
    catalogue,
    certificates,
    deliveries,
    development,
    documents,
    erasures,
    inspections,
    log,
    mass,
    operations,
    paper,
    permits,
    public,
    seals,
    serving,
    statistics,
    webhooks,
)
from service.routes.pages import pages_router
from service.running import Running

_ROUTERS = (
    public.router,  # routes are tried one after the other: what most ask for stands first
    catalogue.router,
    certificates.router,
    documents.router,
    serving.router,
    erasures.router,
    inspections.router,
    batches.router,
    mass.router,
    seals.router,
    paper.router,
    permits.router,
    statistics.router,
    audit.router,
    webhooks.router,
    deliveries.router,
    deliveries.pages,
    log.router,
    operations.router,
)
UPLOADS = "/public/files"


def create_app(service: Running) -> FastAPI:
    """The application that serves `service`."""
    settings = service.settings
    app = FastAPI(
        title="赣州市审批用印与证照签发服务",
        summary="Seals approval documents and issues certificates",
        description="签发、变更、延续、暂扣、注销、撤销证照，公众查验，透明日志。全部时间带时区。",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,  # a redirect would carry a request's address to where nobody expects it
        lifespan=_lifespan,
    )
    app.state.running = service
    for router in _ROUTERS:
        app.include_router(router)
    if service.office.settings.in_development and not service.office.settings.keys:
        app.include_router(development.router)
    host = service.office.settings.host
    site = citizen_site(host=host, roots=service.roots)
    app.include_router(pages_router(site, host=host))
    problems.install(app, base=service.base)
    openapi.describe(app, base=service.base, examples=lambda: request_examples(service.clock()))
    limits = {UPLOADS: settings.upload_bytes}
    app.add_middleware(BodyLimit, default=settings.json_bytes, paths=limits, base=service.base)
    app.add_middleware(Front, site=site, shelf=service.shelf)
    app.add_middleware(Record, metrics=service.metrics, log=structlog.get_logger())
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Run the worker while the application runs; on the way out its round under way is finished."""
    service: Running = app.state.running
    _warm(service)
    tell_suites()
    worker = _worker(service)
    if worker:
        worker.start()
    try:
        yield
    finally:
        service.draining.set()
        if worker:
            worker.stop()
        service.sandbox.close()


def _warm(service: Running) -> None:
    """Start what examines uploads, so that the first file need not wait for it; without it the rest is served."""
    try:
        service.sandbox.start()
    except OSError as error:  # told of again with each upload, which is answered 503
        structlog.get_logger().error("alarm", code="sandbox-not-started", error=type(error).__name__)


def tell_suites() -> None:
    """Say at the start which cipher suites this machine has, and of each that it lacks why."""
    found = examine_suites()
    say = structlog.get_logger().info if found.outcome == "pass" else structlog.get_logger().warning
    say("suites", outcome=found.outcome, detail=found.detail)


def _worker(service: Running) -> Worker | None:
    if not service.settings.worker:
        return None
    return Worker(
        service.office,
        tick_seconds=service.settings.tick_seconds,
        clock=service.clock,
        log=structlog.get_logger(),
        on_fault=service.metrics.worker_faults.inc,
        rounds=service.rounds,
        on_dead=service.metrics.dead_letters.inc,
        watch=service.watch,
    )
