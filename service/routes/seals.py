"""`/v1/seals`: the life of the seals, who may use them, and every use.

One address gives a seal's picture, to its keeper, with a scope of its own: approved by another person, journalled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import AwareDatetime

from certlib.errors import Fault, NotFoundError, RequestError
from service import schemas
from service.answers import JSON, PNG, send_answer, send_json, send_png, send_view
from service.asking import (
    ExpectedVersion,
    IdempotencyKey,
    SealAuthoriser,
    SealManager,
    SealPictureTaker,
    SealReader,
    SealStamper,
)
from service.bodies import RawObject
from service.openapi import answers, body, problems, secured
from service.running import Running, Service
from service.tokendesk import Principal

router = APIRouter(prefix="/v1/seals", tags=["印章 seals"])

Seal = Annotated[str, Path(description="印章编号 · the seal's id (esID)", max_length=20)]
Authorisation = Annotated[str, Path(description="授权编号 · id of the authorisation", max_length=60)]
Digest = Annotated[str, Path(description="签名属性中的授权摘要 · digest in the signature", pattern="^[0-9a-f]{64}$")]
MOST = 200
_BEGINNINGS = {"apply", "accede"}


@router.get(
    "",
    summary="印章 · seals",
    operation_id="listSeals",
    openapi_extra=secured("seal:read"),
    responses=answers(200, schemas.SealPage),
)
def seals(service: Service, caller: SealReader) -> Response:
    """Each seal with owner, kind, keeper and state; of the caller's authority, or of all."""
    return send_json({"seals": service.office.seals.seals(authority=caller.client.tenant)})


@router.post(
    "",
    status_code=201,
    summary="申请印章，或接入已有印章 · apply for a seal, or take one in",
    operation_id="beginSeal",
    openapi_extra=secured("seal:manage", body(schemas.SealBeginning)),
    responses={**answers(201, schemas.SealView, etag=True), **problems(404, 409)},
)
def begin(service: Service, caller: SealManager, raw: RawObject) -> Response:
    """`apply` begins the life of a new seal; `accede` takes in one that the unified seal system made and filed."""
    stated = raw.get("seal")
    spec: Mapping[str, Any] = stated if isinstance(stated, dict) else {}
    seal = spec.get("id") if isinstance(spec.get("id"), str) else ""
    if str(raw.get("act")) not in _BEGINNINGS or not seal:
        message = "新的印章只能申请（apply）或接入（accede），并写明印章编号。"
        english = "A seal begins by apply or accede, with its id."
        raise RequestError([Fault("act", "no-beginning", message, "办理事项", english)])
    _may_begin(service, caller, str(seal), spec)
    view = service.office.seals.act(str(seal), raw, client=caller.client.id)
    headers = {"etag": f'"{view["version"]}"', "location": f"{service.base}/v1/seals/{seal}"}
    return send_json(view, status=201, headers=headers)


@router.get(
    "/{seal}",
    summary="印章现状与历史 · one seal",
    operation_id="readSeal",
    openapi_extra=secured("seal:read"),
    responses={**answers(200, schemas.SealView, etag=True), **problems(404)},
)
def seal(service: Service, caller: SealReader, seal: Seal) -> Response:
    """State, editions with their certificates, history, authorisations; what is permitted next and why the rest not."""
    _own(service, caller, seal)
    return send_view(service.office.seals.seal(seal))


@router.post(
    "/{seal}/actions",
    summary="制作、备案、启用、停用、恢复、更新、撤销、注销 · act on a seal",
    operation_id="actOnSeal",
    openapi_extra=secured("seal:manage", body(schemas.SealAct)),
    responses={**answers(200, schemas.SealView, etag=True), **problems(404, 409, 412, 428)},
)
def act(service: Service, caller: SealManager, seal: Seal, version: ExpectedVersion, raw: RawObject) -> Response:
    """One act; `If-Match` names the version that was read. It counts at once, for whatever is being sealed as well."""
    _own(service, caller, seal)
    return send_view(service.office.seals.act(seal, raw, version=version, client=caller.client.id))


@router.get(
    "/{seal}/uses",
    summary="用印日志 · the ledger of uses",
    operation_id="listSealUses",
    openapi_extra=secured("seal:read"),
    responses={**answers(200, schemas.SealUsePage), **problems(404)},
)
def uses(  # noqa: PLR0917  FastAPI gives parameters by name
    service: Service,
    caller: SealReader,
    seal: Seal,
    after: Annotated[int, Query(ge=0, lt=2**53, description="上一页的 next")] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    state: Annotated[Literal["", "reserved", "used", "released", "denied"], Query(description="状态")] = "",
    since: Annotated[AwareDatetime | None, Query(description="自此时起 · from this moment on")] = None,
    until: Annotated[AwareDatetime | None, Query(description="至此时前 · before this moment")] = None,
) -> Response:
    """Every line in its order; `next` continues, 0 on the last page. `since` is what a compromise asks for."""
    _own(service, caller, seal)
    page = service.office.seals.uses(seal, after=after, limit=limit, state=state, since=since, until=until)
    return send_json(page)


@router.post(
    "/{seal}/stamps",
    status_code=201,
    summary="登记加盖实物印章 · record a stamp by hand",
    operation_id="stampPaper",
    openapi_extra=secured("seal:stamp", body(schemas.SealStamp)),
    responses={**answers(201, schemas.SealUse), **problems(403, 404, 409)},
)
def stamp(service: Service, caller: SealStamper, seal: Seal, key: IdempotencyKey, raw: RawObject) -> Response:
    """A sheet, once and before it is handed over, or copies of a document; a use of the seal like any other."""
    _own(service, caller, seal)
    answer = service.office.seals.stamp(
        _with_seal(raw, seal),
        client=caller.client.id,
        key=key,
        may=lambda authority: caller.client.acts_for({authority}),
    )
    return send_answer(service.base, answer)


@router.post(
    "/{seal}/pictures",
    summary="调取印模 · the seal's picture, to its keeper",
    operation_id="takeSealPicture",
    openapi_extra=secured("seal:picture", body(schemas.SealPictureWish)),
    responses={
        200: {
            "content": {PNG: {"schema": {"type": "string", "contentMediaType": PNG, "contentEncoding": "binary"}}},
            "description": "透明底 PNG，每英寸 600 点；其摘要已记入查阅日志 · a transparent PNG, its digest on record",
        },
        **problems(404),
    },
    response_class=Response,
)
def picture(service: Service, caller: SealPictureTaker, seal: Seal, raw: RawObject) -> Response:
    """Given to the seal's keeper only, when another person approved, on a document, for a purpose that is stated.

    The access log keeps who, why and which bytes, and the journal commits to that line, before they are sent.
    """
    _own(service, caller, seal)
    return send_png(service.office.seals.picture(seal, raw, client=caller.client.id), seal)


@router.get(
    "/{seal}/authorisations",
    summary="用印授权 · authorisations",
    operation_id="listSealAuthorisations",
    openapi_extra=secured("seal:read"),
    responses={**answers(200, schemas.SealAuthorisationPage), **problems(404)},
)
def authorisations(service: Service, caller: SealReader, seal: Seal) -> Response:
    """Every authorisation of the seal, in force or over, with how often it was used."""
    _own(service, caller, seal)
    return send_json({"authorisations": service.office.seals.authorisations(seal)})


@router.post(
    "/{seal}/authorisations",
    status_code=201,
    summary="授权用印 · authorise the use of a seal",
    operation_id="authoriseSeal",
    openapi_extra=secured("seal:authorise", body(schemas.SealAuthorisation)),
    responses={**answers(201, schemas.SealAuthorisationView), **problems(404, 409)},
)
def authorise(service: Service, caller: SealAuthoriser, seal: Seal, raw: RawObject) -> Response:
    """In force from its time on; the same again changes nothing, one that contradicts another is refused."""
    _own(service, caller, seal)
    made = service.office.seals.authorise(_with_seal(raw, seal), client=caller.client.id)
    return send_json(made, status=201)


@router.post(
    "/{seal}/authorisations/{authorisation}/end",
    summary="终止授权 · end an authorisation",
    operation_id="endSealAuthorisation",
    openapi_extra=secured("seal:authorise", body(schemas.SealAuthorisationEnd)),
    responses={**answers(200, schemas.SealAuthorisationView), **problems(404, 409)},
)
def end(service: Service, caller: SealAuthoriser, seal: Seal, authorisation: Authorisation, raw: RawObject) -> Response:
    """Over at once; its text stays, and what was sealed under it stays good."""
    _own(service, caller, seal)
    if service.office.seals.seal_of_authorisation(authorisation) != seal:
        raise NotFoundError(f"没有编号为 {authorisation} 的用印授权。")
    return send_json(service.office.seals.end(authorisation, raw, client=caller.client.id))


@router.get(
    "/{seal}/authorisations/{sha256}",
    summary="授权原文 · the text of an authorisation by its digest",
    operation_id="readSealAuthorisation",
    openapi_extra=secured("seal:read"),
    responses={
        200: {"content": {JSON: {}}, "description": "规范文本，其 SHA-256 即签名属性中的摘要 · the canonical text"},
        **problems(404),
    },
    response_class=Response,
)
def authorisation_text(service: Service, caller: SealReader, seal: Seal, sha256: Digest) -> Response:
    """The canonical text, byte for byte: its SHA-256 stands in the signed attribute of every seal under it."""
    _own(service, caller, seal)
    return Response(service.office.seals.authorisation_text(sha256, seal=seal), media_type=JSON)


def _own(service: Running, caller: Principal, seal: str) -> None:
    """Refuse a seal of others as one that does not exist. Raises `NotFoundError`."""
    if not caller.client.acts_for({service.office.seals.authority_of(seal)}):
        raise NotFoundError(f"没有登记编号为 {seal} 的印章。")


def _with_seal(raw: Mapping[str, Any], seal: str) -> dict[str, Any]:
    """The request with the seal that its address names. Raises `RequestError` when it names another."""
    if raw.get("seal", seal) != seal:
        message = "印章：与网址中的印章不同。"
        raise RequestError([Fault("seal", "other-seal", message, "印章", "Not the seal of the address.")])
    return {**raw, "seal": seal}


def _may_begin(service: Running, caller: Principal, seal: str, spec: Mapping[str, Any]) -> None:
    """A client begins seals of its own authority only; whose it is may be known from the catalogue."""
    known = service.office.catalogue.seals.get(seal)
    owner = spec.get("authority", known.authority if known else "")
    if isinstance(owner, str) and owner in service.office.catalogue.authorities and not caller.client.acts_for({owner}):
        raise NotFoundError(f"没有登记编号为 {seal[:20]} 的印章。")
