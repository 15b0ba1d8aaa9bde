"""One POST to one resolved address, within one time limit: the transport of webhooks.

Rules:
* The name is resolved once; every address it has must be public, and only those addresses are dialled. A name that is
  pointed elsewhere between look and call, or beside a public address at a private one, leads nowhere.
* Certificate, SNI and Host are those of the name. No proxy of the environment, no redirect, no connection kept.
* `seconds` bound the whole exchange, however slowly an answer trickles; of an answer at most `LARGEST_ANSWER` is read.
  Only the look-up of the name is the system's: it cannot be broken off, ends by the resolver's own limit, and what it
  took is taken from the rest.

Errors of network and TLS become ours here.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from certlib.domain.targets import Address, is_public
from certlib.errors import CounterpartError, DeliveryDelayedError

LARGEST_ANSWER = 4096  # bytes; only its status counts, its text is shown in the reason of a failure

Resolve = Callable[[str, int], Sequence[str]]
"""From name and port to IP addresses. Raises `OSError` when there is none."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, the Retry-After in seconds (0 without one), and the beginning of the body of a failure."""

    status: int
    after: float = 0.0
    text: str = ""

    @property
    def is_success(self) -> bool:
        """Whether the receiver took the message: any 2xx, whatever its body."""
        return 200 <= self.status < 300


def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses of a name as the system knows them."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def post(
    address: Address,
    body: bytes,
    headers: Mapping[str, str],
    *,
    seconds: float,
    trust: ssl.SSLContext,
    private: bool = False,
    resolve: Resolve = look_up,
) -> Reply:
    """Send `body` and return the answer; `private` lets it go to private addresses (development).

    Raises `DeliveryDelayedError` when the receiver is away, late or breaks off, `CounterpartError` when the address
    must not be dialled or its TLS certificate is not good.
    """
    ends = time.monotonic() + seconds
    found = _dialled(address, resolve, private=private)
    with _transport_errors(address), closing(_connected(address, found, trust, ends)) as sock:
        connection = http.client.HTTPConnection(address.host, address.port)
        connection.sock = _Wire(sock, ends)
        connection.request("POST", address.path, body, {"Host": address.place, "Connection": "close", **headers})
        response = connection.getresponse()
        reply = Reply(response.status, _after(response.headers.get("retry-after", "")))
        return reply if reply.is_success else Reply(reply.status, reply.after, _beginning(response))


def _dialled(address: Address, resolve: Resolve, *, private: bool) -> Sequence[str]:
    try:
        found = resolve(address.host, address.port)
    except (OSError, UnicodeError):
        found = ()
    if not found:
        message = f"目标 {address.host} 的域名无法解析，稍后重试。"
        raise DeliveryDelayedError(message, code="counterpart-away", outage=True)
    if not private and not all(is_public(one) for one in found):
        message = f"目标 {address.host} 解析到本机、内网或保留地址，未连接，推送暂停；请核对域名。"
        raise CounterpartError(message, code="target-private")
    return found


def _connected(address: Address, found: Sequence[str], trust: ssl.SSLContext, ends: float) -> socket.socket:
    """A connection to the first of the addresses that answers; TLS in the name of the host."""
    with _away(address):
        raw = _first(found, address.port, ends)
        try:
            raw.settimeout(_left(ends))
            return trust.wrap_socket(raw, server_hostname=address.host) if address.secure else raw
        except BaseException:
            raw.close()
            raise


def _first(found: Sequence[str], port: int, ends: float) -> socket.socket:
    for number, one in enumerate(found, start=1):
        try:
            return socket.create_connection((one, port), timeout=_left(ends) / (len(found) - number + 1))
        except OSError:
            if number == len(found):
                raise
    raise ConnectionError  # there is at least one address


class _Wire:
    """What http.client needs of a socket; everything done on it together must end at `ends` (monotonic)."""

    def __init__(self, sock: socket.socket, ends: float) -> None:
        self._socket, self._ends = sock, ends

    def sendall(self, data: bytes) -> None:
        self._socket.settimeout(_left(self._ends))
        self._socket.sendall(data)

    def makefile(self, *_: Any) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self._socket, self._ends))

    def close(self) -> None:
        """Nothing: it is called before the body is read, and `post` closes the socket."""


class _Incoming(io.RawIOBase):
    def __init__(self, sock: socket.socket, ends: float) -> None:
        super().__init__()
        self._socket, self._ends = sock, ends

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self._socket.settimeout(_left(self._ends))
        return self._socket.recv_into(buffer)


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _after(text: str) -> float:
    return min(float(text), 3600.0) if text.isascii() and text.isdigit() and len(text) < 10 else 0.0


def _beginning(response: http.client.HTTPResponse) -> str:
    """What the receiver says of its refusal, as printable text; whatever cannot be read says nothing."""
    try:
        text = response.read(LARGEST_ANSWER).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return ""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


@contextmanager
def _away(address: Address) -> Iterator[None]:
    """Until the connection stands nothing has been sent: the receiver is away, or is not who it should be."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        message = f"目标 {address.host} 的 TLS 证书不可信（{error.verify_message}），推送暂停；请对方更换证书。"
        raise CounterpartError(message, code="target-certificate") from error
    except OSError as error:
        message = f"无法连接目标 {address.place}，稍后重试。"
        raise DeliveryDelayedError(message, code="counterpart-away", outage=True) from error


@contextmanager
def _transport_errors(address: Address) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        message = f"目标 {address.place} 应答超时，不知是否已收，稍后重试。"
        raise DeliveryDelayedError(message, code="answer-late") from error
    except (OSError, http.client.HTTPException) as error:
        message = f"与目标 {address.place} 的连接中断，不知是否已收，稍后重试。"
        raise DeliveryDelayedError(message, code="connection-lost") from error
