"""Who may push and who may ask: accounts from data, and their short-lived tokens (OAuth2 client credentials).

Sharing calls carry `accessId` and `accessToken` in the body (GB/T 36906 practice), pushes a Bearer token; both are the
same token.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

from certlib.errors import ConfigurationError

TOKEN_LIFE = timedelta(minutes=30)
_MOST_TOKENS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A system known to the repository. `query` are the type codes it may ask for, `*` for all."""

    id: str
    name: str
    secret_sha256: str
    push: bool = False
    query: frozenset[str] = frozenset()

    def may_query(self, type_code: str) -> bool:
        """Whether it may see certificates of that type."""
        return "*" in self.query or type_code in self.query


def load_accounts(path: Path | None, *, development: bool) -> dict[str, Account]:
    """The accounts of `path`, or the development accounts when there is none.

    Raises `ConfigurationError` when development secrets would be used outside development.
    """
    if path is None and not development:
        raise ConfigurationError("非开发环境必须以 --accounts 指定账户文件，开发账户的口令是公开的。")
    shipped = files("city_repository") / "data" / "accounts.toml"
    text = shipped.read_text(encoding="utf-8") if path is None else path.read_text(encoding="utf-8")
    try:
        accounts = [_account(row, development) for row in tomllib.loads(text)["account"]]
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ConfigurationError(f"账户文件无法识别：{error}。") from error
    return {account.id: account for account in accounts}


def _account(row: Mapping[str, Any], development: bool) -> Account:
    secret = row.get("development_secret")
    if secret is not None and not development:
        raise ConfigurationError(f"账户 {row['id']} 使用开发口令，非开发环境不接受。")
    return Account(
        id=row["id"],
        name=row["name"],
        secret_sha256=_digest(secret) if secret is not None else row["secret_sha256"],
        push=row.get("push", False),
        query=frozenset(row.get("query", ())),
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class Desk:
    """Gives tokens to accounts and knows whose a token is; tokens live in memory and die with the process."""

    def __init__(self, accounts: Mapping[str, Account], *, life: timedelta = TOKEN_LIFE) -> None:
        self._accounts, self._life = accounts, life
        self._tokens: dict[str, tuple[Account, datetime]] = {}
        self._lock = threading.Lock()

    @property
    def life(self) -> timedelta:
        """How long a token is good."""
        return self._life

    def issue(self, account_id: str, secret: str, *, now: datetime) -> str | None:
        """A token for an account, or None when account or secret are wrong."""
        account = self._accounts.get(account_id)
        expected = account.secret_sha256 if account else _digest("")
        if not hmac.compare_digest(_digest(secret), expected) or account is None:
            return None
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._forget(now)
            self._tokens[token] = (account, now + self._life)
        return token

    def account(self, token: str, *, now: datetime, account_id: str | None = None) -> Account | None:
        """Whose token it is, None when unknown, expired or not of `account_id`."""
        found = self._tokens.get(token)
        if found is None or found[1] <= now or (account_id is not None and found[0].id != account_id):
            return None
        return found[0]

    def _forget(self, now: datetime) -> None:
        kept = {token: entry for token, entry in self._tokens.items() if entry[1] > now}
        self._tokens = dict(list(kept.items())[-_MOST_TOKENS:])
