"""`/v1/audit`: the register as an auditor reads it. Each view names its purpose and is in the access log.

A client of one authority sees that authority's certificates and seals; what is of the whole office (access log,
checker, bundle) only a client of every authority.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path as FilePath
from typing import Annotated, Any, BinaryIO, Literal

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response, StreamingResponse

from certlib.domain.civil import civil_date, day_start
from certlib.errors import Fault, NotFoundError, RequestError
from certlib.issue import auditing
from certlib.issue.anomalies import anomalies
from certlib.issue.exporting import export_office
from certlib.issue.views import key_of
from certlib.register.access_log import record_accesses
from certlib.register.audit_search import Wanted
from certlib.register.audit_uses import Lines
from service import schemas
from service.answers import send_json
from service.asking import Auditor
from service.bodies import RawObject
from service.moments import AsOf, moment_in
from service.openapi import answers, body, problems, secured
from service.refusals import BusyError
from service.reports import verification_report
from service.running import Running, Service
from service.tenancy import own_certificate
from service.tokendesk import Principal

router = APIRouter(prefix="/v1/audit", tags=["审计 audit"])

MOST = 200
_FOUND = 50  # of each kind in one search
_SPAN = 366  # days in one question
_USUAL = 30  # days, when no period is named
_CHUNK = 1 << 20  # bytes
_LONGEST = 120  # characters of what is looked for
_TEXTS: Mapping[str, tuple[str, str]] = {
    "number": ("编号", "Number"),
    "seal": ("印章", "Seal"),
    "person": ("人员", "Person"),
}
_READ = secured("audit:read")
_FIRST, _LAST = date(2000, 1, 1), date(2199, 12, 31)

Day = Annotated[date | None, Query(ge=_FIRST, le=_LAST)]
Seal = Annotated[str, Query(pattern="^[0-9A-Za-z-]{0,20}$", description="印章编号；空为全部 · the seal's id")]
State = Annotated[Literal["", "reserved", "used", "released", "denied"], Query(description="状态 · state")]
Before = Annotated[int, Query(ge=0, lt=2**53, description="上一页的 next · continues")]
Limit = Annotated[int, Query(ge=1, le=MOST)]


@dataclass(frozen=True, slots=True)
class Period:
    """Shanghai days, both included."""

    since: date
    until: date

    @property
    def begin(self) -> datetime:
        """The moment at which it begins."""
        return day_start(self.since)

    @property
    def end(self) -> datetime:
        """The moment at which it is over."""
        return day_start(self.until + timedelta(days=1))


def period(service: Service, since: Day = None, until: Day = None) -> Period:
    """The days asked for; the last thirty when none are named. Raises `RequestError`."""
    last = until or max(civil_date(service.clock()), since or _FIRST)
    first = since or last - timedelta(days=_USUAL - 1)
    if not 0 <= (last - first).days < _SPAN:
        message = f"起止日期：止不得早于起，一次至多 {_SPAN} 日。"
        raise RequestError([Fault("query.since", "no-period", message, "起止日期", "Not a period of up to a year.")])
    return Period(first, last)


Days = Annotated[Period, Depends(period)]


@router.post(
    "/searches",
    summary="按编号、印章、人员、时段查 · look up",
    operation_id="auditSearch",
    openapi_extra=secured("audit:read", body(schemas.AuditSearch)),
    responses=answers(200, schemas.AuditFound),
)
def search(service: Service, caller: Auditor, raw: RawObject) -> Response:
    """Certificates, documents and seal uses that fit all that is given.

    The question is logged, and each certificate and document that is shown, by itself; a line of the ledger names no
    holder and is logged with the question.

    A body, not an address: names of persons do not belong into the logs of gateways.
    """
    wanted = _wanted(raw, caller)
    found = auditing.look_up(service.office, wanted, limit=_FOUND)
    asked = "+".join(name for name in (*_TEXTS, "since", "until") if raw.get(name))
    shown = [row["key"] for row in (*found["certificates"], *found["documents"])]
    _log(service, caller, f"audit:search {asked}", *shown)
    return send_json(found)


@router.get(
    "/certificates/{identifier}",
    summary="一证全貌：登记、用印、被查阅 · one certificate with its seal uses and who looked at it",
    operation_id="auditCertificate",
    openapi_extra=_READ,
    responses={**answers(200, schemas.AuditCertificate), **problems(404)},
)
def certificate(
    service: Service,
    caller: Auditor,
    identifier: Annotated[str, Path(max_length=120, description="证照标识")],
    at: AsOf = "",
) -> Response:
    """The whole record with history and proofs, each use of a seal for it, and the log of accesses to it.

    State and verdicts are as of `at`.
    """
    now = service.clock()
    moment = moment_in(at, now, "query.at")
    own_certificate(service, caller, identifier)
    _log(service, caller, key_of(identifier))
    return send_json(
        auditing.certificate_file(service.office, identifier, moment) | {"at": (moment or now).isoformat()}
    )


@router.get(
    "/seals",
    summary="各印章计数 · counters of the seals",
    operation_id="auditSeals",
    openapi_extra=_READ,
    responses=answers(200, schemas.AuditSeals),
)
def seals(service: Service, caller: Auditor, days: Days) -> Response:
    """Each seal with its counter, the numbers its ledger lacks, and its uses within the period by kind and state."""
    _log(service, caller, "audit:seals")
    return send_json({"seals": auditing.seal_counts(service.office, _lines(caller, days))})


@router.get(
    "/uses",
    summary="用印日志 · the ledger of uses",
    operation_id="auditUses",
    openapi_extra=_READ,
    responses=answers(200, schemas.AuditLedger),
)
def uses(  # noqa: PLR0917  FastAPI gives parameters by name
    service: Service,
    caller: Auditor,
    days: Days,
    seal: Seal = "",
    state: State = "",
    before: Before = 0,
    limit: Limit = 50,
) -> Response:
    """Lines of all seals or of one, the newest first; `next` continues, 0 on the last page."""
    _log(service, caller, f"audit:uses {seal or '*'}")
    lines = _lines(caller, days, seal=seal, state=state)
    return send_json(auditing.ledger(service.office, lines, before=before, limit=limit))


@router.get(
    "/usage",
    summary="用印随时间的分布 · seal use over time",
    operation_id="auditUsage",
    openapi_extra=_READ,
    responses=answers(200, schemas.AuditUsage),
)
def usage(service: Service, caller: Auditor, days: Days, seal: Seal = "") -> Response:
    """Uses by day and state, and by weekday and hour, with how many lay outside office hours."""
    _log(service, caller, f"audit:usage {seal or '*'}")
    lines = _lines(caller, days, seal=seal)
    return send_json(auditing.usage(service.office, lines, days.since, days.until))


@router.get(
    "/anomalies",
    summary="异常 · what should be looked at",
    operation_id="auditAnomalies",
    openapi_extra=_READ,
    responses=answers(200, schemas.AuditSigns),
)
def signs(service: Service, caller: Auditor, days: Days, seal: Seal = "") -> Response:
    """Gaps, denials, uses given back or outside hours, time limits, paper that is out, findings of the checker."""
    _log(service, caller, f"audit:anomalies {seal or '*'}")
    found = service.rounds.findings() if not caller.client.tenant else ()
    return send_json({"signs": anomalies(service.office, _lines(caller, days, seal=seal), found)})


@router.get(
    "/accesses",
    summary="查阅记录 · who saw what",
    operation_id="auditAccesses",
    openapi_extra=_READ,
    responses={**answers(200, schemas.AuditAccesses), **problems(404)},
)
def accesses(service: Service, caller: Auditor, before: Before = 0, limit: Limit = 50) -> Response:
    """The access log, the newest first; `leaf` is where the journal holds the digest of its hour."""
    _whole_office(caller)
    _log(service, caller, "audit:accesses")
    return send_json(auditing.accesses(service.office, before=before, limit=limit))


@router.get(
    "/findings",
    summary="持续检查的最近结果 · the checker's last round",
    operation_id="auditFindings",
    openapi_extra=_READ,
    responses={**answers(200, schemas.AuditFindings), **problems(404)},
)
def findings(service: Service, caller: Auditor) -> Response:
    """When each check last ran, in whichever process of the office, and what it found; empty before the first round."""
    _whole_office(caller)
    _log(service, caller, "audit:findings")
    return send_json(_findings(service))


@router.post(
    "/checks",
    summary="现在检查一轮 · a round of the checker now",
    operation_id="auditCheck",
    openapi_extra=_READ,
    responses={**answers(200, schemas.AuditFindings), **problems(404, 503)},
)
def check(service: Service, caller: Auditor) -> Response:
    """Everything the checker looks at is looked at now; one round at a time."""
    _whole_office(caller)
    _log(service, caller, "audit:check")
    with _alone(service):
        if not service.rounds.check(service.office, service.clock, wait=False):
            raise BusyError(10)
    return send_json(_findings(service))


@router.get(
    "/files/{sha256}/report",
    summary="核验报告 · the verification report of a file",
    operation_id="auditReport",
    openapi_extra=_READ,
    responses={
        200: {
            "content": {"text/html": {}, "application/pdf": {}, "application/json": {}},
            "description": "核验报告，附件 · the report, as an attachment",
        },
        **problems(404, 503),
    },
    response_class=Response,
)
def report(
    service: Service,
    caller: Auditor,
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="文件的 SHA-256")],
    form: Annotated[Literal["html", "pdf", "json"], Query(description="报告格式 · form of the report")] = "html",
    at: AsOf = "",
) -> Response:
    """The registered file examined: seal, chain, time, content, state; for people, to file, for machines.

    The state is that of now, or as of `at`, with that of now beside it.
    """
    moment = moment_in(at, service.clock(), "query.at")
    owners, subject = auditing.file_place(service.office, sha256)
    if not caller.client.acts_for(owners):
        raise NotFoundError("没有登记这一文件。")
    _log(service, caller, subject)
    data, media = verification_report(service, sha256, form, moment)
    return Response(data, media_type=media, headers=_attached(f"report-{sha256[:16]}.{form}"))


@router.get(
    "/certificates/{identifier}/editions/{edition}/evidence",
    summary="证据包 · the evidence pack of an edition",
    operation_id="auditEvidence",
    openapi_extra=_READ,
    responses={200: {"content": {"application/zip": {}}, "description": "zip，附核验命令"}, **problems(404)},
    response_class=Response,
)
def evidence(
    service: Service,
    caller: Auditor,
    identifier: Annotated[str, Path(max_length=120, description="证照标识")],
    edition: Annotated[int, Path(ge=1, le=999)],
) -> Response:
    """File, chain, timestamp, authorisation, decision, history and proofs, with the commands that check them."""
    own_certificate(service, caller, identifier)
    _log(service, caller, key_of(identifier))
    pack = service.office.evidence(identifier, edition)
    return Response(pack, media_type="application/zip", headers=_attached(f"evidence-{edition:03d}.zip"))


@router.get(
    "/bundle",
    summary="审计包 · the bundle for `certctl audit`",
    operation_id="auditBundle",
    openapi_extra=_READ,
    responses={200: {"content": {"application/x-tar": {}}, "description": "tar，不含个人信息"}, **problems(404, 503)},
    response_class=Response,
)
def bundle(service: Service, caller: Auditor) -> Response:
    """Journal, register and published lists of one moment, without personal data; one export at a time."""
    _whole_office(caller)
    _log(service, caller, "audit:bundle")
    with _alone(service), tempfile.TemporaryDirectory(prefix="bundle-") as folder:
        path = FilePath(folder) / "bundle.tar"
        export_office(service.office, path)
        tar = path.open("rb")  # outlives its folder; the space is free again when it is closed
    size = os.fstat(tar.fileno()).st_size
    headers = _attached(f"bundle-{service.clock():%Y%m%d}.tar") | {"content-length": str(size)}
    return StreamingResponse(_chunks(tar), media_type="application/x-tar", headers=headers)


def _wanted(raw: Mapping[str, Any], caller: Principal) -> Wanted:
    """What a search asks for. Raises `RequestError` with every fault; a member of another name narrows nothing."""
    faults = [
        Fault(name[:_LONGEST], "unknown-field", "没有这一项查询条件。", "", "There is no such condition.")
        for name in raw
        if name not in {*_TEXTS, "since", "until"}
    ]
    texts: dict[str, str] = {}
    for name, (label, english) in _TEXTS.items():
        text = raw.get(name, "")
        if not isinstance(text, str) or len(text) > _LONGEST or not text.isprintable():
            message = f"{label}：应为不超过 {_LONGEST} 字的文字。"
            faults.append(Fault(name, "no-text", message, label, f"{english} must be a short text."))
        else:
            texts[name] = text.strip()
    days = {name: _day(raw.get(name), name, faults) for name in ("since", "until")}
    if (first := days["since"]) and (last := days["until"]) and last < first:
        faults.append(
            Fault("until", "no-period", "起止日期：止不得早于起。", "起止日期", "The period ends before it begins.")
        )
    if not faults and not any(texts.values()) and not any(days.values()):
        message = "请至少填写一项：编号、印章、人员或时段。"
        faults.append(Fault("", "nothing-asked", message, "查询条件", "Name at least one of them."))
    if faults:
        raise RequestError(faults)
    since, until = days["since"], days["until"]
    return Wanted(
        authority=caller.client.tenant,
        **texts,
        since=day_start(since) if since else None,
        until=day_start(until + timedelta(days=1)) if until else None,
    )


def _day(value: object, name: str, faults: list[Fault]) -> date | None:
    if value is None or value == "":
        return None
    try:
        day = date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        day = date.min
    if not _FIRST <= day <= _LAST:
        faults.append(Fault(name, "no-day", "日期：应为 2026-01-31 的形式。", "日期", "Not a day (YYYY-MM-DD)."))
    return day


def _lines(caller: Principal, days: Period, *, seal: str = "", state: str = "") -> Lines:
    return Lines(authority=caller.client.tenant, seal=seal, state=state, since=days.begin, until=days.end)


def _log(service: Running, caller: Principal, *subjects: str) -> None:
    """Write down what is about to be shown; without that nothing is."""
    register, client = service.office.register, caller.client.id
    record_accesses(register, subjects, client=client, purpose=caller.purpose, outcome="shown")


def _whole_office(caller: Principal) -> None:
    """Refuse a client of one authority. Raises `NotFoundError`."""
    if caller.client.tenant:
        raise NotFoundError("查阅记录、持续检查和审计包属于整个机关，不向代表一个机关的客户端提供。")


def _findings(service: Running) -> dict[str, Any]:
    return {
        "checks": [
            {"check": check, "at": at.isoformat(), "findings": [one.as_json() for one in found]}
            for check, (at, found) in service.rounds.last().items()
        ]
    }


@contextmanager
def _alone(service: Running) -> Iterator[None]:
    """Hold the only place for work on everything. Raises `BusyError` while somebody else has it."""
    if not service.heavy.acquire(blocking=False):
        raise BusyError(10)
    try:
        yield
    finally:
        service.heavy.release()


def _attached(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while data := file.read(_CHUNK):
            yield data
