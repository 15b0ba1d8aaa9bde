"""A witness elsewhere, asked over HTTP (C2SP tlog-witness, add-checkpoint); standard library only."""

from __future__ import annotations

import urllib.error
import urllib.request
from http.client import HTTPException

from certlib.errors import ConfigurationError, ConflictError, VerificationError
from certlib.formats.tlog_note import COSIGNATURE, VerifierKey
from certlib.formats.tlog_proof import WitnessRequest

_MAX_ANSWER = 1 << 16  # bytes


class HttpWitness:
    """`WitnessClient` at an address given by the settings; redirects are not followed."""

    def __init__(self, url: str, verifier: VerifierKey, *, timeout: float = 5.0) -> None:
        if not url.startswith(("http://", "https://")):
            raise ConfigurationError(f"见证“{verifier.name}”的网址应为 http:// 或 https:// 开头。")
        if verifier.algorithm != COSIGNATURE:
            raise ConfigurationError(f"见证“{verifier.name}”的公钥须为带时间的见证签名（0x04）。")
        self._url, self._verifier, self._timeout = f"{url.rstrip('/')}/add-checkpoint", verifier, timeout
        self._opener = urllib.request.build_opener(_NoRedirect)

    @property
    def verifier(self) -> VerifierKey:
        """The witness's public key, from the settings."""
        return self._verifier

    def ask(self, request: WitnessRequest) -> str:
        """The witness's signature lines. Raises as `WitnessClient.ask` does; unreachable is `witness-away`."""
        asked = urllib.request.Request(self._url, request.encode().encode(), method="POST")  # noqa: S310  (checked above)
        try:
            return self._answer(asked)
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None)
            why = type(reason if isinstance(reason, Exception) else error).__name__
            message = f"见证“{self._verifier.name}”联系不上（{why}）。"
            raise VerificationError(message, code="witness-away") from error

    def _answer(self, asked: urllib.request.Request) -> str:
        try:
            with self._opener.open(asked, timeout=self._timeout) as answer:
                return str(answer.read(_MAX_ANSWER).decode(errors="replace"))
        except urllib.error.HTTPError as error:
            raise self._refusal(error.code, error.read(_MAX_ANSWER).decode(errors="replace").strip()) from error

    def _refusal(self, status: int, text: str) -> ConflictError | VerificationError:
        name = self._verifier.name
        if status == 409 and text.isdecimal():
            message = f"见证“{name}”最近一次签的是 {text} 条。"
            return ConflictError(message, code="witness-size", extra={"size": int(text)})
        code = {422: "altered"}.get(status, "witness-refused")
        # what it says besides stays out of the message, which goes into logs and before the auditor
        return VerificationError(f"见证“{name}”拒绝签名（{status}）。", code=code, extra={"said": text[:200]})


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None
