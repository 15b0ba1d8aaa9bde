"""A register asked over its public address, with the standard library only.

A file is asked for by its SHA-256: the register learns which file is being verified, not what is in it. Where that is
too much, `certctl verify --trust` with a status list asks nobody.
"""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from certlib.domain.verdict import Verdict
from certlib.errors import ConfigurationError, DeliveryError
from certlib.verify.lookup import RegisterState

_TIMEOUT = 10.0  # seconds
_LARGEST = 1 << 20  # bytes of an answer
_PATIENCE = 90.0  # seconds to wait in all when the register says we ask too often


@dataclass(frozen=True, slots=True)
class RemoteRegister:
    """The register behind `url` (`https://zwfw.ganzhou.example`). It tells the state of now, whatever `at` says."""

    url: str
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in {"http", "https"} or not urlsplit(self.url).netloc:
            raise ConfigurationError(f"台账地址 {self.url[:80]} 应以 https:// 或 http:// 开头。")

    def by_sha256(self, sha256: str, *, at: datetime) -> RegisterState | None:
        """See `RegisterLookup`. Raises `DeliveryError` when the register gives no usable answer."""
        del at
        answer = self._ask({"sha256": sha256})
        return _state(answer) if answer.get("issued") else None

    def by_index(self, n: int, *, at: datetime) -> RegisterState | None:
        """No register answers to a bare number in public: whoever counts upwards would learn everything."""
        del at
        raise DeliveryError(f"公众查验不能按序号 {n} 查询，请用二维码全文。")

    def _ask(self, body: Mapping[str, str]) -> Mapping[str, Any]:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return self._post(body)
            except urllib.error.HTTPError as error:
                wait = _pause(error)
                if error.code not in {429, 503} or time.monotonic() + wait > deadline:
                    raise DeliveryError(f"证照台账答复 {error.code}，未能核对状态。") from error
                time.sleep(wait)
            except (OSError, ValueError, TypeError) as error:
                raise DeliveryError(f"证照台账 {self.url} 没有可用的答复，未能核对状态。") from error

    def _post(self, body: Mapping[str, str]) -> Mapping[str, Any]:
        request = urllib.request.Request(  # noqa: S310  the scheme was checked
            f"{self.url.rstrip('/')}/public/files",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=_TIMEOUT, context=self.tls) as response:  # noqa: S310
            answer = json.loads(response.read(_LARGEST))
        return dict(answer)


def _pause(error: urllib.error.HTTPError) -> float:
    value = error.headers.get("Retry-After", "5")
    return float(value) if value.isdigit() else 5.0


def _state(answer: Mapping[str, Any]) -> RegisterState:
    try:
        fields = {field["english"]: field["value"] for field in answer["fields"]}
        return RegisterState(
            verdict=Verdict(answer["verdict"]),
            identifier=fields.get("Identifier", fields["Number"]),
            number=fields["Number"],
            title=fields["Certificate"],
            edition=answer["edition"],
            n=answer["n"],
            cause=answer.get("cause", ""),
            holder=fields.get("Holder", ""),
            issuer=fields.get("Issuer", ""),
            issued_on=_day(fields.get("Issued on")),
            valid_until=_day(fields.get("Valid until")),
            current_edition=answer.get("current_edition", 0),
            imported=bool(answer.get("imported")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DeliveryError("证照台账的答复不合约定，未能核对状态。") from error


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
