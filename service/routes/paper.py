"""`/v1/paper`: blanks received, sheets printed, handed over, spoiled, handed in."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Path
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
    "/blanks/moves",
    summary="空白证照领用、退回、核销 · allot, return, write off",
    operation_id="moveBlanks",
    openapi_extra=secured("paper:print", body(schemas.BlanksMove)),
    responses=problems(404, 409),
)
def move(service: Service, caller: PaperPrinter, raw: RawObject) -> Response:
    """All of a range or none; write-offs need a reason and a witness."""
    del caller
    texts = _texts(raw, "act", "first", "last", "person", optional=("window", "witness", "reason"))
    act, first, last = texts.pop("act"), texts.pop("first"), texts.pop("last")
    service.office.move_blanks(act, first, last, **texts)
    return send_json(service.office.stock())


@router.post(
    "/windows",
    summary="登记窗口打印偏移 · align a window's printer",
    operation_id="alignWindow",
    openapi_extra=secured("paper:print", body(schemas.WindowAlignment)),
)
def align(service: Service, caller: PaperPrinter, raw: RawObject) -> Response:
    """Everything the window prints from now on is moved so far; at most 5 mm either way, journalled."""
    del caller
    names = {name: raw[name] for name in raw if name not in {"x", "y"}}
    texts = _texts(names, "window", "person")
    x, y = (_millimetres(raw, name) for name in ("x", "y"))
    return send_json(service.office.align_window(texts["window"], x, y, person=texts["person"]))


@router.get(
    "/windows",
    summary="各窗口打印偏移 · what each window's printer is off by",
    operation_id="listWindows",
    openapi_extra=secured("paper:print"),
)
def windows(service: Service, caller: PaperPrinter) -> Response:
    """How far, by whom and when; a window that is not named prints without any."""
    del caller
    return send_json({"windows": service.office.windows()})


@router.get(
    "/stock",
    summary="空白证照结存与核对 · balance of blanks",
    operation_id="stock",
    openapi_extra=secured("paper:print"),
)
def stock(service: Service, caller: PaperPrinter) -> Response:
    """Every account of every type, and the nightly check of the ledger against the blanks."""
    del caller
    return send_json(service.office.stock())


@router.post(
    "/sheets/{sheet}/acts",
    summary="实体证照领取、作废、遗失、收回、销毁 · what is done with a sheet",
    operation_id="actOnSheet",
    openapi_extra=secured("paper:print", body(schemas.SheetAct)),
    responses=problems(404, 409),
)
def act_on_sheet(
    service: Service, caller: PaperPrinter, raw: RawObject, sheet: Annotated[int, Path(ge=1, le=2**53)]
) -> Response:
    """Recorded with its proof: who, in what capacity, on which receipt, list or declaration."""
    own_certificate(service, caller, service.office.certificate_of_sheet(sheet))
    record = raw.get("record")
    texts = {name: text for name, text in record.items() if isinstance(text, str)} if isinstance(record, dict) else {}
    word = raw.get("act")
    return send_json(service.office.act_on_sheet(sheet, word if isinstance(word, str) else "", texts))


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
    texts = _texts(raw, "identifier", "purpose", optional=("window", "person"))
    own_certificate(service, caller, texts["identifier"])
    printed = service.office.print_sheets(texts.pop("identifier"), client=caller.client.id, **texts)
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


_FARTHEST = 1_000  # millimetres; no sheet is longer, and a whole number without end is no float


def _millimetres(raw: dict[str, Any], name: str) -> float:
    """A distance. Raises `RequestError` when it is none."""
    value = raw.get(name, 0.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _FARTHEST:
        raise RequestError([Fault(name, "not-a-number", "应为毫米数。", "打印偏移", "Millimetres are expected.")])
    return float(value)


def _texts(raw: dict[str, Any], *names: str, optional: tuple[str, ...] = ()) -> dict[str, str]:
    """The named texts. Raises `RequestError` for each that is missing, and for each nobody asked for."""
    given = [name for name in optional if name in raw]
    missing = [name for name in names if not isinstance(raw.get(name), str) or not raw[name].strip()]
    missing += [name for name in given if not isinstance(raw[name], str)]
    faults = [Fault(name, "missing", "缺少该项，应为文字。", _LABELS[name], "A text is expected.") for name in missing]
    known = {*names, *optional}
    faults += [Fault(name, "unexpected", "多余的项。", "", "Not expected here.") for name in raw if name not in known]
    if faults:
        raise RequestError(faults)
    return {name: raw[name] for name in (*names, *given)}


_LABELS = {
    "act": "操作",
    "type": "证照种类",
    "first": "起号",
    "last": "止号",
    "person": "经办人",
    "witness": "见证人",
    "identifier": "证照标识",
    "purpose": "用途",
    "window": "窗口",
    "reason": "理由",
}
