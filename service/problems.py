"""One table from errors to problem documents (RFC 9457).

An error's `code` finds its row; a code without a row takes that of the nearest class above it. An error outside
the tree is a bare 500: its text may hold anything, so none of it leaves the process.

    response = problem(NotFoundError("没有这件证照。"), base="https://zwfw.ganzhou.example")
    response.status_code        # 404
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from certlib.errors import CertlibError, Fault, RequestError
from service.refusals import UnauthenticatedError

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: HTTP status, title in Chinese and English; whether the error's own sentence is shown."""

    status: int
    title: str
    english: str
    detailed: bool = True


PROBLEMS: Mapping[str, Kind] = MappingProxyType(
    {
        # the request
        "invalid-request": Kind(422, "申请内容有误", "The request has faults"),
        "malformed-body": Kind(400, "请求正文无法读取", "The body cannot be read"),
        "body-too-large": Kind(413, "请求正文过大", "The body is too large"),
        "unsupported-media-type": Kind(415, "不支持的内容类型", "Unsupported media type"),
        "idempotency-key-missing": Kind(400, "缺少 Idempotency-Key", "Idempotency-Key is missing"),
        "idempotency-key-reused": Kind(422, "同一 Idempotency-Key 对应不同的内容", "Idempotency-Key was used before"),
        "in-progress": Kind(409, "同一请求正在办理", "The same request is under way"),
        "precondition-required": Kind(428, "缺少 If-Match", "If-Match is missing"),
        "method-not-allowed": Kind(405, "不支持的方法", "Method not allowed"),
        "purpose-missing": Kind(400, "缺少查询目的", "The purpose is missing"),
        "not-found": Kind(404, "未找到", "Not found"),
        # the caller
        "unauthenticated": Kind(401, "未通过身份验证", "Not authenticated"),
        "insufficient-scope": Kind(403, "权限不足", "Insufficient scope"),
        "too-many-requests": Kind(429, "查询过于频繁", "Too many requests"),
        "no-tries-left": Kind(429, "今日核对次数已用完", "No tries are left today"),
        # the state met
        "conflict": Kind(409, "与现有状态冲突", "Conflict with the present state"),
        "case-already-issued": Kind(409, "该办件已有结果", "This case already has its outcome"),
        "intent-open": Kind(409, "该证照正在办理另一事项", "Another action is under way"),
        "certificate-moved-on": Kind(409, "办理期间证照状态已变", "The certificate has moved on meanwhile"),
        "day-over": Kind(409, "未在当日办结，编号作废", "Not finished on its day; the number is void"),
        "stock-overlap": Kind(409, "空白证照号段重叠", "Serials are in stock already"),
        "already-served": Kind(409, "已登记送达", "Served already"),
        "no-blanks": Kind(409, "空白证照库存不足", "Too few blank sheets"),
        "print-overtaken": Kind(409, "已被另一打印任务占用", "Another print job was first"),
        "stale-version": Kind(412, "版本已更新", "The version is stale"),
        "transition-refused": Kind(409, "当前状态不允许该操作", "The state forbids the action"),
        "seal-use-denied": Kind(403, "用印未获授权", "Use of the seal is not authorised"),
        "render-failed": Kind(422, "证面无法排版", "The face cannot be set"),
        "lint-failed": Kind(422, "证面检查未通过", "The face failed its check"),
        "signature-invalid": Kind(422, "核验未通过", "Verification failed"),
        # ourselves
        "seal-failed": Kind(503, "用印失败", "Sealing failed"),
        "key-unavailable": Kind(503, "印章密钥不可用", "The seal's key is unavailable"),
        "timestamp-unavailable": Kind(503, "时间戳服务不可用", "No timestamp authority answered"),
        "storage-failed": Kind(503, "存储失败", "Storage failed"),
        "storage-busy": Kind(503, "数据库正忙", "The database is busy"),
        "clock-behind": Kind(503, "时钟落后，停止办理", "The clock is behind; work has stopped"),
        "storage-full": Kind(507, "存储空间已满", "Storage is full"),
        "delivery-failed": Kind(502, "归集推送失败", "Delivery failed"),
        "busy": Kind(503, "系统繁忙", "The service is busy"),
        "configuration": Kind(500, "系统配置有误", "The configuration is wrong", detailed=False),
        "error": Kind(500, "内部错误", "Internal error", detailed=False),
    }
)

RETRY_AFTER: Mapping[int, str] = MappingProxyType({503: "5", 507: "60", 429: "60"})
"""Seconds a client should wait when the error does not say."""

_HTTP_CODES = MappingProxyType({404: "not-found", 405: "method-not-allowed", 413: "body-too-large"})

_LABELS = MappingProxyType(
    {"limit": "每页条数", "after": "起始位置", "at": "时间", "number": "编号", "edition": "版本", "shard": "状态分片"}
)

_TYPES_IN_CHINESE = MappingProxyType(
    {
        "missing": "必须填写",
        "int_parsing": "应为整数",
        "greater_than_equal": "数值过小",
        "less_than_equal": "数值过大",
        "datetime_from_date_parsing": "应为 ISO 8601 时间",
        "datetime_parsing": "应为 ISO 8601 时间",
        "timezone_aware": "时间应带时区",
        "string_pattern_mismatch": "格式不符",
        "string_too_long": "过长",
    }
)


def kind_of(error: CertlibError) -> Kind:
    """The row of an error: by its code, else by the code of the nearest class above it."""
    codes = [error.code, *(vars(cls).get("code") for cls in type(error).__mro__)]
    return next(PROBLEMS[code] for code in codes if isinstance(code, str) and code in PROBLEMS)


def problem(error: CertlibError, *, base: str) -> Response:
    """The response that tells `error`. `base` is the public address under which `/problems` explains the kinds."""
    kind = kind_of(error)
    body: dict[str, object] = {
        "type": f"{base}/problems#{error.code}",
        "title": kind.title,
        "title_en": kind.english,
        "status": kind.status,
        "code": error.code,
    }
    if kind.detailed:
        body["detail"] = error.message
        body.update(_members(error))
    return _response(body, kind.status, _headers(error, kind))


def bare_500() -> Response:
    """What is said of an error that nobody foresaw: nothing."""
    return _response({"type": "about:blank", "title": "Internal Server Error", "status": 500}, 500, {})


def install(app: FastAPI, *, base: str) -> None:
    """Let `app` answer every error with a problem document."""

    def on_ours(_request: Request, error: Exception) -> Response:
        return problem(error, base=base) if isinstance(error, CertlibError) else bare_500()

    def on_parameters(_request: Request, error: Exception) -> Response:
        faults = _parameter_faults(error) if isinstance(error, RequestValidationError) else ()
        return problem(RequestError(faults), base=base)

    def on_http(_request: Request, error: Exception) -> Response:
        return _of_http(error, base) if isinstance(error, HTTPException) else bare_500()

    def on_unknown(_request: Request, _error: Exception) -> Response:
        return bare_500()

    app.add_exception_handler(CertlibError, on_ours)
    app.add_exception_handler(RequestValidationError, on_parameters)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_unknown)


def _of_http(error: HTTPException, base: str) -> Response:
    code = _HTTP_CODES.get(error.status_code)
    if code is None:
        title = error.detail if error.status_code < 500 else "Internal Server Error"
        body = {"type": "about:blank", "title": title, "status": error.status_code}
        return _response(body, error.status_code, error.headers or {})
    kind = PROBLEMS[code]
    body = {"type": f"{base}/problems#{code}", "title": kind.title, "title_en": kind.english, "status": kind.status}
    return _response({**body, "code": code}, kind.status, error.headers or {})


def _members(error: CertlibError) -> dict[str, object]:
    members: dict[str, object] = {key: value for key, value in error.extra.items() if key not in {"status", "type"}}
    if isinstance(error, RequestError):
        members["faults"] = [fault.as_json() for fault in error.faults]
    return members


def _headers(error: CertlibError, kind: Kind) -> dict[str, str]:
    headers: dict[str, str] = {}
    if kind.status in RETRY_AFTER:
        headers["retry-after"] = str(error.extra.get("retry_after", RETRY_AFTER[kind.status]))
    if isinstance(error, UnauthenticatedError):
        # RFC 6750, section 3: no error word when the request carried no token at all
        word = f', error="{error.challenge}"' if error.challenge else ""
        headers["www-authenticate"] = f'Bearer realm="certlib"{word}'
    if error.code == "insufficient-scope":
        headers["www-authenticate"] = (
            f'Bearer realm="certlib", error="insufficient_scope", scope="{error.extra["scope"]}"'
        )
    return headers


def _parameter_faults(error: RequestValidationError) -> list[Fault]:
    return [
        Fault(
            path=".".join(str(part) for part in fault["loc"]),
            code=str(fault["type"]).replace("_", "-"),
            message=_TYPES_IN_CHINESE.get(fault["type"], "格式不符"),
            label=_LABELS.get(str(fault["loc"][-1]), ""),
            english=str(fault["msg"]),
        )
        for fault in error.errors()
    ]


def _response(body: Mapping[str, object], status: int, headers: Mapping[str, str]) -> Response:
    text = json.dumps(body, ensure_ascii=False, default=str)
    return Response(text.encode("utf-8", "replace"), status_code=status, media_type=MEDIA_TYPE, headers=dict(headers))
