"""`/v1/documents`: sealed papers of the procedure (审批文书)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from service import schemas
from service.answers import send_answer, send_part, send_view
from service.asking import DocumentIssuer, DocumentReader, IdempotencyKey, IssuingPlace, WantedPart
from service.bodies import RawObject
from service.openapi import answers, body, problems, secured
from service.running import Service
from service.tenancy import require_authority, seen_document

router = APIRouter(prefix="/v1/documents", tags=["审批文书 documents"])

DocumentId = Annotated[str, Path(description="文书 id · the document's id", max_length=100)]


@router.post(
    "",
    status_code=201,
    summary="制发文书 · seal a document",
    operation_id="issueDocument",
    openapi_extra=secured("document:issue", body(schemas.IssueRequest)),
    responses={**answers(201, schemas.IssuedAnswer, etag=True), **problems(409, 503)},
)
def issue(
    service: Service, caller: DocumentIssuer, key: IdempotencyKey, raw: RawObject, _place: IssuingPlace
) -> Response:
    """A decision, notice or receipt of a case, numbered and sealed; `type` names the kind."""
    require_authority(caller, raw)
    answer = service.office.issue_document(raw, client=caller.client.id, key=key)
    return send_answer(service.base, answer)


@router.get(
    "/{document}",
    summary="文书 · one document",
    operation_id="readDocument",
    openapi_extra=secured("document:read"),
    responses=problems(404),
)
def document(service: Service, caller: DocumentReader, document: DocumentId) -> Response:
    """What the document says and its state."""
    return send_view(seen_document(service, caller, document))


@router.get(
    "/{document}/file",
    summary="文书文件（已用印 PDF）· the sealed file",
    operation_id="downloadDocument",
    openapi_extra=secured("document:read"),
    responses={
        200: {"content": {"application/pdf": {}, "application/octet-stream": {}}, "description": "PDF/A-3a，已用印"},
        **problems(404),
    },
    response_class=Response,
)
def document_file(service: Service, caller: DocumentReader, document: DocumentId, part: WantedPart) -> Response:
    """The issued file, byte for byte; `suite=sm2-sm3` its copy under SM2/SM3, `form=ses` the signature beside it."""
    view = seen_document(service, caller, document)
    return send_part(service.office.document_file(document, part=part), str(view["number"]), part)
