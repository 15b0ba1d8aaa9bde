"""Everything that can go wrong, as one tree.

    CertlibError
    ├── RequestError            the request itself is wrong; carries every fault at once
    ├── NotFoundError           no such certificate, document, item, file
    ├── ConflictError           the request meets a state that has moved on
    │   ├── CaseAlreadyIssuedError    this case already has its outcome
    │   ├── IntentOpenError           another issuance of this certificate is under way
    │   ├── StaleVersionError         If-Match names an older version
    │   └── IdempotencyError          the same key came with another body, or is in flight
    ├── TransitionError         the certificate's state forbids the action
    ├── SealDeniedError         no authorisation covers this use of the seal
    ├── SealFailedError         the key, the token or the timestamp authority failed
    │   ├── KeyUnavailableError
    │   └── TimestampUnavailableError
    ├── RenderError             the face cannot be set: glyph, length, template
    │   └── LintError                 the rendered page is not what was asked for
    ├── StorageError            disk or database refused; nothing was acknowledged
    ├── VerificationError       a file, code or bundle is not what it claims; `code` is the verdict
    ├── DeliveryError           the counterpart refused or could not be reached
    │   ├── DeliveryDelayedError      not now: it was away, slow or answered nonsense; the delivery stays due
    │   ├── DeliveryRefusedError      it refuses this record, or the record cannot be made; a person must look
    │   └── CounterpartError          wrong for every record: account, address or interface; nothing is delivered
    └── ConfigurationError      settings, keys or data files are wrong

Each class has a stable `code`. The message is one sentence that tells the reader what happened to
their thing and what to do. No HTTP, no exit codes, no logging here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one place of a request.

    `path` is the dotted path in the request (`holder.code`, `facts.scope`); `label` the Chinese
    name a clerk sees beside the field; `code` is stable; `message` is Chinese, `english` its translation.
    """

    path: str
    code: str
    message: str
    label: str = ""
    english: str = ""

    def as_json(self) -> dict[str, str]:
        """The fault as a JSON object; empty texts are left out."""
        pairs = (
            ("path", self.path),
            ("label", self.label),
            ("code", self.code),
            ("message", self.message),
            ("english", self.english),
        )
        return {key: value for key, value in pairs if value}


class CertlibError(Exception):
    """Root of the tree."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None, extra: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        self.extra: Mapping[str, object] = dict(extra or {})

    @property
    def message(self) -> str:
        """The one sentence for the reader."""
        return str(self.args[0])


class RequestError(CertlibError):
    """The request is wrong in one or more places; nothing was numbered, sealed or stored."""

    code = "invalid-request"

    def __init__(self, faults: Iterable[Fault], message: str | None = None) -> None:
        self.faults = tuple(faults)
        super().__init__(message or f"申请有 {len(self.faults)} 处问题，未编号、未用印、未保存任何内容。")


class NotFoundError(CertlibError):
    """There is no such thing, or the caller may not know of it."""

    code = "not-found"


class ConflictError(CertlibError):
    """The request meets a state that has moved on."""

    code = "conflict"


class CaseAlreadyIssuedError(ConflictError):
    """This case already has this outcome."""

    code = "case-already-issued"


class IntentOpenError(ConflictError):
    """Another issuance or action of this certificate is under way."""

    code = "intent-open"


class StaleVersionError(ConflictError):
    """The version named is not the current one."""

    code = "stale-version"


class IdempotencyError(ConflictError):
    """The idempotency key was used with another body, or its first request is still running."""

    code = "idempotency-key-reused"


class TransitionError(CertlibError):
    """The certificate's state, the law's table or the type forbids the action."""

    code = "transition-refused"


class SealDeniedError(CertlibError):
    """No seal authorisation covers this use; the denial is recorded."""

    code = "seal-use-denied"


class SealFailedError(CertlibError):
    """Sealing failed; the use is recorded as released and nothing was issued."""

    code = "seal-failed"


class KeyUnavailableError(SealFailedError):
    """The signing key or its token cannot be used."""

    code = "key-unavailable"


class TimestampUnavailableError(SealFailedError):
    """No timestamp authority gave a good answer in time."""

    code = "timestamp-unavailable"


class RenderError(CertlibError):
    """The face cannot be set from these facts."""

    code = "render-failed"


class LintError(RenderError):
    """The rendered page is not what was asked for; it was not sealed."""

    code = "lint-failed"


class StorageError(CertlibError):
    """Disk or database refused; nothing was acknowledged."""

    code = "storage-failed"


class VerificationError(CertlibError):
    """A file, code or bundle is not what it claims; `code` is the verdict's word."""

    code = "signature-invalid"


class DeliveryError(CertlibError):
    """The counterpart refused the delivery or could not be reached."""

    code = "delivery-failed"


class DeliveryDelayedError(DeliveryError):
    """The counterpart was away, slow or answered nonsense; the delivery stays due.

    `outage` says that it concerns every delivery and not this record; `after` is when to come back, in seconds.
    """

    code = "delivery-delayed"

    def __init__(self, message: str, *, code: str | None = None, outage: bool = False, after: float = 0.0) -> None:
        super().__init__(message, code=code)
        self.outage, self.after = outage, after


class DeliveryRefusedError(DeliveryError):
    """The counterpart refuses this record, or the record cannot be made; later events of its certificate wait."""

    code = "delivery-refused"


class CounterpartError(DeliveryError):
    """Account, address or interface of the counterpart are wrong; nothing can be delivered until that is put right."""

    code = "counterpart-refused"


class ConfigurationError(CertlibError):
    """Settings, keys or data files are wrong."""

    code = "configuration"
