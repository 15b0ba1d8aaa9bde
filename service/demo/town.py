"""The town: the mock city repository, the departments' systems and the service, each a server on its own port."""

from __future__ import annotations

import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI, Response

from certlib.catalogue import load_catalogue
from certlib.errors import ConfigurationError
from certlib.issue.composition import open_office
from certlib.issue.office import Office
from certlib.issue.settings import Settings
from city_repository.app import create_app as create_city
from city_repository.settings import RepositorySettings
from service.app import create_app
from service.commands import open_service
from service.demo.supervision import Supervision
from service.logs import configure
from service.settings import load_service_settings

LOOPBACK = "127.0.0.1"
ROOT = "/demo-root.crt"
_PATIENCE = 20.0  # seconds until a server must listen


@dataclass(frozen=True, slots=True)
class Tls:
    """A certificate, its key and the root above it, as files."""

    certificate: Path
    key: Path
    root: Path

    def trusting(self) -> ssl.SSLContext:
        """For a client: trust this root and no other."""
        return ssl.create_default_context(cafile=str(self.root))


@dataclass(frozen=True, slots=True)
class Town:
    """Where everything is while the demo runs."""

    service: str
    city: str
    office: Office
    supervision: Supervision
    trust: ssl.SSLContext | bool = True  # how a client checks the service's TLS


@contextmanager
def open_town(home: Path, *, host: str = "", port: int = 0, tls: Tls | None = None) -> Iterator[Town]:
    """Start them; they stop when the context ends. `host` is another address than loopback, for phones;
    it then stands in the codes as well.

    Raises `ConfigurationError` when an address cannot be listened on.
    """
    with ExitStack() as stack:
        stack.enter_context(_logged(home / "log.jsonl"))
        city_socket, service_socket = _listen(LOOPBACK, 0), _listen(host or LOOPBACK, port)
        repository = create_city(RepositorySettings(home=home / "city"))
        city = stack.enter_context(serve(repository, city_socket))
        supervision = Supervision(load_catalogue())
        departments = stack.enter_context(serve(supervision.app(), _listen(LOOPBACK, 0)))
        values, hooks = supervision.settings(departments, home / "secrets")
        url = _url(service_socket, host or LOOPBACK, tls)
        values |= {"city_url": city, "host": url.partition("://")[2] if host else ""}
        settings = _settings(home / "office", values, hooks)
        office = stack.enter_context(open_office(settings))
        web = load_service_settings(settings.home, public_url=url, lookups_per_minute=1000)
        app = create_app(open_service(office, web))
        if tls:
            _offer_root(app, tls)
        stack.enter_context(serve(app, service_socket, tls=tls))
        yield Town(url, city, office, supervision, tls.trusting() if tls else True)


def _offer_root(app: FastAPI, tls: Tls) -> None:
    """Let a phone fetch the root that it may install."""
    data = ssl.PEM_cert_to_DER_cert(tls.root.read_text(encoding="ascii"))

    @app.get(ROOT, include_in_schema=False)
    def root() -> Response:
        return Response(data, media_type="application/x-x509-ca-cert")


def _settings(home: Path, values: Mapping[str, Any], hooks: Iterable[Mapping[str, Any]]) -> Settings:
    """The office's settings, kept in its home so that `certctl … --home` finds the same office afterwards."""
    home.mkdir(parents=True)
    lines = _toml({name: value for name, value in values.items() if value})
    lines += [line for hook in hooks for line in ["\n[[webhooks]]\n", *_toml(hook)]]
    (home / "certlib.toml").write_text("".join(lines), encoding="utf-8")
    return Settings.load(home)


def _toml(values: Mapping[str, Any]) -> list[str]:
    """Texts, truths and lists of texts are written alike in JSON and TOML."""
    return [f"{name} = {json.dumps(value)}\n" for name, value in values.items()]


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Service and workers write their log to `path`, not between the lines that a person reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as stream:
        configure(stream=stream)
        handler = logging.StreamHandler(stream)
        logging.getLogger().addHandler(handler)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(handler)
            structlog.reset_defaults()


@contextmanager
def serve(app: Any, listener: socket.socket, *, tls: Tls | None = None) -> Iterator[str]:
    """Serve an ASGI application on `listener` in a thread; gives its address."""
    files = {"ssl_certfile": tls.certificate, "ssl_keyfile": tls.key} if tls else {}
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, **files))  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        _await(server, thread)
        yield _url(listener, listener.getsockname()[0], tls)
    finally:
        server.should_exit = True
        thread.join(_PATIENCE)


def _await(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise ConfigurationError("服务未能启动，请运行 certctl doctor 查看原因。")
        time.sleep(0.02)


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise ConfigurationError(f"无法在 {host}:{port} 上监听：{error.strerror}。") from error


def _url(listener: socket.socket, host: str, tls: Tls | None) -> str:
    return f"{'https' if tls else 'http'}://{host}:{listener.getsockname()[1]}"
