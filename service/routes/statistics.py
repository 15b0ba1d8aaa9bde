"""`/v1/statistics`: the figures of the office as JSON and CSV; `/statistics` the same as a page for officials.

A browser has no access token. The approval system, which knows the official, asks for a link and sends the browser
there; the link opens this page only, for half an hour, and shows what its client may see. There is nothing personal
in it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from certlib.domain.figure_tables import TABLES
from certlib.errors import Fault, NotFoundError, RequestError
from certlib.issue.statistics import read_scope, report_csv, statistics
from service import schemas
from service.answers import send_csv, send_json
from service.asking import StatisticsReader
from service.clients import Client
from service.openapi import answers, secured
from service.pages.figures import figures_page, over_page
from service.pages.site import style_sheet, templates
from service.refusals import BusyError
from service.routes.pages import send_link, send_page, send_part, visitor
from service.running import Running, Service

router = APIRouter(tags=["统计分析 statistics"])

PLACE, SCOPE = "/statistics", "statistics:read"
_STYLE, _ENVIRONMENT = style_sheet("statistics.css"), templates()
_TABLES = {table.key: table for table in TABLES}

First = Annotated[str, Query(alias="from", max_length=10, description="起始日期，默认当年元旦 · first day")]
Last = Annotated[str, Query(alias="to", max_length=10, description="截止日期，默认今日 · last day")]
Item = Annotated[str, Query(max_length=10, description="事项，如 2-25 · one item")]
Authority = Annotated[str, Query(max_length=100, description="决定机关代号 · one deciding authority")]
TableName = Annotated[str, Query(alias="table", max_length=20, description=f"一张表 · one of {', '.join(_TABLES)}")]
Form = Annotated[Literal["json", "csv"], Query(alias="format", description="json 或 csv · form of the answer")]
Pass = Annotated[str, Path(max_length=1000)]


def asked(first: First = "", last: Last = "", item: Item = "", authority: Authority = "") -> dict[str, str]:
    """The scope that a request names."""
    return {"from": first, "to": last, "item": item, "authority": authority}


Asked = Annotated[dict[str, str], Depends(asked)]


@router.get(
    "/v1/statistics",
    summary="统计分析 · the office's figures",
    operation_id="readStatistics",
    openapi_extra=secured(SCOPE),
    responses=answers(200, schemas.StatisticsReport),
)
def read_statistics(
    service: Service, caller: StatisticsReader, scope: Asked, table: TableName = "", form: Form = "json"
) -> Response:
    """By item, authority, outcome, time and state; delays of deliveries, overdue cases, the balance of blanks."""
    if table and table not in _TABLES:
        raise RequestError([Fault("table", "unknown", "没有这张表。", "表", "No such table.")])
    report = _report(service, caller.client, scope)
    if form == "csv":
        return _file(report, table)
    return send_json({table: report[table]} if table else report)


@router.post(
    "/v1/statistics/links",
    status_code=201,
    summary="统计网页的链接 · a link to the page",
    operation_id="linkStatistics",
    openapi_extra=secured(SCOPE),
    responses=answers(201, schemas.PageLink),
)
def link_statistics(service: Service, caller: StatisticsReader) -> Response:
    """Opens the page in an official's browser for half an hour, with the figures that this client may see."""
    return send_link(service, caller, PLACE)


@router.get(f"{PLACE}.css", include_in_schema=False)
def style(request: Request) -> Response:
    """The style sheet of the page."""
    return send_part(request, _STYLE)


@router.get(f"{PLACE}/{{value}}", include_in_schema=False)
def page(request: Request, service: Service, value: Pass) -> Response:
    """The figures as a page; what is asked wrongly is said above the year's figures."""
    client = visitor(service, value, PLACE, SCOPE)
    if client is None:
        return send_page(over_page(_ENVIRONMENT), status=401)
    faults: tuple[Fault, ...] = ()
    try:
        report = _report(service, client, dict(request.query_params))
    except RequestError as error:
        report, faults = _report(service, client, {}), tuple(error.faults)
    catalogue, base = service.office.catalogue, f"{PLACE}/{value}"
    return send_page(figures_page(_ENVIRONMENT, report, catalogue, base=base, tenant=client.tenant, faults=faults))


@router.get(f"{PLACE}/{{value}}/{{table}}.csv", include_in_schema=False)
def file(request: Request, service: Service, value: Pass, table: Annotated[str, Path(max_length=20)]) -> Response:
    """One table of the page, or `all`, for a spreadsheet."""
    client = visitor(service, value, PLACE, SCOPE)
    if client is None:
        return send_page(over_page(_ENVIRONMENT), status=401)
    if table != "all" and table not in _TABLES:
        raise NotFoundError("没有这张表。")
    return _file(_report(service, client, dict(request.query_params)), "" if table == "all" else table)


def _report(service: Running, client: Client, asked: dict[str, str]) -> dict[str, Any]:
    office = service.office
    scope = read_scope(asked, office.catalogue, service.clock(), tenant=client.tenant)
    if not service.reporting.acquire(timeout=service.settings.patience_seconds):
        raise BusyError
    try:
        return statistics(office, scope)
    finally:
        service.reporting.release()


def _file(report: dict[str, Any], table: str) -> Response:
    name = _TABLES[table].chinese if table else "统计分析"
    period = report["period"]
    return send_csv(report_csv(report, table), f"{name} {period['from']} {period['to']}")
