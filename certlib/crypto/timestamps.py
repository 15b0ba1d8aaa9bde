"""RFC 3161 timestamps over one seam: our own authority for development, and authorities on the network.

    timestamper.stamp(DIGESTS[timestamper.digest](signature), now=now) -> Timestamp(token, at)

`now` is the caller's time. The development authority states it; an answer from the network whose time is too far
from it is refused. A token is checked before it is used: status, nonce, imprint, purpose of the certificate,
signature. Whether the authority is trusted is the verifier's question, and a setting's.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.client import HTTPException, HTTPResponse
from typing import Protocol
from urllib.error import URLError
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    Request,
)

from asn1crypto import tsp

from certlib.crypto import der, tokens
from certlib.crypto.certificates import Certificate
from certlib.crypto.cms import TST_INFO, Signer
from certlib.crypto.cms import sign as sign_cms
from certlib.errors import ConfigurationError, TimestampUnavailableError

POLICY = "2.25.284871628382972109898870857723534126791.2"  # the development authority's; promises nothing
ANSWER_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A TimeStampToken in DER and the time it states."""

    token: bytes = field(repr=False)
    at: datetime


class Timestamper(Protocol):
    """Where timestamps come from.

    `reserve` is the most bytes a token may have, `digest` what imprints are made by, `certificates` those that its
    tokens will be signed with and their issuers, as far as known beforehand.
    """

    @property
    def digest(self) -> str:
        """What imprints are made by: "sha256" or "sm3"."""

    @property
    def reserve(self) -> int:
        """The most bytes a token may have."""

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """Whose tokens to expect, for the material of level B-LT; empty when not known."""

    def stamp(self, imprint: bytes, *, now: datetime) -> Timestamp:
        """A checked token over the digest `imprint`.

        Raises `TimestampUnavailableError` when no good one is to be had in time.
        """


class DevelopmentTimestamps:
    """A timestamp authority inside this process, for development: it states whatever time it is given."""

    def __init__(self, signer: Signer) -> None:
        self._signer, self.digest = signer, signer.suite.digest
        self.certificates = (signer.certificate, *signer.chain)
        # Serials differ in length by a byte at most, ECDSA signatures by two.
        self.reserve = len(self._token(bytes(32), datetime.fromisoformat("2022-01-01T00:00:00Z"), None)) + 32

    def stamp(self, imprint: bytes, *, now: datetime) -> Timestamp:
        """A token that states `now` in whole seconds."""
        at = now.replace(microsecond=0)
        return Timestamp(self._token(imprint, at, None), at)

    def respond(self, request: bytes, *, now: datetime) -> bytes:
        """The TimeStampResp to a TimeStampReq in DER, for an authority behind HTTP (RFC 3161 §2.4.2, §3.4)."""
        try:
            asked = tsp.TimeStampReq.load(request, strict=True)
            imprint = asked["message_imprint"]
            algorithm, digest = imprint["hash_algorithm"]["algorithm"].dotted, imprint["hashed_message"].native
            nonce = asked["nonce"].native
        except ValueError:
            return _refusal(bit=2)  # badRequest
        if algorithm != tokens.IMPRINTS[self.digest] or len(digest) != 32:
            return _refusal(bit=0)  # badAlg
        return der.sequence(der.sequence(der.integer(0)), self._token(digest, now.replace(microsecond=0), nonce))

    def _token(self, imprint: bytes, at: datetime, nonce: int | None) -> bytes:
        info = der.sequence(
            der.integer(1),
            der.oid(POLICY),
            _imprint(self.digest, imprint),
            der.integer(secrets.randbits(64)),
            der.generalized_time(at),
            der.sequence(der.integer(1)),  # accuracy: one second
            der.integer(nonce) if nonce is not None else b"",
        )
        digest = self._signer.suite.hash(info)
        return sign_cms(self._signer, digest, content=info, content_type=TST_INFO).der


class HttpTimestamps:
    """Timestamp authorities on the network, tried in turn.

    Each may take `timeout` seconds, all together `budget`. One that failed is tried last for `rest` seconds. An
    answer that is nonsense, late, for another digest or from another time is a failure like no answer.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        timeout: float = 2.0,
        budget: float = 3.0,
        skew: timedelta = timedelta(minutes=2),
        rest: float = 60.0,
        reserve: int = 10_000,
        digest: str = "sha256",
        certificates: tuple[Certificate, ...] = (),
    ) -> None:
        if not urls or not all(url.startswith(("http://", "https://")) for url in urls):
            raise ConfigurationError("时间戳服务地址须以 http:// 或 https:// 开头，且至少有一个。")
        self.reserve, self.digest, self.certificates = reserve, digest, certificates
        self._urls, self._timeout, self._budget, self._skew, self._rest = tuple(urls), timeout, budget, skew, rest
        self._failed: dict[str, float] = {}
        self._lock = threading.Lock()
        self._opener = _opener()

    def stamp(self, imprint: bytes, *, now: datetime) -> Timestamp:
        """The first good token. Raises `TimestampUnavailableError` naming each authority and its failure."""
        started, failures = time.monotonic(), []
        for url in self._in_turn(started):
            left = self._budget - (time.monotonic() - started)
            if left <= 0:
                failures.append("其余未及询问，时限已到")
                break
            try:
                return self._ask(url, imprint, min(left, self._timeout), now)
            except (OSError, URLError, HTTPException, ValueError) as error:
                failures.append(f"{url}：{error}")
                with self._lock:
                    self._failed[url] = time.monotonic()
        raise TimestampUnavailableError(f"没有时间戳服务给出可用的应答（{'；'.join(failures)}），请稍后重试。")

    def _in_turn(self, at: float) -> list[str]:
        with self._lock:
            return sorted(self._urls, key=lambda url: at - self._failed.get(url, at - self._rest) < self._rest)

    def _ask(self, url: str, imprint: bytes, timeout: float, now: datetime) -> Timestamp:
        nonce, deadline = secrets.randbits(63), time.monotonic() + timeout
        request = Request(url, _request(self.digest, imprint, nonce), {"Content-Type": "application/timestamp-query"})  # noqa: S310  (scheme checked above)
        with self._opener.open(request, timeout=timeout) as response:
            answer = _read(response, deadline)
        token = tokens.granted(answer)
        at = tokens.check(token, imprint, digest=self.digest, nonce=nonce)
        if abs(at - now) > self._skew:
            raise ValueError(f"时间戳时间 {at:%Y-%m-%d %H:%M:%S}Z 与本机时间相差过大")
        if len(token) > self.reserve:
            raise ValueError(f"时间戳有 {len(token)} 字节，超过预留的 {self.reserve} 字节")
        return Timestamp(token, at)


def _opener() -> OpenerDirector:
    """An opener that follows no redirect: an address comes from the settings and from nowhere else."""
    opener = OpenerDirector()
    for handler in (HTTPHandler(), HTTPSHandler(), HTTPDefaultErrorHandler(), HTTPErrorProcessor()):
        opener.add_handler(handler)
    return opener


def _read(response: HTTPResponse, deadline: float) -> bytes:
    """The body, up to a limit and a deadline: a socket's timeout alone would let it drip for hours."""
    body = b""
    while chunk := response.read1(8192):
        body += chunk
        if len(body) > ANSWER_LIMIT:
            raise ValueError("应答过长")
        if time.monotonic() > deadline:
            raise ValueError("应答超时")
    return body


def _request(digest: str, imprint: bytes, nonce: int) -> bytes:
    """TimeStampReq with certReq, so that the token carries what is needed to check it (RFC 3161 §2.4.1)."""
    return der.sequence(
        der.integer(1),
        _imprint(digest, imprint),
        der.integer(nonce),
        der.boolean(True),
    )


def _imprint(digest: str, imprint: bytes) -> bytes:
    """MessageImprint. SHA-256 with NULL parameters, as the authorities in use expect it."""
    return der.sequence(der.algorithm(tokens.IMPRINTS[digest], null=digest == "sha256"), der.octets(imprint))


def _refusal(*, bit: int) -> bytes:
    """A TimeStampResp of status rejection with one PKIFailureInfo bit."""
    flags = 0x80 >> bit
    return der.sequence(der.sequence(der.integer(2), der.tlv(0x03, bytes((7 - bit, flags)))))
