"""`/v1/certificates`: issue, act, read, download, sheets."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import AwareDatetime

from service import schemas
from service.answers import send_answer, send_json, send_part, send_pdf, send_view
from service.asking import (
    CertificateActor,
    CertificateIssuer,
    CertificateReader,
    ExpectedVersion,
    IdempotencyKey,
    IssuingPlace,
    WantedPart,
)
from service.bodies import RawObject
from service.openapi import answers, body, problems, secured
from service.running import Service
from service.tenancy import log_view, own_certificate, require_authority, require_order, seen_certificate

router = APIRouter(prefix="/v1/certificates", tags=["证照 certificates"])

Identifier = Annotated[str, Path(description="证照标识 · GB/T 36904 identifier", max_length=120)]
At = Annotated[AwareDatetime | None, Query(description="某一时刻的状态 · as it stood at this moment")]
MOST = 200


@router.post(
    "",
    status_code=201,
    summary="签发证照 · issue a certificate",
    operation_id="issueCertificate",
    openapi_extra=secured("certificate:issue", body(schemas.IssueRequest)),
    responses={**answers(201, schemas.IssuedAnswer, etag=True), **problems(409, 503)},
)
def issue(
    service: Service, caller: CertificateIssuer, key: IdempotencyKey, raw: RawObject, _place: IssuingPlace
) -> Response:
    """The whole issuance in one request; nothing is half done. A retry with the same key resumes or replays it."""
    require_authority(caller, raw)
    return send_answer(service.base, service.office.issue(raw, client=caller.client.id, key=key))


@router.post(
    "/imports",
    status_code=201,
    summary="存量证照补录 · register a certificate issued before us",
    operation_id="importCertificate",
    openapi_extra=secured("certificate:issue", body(schemas.ImportRequest)),
    responses={**answers(201, schemas.IssuedAnswer, etag=True), **problems(409)},
)
def import_certificate(service: Service, caller: CertificateIssuer, key: IdempotencyKey, raw: RawObject) -> Response:
    """Two persons, a source and a scan; nothing is sealed. The first action makes our first edition."""
    require_order(caller, raw)
    return send_answer(service.base, service.office.import_certificate(raw, client=caller.client.id, key=key))


@router.get(
    "",
    summary="证照列表 · certificates, newest last",
    operation_id="listCertificates",
    openapi_extra=secured("certificate:read"),
    responses=answers(200, schemas.CertificatePage),
)
def certificates(
    service: Service,
    caller: CertificateReader,
    after: Annotated[str, Query(max_length=200, description="上一页的 next")] = "",
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> Response:
    """One page of the caller's tenants; `next` is the cursor of the page after it, absent on the last."""
    log_view(service, caller, "list")
    return send_json(service.office.certificates(after=after, limit=limit, authority=caller.client.tenant))


@router.get(
    "/{identifier}",
    summary="证照现状 · one certificate",
    operation_id="readCertificate",
    openapi_extra=secured("certificate:read"),
    responses={**answers(200, schemas.CertificateView, etag=True), **problems(404)},
)
def certificate(service: Service, caller: CertificateReader, identifier: Identifier, at: At = None) -> Response:
    """State, editions, sheets, what is permitted next and why the rest is not; `at` for an earlier moment."""
    return send_view(seen_certificate(service, caller, identifier, at))


@router.post(
    "/{identifier}/actions",
    summary="变更、延续、暂扣、注销、撤销等 · act on a certificate",
    operation_id="actOnCertificate",
    openapi_extra=secured("certificate:act", body(schemas.ActRequest)),
    responses={**answers(201, schemas.IssuedAnswer, etag=True), **problems(404, 409, 412, 428, 503)},
)
def act(  # noqa: PLR0917  FastAPI gives parameters by name
    service: Service,
    caller: CertificateActor,
    identifier: Identifier,
    key: IdempotencyKey,
    version: ExpectedVersion,
    raw: RawObject,
    _place: IssuingPlace,
) -> Response:
    """One action; `If-Match` names the version that was read, so that nobody acts on what has changed meanwhile."""
    own_certificate(service, caller, identifier)
    request = {name: value for name, value in raw.items() if name != "action"}
    action = raw.get("action")
    word = action if isinstance(action, str) else ""
    answer = service.office.act(identifier, word, request, version=version, client=caller.client.id, key=key)
    return send_answer(service.base, answer)


@router.get(
    "/{identifier}/editions/{edition}/file",
    summary="版本文件（已用印 PDF）· the sealed file of an edition",
    operation_id="downloadEdition",
    openapi_extra=secured("certificate:read"),
    responses={
        200: {"content": {"application/pdf": {}, "application/octet-stream": {}}, "description": "PDF/A-3a，已用印"},
        **problems(404),
    },
    response_class=Response,
)
def edition_file(
    service: Service,
    caller: CertificateReader,
    identifier: Identifier,
    edition: Annotated[int, Path(ge=1, le=999)],
    part: WantedPart,
) -> Response:
    """The issued file, byte for byte; `suite=sm2-sm3` its copy under SM2/SM3, `form=ses` the signature beside it."""
    view = seen_certificate(service, caller, identifier)
    return send_part(service.office.file(identifier, edition, part=part), f"{view['number']}-{edition:03d}", part)


@router.get(
    "/{identifier}/editions/{edition}/marked",
    summary="标有状态的查看件（未用印）· a copy with its state across the page",
    operation_id="markedEdition",
    openapi_extra=secured("certificate:read"),
    responses={200: {"content": {"application/pdf": {}}, "description": "未用印，标有 已注销 等"}, **problems(404)},
    response_class=Response,
)
def marked_edition(
    service: Service, caller: CertificateReader, identifier: Identifier, edition: Annotated[int, Path(ge=1, le=999)]
) -> Response:
    """To look at: unsealed, with 已注销 or another state across it. The issued file is not touched."""
    view = seen_certificate(service, caller, identifier)
    return send_pdf(service.office.marked_file(identifier, edition), f"{view['number']}-{edition:03d}-查看件")


@router.get(
    "/{identifier}/editions/{edition}/evidence",
    summary="证据包 · the evidence pack of an edition",
    operation_id="editionEvidence",
    openapi_extra=secured("certificate:read"),
    responses={200: {"content": {"application/zip": {}}, "description": "zip，附核验命令"}, **problems(404)},
    response_class=Response,
)
def edition_evidence(
    service: Service, caller: CertificateReader, identifier: Identifier, edition: Annotated[int, Path(ge=1, le=999)]
) -> Response:
    """File, chain, timestamp, authorisation, decision, history and proofs, with the commands that check them."""
    seen_certificate(service, caller, identifier)
    pack = service.office.evidence(identifier, edition)
    headers = {"content-disposition": f'attachment; filename="evidence-{edition:03d}.zip"'}
    return Response(pack, media_type="application/zip", headers=headers)


@router.get(
    "/{identifier}/sheets",
    summary="实体证照 · the sheets of a certificate",
    operation_id="listSheets",
    openapi_extra=secured("certificate:read"),
    responses=problems(404),
)
def sheets(service: Service, caller: CertificateReader, identifier: Identifier) -> Response:
    """Every sheet with its state, serial and place in the status list."""
    return send_json({"sheets": seen_certificate(service, caller, identifier)["sheets"]})
