"""What everybody asks for, answered from memory before the request is routed: the citizen's page, the signed lists.

Finding a route costs more than sending these bytes. The answers are those of the routes, which are asked for all the
rest: another method, an unknown name, a list whose moment is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.answers import send_published
from service.pages.site import PAGE, Part
from service.published import Shelf
from service.routes.pages import PART, send_part


@dataclass(frozen=True, slots=True)
class Named:
    """Stands for a route in log and metrics, which know addresses by their templates only."""

    path: str


class Front:
    """Plain ASGI: sends a part of the `site` or what lies fresh on the `shelf`; everything else is passed on."""

    def __init__(self, app: ASGIApp, *, site: Mapping[str, Part], shelf: Shelf) -> None:
        self._app = app
        self._site = site
        self._shelf = shelf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        answer = self._kept(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        await (answer or self._app)(scope, receive, send)

    def _kept(self, scope: Scope) -> Response | None:
        path = scope["path"]
        part = self._site.get(path)
        if part is not None:
            scope["route"] = Named(PAGE if path == PAGE else PART)
            return send_part(Request(scope), part)
        kept = self._shelf.fresh(path)
        if kept is None:
            return None
        scope["route"] = Named(kept.route)
        return send_published(Request(scope), kept)
