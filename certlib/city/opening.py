"""The city repository of an office's settings: the client that speaks to it, and the comparison of a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from certlib.city.client import DEVELOPMENT_SECRET, CityClient
from certlib.city.reconcile import Held, Ledger, Reconciliation, reconcile
from certlib.city.statement import sign_statement
from certlib.crypto.keys import Secrets, SigningKey
from certlib.domain.delivery import CITY
from certlib.errors import ConfigurationError


def open_city(
    url: str, *, account: str, secret: str, in_development: bool, clock: Callable[[], datetime]
) -> CityClient:
    """The client of the repository at `url`; `secret` is a reference (`env:NAME`, `file:PATH`).

    Raises `ConfigurationError` when there is no address, or outside development no secret.
    """
    if not url:
        raise ConfigurationError("没有设置市电子证照库的地址：请在设置中写明 city_url。")
    if not secret and not in_development:
        raise ConfigurationError("归集账户没有口令：请在设置中写明 city_secret（env:变量名 或 file:文件路径）。")
    found = Secrets().resolve(secret) if secret else DEVELOPMENT_SECRET
    return CityClient(url, account=account, secret=found, clock=clock)


def compare(
    ledger: Ledger, held: Held, key: SigningKey, *, now: datetime, repair: bool
) -> tuple[Reconciliation, bytes]:
    """What a comparison of both sides found, and its statement signed by `key`; with `repair` what is ours goes again.

    Raises `DeliveryError` when the repository cannot be asked, `KeyUnavailableError` when nothing can be signed.
    """
    found = reconcile(ledger, held, now=now, repair=repair)
    return found, sign_statement(found.statement(CITY), key)
