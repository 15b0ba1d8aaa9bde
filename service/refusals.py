"""What the service itself refuses, before the office is asked: the HTTP side of the error tree.

Each is a `CertlibError` with its own stable code, so that `problems` maps one tree by one table.
"""

from __future__ import annotations

from collections.abc import Iterable

from certlib.errors import CertlibError, Fault, RequestError


class MalformedBodyError(RequestError):
    """The body is not the JSON object it should be."""

    code = "malformed-body"

    def __init__(self, faults: Iterable[Fault]) -> None:
        super().__init__(faults, "请求正文不是可用的 JSON 对象，未编号、未用印、未保存任何内容。")


class BodyTooLargeError(CertlibError):
    """The body is larger than this address takes."""

    code = "body-too-large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"请求正文超过 {limit:,} 字节，已拒收，未保存任何内容。", extra={"limit": limit})


class UnsupportedMediaError(CertlibError):
    """The body's media type is not one this address takes."""

    code = "unsupported-media-type"


class MissingKeyError(CertlibError):
    """The request has no usable Idempotency-Key."""

    code = "idempotency-key-missing"


class PreconditionRequiredError(CertlibError):
    """The request changes a certificate without saying which version it means."""

    code = "precondition-required"


class PurposeMissingError(CertlibError):
    """The request would show personal data and says for what to nobody."""

    code = "purpose-missing"


class UnauthenticatedError(CertlibError):
    """There is no valid access token. `challenge` is the RFC 6750 error word, empty when no token was sent."""

    code = "unauthenticated"

    def __init__(self, message: str, *, challenge: str = "") -> None:
        super().__init__(message)
        self.challenge = challenge


class InsufficientScopeError(CertlibError):
    """The token does not cover the operation."""

    code = "insufficient-scope"

    def __init__(self, scope: str) -> None:
        super().__init__(f"访问令牌不含本操作所需的权限 {scope}。", extra={"scope": scope})


class TooManyRequestsError(CertlibError):
    """The caller asked too often; `retry_after` is in seconds."""

    code = "too-many-requests"

    def __init__(self, retry_after: int) -> None:
        super().__init__("查询过于频繁，请稍后再试。", extra={"retry_after": retry_after})


class NoTriesLeftError(CertlibError):
    """The holder of this certificate was matched often enough today; `retry_after` is in seconds."""

    code = "no-tries-left"

    def __init__(self, retry_after: int) -> None:
        super().__init__("这份证照今日的核对次数已用完，请明日再试。", extra={"retry_after": retry_after})


class BusyError(CertlibError):
    """Every place is taken and the queue is full; `retry_after` is in seconds."""

    code = "busy"

    def __init__(self, retry_after: int = 2) -> None:
        super().__init__("系统繁忙，请求未受理，请稍后重试。", extra={"retry_after": retry_after})


class OAuthError(CertlibError):
    """The token endpoint refuses; `code` is the error word of RFC 6749, section 5.2."""

    code = "invalid_request"
