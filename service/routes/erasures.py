"""`/v1/erasures`: personal data deleted by law (个人信息保护法47), by two persons; the journal says so."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from certlib.errors import Fault, NotFoundError, RequestError
from service import schemas
from service.answers import send_json
from service.asking import Eraser
from service.bodies import RawObject
from service.openapi import answers, body, problems, secured
from service.running import Service

router = APIRouter(prefix="/v1/erasures", tags=["个人信息 personal data"])

_TEXTS = {
    "subject": ("删除对象", 200, "subject"),
    "grounds": ("删除依据", 500, "grounds"),
    "person": ("经办人", 50, "person"),
    "second_person": ("复核人", 50, "second person"),
}


@router.post(
    "",
    status_code=201,
    summary="依法删除个人信息 · erase personal data",
    operation_id="erase",
    openapi_extra=secured("certificate:erase", body(schemas.ErasureRequest)),
    responses={**answers(201, schemas.ErasureAnswer), **problems(404, 409)},
)
def erase(service: Service, caller: Eraser, raw: RawObject) -> Response:
    """Of a certificate, a document, or all of a holder, when none of it is in force; it cannot be undone."""
    if caller.client.tenant:
        raise NotFoundError("删除个人信息由整个机关办理，不向代表一个机关的客户端提供。")
    asked = {name: _text(raw, name) for name in _TEXTS}
    client, purpose = caller.client.id, caller.purpose
    erased = service.office.erase(asked.pop("subject"), **asked, client=client, purpose=purpose)
    kept = [one.as_json() for one in erased.kept]
    return send_json({"erased": erased.numbers, "kept": kept}, status=201)


def _text(raw: dict[str, Any], name: str) -> str:
    value = raw.get(name)
    label, longest, english = _TEXTS[name]
    if isinstance(value, str) and value.strip() and len(value) <= longest and value.isprintable():
        return value.strip()
    message = f"{label}：应为 1 至 {longest} 字的文字。"
    raise RequestError([Fault(name, "no-text", message, label, f"The {english} must be a short text.")])
