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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from certlib.domain.verdict import Verdict
from certlib.errors import ConfigurationError, DeliveryError
from certlib.formats.seal_list import SealList, read_seal_list
from certlib.formats.trust import TrustList, read_trust_list
from certlib.verify.lookup import RegisterState

_TIMEOUT = 10.0  # seconds
_LARGEST = 1 << 20  # bytes of an answer
_NOW = timedelta(minutes=1)  # what is asked about later than that ago is asked about as now
_PATIENCE = 90.0  # seconds to wait in all when the register says we ask too often


@dataclass(frozen=True, slots=True)
class RemoteRegister:
    """The register behind `url` (`https://zwfw.ganzhou.example`), which tells the state of now or of a moment past."""

    url: str
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in {"http", "https"} or not urlsplit(self.url).netloc:
            raise ConfigurationError(f"台账地址 {self.url[:80]} 应以 https:// 或 http:// 开头。")

    def by_sha256(self, sha256: str, *, at: datetime) -> RegisterState | None:
        """See `RegisterLookup`. Raises `DeliveryError` when the register gives no usable answer."""
        answer = self._ask({"sha256": sha256}, at=at)
        issued = answer.get("issued")
        if not isinstance(issued, bool):  # an answer cut short is no word that a file was not issued
            raise DeliveryError("证照台账的答复不合约定，未能核对状态。")
        return _state(answer) if issued else None

    def by_index(self, n: int, *, at: datetime) -> RegisterState | None:
        """No register answers to a bare number in public: whoever counts upwards would learn everything."""
        del at
        raise DeliveryError(f"公众查验不能按序号 {n} 查询，请用二维码全文。")

    def seal_list(self, keys: Iterable[bytes]) -> SealList | None:
        """The signed seal list of the register, checked against the pinned `keys`; None when there is none to be had.

        Raises `VerificationError` for a list that no pinned key signed.
        """
        data = self._get("/public/seals")
        return None if data is None else read_seal_list(data, keys)

    def trust_list(self, keys: Iterable[bytes]) -> TrustList | None:
        """The signed trust list of the register, checked against the pinned `keys`; None when there is none to be had.

        Raises `VerificationError` for a list that no pinned key signed.
        """
        data = self._get("/public/trust")
        return None if data is None else read_trust_list(data, keys)

    def by_code(self, text: str, *, at: datetime) -> RegisterState | None:
        """The state of the carrier whose signed code this is; None when the register does not know it as genuine."""
        answer = self._ask({"code": text}, "/public/certificates", at=at)
        return _state(answer) if "n" in answer else None

    def _get(self, path: str) -> bytes | None:
        try:
            with urllib.request.urlopen(  # noqa: S310  the scheme was checked
                f"{self.url.rstrip('/')}{path}", timeout=_TIMEOUT, context=self.tls
            ) as response:
                return bytes(response.read(_LARGEST))
        except (OSError, HTTPException, ValueError):
            return None

    def _ask(self, question: Mapping[str, str], path: str = "/public/files", *, at: datetime) -> Mapping[str, Any]:
        """The answer as of `at`; a register that tells another moment's gives none."""
        past = at < datetime.now(UTC) - _NOW
        answer = self._answer({**question, "at": at.isoformat()} if past else question, path)
        if past and not _is_of(answer, at):
            raise DeliveryError("证照台账只答复当前状态，未答复所问时刻的状态。")
        return answer

    def _answer(self, body: Mapping[str, str], path: str) -> Mapping[str, Any]:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return self._post(body, path)
            except urllib.error.HTTPError as error:
                wait = _pause(error)
                if error.code not in {429, 503} or time.monotonic() + wait > deadline:
                    raise DeliveryError(f"证照台账答复 {error.code}，未能核对状态。") from error
                time.sleep(wait)
            except (OSError, HTTPException, ValueError, TypeError, RecursionError) as error:
                raise DeliveryError(f"证照台账 {self.url} 没有可用的答复，未能核对状态。") from error

    def _post(self, body: Mapping[str, str], path: str) -> Mapping[str, Any]:
        request = urllib.request.Request(  # noqa: S310  the scheme was checked
            f"{self.url.rstrip('/')}{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=_TIMEOUT, context=self.tls) as response:  # noqa: S310
            answer = json.loads(response.read(_LARGEST))
        return dict(answer)


@dataclass(frozen=True, slots=True)
class RegisterByCode:
    """`RegisterLookup` for one code: the register opens to the whole signed text, never to the number in it."""

    register: RemoteRegister
    text: str

    def by_sha256(self, sha256: str, *, at: datetime) -> RegisterState | None:
        """See `RegisterLookup`."""
        return self.register.by_sha256(sha256, at=at)

    def by_index(self, n: int, *, at: datetime) -> RegisterState | None:
        """The state behind the code, if it is that of index `n`. Raises `DeliveryError`."""
        state = self.register.by_code(self.text, at=at)
        return state if state is not None and state.n == n else None


def _pause(error: urllib.error.HTTPError) -> float:
    value = error.headers.get("Retry-After", "5")
    return float(value) if value.isdigit() else 5.0


def read_state(data: bytes) -> RegisterState:
    """The state in a register's answer. Raises `DeliveryError` when it is not as agreed."""
    try:
        answer = dict(json.loads(data))
    except (ValueError, TypeError, RecursionError) as error:
        raise DeliveryError("证照台账的答复不是 JSON，未能核对状态。") from error
    return _state(answer)


def _state(answer: Mapping[str, Any]) -> RegisterState:
    try:
        fields = {field["english"]: field["value"] for field in answer["fields"]}
        return RegisterState(
            verdict=Verdict(answer["verdict"]),
            identifier=fields.get("Identifier", fields["Number"]),
            number=fields["Number"],
            title=fields["Certificate"],
            edition=_number(answer["edition"]),
            n=_number(answer["n"]),
            cause=answer.get("cause", ""),
            holder=fields.get("Holder", ""),
            issuer=fields.get("Issuer", ""),
            issued_on=_day(fields.get("Issued on")),
            valid_until=_day(fields.get("Valid until")),
            current_edition=answer.get("current_edition", 0),
            imported=bool(answer.get("imported")),
            registered_at=_moment(answer.get("registered_at")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DeliveryError("证照台账的答复不合约定，未能核对状态。") from error


def _number(value: object) -> int:
    if type(value) is not int:
        raise ValueError("not a number")
    return value


def _is_of(answer: Mapping[str, Any], at: datetime) -> bool:
    try:
        return _moment(answer.get("at")) == at
    except (ValueError, TypeError):
        return False


def _moment(text: str | None) -> datetime | None:
    at = datetime.fromisoformat(text) if text else None
    if at is not None and at.tzinfo is None:
        raise ValueError("a moment without its zone")
    return at


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
