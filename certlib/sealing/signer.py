"""The signer process: the one process that holds a token, asked over a Unix socket to seal what the register planned.

A request names an intent and nothing else. The signer's own `Sealer` reads intent, seal, authorisation and bytes from
the register again, reserves the use, signs and checks; whoever asks cannot have other bytes signed, and a request that
does not fit what the register says is refused and stands in the ledger as a denial.

Who asks is told by the kernel (`SO_PEERCRED`): the socket is its owner's alone, and only the users named may speak.
Messages are CBOR behind their length in four bytes; one request to a connection.

| request | answer |
|---|---|
| `{"seal": intent}` | `{"order": …, "sealed": …}` or `{"error": class, "code": …, "message": …}` |
"""

from __future__ import annotations

import os
import socket
import socketserver
import struct
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import cbor2

from certlib.domain.page import Box
from certlib.domain.seal import SealKind, SealSpec
from certlib.errors import (
    CertlibError,
    ConfigurationError,
    ConflictError,
    KeyUnavailableError,
    NotFoundError,
    SealDeniedError,
    SealFailedError,
    StorageError,
    TimestampUnavailableError,
)
from certlib.sealing.order import Part, Sealed, SealOrder

LARGEST_REQUEST = 4096  # bytes
LARGEST_ANSWER = 256 * 1024 * 1024
PATIENCE = 5.0  # seconds for a request to arrive; nobody may hold a thread by saying nothing
LONGEST = 120.0  # seconds for an answer: a use, with every timestamp authority tried in turn

_LENGTH = struct.Struct(">I")
_ERRORS: Mapping[str, type[CertlibError]] = {
    one.__name__: one
    for one in (
        ConflictError,
        KeyUnavailableError,
        NotFoundError,
        SealDeniedError,
        SealFailedError,
        StorageError,
        TimestampUnavailableError,
    )
}


class Seals(Protocol):
    """What the process does for those who ask: see `certlib.sealing.sealer.Sealer`."""

    def seal(self, intent: str, *, now: datetime) -> tuple[SealOrder, Sealed]:
        """Reserve the use that the intent asks for and carry it out."""


@dataclass(frozen=True, slots=True)
class RemoteSealer:
    """Seals through the signer process at the socket `path`. Safe for concurrent use.

    `user` is the uid as which the signer must run, None for this process's own.
    """

    path: Path
    user: int | None = None

    def seal(self, intent: str, *, now: datetime) -> tuple[SealOrder, Sealed]:  # noqa: ARG002 (see `Seals`)
        """Have the use of `intent` carried out; the signer reads its own clock, `now` is not sent.

        Raises what the signer's sealer raised, `KeyUnavailableError` when there is no signer or it fell silent: a use
        that it had reserved is then released by whoever takes the intent over.
        """
        try:
            answer = self._ask({"seal": intent})
            if "error" in answer:
                raise _ERRORS.get(answer["error"], SealFailedError)(answer["message"], code=answer["code"])
            return _read_order(answer["order"]), _read_sealed(answer["sealed"])
        except (OSError, EOFError, ValueError, KeyError, TypeError, cbor2.CBORDecodeError) as error:
            message = f"签名进程（{self.path}）没有应答，本次未签发；请检查 certctl signer 是否在运行。"
            raise KeyUnavailableError(message) from error

    def _ask(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(LONGEST)
            line.connect(str(self.path))
            if _peer(line) != (os.getuid() if self.user is None else self.user):
                raise KeyUnavailableError(f"签名进程（{self.path}）不是以约定的用户运行的，未把办理交给它。")
            _send(line, request)
            answer = _receive(line, LARGEST_ANSWER)
        if not isinstance(answer, dict):
            raise TypeError("应答不是一个表")
        return answer


class SignerServer(socketserver.ThreadingUnixStreamServer):
    """Answers on the socket `path` until `shutdown()`; `users` are the uids that may ask, besides its own."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, path: Path, sealer: Seals, clock: Callable[[], datetime], *, users: Collection[int] = ()
    ) -> None:
        """Raises `ConfigurationError` when another signer answers there, or the socket cannot be made."""
        self.sealer, self.clock, self.users = sealer, clock, frozenset({os.getuid(), *users})
        self.path = path
        _clear(path)
        before = os.umask(0o177 if not users else 0o111)
        try:
            super().__init__(str(path), _Request)
        except OSError as error:
            raise ConfigurationError(f"签名进程的套接字 {path} 无法建立（{error.strerror}）。") from error
        finally:
            os.umask(before)

    def server_close(self) -> None:
        """Close the socket and take its file away."""
        super().server_close()
        self.path.unlink(missing_ok=True)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hung up or sent nonsense has its answer; nothing of it is the signer's fault."""

    def answer(self, request: object) -> dict[str, Any]:
        """What is answered to a request from somebody who may ask."""
        intent = request.get("seal") if isinstance(request, dict) and set(request) == {"seal"} else None
        if not isinstance(intent, str) or not intent:
            return _refusal(SealFailedError("签名进程只按登记的办理用印，请求中没有办理编号；未用印。"))
        try:
            order, sealed = self.sealer.seal(intent, now=self.clock())
        except CertlibError as error:
            return _refusal(error)
        return {"order": _plain(asdict(order)), "sealed": _plain(asdict(sealed))}


class _Request(socketserver.BaseRequestHandler):
    server: SignerServer

    def handle(self) -> None:
        line: socket.socket = self.request
        line.settimeout(PATIENCE)
        try:
            request = _receive(line, LARGEST_REQUEST)
        except (ValueError, cbor2.CBORDecodeError):
            request = None
        if _peer(line) in self.server.users:
            answer = self.server.answer(request)
        else:
            answer = _refusal(SealFailedError("本用户无权要求签名进程用印，未用印；请检查 certctl signer 的 --user。"))
        line.settimeout(LONGEST)
        with suppress(BrokenPipeError):  # whoever asked is gone; the use stands reserved until somebody takes it over
            _send(line, answer)


def _peer(line: socket.socket) -> int:
    """The uid at the other end, as the kernel knows it."""
    packed = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", packed)[1])


def _clear(path: Path) -> None:
    """Take away the socket of a signer that died. Raises `ConfigurationError` when one answers."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        try:
            line.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise ConfigurationError(f"已有签名进程在 {path} 应答；一个密码设备只用一个签名进程。")


def _send(line: socket.socket, message: Mapping[str, Any]) -> None:
    data = cbor2.dumps(message)
    line.sendall(_LENGTH.pack(len(data)) + data)


def _receive(line: socket.socket, most: int) -> Any:
    """One message. Raises `EOFError` when the other end hung up, `ValueError` for one that is too long."""
    (length,) = _LENGTH.unpack(_exactly(line, _LENGTH.size))
    if length > most:
        raise ValueError(f"消息长 {length} 字节，超过 {most}")
    return cbor2.loads(_exactly(line, length))


def _exactly(line: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        part = line.recv(min(length - len(data), 1 << 16))
        if not part:
            raise EOFError("对方挂断")
        data += part
    return bytes(data)


def _refusal(error: CertlibError) -> dict[str, Any]:
    known = next(one.__name__ for one in type(error).__mro__ if one.__name__ in _ERRORS or one is CertlibError)
    return {"error": known, "code": error.code, "message": error.message}


def _plain(value: Any) -> Any:
    """The value with words for enumerations, as CBOR has none."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, str) else value


def _read_order(values: Mapping[str, Any]) -> SealOrder:
    spec = values["spec"]
    seal = SealSpec(**{**spec, "kind": SealKind(spec["kind"]), "lines": tuple(spec["lines"])}) if spec else None
    return SealOrder(**{**values, "placement": Box(**values["placement"]), "spec": seal})


def _read_sealed(values: Mapping[str, Any]) -> Sealed:
    return Sealed(**{**values, "parts": tuple(Part(**one) for one in values["parts"])})
