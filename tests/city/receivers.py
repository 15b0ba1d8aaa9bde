"""A receiver of webhooks on a port of its own: keeps what came, and answers as a test tells it."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Came:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Answer = Callable[["Answering", Came], Any]


@dataclass
class Receiver:
    """What came, and what is answered: a status, or a function that writes the answer itself."""

    url: str = ""
    answer: int | Answer = 204
    came: list[Came] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2].partition("/")[0])

    def ids(self) -> list[str]:
        return [one.id for one in self.came]


class Answering(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        came = Came(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        with self.receiver.lock:
            self.receiver.came.append(came)
            answer = self.receiver.answer
        if callable(answer):
            answer = answer(self, came)
        if isinstance(answer, int):
            self.reply(answer)

    def reply(self, status: int, text: str = "", **headers: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: Any) -> None:
        """A sender that has gone away is part of the tests."""


@contextmanager
def receiving(answer: int | Answer = 204, *, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver while the context lasts."""
    receiver = Receiver(answer=answer)
    server = _Server(("127.0.0.1", 0), type("Handler", (Answering,), {"receiver": receiver}))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
