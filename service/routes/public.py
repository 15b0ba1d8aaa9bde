"""The public addresses, without login: trust list, status lists, look-up by proof, a file to be checked.

Nothing about a certificate stands in an address. A look-up that fails says one thing, whatever failed. The two
lists are open to every site: whoever writes another verifier needs them.
"""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from certlib.domain.civil import civil_date, day_start
from certlib.errors import Fault, NotFoundError, RequestError
from certlib.formats.status import MEDIA_TYPE
from certlib.issue.inspecting import PublicRegister, match_holder
from service import schemas
from service.answers import JSON, PDF, send_json, send_published
from service.asking import Address, CheckingPlace
from service.bodies import RawObject, parse_object, require_media
from service.lookups import NOTHING_FOUND, evenly, find, read_proof, verdict_on, verdict_view
from service.moments import moment_in
from service.openapi import answers, body, problems
from service.refusals import NoTriesLeftError
from service.running import Running, Service
from service.uploads import examined

PUBLIC = "/public"
router = APIRouter(prefix=PUBLIC, tags=["公众查验 public"])

_LAST_FOUR = re.compile(r"\s*[0-9A-Za-z]{4}\s*")
_DIGEST = re.compile("[0-9a-f]{64}")
Shard = Annotated[int, Path(ge=0, lt=2**31, description="状态分片 · n // 131072")]


@router.get(
    "/trust",
    summary="签名的信任列表 · the signed trust list",
    operation_id="readTrustList",
    responses={200: {"content": {JSON: {}}, "description": "JWS JSON（RFC 7515、RFC 7797），见 docs/payload.md"}},
    response_class=Response,
)
async def trust(request: Request, service: Service) -> Response:
    """Which keys sign codes and status lists, and what their numbers mean."""
    sending = {"media": JSON, "route": f"{PUBLIC}/trust", "compress": True}
    return send_published(request, service.shelf.get(f"{PUBLIC}/trust", lambda: service.office.trust_list, **sending))


@router.get(
    "/seals",
    summary="签名的印章清单 · the signed list of seals' certificates",
    operation_id="readSealList",
    responses={200: {"content": {JSON: {}}, "description": "JWS JSON（RFC 7515、RFC 7797），见 docs/payload.md"}},
    response_class=Response,
)
async def seals(request: Request, service: Service) -> Response:
    """Which X.509 certificates are those of the city's seals, for a page that checks a file by itself."""
    sending = {"media": JSON, "route": f"{PUBLIC}/seals", "compress": True}
    return send_published(request, service.shelf.get(f"{PUBLIC}/seals", lambda: service.office.seal_list, **sending))


@router.get(
    "/status/{shard}",
    summary="签名的状态清单 · a signed status list",
    operation_id="readStatusList",
    responses={200: {"content": {MEDIA_TYPE: {}}, "description": "Token Status List (CWT)"}, **problems(404)},
    response_class=Response,
)
async def status_list(request: Request, service: Service, shard: Shard) -> Response:
    """One shard of 131,072 entries; to be revalidated at each check, good for 24 hours without a network."""
    address, sending = f"{PUBLIC}/status/{shard}", {"media": MEDIA_TYPE, "route": f"{PUBLIC}/status/{{shard}}"}
    kept = service.shelf.fresh(address)
    if kept is None:  # five times a second: it reads the journal and may sign
        kept = await run_in_threadpool(
            service.shelf.get, address, lambda: service.office.status_list(shard)[0], **sending
        )
    return send_published(request, kept)


@router.post(
    "/certificates",
    summary="公众查验 · look up with a proof",
    operation_id="lookUp",
    openapi_extra=body(schemas.PublicQuestion),
    responses={**answers(200, schemas.PublicVerdict), **problems(404, 429)},
)
def look_up(service: Service, address: Address, raw: RawObject) -> Response:
    """The code's text, or the number with the check code printed beside it; nothing else opens a look-up.

    With `at` the verdict is that of a moment past.
    """
    with evenly(time.monotonic()):
        proof = read_proof(service, {name: value for name, value in raw.items() if name != "at"}, address)
        now = service.clock()
        return send_json(verdict_on(service, proof, at=moment_in(raw.get("at"), now, "at") or now))


@router.post(
    "/matches",
    summary="核对持证人 · match the holder",
    operation_id="matchHolder",
    openapi_extra=body(schemas.MatchRequest),
    responses={**answers(200, schemas.MatchAnswer), **problems(404, 429)},
)
def match(service: Service, address: Address, raw: RawObject) -> Response:
    """Whether the holder has this name, and a number that ends in these four characters: yes or no, and nothing else.

    It takes the same proof as a look-up, five times a day for one certificate; every try is logged.
    """
    with evenly(time.monotonic()):
        given = {name: raw.get(name) for name in ("name", "last_four")}
        if not all(isinstance(text, str) for text in given.values()) or not _LAST_FOUR.fullmatch(str(raw["last_four"])):
            message = "请填写持证人姓名（名称）和证件号码的后四位。"
            raise RequestError(
                [Fault("last_four", "no-match-asked", message, "后四位", "Name and last four characters.")]
            )
        proof = read_proof(service, {key: value for key, value in raw.items() if key not in given}, address)
        state = find(service, proof, at=service.clock()).state
        if state is None:
            raise NotFoundError(NOTHING_FOUND)
        matched = match_holder(
            service.office, state.n, str(given["name"])[:200], str(given["last_four"]), client="public"
        )
    if matched.matches is None:
        raise NoTriesLeftError(_until_midnight(service))
    return send_json({"match": matched.matches, "left": matched.left, "at": service.clock().isoformat()})


@router.post(
    "/files",
    summary="核验文件 · check a file",
    operation_id="checkFile",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                JSON: {"schema": {"$ref": "#/components/schemas/FileDigest"}},
                PDF: {"schema": {"type": "string", "format": "binary"}},
            },
        }
    },
    responses={**answers(200, schemas.PublicVerdict), **problems(415, 429, 503)},
)
async def check_file(request: Request, service: Service, address: Address, _place: CheckingPlace) -> Response:
    """A PDF, or only its SHA-256. The digest tells whether it is an issued file; the file itself, whose seal it bears.

    A file is parsed in a process of its own that can be ended; what cannot be read has the verdict `unreadable`.
    """
    require_media(request, JSON, PDF)
    data = await request.body()
    if request.headers["content-type"].startswith(JSON):
        return await run_in_threadpool(_by_digest, service, address, data)
    service.counting.per_minute("upload", address, service.settings.uploads_per_minute)
    return send_json(await run_in_threadpool(examined, service, data))


def _by_digest(service: Running, address: str, data: bytes) -> Response:
    service.counting.per_minute("digest", address, service.settings.digests_per_minute)
    asked = parse_object(data)
    sha256 = asked.get("sha256")
    if not isinstance(sha256, str) or not _DIGEST.fullmatch(sha256):
        message = "文件指纹应为 64 位小写十六进制。"
        raise RequestError([Fault("sha256", "not-a-digest", message, "文件指纹", "64 hexadecimal digits.")])
    now = service.clock()
    at = moment_in(asked.get("at"), now, "at") or now
    with evenly(time.monotonic()):
        state = PublicRegister.of(service.office).by_sha256(sha256, at=at)
    return send_json(verdict_view(state, at) | {"issued": True} if state else {"issued": False, "at": at.isoformat()})


def _until_midnight(service: Running) -> int:
    now = service.clock()
    return int((day_start(civil_date(now) + timedelta(days=1)) - now).total_seconds()) + 1
