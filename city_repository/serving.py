"""Running the repository: in this process until told to stop, or in a thread beside other work.

with served(create_app(settings)) as address:
    ...
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from certlib.errors import ConfigurationError

_START_SECONDS = 30.0


@contextmanager
def served(app: FastAPI, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve `app` from a thread and give its address; port 0 takes a free one.

    Raises `ConfigurationError` when the port is taken.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(f"端口 {port} 已被占用，电子证照库未启动。") from error
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False, timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, args=([listener],), name="city", daemon=True)
    thread.start()
    _await_start(server, thread)
    try:
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    ends = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > ends:
            raise ConfigurationError("电子证照库未能启动。")
        time.sleep(0.01)
