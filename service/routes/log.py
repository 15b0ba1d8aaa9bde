"""`/log`: the journal for anyone to check, in the form of C2SP tlog-tiles."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from certlib.formats.tlog_tiles import ENTRIES, TilePlace
from service.answers import send_published
from service.openapi import problems
from service.published import Published
from service.running import Running, Service

router = APIRouter(prefix="/log", tags=["透明日志 journal"])
OCTETS = "application/octet-stream"
FOR_EVER = "public, max-age=31536000, immutable"  # a tile never changes (tlog-tiles: "Tiles")


@router.get(
    "/checkpoint", summary="最新检查点 · the newest signed head", operation_id="readCheckpoint", responses=problems(404)
)
def checkpoint(request: Request, service: Service) -> Response:
    """The signed note with the cosignatures of the witnesses."""
    kept = service.shelf.get("checkpoint", lambda: _checkpoint(service).encode())
    return send_published(request, kept, media="text/plain; charset=utf-8")


@router.get("/tile/{path:path}", summary="日志分片 · a tile", operation_id="readTile", responses=problems(404))
def tile(request: Request, service: Service, path: Annotated[str, Path(max_length=60)]) -> Response:
    """Hashes (`0/x001/234`), entries (`entries/x001/234`), and their partial forms (`.p/17`)."""
    place = TilePlace.parse(f"tile/{path}")
    return send_published(request, Published.of(_tile(service, place)), media=OCTETS, cache=FOR_EVER)


def _checkpoint(service: Running) -> str:
    with service.office.register.reader() as session:
        return service.office.journal.checkpoint(session)


def _tile(service: Running, place: TilePlace) -> bytes:
    journal = service.office.journal
    with service.office.register.reader() as session:
        if place.level == ENTRIES:
            return journal.entries(session, place.index, place.width)
        return journal.tile(session, place.level, place.index, place.width)
