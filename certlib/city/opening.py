"""The city repository of an office's settings: the client that speaks to it, and the comparison of a day.

A real city's dialect is a mapping file (`city_dialect`); where its transport is another one too, also a client
(`city_client`): the name of an entry point of the group `certlib.city_clients` that an installed package declares. It
is called as `CityClient` is and has its methods. Nothing else changes.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, cast

from certlib.city.client import DEVELOPMENT_SECRET, CityClient
from certlib.city.mapping import load_dialect
from certlib.city.reconcile import Held, Ledger, Reconciliation, reconcile
from certlib.city.statement import sign_statement
from certlib.crypto.keys import Secrets, SigningKey
from certlib.domain.delivery import CITY
from certlib.errors import ConfigurationError

CLIENTS = "certlib.city_clients"
"""The group of entry points that name clients."""


class CitySettings(Protocol):
    """What an office's settings say of the repository."""

    @property
    def home(self) -> Path:
        """The folder from which relative paths are taken."""

    @property
    def in_development(self) -> bool:
        """Whether the development secret may be used."""

    @property
    def city_url(self) -> str:
        """Its address."""

    @property
    def city_account(self) -> str:
        """Our account there."""

    @property
    def city_secret(self) -> str:
        """The account's secret by reference (`env:NAME`, `file:PATH`)."""

    @property
    def city_dialect(self) -> str:
        """The mapping file; empty: the national names."""

    @property
    def city_client(self) -> str:
        """The entry point of another client; empty: ours."""

    @property
    def city_trust(self) -> str:
        """The file of the authorities (PEM) that certify it; empty: those of the Python installation."""


def open_city(settings: CitySettings, *, clock: Callable[[], datetime]) -> CityClient:
    """The client of the repository in the settings.

    Raises `ConfigurationError` when there is no address, outside development no secret, or when a file or the client
    that the settings name cannot be used.
    """
    if not settings.city_url:
        raise ConfigurationError("没有设置市电子证照库的地址：请在设置中写明 city_url。")
    if not settings.city_secret and not settings.in_development:
        raise ConfigurationError("归集账户没有口令：请在设置中写明 city_secret（env:变量名 或 file:文件路径）。")
    secret = Secrets().resolve(settings.city_secret) if settings.city_secret else DEVELOPMENT_SECRET
    return _client(settings.city_client)(
        settings.city_url,
        account=settings.city_account,
        secret=secret,
        clock=clock,
        dialect=load_dialect(settings.home / settings.city_dialect if settings.city_dialect else None),
        trust=_trust(settings.home / settings.city_trust) if settings.city_trust else None,
    )


def _client(name: str) -> type[CityClient]:
    if not name:
        return CityClient
    try:
        return cast("type[CityClient]", entry_points(group=CLIENTS)[name].load())
    except (KeyError, ImportError, AttributeError) as error:
        message = f"设置 city_client 所指的“{name}”无法装载：没有已安装的软件包在 {CLIENTS} 中提供它，或该包有误。"
        raise ConfigurationError(message) from error


def _trust(path: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:  # a file that holds no certificate is an SSLError, which is one
        raise ConfigurationError(f"设置 city_trust 所指的文件 {path.name} 无法作为 PEM 证书读取。") from error


def compare(
    ledger: Ledger, held: Held, key: SigningKey, *, now: datetime, repair: bool
) -> tuple[Reconciliation, bytes]:
    """What a comparison of both sides found, and its statement signed by `key`; with `repair` what is ours goes again.

    Raises `DeliveryError` when the repository cannot be asked, `KeyUnavailableError` when nothing can be signed.
    """
    found = reconcile(ledger, held, now=now, repair=repair)
    return found, sign_statement(found.statement(CITY), key)
