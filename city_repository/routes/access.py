"""Who is calling: the dependencies that routes share."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from city_repository.accounts import Account
from city_repository.repository import Repository

_bearer = HTTPBearer(auto_error=False, description="POST /token 取得的令牌")


class CallRefused(Exception):  # noqa: N818  it reads as what happened to the call
    """A call that is not served; becomes an answer of that HTTP status."""

    def __init__(self, status: int, error: str, description: str) -> None:
        self.status, self.error, self.description = status, error, description
        super().__init__(description)


def repository(request: Request) -> Repository:
    """The repository this application serves."""
    found: Repository = request.app.state.repository
    return found


Here = Annotated[Repository, Depends(repository)]


def caller(here: Here, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Account:
    """The account of the Bearer token. Raises `CallRefused` (401) without a good one."""
    account = here.desk.account(credentials.credentials, now=here.clock()) if credentials else None
    if account is None:
        raise CallRefused(401, "invalid_token", "令牌缺失、无效或已过期")
    return account


def pusher(account: Annotated[Account, Depends(caller)]) -> Account:
    """The caller, who must have the right to push. Raises `CallRefused` (403)."""
    if not account.push:
        raise CallRefused(403, "insufficient_scope", "该账户没有归集权限")
    return account


Caller = Annotated[Account, Depends(caller)]
Pusher = Annotated[Account, Depends(pusher)]
