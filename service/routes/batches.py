"""`/v1/batches`: many requests at once, each line with its own outcome."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from certlib.errors import CertlibError, Fault, NotFoundError, RequestError
from certlib.issue.batch import batch_lines, batch_view
from certlib.issue.batch_input import report_csv
from service import schemas
from service.answers import send_csv, send_json
from service.asking import CertificateIssuer
from service.bodies import RawObject
from service.openapi import body, problems, secured
from service.running import Running, Service
from service.tenancy import own_certificate, require_authority
from service.tokendesk import Principal

router = APIRouter(prefix="/v1/batches", tags=["批量 batches"])

BatchId = Annotated[str, Path(pattern="^[0-9a-f]{1,32}$")]


def own_batch(service: Service, caller: CertificateIssuer, batch: BatchId) -> str:
    """The batch, if it is the caller's. Raises `NotFoundError`, before a stream has begun."""
    if batch_view(service.office.register, batch)["client"] != caller.client.id:
        raise NotFoundError(f"没有批次 {batch}。")
    return batch


OwnBatch = Annotated[str, Depends(own_batch)]
MOST_LINES = 1000
MOST_SHOWN = 500
_EVERY = 0.5  # seconds between two reports of progress
_LONGEST = 3600.0  # seconds a report may run; the reader reconnects
_DONE = "done"


@router.post(
    "",
    status_code=202,
    summary="提交一批 · hand in a batch",
    operation_id="addBatch",
    openapi_extra=secured("certificate:issue", body(schemas.BatchRequest)),
    responses={202: {"description": "已收下，按行办理 · accepted"}, **problems(422)},
)
def add(service: Service, caller: CertificateIssuer, raw: RawObject) -> Response:
    """Keeps the lines and answers at once; workers perform them, every line by itself."""
    lines = _checked(service, caller, raw)
    batch = service.office.add_batch(lines, client=caller.client.id)
    place = f"/v1/batches/{batch}"
    links = {"self": place, "progress": f"{place}/progress", "report": f"{place}/report"}
    answer = {"id": batch, "total": len(lines), "links": links}
    return send_json(answer, status=202, headers={"location": service.base + links["self"], "retry-after": "1"})


@router.get(
    "/{batch}",
    summary="一批的进展与逐行结果 · progress and outcome of each line",
    operation_id="readBatch",
    openapi_extra=secured("certificate:issue"),
    responses=problems(404),
)
def view(
    service: Service,
    batch: OwnBatch,
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=0, le=MOST_SHOWN)] = 100,
) -> Response:
    """Counts by state, and the lines after line `after`: done with its answer, failed with all its faults."""
    found = batch_view(service.office.register, batch)
    lines = batch_lines(service.office.register, batch, after=after, limit=limit) if limit else []
    return send_json({**found, "lines": lines})


@router.get(
    "/{batch}/report",
    summary="逐行结果（CSV）· the outcome of every line for a spreadsheet",
    operation_id="readBatchReport",
    openapi_extra=secured("certificate:issue"),
    response_class=Response,
    responses={200: {"description": "逐行结果 · outcomes", "content": {"text/csv": {}}}, **problems(404)},
)
def report(service: Service, batch: OwnBatch) -> Response:
    """Every line with its state and number, one row a fault, naming its place in the request."""
    lines = batch_lines(service.office.register, batch, limit=MOST_LINES)
    return send_csv(report_csv(lines).encode(), f"批次 {batch}")


@router.get(
    "/{batch}/progress",
    response_class=EventSourceResponse,
    summary="进展推送 · progress as server-sent events",
    operation_id="watchBatch",
    openapi_extra=secured("certificate:issue"),
    responses=problems(404),
)
async def progress(service: Service, batch: OwnBatch) -> AsyncIterator[ServerSentEvent]:
    """One event whenever the counts change, and a last one `done`."""
    last: Mapping[str, Any] | None = None
    with anyio.move_on_after(_LONGEST):
        while not service.draining.is_set():
            found = await anyio.to_thread.run_sync(batch_view, service.office.register, batch)
            if found != last:
                yield ServerSentEvent(data=found, event=str(found["state"]))
            if found["state"] == _DONE:
                return
            last = found
            await anyio.sleep(_EVERY)


def _checked(service: Running, caller: Principal, raw: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The lines, when each is an object of a case of the caller's. Raises `RequestError` with every fault."""
    lines = raw.get("lines")
    if not isinstance(lines, list) or not 1 <= len(lines) <= MOST_LINES:
        message = f"批量内容应为 1 至 {MOST_LINES} 行的列表。"
        raise RequestError([Fault("lines", "not-lines", message, "批量内容", f"A list of 1 to {MOST_LINES} lines.")])
    faults = [fault for number, line in enumerate(lines) for fault in _faults(service, caller, number, line)]
    if faults:
        raise RequestError(faults)
    return lines


def _faults(service: Running, caller: Principal, number: int, line: object) -> list[Fault]:
    place = f"lines.{number}"
    if not isinstance(line, Mapping):
        return [Fault(place, "not-an-object", "应为对象。", f"第 {number + 1} 行", "An object is expected.")]
    try:
        require_authority(caller, line)
        if line.get("operation") == "act":
            own_certificate(service, caller, str(line.get("identifier", "")))
    except RequestError as error:
        return [Fault(f"{place}.{one.path}", one.code, one.message, one.label, one.english) for one in error.faults]
    except CertlibError as error:
        return [Fault(f"{place}.identifier", error.code, error.message, "证照标识", "No such certificate.")]
    return []
