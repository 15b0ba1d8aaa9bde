"""Standard Webhooks: signing a message, and verifying one that came in. A receiver needs only this module.

    event = verify_webhook(request.headers, request.body, [secret], now=datetime.now(UTC))
    if event.id not in seen:          # deliveries repeat: the id is the same at every attempt and every replay
        ...

Rules (standard-webhooks, "Signature scheme"):
* Signed is `ID.TIMESTAMP.BODY`, the body byte for byte as it came; HMAC-SHA256, in base64, after `v1,`.
* The header holds one signature for each secret in use, so that a secret can turn without a gap.
* TIMESTAMP is the second of the attempt: older or newer than five minutes is a message replayed by a stranger.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from certlib.errors import ConfigurationError, VerificationError

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE = timedelta(minutes=5)
PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64  # bytes of a secret

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")  # no full stop: it divides what is signed
_SECONDS = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class WebhookSecret:
    """A secret shared with one receiver."""

    key: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> WebhookSecret:
        """Read `whsec_…`. Raises `ConfigurationError`, which never shows the secret."""
        try:
            key = base64.b64decode(text.strip().removeprefix(PREFIX), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not text.strip().startswith(PREFIX) or not SHORTEST <= len(key) <= LONGEST:
            raise ConfigurationError(f"webhook 密钥应写作 {PREFIX} 加 base64，{SHORTEST} 至 {LONGEST} 字节。")
        return cls(key)

    @property
    def text(self) -> str:
        """The secret as it is handed to the receiver."""
        return PREFIX + base64.b64encode(self.key).decode()

    def sign(self, id_: str, seconds: int, body: bytes) -> str:
        """The signature of one attempt, `v1,…`."""
        digest = hmac.digest(self.key, f"{id_}.{seconds}.".encode() + body, hashlib.sha256)
        return "v1," + base64.b64encode(digest).decode()


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A message that was verified. `at` is when the event happened, `data` what it is about."""

    id: str
    type: str
    at: datetime
    data: Mapping[str, Any]


def webhook_headers(id_: str, body: bytes, secrets: Iterable[WebhookSecret], *, at: datetime) -> dict[str, str]:
    """The three headers of an attempt made at `at`. Raises `ValueError` for an id that cannot be signed."""
    if not _ID.fullmatch(id_):
        raise ValueError("a webhook's id has no full stop, space or line break")
    seconds = int(at.timestamp())
    signatures = " ".join(secret.sign(id_, seconds, body) for secret in secrets)
    return {ID: id_, TIMESTAMP: str(seconds), SIGNATURE: signatures}


def verify_webhook(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Iterable[WebhookSecret],
    *,
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> WebhookEvent:
    """The event of a message that one of `secrets` signed; `body` is what came, before any parsing.

    Raises `VerificationError`: `unreadable` when headers or body are none of ours, `signature-invalid` when no
    signature fits, `timestamp-outside` when the attempt is too old or lies in the future.
    """
    named = {name.lower(): value for name, value in headers.items()}
    id_, seconds = named.get(ID, ""), named.get(TIMESTAMP, "")
    if not _ID.fullmatch(id_) or not _SECONDS.fullmatch(seconds) or not named.get(SIGNATURE):
        raise VerificationError(
            "请求头缺少或写错 webhook-id、webhook-timestamp、webhook-signature。", code="unreadable"
        )
    given = [one.encode("utf-8", "replace") for one in named[SIGNATURE].split(" ")]
    expected = [secret.sign(id_, int(seconds), body).encode() for secret in secrets]
    fitting = [hmac.compare_digest(one, other) for one in given for other in expected]  # no pair is left out
    if True not in fitting:
        raise VerificationError("签名与密钥不符：消息不是约定的一方发出，或内容已被改动。", code="signature-invalid")
    if abs(now.timestamp() - int(seconds)) > tolerance.total_seconds():
        raise VerificationError("消息的时间与本机相差过大：可能是重放，或一方时钟不准。", code="timestamp-outside")
    return _read(id_, body)


def _read(id_: str, body: bytes) -> WebhookEvent:
    try:
        value = json.loads(body)
        return WebhookEvent(id_, str(value["type"]), datetime.fromisoformat(value["timestamp"]), dict(value["data"]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise VerificationError("消息正文不是约定的格式。", code="unreadable") from error
