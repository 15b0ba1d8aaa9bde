"""The witness program: the add-checkpoint interface of C2SP tlog-witness over plain HTTP, standard library only.

It needs neither the register nor the service, so that an archive or an audit office can run it on a machine of its
own, behind its own TLS.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from certlib.errors import ConfigurationError
from certlib.journal.witness import Witness, http_answer

_LENGTH_DIGITS = 9
_MAX_BODY = 1 << 17  # bytes; a request has at most 63 hashes and one note


def witness_server(witness: Witness, address: tuple[str, int], clock: Callable[[], datetime]) -> ThreadingHTTPServer:
    """A server bound to `address` (host, port) that cosigns at `/add-checkpoint`; call `serve_forever` on it.

    Raises `ConfigurationError` when the address cannot be had.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = 10.0  # seconds without a byte

        def do_POST(self) -> None:  # the name http.server calls
            status, kind, text = self._answer()
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _answer(self) -> tuple[int, str, str]:
            length = self.headers.get("Content-Length", "")
            if not self.path.endswith("/add-checkpoint"):
                return 404, "text/plain; charset=utf-8", "没有此地址。\n"
            if not length.isdecimal() or len(length) > _LENGTH_DIGITS or int(length) > _MAX_BODY:
                return 413, "text/plain; charset=utf-8", "请求过长或未注明长度。\n"
            return http_answer(witness, self.rfile.read(int(length)), clock(), self._tell)

        def _tell(self, why: str) -> None:
            self.log_error("拒签 · not signed: %s", why)

    try:
        return ThreadingHTTPServer(address, Handler)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"见证不能在 {address[0]}:{address[1]} 监听：{reason}。") from error
