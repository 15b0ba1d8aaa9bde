"""`certctl serve`, `worker` and `token`: where settings are read and the service is put together."""

from __future__ import annotations

import gc
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from certlib.errors import ConfigurationError

if TYPE_CHECKING:
    import uvicorn

    from certlib.issue.office import Office
    from service.running import Running
    from service.settings import ServiceSettings

DEVELOPMENT_CLIENT = "client-approval-system"

HomeOption = Annotated[Path, typer.Option(help="签发机构的数据目录 · the office's folder")]


def serve(
    home: HomeOption = Path("certlib-home"),
    listen: Annotated[str | None, typer.Option(help="监听地址 · address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="端口 · port")] = None,
    public_url: Annotated[str | None, typer.Option(help="对外网址 · the public address")] = None,
) -> None:
    """启动签发服务与公众查验页 · Serve issuance and the citizen's page."""
    from certlib.issue.composition import open_office  # noqa: PLC0415
    from certlib.issue.settings import Settings  # noqa: PLC0415
    from service.logs import configure  # noqa: PLC0415
    from service.settings import load_service_settings  # noqa: PLC0415

    configure()
    settings = load_service_settings(home, listen=listen, port=port, public_url=public_url)
    with open_office(Settings.load(home)) as office:
        service = open_service(office, settings)
        typer.echo(f"签发服务 {service.base}/docs · 公众查验 {service.base}/v", err=True)
        _settle()
        _server(service).run()


def _settle() -> None:
    """What a process that answers many small requests at once sets for itself."""
    # the event loop need not wait 5 ms for a thread that computes
    sys.setswitchinterval(0.001)
    # catalogue, fonts and routes stay for good: going through them stops everything for 170 ms each time
    gc.collect()
    gc.freeze()


def worker(
    home: HomeOption = Path("certlib-home"),
    tick_seconds: Annotated[float, typer.Option(help="两轮之间的秒数 · seconds between rounds")] = 0.5,
) -> None:
    """后台办理：到期生效、批量、归集推送 · Deliveries, batches and sweeps, without the web."""
    import structlog  # noqa: PLC0415

    from certlib.issue.composition import open_office  # noqa: PLC0415
    from certlib.issue.settings import Settings  # noqa: PLC0415
    from service.app import tell_suites  # noqa: PLC0415
    from service.background import Worker  # noqa: PLC0415
    from service.logs import configure  # noqa: PLC0415
    from service.running import utc_now  # noqa: PLC0415

    configure()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with open_office(Settings.load(home)) as office:
        tending = Worker(office, tick_seconds=tick_seconds, clock=utc_now, log=structlog.get_logger())
        tell_suites()
        tending.start()
        ended.wait()
        tending.stop()


def token(
    url: Annotated[str, typer.Option(help="服务网址 · the service's address")] = "http://127.0.0.1:8000",
    client: Annotated[str, typer.Option(help="客户端 · client id")] = DEVELOPMENT_CLIENT,
    key: Annotated[str, typer.Option(help="file:私钥路径（JWK 或 PEM）；空：开发密钥 · private key")] = "",
    scope: Annotated[list[str] | None, typer.Option(help="权限，可多次 · scope, repeatable")] = None,
) -> None:
    """取得审批系统的访问令牌 · Print an access token for an approval system."""
    from service.clients import read_key  # noqa: PLC0415
    from service.tokens import fetch_token  # noqa: PLC0415

    typer.echo(fetch_token(url, client, read_key(key or development_key_file(client)), scopes=scope or ()).value)


def development_key_file(label: str, *, public: bool = False) -> str:
    """The reference of a development key that has no certificate."""
    from certlib.crypto.development import development_folder  # noqa: PLC0415

    return f"file:{development_folder() / 'keys' / label}{'.pub' if public else ''}.pem"


def open_service(office: Office, settings: ServiceSettings) -> Running:
    """The service before `office`; without settings of its own, in development, with the development client.

    Raises `ConfigurationError` when there is nobody who may call, or a key cannot be used.
    """
    from certlib.crypto.development import refuse_development_keys  # noqa: PLC0415
    from service.clients import read_clients, read_key  # noqa: PLC0415
    from service.running import assemble  # noqa: PLC0415
    from service.settings import ClientSettings  # noqa: PLC0415

    development = office.settings.in_development
    clients = settings.clients
    if not clients and development:
        entry = {"id": DEVELOPMENT_CLIENT, "name": "一窗受理系统（开发）", "authority": "*", "scopes": _every_scope()}
        entry["purpose"] = "办理行政审批事项"
        clients = (ClientSettings(**entry, key=development_key_file(DEVELOPMENT_CLIENT, public=True)),)  # type: ignore[arg-type]
    if not settings.token_key and not development:
        raise ConfigurationError("服务没有令牌签名密钥：请在 service.toml 中写明 token_key。")
    token_key = read_key(settings.token_key or development_key_file("token"))
    known = read_clients(clients)
    keys = (key.as_der(private=False) for key in (token_key, *(client.key for client in known.values())))
    refuse_development_keys(office.settings.environment, keys)
    return assemble(office, settings, clients=known, token_key=token_key)


def _every_scope() -> tuple[str, ...]:
    from service.clients import SCOPES  # noqa: PLC0415

    return tuple(SCOPES)


def _server(service: Running) -> uvicorn.Server:
    """A server that, told to stop, first says it is not ready, then takes no more, then finishes what it has."""
    import uvicorn  # noqa: PLC0415

    from service.app import create_app  # noqa: PLC0415

    settings = service.settings

    class Draining(uvicorn.Server):
        def handle_exit(self, sig: int, frame: Any) -> None:
            if service.draining.is_set() or not settings.drain_seconds:
                service.draining.set()
                super().handle_exit(sig, frame)
                return
            service.draining.set()
            threading.Thread(target=self._leave, args=(sig, frame), daemon=True).start()

        def _leave(self, sig: int, frame: Any) -> None:
            time.sleep(settings.drain_seconds)
            super().handle_exit(sig, frame)

    return Draining(
        uvicorn.Config(
            create_app(service),
            host=settings.listen,
            port=settings.port,
            ssl_certfile=settings.certificate,
            ssl_keyfile=settings.certificate_key,
            proxy_headers=True,
            forwarded_allow_ips=list(settings.proxies),
            server_header=False,
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=30,
        )
    )
