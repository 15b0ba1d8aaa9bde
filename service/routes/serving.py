"""Service of the holder (送达) and time limits: what was served on whom, and which cases are beyond their days."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from service import schemas
from service.answers import send_answer, send_json
from service.asking import CertificateActor, CertificateReader, DocumentIssuer, DocumentReader, IdempotencyKey
from service.bodies import RawObject
from service.openapi import answers, body, problems, secured
from service.routes.certificates import Identifier
from service.routes.documents import DocumentId
from service.running import Service
from service.tenancy import log_view, own_certificate, own_document, seen_certificate, seen_document

router = APIRouter(prefix="/v1", tags=["送达与期限 service and time limits"])

MOST = 1000
Limit = Annotated[int, Query(ge=1, le=MOST, description="最多几条，逾期最久的在前 · at most so many")]


@router.post(
    "/certificates/{identifier}/service",
    status_code=201,
    summary="登记证照送达 · record the service of a certificate",
    operation_id="serveCertificate",
    openapi_extra=secured("certificate:act", body(schemas.ServiceRecord)),
    responses={**answers(201, schemas.ServiceView), **problems(404, 409)},
)
def serve_certificate(
    service: Service, caller: CertificateActor, identifier: Identifier, key: IdempotencyKey, raw: RawObject
) -> Response:
    """The newest edition, on the carrier of the way; sheets that a way hands over are collected by it."""
    subject = str(own_certificate(service, caller, identifier)["identifier"])
    return send_answer(service.base, service.office.serve(subject, raw, client=caller.client.id, key=key))


@router.get(
    "/certificates/{identifier}/service",
    summary="证照送达情况 · how the service of a certificate stands",
    operation_id="readCertificateService",
    openapi_extra=secured("certificate:read"),
    responses={**answers(200, schemas.ServiceView), **problems(404)},
)
def certificate_service(service: Service, caller: CertificateReader, identifier: Identifier) -> Response:
    """The last day to serve the newest edition, what was served by which way, and the proof of each."""
    view = seen_certificate(service, caller, identifier)
    return send_json(service.office.service(str(view["identifier"])))


@router.post(
    "/documents/{document}/service",
    status_code=201,
    summary="登记文书送达 · record the service of a document",
    operation_id="serveDocument",
    openapi_extra=secured("document:issue", body(schemas.ServiceRecord)),
    responses={**answers(201, schemas.ServiceView), **problems(404, 409)},
)
def serve_document(
    service: Service, caller: DocumentIssuer, document: DocumentId, key: IdempotencyKey, raw: RawObject
) -> Response:
    """Once, by any one way, with what proves it; inner papers are not served."""
    subject = str(own_document(service, caller, document)["id"])
    return send_answer(service.base, service.office.serve(subject, raw, client=caller.client.id, key=key))


@router.get(
    "/documents/{document}/service",
    summary="文书送达情况 · how the service of a document stands",
    operation_id="readDocumentService",
    openapi_extra=secured("document:read"),
    responses={**answers(200, schemas.ServiceView), **problems(404, 409)},
)
def document_service(service: Service, caller: DocumentReader, document: DocumentId) -> Response:
    """The last day to serve it, and the proof when it was served."""
    view = seen_document(service, caller, document)
    return send_json(service.office.service(str(view["id"])))


@router.get(
    "/overdue",
    summary="逾期办件 · cases not decided or outcomes not served in time",
    operation_id="listOverdue",
    openapi_extra=secured("certificate:read"),
    responses=answers(200, schemas.OverdueList),
)
def overdue(service: Service, caller: CertificateReader, limit: Limit = 200) -> Response:
    """Of the caller's tenants, by working days (行政许可法 42, 44); `total` counts all."""
    log_view(service, caller, "overdue")
    late = [entry for entry in service.office.overdue() if caller.client.acts_for({entry["authority"]})]
    return send_json({"overdue": late[:limit], "total": len(late)})
