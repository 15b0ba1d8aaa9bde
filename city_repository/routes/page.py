"""A small page to look around in, and the health check. In development only; a real repository has its own consoles."""

from __future__ import annotations

import json
from datetime import datetime
from importlib.resources import files
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FunctionLoader, select_autoescape

from certlib.domain.civil import SHANGHAI
from city_repository.repository import Repository
from city_repository.routes.access import CallRefused, Here

router = APIRouter(include_in_schema=False)
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def _source(name: str) -> str:
    return (files("city_repository") / "data" / name).read_text(encoding="utf-8")


_PAGES = Environment(loader=FunctionLoader(_source), autoescape=select_autoescape(["html"]))
_PAGES.filters["fromjson"] = json.loads
_PAGES.filters["civil"] = lambda moment: (
    datetime.fromisoformat(moment).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
)


@router.get("/healthz")
def health(here: Here) -> dict[str, str]:
    """Whether the database answers."""
    here.store.row("SELECT 1")
    return {"status": "ok"}


@router.get("/style.css")
def style() -> Response:
    """The page's style."""
    return Response(_source("page.css"), media_type="text/css", headers=_HEADERS)


@router.get("/")
def overview(here: Here, find: Annotated[str, Query(max_length=200)] = "") -> HTMLResponse:
    """Counts, the newest certificates (or those found by number, identifier or holder), refusals, accesses."""
    _development(here)
    return _page("overview.html", _overview(here, find))


@router.get("/records/{base}")
def record(base: str, here: Here) -> HTMLResponse:
    """One certificate with its events."""
    _development(here)
    row = here.store.row("SELECT * FROM record WHERE base = ?", base)
    if row is None:
        raise CallRefused(404, "not_found", "没有这一证照")
    events = here.store.rows("SELECT * FROM event WHERE base = ? ORDER BY sequence", base)
    metadata = json.loads(row["metadata"])
    labels = {field.name: field.label for field in here.codes.fields}
    type_ = here.types.get(row["type_code"])
    face = metadata.pop("faceData")
    values = {"row": row, "events": events, "metadata": metadata, "labels": labels, "face": face, "codes": here.codes}
    return _page("record.html", {**values, "face_labels": type_.fields if type_ else {}})


def _overview(here: Repository, find: str) -> dict[str, Any]:
    store, like = here.store, f"%{find}%"
    query = "SELECT * FROM record WHERE number LIKE ? OR identifier LIKE ? OR holder_code LIKE ?"
    return {
        "find": find,
        "codes": here.codes,
        "types": here.types,
        "counts": store.rows("SELECT type_code, state, COUNT(*) AS n FROM record GROUP BY type_code, state"),
        "days": store.rows(
            "SELECT day, operation, COUNT(*) AS n FROM event GROUP BY day, operation"
            " ORDER BY day DESC, operation LIMIT 40"
        ),
        "records": store.rows(f"{query} ORDER BY updated_at DESC LIMIT 50", like, like, like),
        "refusals": store.rows("SELECT * FROM refusal ORDER BY id DESC LIMIT 20"),
        "accesses": store.rows("SELECT * FROM access ORDER BY id DESC LIMIT 20"),
        "total": store.rows("SELECT COUNT(*) AS n FROM record")[0]["n"],
    }


def _page(name: str, values: dict[str, Any]) -> HTMLResponse:
    return HTMLResponse(_PAGES.get_template(name).render(values), headers=_HEADERS)


def _development(here: Repository) -> None:
    if not here.settings.in_development:
        raise CallRefused(404, "not_found", "没有此页面")
