"""`/v1/permits`: 双公示, what is to be published by when, and files of it for the credit platform."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from certlib.formats.spreadsheet import csv_bytes
from service import schemas
from service.answers import JSON, send_csv, send_json
from service.asking import PermitPublisher
from service.openapi import answers, problems, secured
from service.running import Service
from service.tenancy import require_purpose

router = APIRouter(prefix="/v1/permits", tags=["双公示 permits"])

Form = Annotated[Literal["json", "csv"], Query(alias="format", description="json 或 csv · form of the answer")]
Number = Annotated[int, Path(ge=1, le=2**53, description="批次 · number of the export")]

_COLUMNS = {
    "row_words": "类型",
    "number": "编号",
    "name": "名称",
    "item": "事项序号",
    "item_title": "事项",
    "issuer": "许可机关",
    "began_on": "起算日",
    "due": "期限",
    "days_left": "剩余工作日",
}


@router.get(
    "",
    summary="应报而未报的双公示记录 · records to be published",
    operation_id="listPermitsDue",
    openapi_extra=secured("permit:publish"),
    responses=answers(200, schemas.PermitsDue),
)
def due(
    service: Service,
    caller: PermitPublisher,
    within: Annotated[int | None, Query(ge=-(10**4), le=10**4, description="剩余工作日不多于 · days left")] = None,
    form: Form = "json",
) -> Response:
    """New permits, corrections and withdrawals, the earliest term first; days left are working days, negative: late."""
    rows = service.permits.due(authority=caller.client.tenant, within=within)
    if form == "json":
        return send_json({"permits": rows})
    lines = [[row[name] for name in _COLUMNS] for row in rows]
    return send_csv(csv_bytes([list(_COLUMNS.values()), *lines]), "双公示应报")


@router.post(
    "/exports",
    status_code=201,
    summary="导出应报记录 · export what is due",
    operation_id="exportPermits",
    openapi_extra=secured("permit:publish"),
    responses={**answers(201, schemas.PermitExport), **problems(503)},
)
def export(service: Service, caller: PermitPublisher) -> Response:
    """Every row that is due is marked as handed over and journalled; a second call exports only what is due since.

    An answer that was lost is found among the exports. Rows that lack what the platform requires stay due, and are
    named in `faults`.
    """
    purpose, authority = require_purpose(caller, "导出含个人信息，"), caller.client.tenant
    made = service.permits.export(client=caller.client.id, purpose=purpose, authority=authority)
    links = {form: f"/v1/permits/exports/{made.number}?format={form}" for form in made.sha256}
    headers = {"location": f"{service.base}/v1/permits/exports/{made.number}"} if made.number else {}
    return send_json({**made.as_json(), "links": links}, status=201, headers=headers)


@router.get(
    "/exports",
    summary="各批导出 · the exports",
    operation_id="listPermitExports",
    openapi_extra=secured("permit:publish"),
    responses=answers(200, schemas.PermitExports),
)
def exports(service: Service, caller: PermitPublisher) -> Response:
    """Number, time and the SHA-256 of both files, as the journal holds them."""
    return send_json({"exports": service.permits.exports(authority=caller.client.tenant)})


@router.get(
    "/exports/{number}",
    summary="一批的报送文件 · the file of an export",
    operation_id="downloadPermitExport",
    openapi_extra=secured("permit:publish"),
    responses={
        200: {
            "content": {"text/csv": {}, "application/json": {}},
            "description": "XK_* 各字段 · the platform's fields",
        },
        **problems(404),
    },
)
def file(service: Service, caller: PermitPublisher, number: Number, form: Form = "json") -> Response:
    """The rows in the platform's names, personal data of natural persons among them; the view is logged."""
    purpose, authority = require_purpose(caller, "导出含个人信息，"), caller.client.tenant
    data = service.permits.file(number, form, client=caller.client.id, purpose=purpose, authority=authority)
    return send_csv(data, f"双公示第{number}批") if form == "csv" else Response(data, media_type=JSON)
