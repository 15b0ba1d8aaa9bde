"""The caller's side of authentication: prove who you are with your own key, get a short token.

OAuth 2.0 client credentials (RFC 6749, 4.4) with `private_key_jwt` (RFC 7523, 2.2): no shared secret travels, an
assertion is good once and for a minute.

    key = read_key("file:approval-system.jwk")
    token = fetch_token("https://zwfw.ganzhou.example", "client-approval-system", key)
    headers = {"Authorization": f"Bearer {token.value}"}
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx2
from joserfc import jwt
from joserfc.jwk import ECKey

from certlib.errors import CertlibError

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIFETIME = timedelta(seconds=60)
ALGORITHM = "ES256"


class TokenRefusedError(CertlibError):
    """The service gave no token; the message repeats its reason."""

    code = "token-refused"


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token, what it covers and until when."""

    value: str
    scopes: frozenset[str]
    expires_at: datetime


def client_assertion(
    client: str, key: ECKey, *, audience: str, now: datetime, lifetime: timedelta = ASSERTION_LIFETIME
) -> str:
    """A signed statement that `client` asks the token endpoint `audience` at `now`; each call makes a new one."""
    issued = int(now.timestamp())
    claims = {
        "iss": client,
        "sub": client,
        "aud": audience,
        "jti": secrets.token_urlsafe(16),
        "iat": issued,
        "exp": issued + int(lifetime.total_seconds()),
    }
    return jwt.encode({"alg": ALGORITHM, "typ": "JWT"}, claims, key, algorithms=[ALGORITHM])


def token_request(
    client: str, key: ECKey, *, audience: str, now: datetime, scopes: Iterable[str] = ()
) -> dict[str, str]:
    """The form that is posted to `/oauth/token`; without `scopes` all of the client's are asked for."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": client_assertion(client, key, audience=audience, now=now),
    }
    wanted = " ".join(sorted(scopes))
    return {**form, "scope": wanted} if wanted else form


def fetch_token(
    service_url: str,
    client: str,
    key: ECKey,
    *,
    scopes: Iterable[str] = (),
    now: datetime | None = None,
    http: httpx2.Client | None = None,
) -> AccessToken:
    """Get a token from the service at `service_url`.

    Raises `TokenRefusedError` when the service cannot be reached or refuses.
    """
    asked = now or datetime.now(UTC)
    endpoint = f"{service_url.rstrip('/')}/oauth/token"
    form = token_request(client, key, audience=endpoint, now=asked, scopes=scopes)
    try:
        response = http.post(endpoint, data=form) if http else httpx2.post(endpoint, data=form, timeout=10.0)
        answer = response.json()
    except (httpx2.HTTPError, ValueError) as error:
        raise TokenRefusedError(f"无法从 {endpoint} 取得访问令牌：服务没有应答。") from error
    if response.status_code != 200:
        reason = answer.get("error_description") or answer.get("detail") or answer.get("error")
        raise TokenRefusedError(f"服务拒绝发放访问令牌：{reason}")
    expires = asked + timedelta(seconds=answer["expires_in"])
    return AccessToken(answer["access_token"], frozenset(answer["scope"].split()), expires)
