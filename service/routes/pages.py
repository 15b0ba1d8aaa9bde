"""Pages for people: the citizen's `/v`, the auditor's `/audit`, the interface's description, the list of problems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from certlib.errors import NotFoundError
from service.answers import send_json
from service.clients import Client
from service.headers import AUDIT_PAGE, CITIZEN_PAGE, FORM_PAGE, PLAIN_PAGE
from service.openapi import problem_table
from service.pages.audit_site import AUDIT, audit_site
from service.pages.site import PAGE, Part, plain_style, templates
from service.refusals import UnauthenticatedError
from service.running import Running
from service.tokendesk import LINK_LIFETIME, Principal

HTML = "text/html; charset=utf-8"
PART = PAGE + "/{name:path}"


def pages_router(parts: Mapping[str, Part], *, host: str) -> APIRouter:
    """The routes of the pages, of which `parts` are the citizen's; everything static is read and compressed now."""
    router = APIRouter(include_in_schema=False)
    audit = audit_site(host=host)
    style = plain_style()
    environment = templates()

    @router.get(PAGE)
    async def page(request: Request) -> Response:
        """The citizen's page. It never redirects: a redirect could lose the fragment that holds the code."""
        return send_part(request, parts[PAGE])

    @router.get(PART)
    async def part(request: Request, name: str) -> Response:
        """A part of the citizen's page."""
        found = parts.get(f"{PAGE}/{name}")
        if found is None:
            raise NotFoundError("没有这个地址。")
        return send_part(request, found)

    @router.get(AUDIT)
    async def auditing(request: Request) -> Response:
        """The auditor's page."""
        return send_part(request, audit[AUDIT], policy=AUDIT_PAGE)

    @router.get(AUDIT + "/{name:path}")
    async def auditing_part(request: Request, name: str) -> Response:
        """A part of the auditor's page."""
        found = audit.get(f"{AUDIT}/{name}")
        if found is None:
            raise NotFoundError("没有这个地址。")
        return send_part(request, found, policy=AUDIT_PAGE)

    @router.get("/docs")
    def docs(request: Request) -> Response:
        """The interface for developers, from the OpenAPI document; no script, nothing from elsewhere."""
        return _plain(environment, "docs.html", api=_api(request.app))

    @router.get("/problems")
    def problems() -> Response:
        """What each kind of problem means."""
        return _plain(environment, "problems.html", table=problem_table())

    @router.get("/plain.css")
    async def plain(request: Request) -> Response:
        """The style of the pages for developers."""
        return send_part(request, style)

    return router


def send_part(request: Request, part: Part, *, policy: str = CITIZEN_PAGE) -> Response:
    """A static part, compressed where the caller takes it; 304 when the caller has it."""
    headers = {"etag": part.etag, "cache-control": "no-cache", "vary": "accept-encoding"}
    if part.media == HTML:
        headers["content-security-policy"] = policy
    elif part.media.startswith("text/javascript"):
        # the worker lies below /v/ and serves the page /v as well; its own fetches are ours only
        headers |= {"service-worker-allowed": PAGE, "content-security-policy": "default-src 'self'"}
    if request.headers.get("if-none-match") == part.etag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(part.gzipped, media_type=part.media, headers=headers | {"content-encoding": "gzip"})
    return Response(part.data, media_type=part.media, headers=headers)


def send_link(service: Running, caller: Principal, place: str) -> Response:
    """The address under which the page `place` opens in the caller's browser, for `LINK_LIFETIME`."""
    now = service.clock()
    address = f"{service.base}{place}/{service.desk.link(caller, place, now=now)}"
    return send_json({"link": address, "expires_at": (now + LINK_LIFETIME).isoformat()}, status=201)


def visitor(service: Running, value: str, place: str, scope: str) -> Client | None:
    """Whose link to the page `place` this is; None when it is over or none."""
    try:
        return service.desk.visitor(value, place, scope, now=service.clock())
    except UnauthenticatedError:
        return None


def send_page(text: str, *, status: int = 200) -> Response:
    """A page made for this visitor; nobody keeps it."""
    headers = {"content-security-policy": FORM_PAGE, "cache-control": "no-store"}
    return Response(text.encode(), status_code=status, media_type=HTML, headers=headers)


def _plain(environment: Any, template: str, **values: Any) -> Response:
    text = environment.get_template(template).render(**values)
    headers = {"content-security-policy": PLAIN_PAGE, "cache-control": "no-cache"}
    return Response(text.encode(), media_type=HTML, headers=headers)


def _api(app: FastAPI) -> dict[str, Any]:
    return app.openapi()
