"""The service's side of authentication: assertions in, short ES256 tokens out, tokens back in.

Rules of an assertion (RFC 7523, 3): signed ES256 by the key of the client it names, `iss` = `sub` = client,
`aud` our token endpoint or base address, `exp` at most five minutes ahead, `jti` used once. One that was made
before this process started is refused while used ones are remembered in memory only.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from joserfc.jws import extract_compact
from limits.storage import Storage

from service.clients import Client
from service.refusals import OAuthError, UnauthenticatedError
from service.tokens import ALGORITHM, ASSERTION_TYPE

_LEEWAY = 30  # seconds by which two clocks may differ
_LONGEST_ASSERTION = timedelta(minutes=5)
_TOKEN_TYPE = "at+jwt"  # RFC 9068, 2.1  # noqa: S105
_LINK_TYPE = "link+jwt"
LINK_LIFETIME = timedelta(minutes=30)
"""How long a link to a page opens it."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, what this token covers, and for what the caller wants to see personal data."""

    client: Client
    scopes: frozenset[str]
    purpose: str = ""


class TokenDesk:
    """Grants and reads access tokens. `base` is the service's public address, `used` remembers assertions."""

    def __init__(
        self,
        *,
        base: str,
        key: ECKey,
        clients: Mapping[str, Client],
        used: Storage,
        lifetime: timedelta,
        started: datetime | None,
    ) -> None:
        self._base = base
        self._key = key
        self._clients = clients
        self._used = used
        self._lifetime = lifetime
        self._started = started

    def grant(self, form: Mapping[str, str], *, now: datetime) -> dict[str, Any]:
        """The token answer (RFC 6749, 5.1) for a token request. Raises `OAuthError`."""
        if form.get("grant_type") != "client_credentials":
            raise OAuthError("grant_type 应为 client_credentials。", code="unsupported_grant_type")
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise OAuthError(f"client_assertion_type 应为 {ASSERTION_TYPE}。", code="invalid_client")
        client = self._client(form.get("client_assertion", ""), now)
        scopes = _granted(client, form.get("scope", ""))
        return {
            "access_token": self._token(client, scopes, now),
            "token_type": "Bearer",
            "expires_in": int(self._lifetime.total_seconds()),
            "scope": " ".join(sorted(scopes)),
        }

    def principal(self, authorization: str, *, now: datetime) -> Principal:
        """Who sent this `Authorization` header. Raises `UnauthenticatedError`."""
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() != "bearer" or not value:
            raise UnauthenticatedError("请求未带访问令牌；请先向 /oauth/token 申请。")
        claims = self._read_token(value.strip(), now)
        client = self._clients.get(str(claims.get("sub")))
        if client is None:
            raise UnauthenticatedError("访问令牌的客户端已停用。", challenge="invalid_token")
        # a scope taken from the client since the token was granted is gone at once
        return Principal(client, frozenset(str(claims.get("scope", "")).split()) & client.scopes)

    def link(self, principal: Principal, place: str, *, now: datetime) -> str:
        """A pass that opens the page `place` in a browser, which has no token: for a while, and nothing else."""
        issued = int(now.timestamp())
        claims = {
            "iss": self._base,
            "aud": f"{self._base}{place}",
            "sub": principal.client.id,
            "iat": issued,
            "exp": issued + int(LINK_LIFETIME.total_seconds()),
        }
        return jwt.encode({"alg": ALGORITHM, "typ": _LINK_TYPE}, claims, self._key, algorithms=[ALGORITHM])

    def visitor(self, value: str, place: str, scope: str, *, now: datetime) -> Client:
        """Whose link this is. Raises `UnauthenticatedError` when it is none, is over, or its client lost `scope`."""
        claims = self._read(value, f"{self._base}{place}", _LINK_TYPE, now)
        client = self._clients.get(str(claims.get("sub")))
        if client is None or scope not in client.scopes:
            raise UnauthenticatedError("链接的客户端已停用或权限已收回。", challenge="invalid_token")
        return client

    def _client(self, assertion: str, now: datetime) -> Client:
        claims = _unverified_claims(assertion)
        client = self._clients.get(str(claims.get("sub")))
        if client is None:
            raise _invalid_client()
        try:
            claims = jwt.decode(assertion, client.key, algorithms=[ALGORITHM]).claims
            self._assertion_rules(client, now).validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            raise _invalid_client() from error
        self._once(client, claims, now)
        return client

    def _assertion_rules(self, client: Client, now: datetime) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=_LEEWAY,
            iss={"essential": True, "value": client.id},
            sub={"essential": True, "value": client.id},
            aud={"essential": True, "values": [f"{self._base}/oauth/token", self._base]},
            jti={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )

    def _once(self, client: Client, claims: Mapping[str, Any], now: datetime) -> None:
        lifetime = int(claims["exp"]) - int(now.timestamp())
        if lifetime > _LONGEST_ASSERTION.total_seconds() + _LEEWAY:
            raise OAuthError("客户端断言的有效期超过 5 分钟。", code="invalid_client")
        if self._started is not None and int(claims["iat"]) < int(self._started.timestamp()):
            raise OAuthError("客户端断言签于本服务启动之前，请重新签一份。", code="invalid_client")
        name = f"assertion/{client.id}/{claims['jti']}"
        if self._used.incr(name, max(lifetime, 1) + 2 * _LEEWAY) > 1:
            raise OAuthError("客户端断言已使用过，请重新签一份。", code="invalid_client")

    def _token(self, client: Client, scopes: frozenset[str], now: datetime) -> str:
        issued = int(now.timestamp())
        claims = {
            "iss": self._base,
            "aud": self._base,
            "sub": client.id,
            "client_id": client.id,
            "scope": " ".join(sorted(scopes)),
            "iat": issued,
            "exp": issued + int(self._lifetime.total_seconds()),
            "jti": secrets.token_urlsafe(12),
        }
        return jwt.encode({"alg": ALGORITHM, "typ": _TOKEN_TYPE}, claims, self._key, algorithms=[ALGORITHM])

    def _read_token(self, value: str, now: datetime) -> Mapping[str, Any]:
        return self._read(value, self._base, _TOKEN_TYPE, now)

    def _read(self, value: str, audience: str, kind: str, now: datetime) -> Mapping[str, Any]:
        """The claims of what we signed ourselves. Raises `UnauthenticatedError`."""
        rules = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            iss={"essential": True, "value": self._base},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
        )
        try:
            token = jwt.decode(value, self._key, algorithms=[ALGORITHM])
            rules.validate(token.claims)
        except (JoseError, ValueError, TypeError) as error:
            raise UnauthenticatedError("访问令牌无效或已过期，请重新申请。", challenge="invalid_token") from error
        if token.header.get("typ") != kind:
            raise UnauthenticatedError("这不是访问令牌。", challenge="invalid_token")
        return token.claims


def _granted(client: Client, wanted: str) -> frozenset[str]:
    asked = frozenset(wanted.split())
    beyond = asked - client.scopes
    if beyond:
        raise OAuthError(f"客户端无权限 {'、'.join(sorted(beyond))}。", code="invalid_scope")
    return asked or client.scopes


def _unverified_claims(assertion: str) -> Mapping[str, Any]:
    """Only to learn which client's key to verify with."""
    try:
        claims = json.loads(extract_compact(assertion.encode("ascii")).payload)
    except (JoseError, ValueError, TypeError) as error:
        raise _invalid_client() from error
    return claims if isinstance(claims, dict) else {}


def _invalid_client() -> OAuthError:
    return OAuthError("客户端断言无效。", code="invalid_client")
