"""`/v1/paper`: blanks received, sheets printed, handed over, spoiled, handed in."""

from __future__ import annotations

import base64
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from certlib.errors import Fault, RequestError
from certlib.issue import paper
from service import schemas
from service.answers import send_json
from service.asking import IssuingPlace, PaperPrinter
from service.bodies import RawObject
from service.openapi import body, problems, secured
from service.running import Service
from service.tenancy import own_certificate

router = APIRouter(prefix="/v1/paper", tags=["实体证照 paper"])


@router.post(
    "/blanks",
    status_code=201,
    summary="空白证照入库 · take blanks into stock",
    operation_id="receiveBlanks",
    openapi_extra=secured("paper:print", body(schemas.BlanksRequest)),
    responses=problems(404, 409),
)
def receive(service: Service, caller: PaperPrinter, raw: RawObject) -> Response:
    """A range of serials of one type, received and checked by two persons."""
    del caller
    texts = _texts(raw, "type", "first", "last", "person", "witness")
    count = service.office.receive_blanks(
        texts["type"], texts["first"], texts["last"], person=texts["person"], witness=texts["witness"]
    )
    return send_json({"received": count}, status=201)


@router.post(
    "/prints",
    status_code=201,
    summary="打印待打印的实体证照 · release print files",
    operation_id="printSheets",
    openapi_extra=secured("paper:print", body(schemas.PrintRequest)),
    responses=problems(404, 409, 503),
)
def print_sheets(service: Service, caller: PaperPrinter, raw: RawObject, _place: IssuingPlace) -> Response:
    """The print files of a certificate's sheets that wait, each on its own blank; given out once and journalled."""
    texts = _texts(raw, "identifier", "purpose")
    own_certificate(service, caller, texts["identifier"])
    printed = service.office.print_sheets(texts["identifier"], client=caller.client.id, purpose=texts["purpose"])
    return send_json({"sheets": [_printed(sheet) for sheet in printed]}, status=201)


def _printed(sheet: paper.PrintedSheet) -> dict[str, Any]:
    return {
        "id": sheet.sheet,
        "label": sheet.label,
        "copy_number": sheet.copy_number,
        "serial": sheet.serial,
        "sha256": sheet.sha256,
        "pdf": base64.b64encode(sheet.pdf).decode(),
    }


def _texts(raw: dict[str, Any], *names: str) -> dict[str, str]:
    """The named texts. Raises `RequestError` for each that is missing, and for each nobody asked for."""
    missing = [name for name in names if not isinstance(raw.get(name), str) or not raw[name].strip()]
    faults = [Fault(name, "missing", "缺少该项，应为文字。", _LABELS[name], "A text is expected.") for name in missing]
    faults += [Fault(name, "unexpected", "多余的项。", "", "Not expected here.") for name in raw if name not in names]
    if faults:
        raise RequestError(faults)
    return {name: raw[name] for name in names}


_LABELS = {
    "type": "证照种类",
    "first": "起号",
    "last": "止号",
    "person": "经办人",
    "witness": "验收人",
    "identifier": "证照标识",
    "purpose": "用途",
}
