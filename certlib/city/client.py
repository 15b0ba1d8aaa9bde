"""The client of the city repository: token, push, and the questions of reconciliation.

Rules:
* The transport is authenticated and encrypted: https, or a loopback address.
* The address is configuration; a redirect is never followed.
* Nothing is taken for delivered but a JSON answer of the agreed form that names the record.
* Every failure is one of three: `DeliveryDelayedError` (try again), `DeliveryRefusedError` (this record), or
  `CounterpartError` (every record). Network errors become ours here.

    client = CityClient("https://city.example", account="…", secret="…", clock=clock)
    answer = client.push(delivery)
"""

from __future__ import annotations

import ipaddress
import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import httpx2

from certlib.city.mapping import Dialect, Line, load_dialect
from certlib.domain.delivery import Delivery
from certlib.errors import (
    ConfigurationError,
    CounterpartError,
    DeliveryDelayedError,
    DeliveryError,
    DeliveryRefusedError,
)

DEVELOPMENT_SECRET = "development-only-rongjiang-certlib"  # noqa: S105  its name confesses
CLOCK_TOLERANCE = timedelta(minutes=5)
LARGEST_ANSWER = 4 * 1024 * 1024
_TOKEN_MARGIN = 30.0  # seconds before its end at which a token is no longer used
_AWAY = frozenset({429, 502, 503, 504})
_TOO_LARGE, _UNPROCESSABLE = 413, frozenset({400, 422})
_DIGEST_SIZE = 32  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the repository said of one delivery, and the digest of the record as it went."""

    line: Line
    digest: str

    def as_json(self) -> dict[str, Any]:
        """The answer as it is kept beside the delivery."""
        return {"kind": self.line.kind, "code": self.line.code, "message": self.line.message}


@dataclass(slots=True)
class Traffic:
    """Bytes of bodies sent and received, for the measure of reconciliation."""

    sent: int = 0
    received: int = 0
    calls: int = 0


@dataclass(slots=True)
class _Token:
    value: str = ""
    until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


class CityClient:
    """A connection pool to one repository; safe to share between threads. `clock` tells the repository's skew.

    `timeout` bounds a whole call, in seconds. `trust` names the authorities that may certify the repository, by default
    those that the Python installation trusts. Raises `ConfigurationError` for an address that is not https or loopback.
    """

    def __init__(
        self,
        url: str,
        *,
        account: str,
        secret: str,
        clock: Callable[[], datetime],
        dialect: Dialect | None = None,
        timeout: float = 10.0,
        trust: ssl.SSLContext | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._account, self._secret, self._clock, self._timeout = account, secret, clock, timeout
        self.dialect = dialect or load_dialect()
        self.traffic = Traffic()
        self._token = _Token()
        self._http = httpx2.Client(
            base_url=checked_address(url),
            timeout=timeout,
            verify=trust or True,
            transport=transport,
            follow_redirects=False,
            trust_env=False,
            # shorter than a server's own keep-alive, or a call meets a connection that is just being closed
            limits=httpx2.Limits(max_connections=64, max_keepalive_connections=32, keepalive_expiry=3.0),
        )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def push(self, delivery: Delivery) -> Answer:
        """Bring one delivery to the repository and return what it said of it.

        Raises `DeliveryDelayedError`, `DeliveryRefusedError` or `CounterpartError`.
        """
        (answer,) = self.push_all([delivery])
        return answer

    def push_all(self, deliveries: Sequence[Delivery]) -> list[Answer]:
        """Bring deliveries there in one call, all of them corrections or none; what was said of each, in their order.

        Raises as `push` does, for all of them: whose fault it was shows when each goes alone.
        """
        records = [self.dialect.record(delivery) for delivery in deliveries]
        raw = self._call("push", self.dialect.body(records, correction=deliveries[0].repair))
        lines = {line.guid: line for line in self.dialect.lines(raw)}
        return [
            Answer(line=_line_of(lines, self.dialect.guid(one)), digest=self.dialect.digest(one)) for one in records
        ]

    def ranges(self, prefix: str) -> dict[str, tuple[int, bytes]]:
        """The children of a part of the repository's tree that are not empty: prefix to (count, digest)."""
        raw = self._call("ranges", {"prefix": prefix})
        with _schema():
            return dict(_range(prefix, row) for row in raw["children"])

    def leaves(self, buckets: Sequence[str]) -> dict[str, bytes]:
        """The certificates of the buckets and their leaves."""
        raw = self._call("records", {"buckets": list(buckets)})
        with _schema():
            return {row["base"]: bytes.fromhex(row["leaf"]) for row in raw["records"]}

    def events(self, chains: Sequence[str]) -> dict[str, dict[int, str]]:
        """The events the repository holds of each certificate: sequence to digest."""
        raw = self._call("events", {"bases": list(chains)})
        with _schema():
            return {
                base: {int(row["sequence"]): str(row["digest"]) for row in rows} for base, rows in raw["events"].items()
            }

    def daily(self, first: str, last: str) -> dict[str, int]:
        """How many events the repository holds of each day from `first` to `last`."""
        raw = self._call("daily", {"first": first, "last": last})
        counts: dict[str, int] = {}
        with _schema():
            for row in raw["lines"]:
                counts[row["day"]] = counts.get(row["day"], 0) + int(row["count"])
        return counts

    def _call(self, endpoint: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST a JSON body with a token; a token the repository no longer knows is renewed once."""
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        path = self._path(endpoint)
        for fresh in (False, True):
            headers = {"Authorization": f"Bearer {self._bearer(fresh=fresh)}", "Content-Type": "application/json"}
            status, answer = self._send(path, content=content, headers=headers)
            if status != httpx2.codes.UNAUTHORIZED:
                return _parsed(answer)
        raise CounterpartError("证照库不接受刚刚取得的令牌，推送暂停；请检查账户与双方时钟。", code="counterpart-token")

    def _path(self, endpoint: str) -> str:
        """Raises `CounterpartError` for what this counterpart does not offer, such as range digests."""
        path = self.dialect.endpoints.get(endpoint)
        if path is None:
            message = f"对接映射“{self.dialect.name}”没有 {endpoint} 接口，无法进行这一操作。"
            raise CounterpartError(message, code="interface-missing")
        return path

    def _bearer(self, *, fresh: bool) -> str:
        with self._token.lock:
            if fresh or time.monotonic() > self._token.until:
                form = {"grant_type": "client_credentials", "client_id": self._account, "client_secret": self._secret}
                status, answer = self._send(self.dialect.endpoints["token"], data=form)
                if status == httpx2.codes.UNAUTHORIZED:
                    raise CounterpartError(
                        "证照库不接受本系统的账户或口令，推送暂停；请检查设置。", code="counterpart-account"
                    )
                raw = _parsed(answer)
                with _schema():
                    self._token.value = str(raw["access_token"])
                    life = float(raw["expires_in"])
                self._token.until = time.monotonic() + max(life - _TOKEN_MARGIN, life / 2)
            return self._token.value

    def _send(self, path: str, **request: Any) -> tuple[int, bytes]:
        """One exchange: status 200 or 401 and the body; every other answer is an error of ours."""
        ends = time.monotonic() + self._timeout
        with _transport_errors(), self._http.stream("POST", path, **request) as response:
            self.traffic.calls += 1
            self.traffic.sent += len(response.request.content)
            body = self._read(response, ends)
        _check_status(response)
        self._check_clock(response)
        return response.status_code, body

    def _read(self, response: httpx2.Response, ends: float) -> bytes:
        """The body, bounded in size and in time: a counterpart may trickle."""
        parts, size = [], 0
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > LARGEST_ANSWER:
                raise DeliveryDelayedError("证照库的应答过大，未读完即放弃，稍后重试。", code="answer-too-large")
            if time.monotonic() > ends:
                raise DeliveryDelayedError("证照库的应答超时，稍后重试。", code="answer-late")
        self.traffic.received += size
        return b"".join(parts)

    def _check_clock(self, response: httpx2.Response) -> None:
        """Refuse an answer from a clock that is off: its receipts would prove a wrong moment."""
        try:
            theirs = parsedate_to_datetime(response.headers["date"])
        except (KeyError, ValueError, OverflowError):
            return
        # a Date without zone, or with "-0000", is universal time too (RFC 5322, 3.3)
        skew = abs((theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)) - self._clock())
        if skew > CLOCK_TOLERANCE:
            seconds = int(skew.total_seconds())
            message = f"证照库的时钟与本系统相差 {seconds} 秒，未视为送达；请校准双方时钟。"
            raise DeliveryDelayedError(message, code="clock-skew", outage=True)


def checked_address(url: str) -> httpx2.URL:
    """The address of a counterpart, which must be https or loopback. Raises `ConfigurationError`."""
    try:
        address = httpx2.URL(url)
    except (httpx2.InvalidURL, TypeError) as error:
        raise ConfigurationError("证照库地址无法识别，应为 https://…") from error
    if address.scheme == "https" or (address.scheme == "http" and _is_loopback(address.host)):
        return address
    raise ConfigurationError(f"证照库地址 {url} 未加密：应为 https://…，仅本机可用 http。")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_status(response: httpx2.Response) -> None:
    """Raise what an answer's status stands for, unless it is 200 or 401."""
    status = response.status_code
    if status in (httpx2.codes.OK, httpx2.codes.UNAUTHORIZED):
        return
    if response.is_redirect:
        raise CounterpartError(
            "证照库要求转向其他地址，未跟随，推送暂停；请核对地址设置。", code="counterpart-redirect"
        )
    if status in _AWAY:
        raise DeliveryDelayedError(f"证照库暂不可用（{status}），稍后重试。", outage=True, after=_retry_after(response))
    if status >= httpx2.codes.INTERNAL_SERVER_ERROR:
        raise DeliveryDelayedError(f"证照库内部错误（{status}），稍后重试。", code="counterpart-error")
    if status == _TOO_LARGE:
        raise DeliveryRefusedError("证照库拒收：记录与文件超过其大小上限。", code="delivery-too-large")
    if status in _UNPROCESSABLE:
        raise DeliveryRefusedError(f"证照库拒收：请求格式不符（{status}）。", code="delivery-malformed")
    raise CounterpartError(
        f"证照库不提供该接口或不予授权（{status}），推送暂停；请核对地址与账户。", code="counterpart-status"
    )


def _retry_after(response: httpx2.Response) -> float:
    value = response.headers.get("retry-after", "")
    return min(float(value), 3600.0) if value.isdigit() else 0.0


def _range(parent: str, row: Mapping[str, Any]) -> tuple[str, tuple[int, bytes]]:
    """One child of a part of their tree. Raises `ValueError` when it is none: a root is computed from them."""
    name, count, digest = row["prefix"], int(row["count"]), bytes.fromhex(row["digest"])
    if not re.fullmatch(f"{parent}[0-9a-f]{{2}}", name) or count < 1 or len(digest) != _DIGEST_SIZE:
        raise ValueError(name)
    return name, (count, digest)


def _line_of(lines: Mapping[str, Line], guid: str) -> Line:
    if guid not in lines:
        raise DeliveryDelayedError("证照库的应答未提及所推送的记录，未视为送达，稍后重试。", code="answer-schema")
    return lines[guid]


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:  # nested a hundred thousand deep it is none that we can read
        raise DeliveryDelayedError("证照库的应答不是 JSON，未视为送达，稍后重试。", code="answer-not-json") from error
    if not isinstance(value, dict):
        raise DeliveryDelayedError("证照库的应答不合约定格式，未视为送达，稍后重试。", code="answer-schema")
    return value


@contextmanager
def _schema() -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise DeliveryDelayedError("证照库的应答不合约定格式，稍后重试。", code="answer-schema") from error


@contextmanager
def _transport_errors() -> Iterator[None]:
    try:
        yield
    except DeliveryError:
        raise
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
        if (refused := _certificate_error(error)) is not None:
            message = f"证照库的 TLS 证书不可信（{refused.verify_message}），未发送内容，推送暂停；请核对 city_trust。"
            raise CounterpartError(message, code="counterpart-certificate") from error
        raise DeliveryDelayedError("无法连接证照库，稍后重试。", code="counterpart-away", outage=True) from error
    except httpx2.TimeoutException as error:
        raise DeliveryDelayedError("证照库应答超时，不知是否已收，稍后重试。", code="answer-late") from error
    except (httpx2.HTTPError, httpx2.StreamError) as error:
        raise DeliveryDelayedError("与证照库的连接中断，不知是否已收，稍后重试。", code="connection-lost") from error


def _certificate_error(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """What of a failed connection was the certificate's fault, however deep a library has wrapped it."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error
