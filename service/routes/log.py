"""`/log`: the journal for anyone to check, in the form of C2SP tlog-tiles; proofs for who will not read tiles.

Nothing here tells more than the tiles do: leaves hold salted commitments and digests of files, and name nobody.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from sqlmodel import Session

from certlib.errors import Fault, NotFoundError, RequestError
from certlib.formats.tlog import leaf_hash
from certlib.formats.tlog_tiles import ENTRIES, TilePlace
from service import schemas
from service.answers import JSON, send_published
from service.openapi import answers, problems
from service.published import Published
from service.running import Running, Service

router = APIRouter(prefix="/log", tags=["透明日志 journal"])
FOR_EVER = "public, max-age=31536000, immutable"  # a tile never changes (tlog-tiles: "Tiles")
TEXT = "text/plain; charset=utf-8"
_HEX_HASH = 64  # characters
_MOST = 2**53  # leaves; beyond it not every reader has exact integers

Place = Annotated[
    str,
    Query(
        pattern="^([0-9]{1,15}|[0-9a-f]{64})$",
        description="日志条目的序号，或其叶哈希（RFC 6962）· number of a leaf, or its hash",
        examples=["0"],
    ),
]
Size = Annotated[
    int | None,
    Query(ge=1, lt=_MOST, description="树的大小；缺省为最新检查点 · size of the tree, default the newest head"),
]
Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="文件的 SHA-256 · SHA-256 of the file")]


@router.get(
    "/checkpoint", summary="最新检查点 · the newest signed head", operation_id="readCheckpoint", responses=problems(404)
)
def checkpoint(request: Request, service: Service) -> Response:
    """The signed note with the cosignatures of the witnesses."""
    address = "/log/checkpoint"
    kept = service.shelf.get(address, lambda: _checkpoint(service).encode(), media=TEXT, route=address)
    return send_published(request, kept)


@router.get("/tile/{path:path}", summary="日志分片 · a tile", operation_id="readTile", responses=problems(404))
def tile(request: Request, service: Service, path: Annotated[str, Path(max_length=60)]) -> Response:
    """Hashes (`0/x001/234`), entries (`entries/x001/234`), and their partial forms (`.p/17`)."""
    place = TilePlace.parse(f"tile/{path}")
    return send_published(request, Published.of(_tile(service, place)), cache=FOR_EVER)


@router.get(
    "/proof",
    summary="存在证明 · proof that a leaf is in the tree",
    operation_id="proveInclusion",
    responses={**answers(200, schemas.InclusionAnswer), **problems(404)},
)
def proof(request: Request, service: Service, leaf: Place, size: Size = None) -> Response:
    """RFC 6962, 2.1.1: the hashes that lead from one leaf to the root of the tree of `size` leaves.

    Compare the root with a checkpoint that you hold: this answer is not signed.
    """
    with service.office.register.reader() as session:
        answer = _inclusion(session, service, leaf, size)
    return _send(request, answer, fixed=size is not None)


@router.get(
    "/consistency",
    summary="一致性证明 · proof that the log only grew",
    operation_id="proveConsistency",
    responses={**answers(200, schemas.ConsistencyAnswer), **problems(404)},
)
def consistency(
    request: Request,
    service: Service,
    old: Annotated[int, Query(alias="from", ge=0, lt=_MOST, description="较早的大小 · the earlier size", examples=[0])],
    new: Annotated[
        int | None, Query(alias="to", ge=0, lt=_MOST, description="较晚的大小；缺省为最新检查点 · the later size")
    ] = None,
) -> Response:
    """RFC 6962, 2.1.2: the hashes that prove that the tree of `to` leaves begins with the tree of `from` leaves."""
    if new is not None and old > new:
        message = f"日志只增不减，不能从 {old} 条到 {new} 条：from 不得大于 to。"
        raise RequestError([Fault("query.from", "log-shrinks", message, "较早的大小", "from must not exceed to.")])
    with service.office.register.reader() as session:
        answer = _consistency(session, service, old, new)
    return _send(request, answer, fixed=new is not None)


@router.get(
    "/files/{sha256}/proof",
    summary="文件的日志证明（tlog-proof）· the proof beside a file",
    operation_id="proveFile",
    responses={
        200: {
            "content": {"text/plain": {}},
            "description": "C2SP tlog-proof；extra 为含文件指纹的日志条目 · extra is the leaf with the digest",
        },
        **problems(404),
    },
    response_class=Response,
)
def file_proof(request: Request, service: Service, sha256: Digest) -> Response:
    """Keep it beside the file as `.tlog-proof`: with the journal's and the witnesses' keys it proves the issue offline.

    Whoever has the file can compute its digest; to others the digest tells nothing.
    """
    text = service.office.file_proof(sha256)  # a few rows by their keys: it takes no citizen's place for looking
    return send_published(request, Published.of(text.encode(), media=TEXT))


def _inclusion(session: Session, service: Running, leaf: str, size: int | None) -> dict[str, Any]:
    journal = service.office.journal
    wanted = size or journal.head(session).size
    digest = bytes.fromhex(leaf) if len(leaf) == _HEX_HASH else b""
    index = journal.index_of(session, digest) if digest else int(leaf)
    if index is None:
        raise NotFoundError("日志中没有叶哈希为此值的条目。")
    hashes = journal.inclusion(session, index, wanted)
    return {
        "origin": journal.origin,
        "leaf": index,
        "size": wanted,
        "leaf_hash": leaf_hash(journal.leaves(session, index, index + 1)[0]).hex(),
        "hashes": [value.hex() for value in hashes],
        "root": journal.root(session, wanted).hex(),
    }


def _consistency(session: Session, service: Running, old: int, new: int | None) -> dict[str, Any]:
    journal = service.office.journal
    wanted = journal.head(session).size if new is None else new
    if old > wanted:
        raise NotFoundError(f"日志还没有 {old} 条。")
    return {
        "origin": journal.origin,
        "from": old,
        "to": wanted,
        "hashes": [value.hex() for value in journal.consistency(session, old, wanted)],
        "from_root": journal.root(session, old).hex(),
        "to_root": journal.root(session, wanted).hex(),
    }


def _send(request: Request, answer: dict[str, Any], *, fixed: bool) -> Response:
    """A proof between given sizes never changes; one up to the newest head does."""
    kept = Published.of(json.dumps(answer).encode(), media=JSON)
    return send_published(request, kept, cache=FOR_EVER if fixed else "public, no-cache")


def _checkpoint(service: Running) -> str:
    with service.office.register.reader() as session:
        return service.office.journal.checkpoint(session)


def _tile(service: Running, place: TilePlace) -> bytes:
    journal = service.office.journal
    with service.office.register.reader() as session:
        if place.level == ENTRIES:
            return journal.entries(session, place.index, place.width)
        return journal.tile(session, place.level, place.index, place.width)
