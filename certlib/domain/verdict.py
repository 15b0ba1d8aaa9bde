"""The one vocabulary of verdicts, in the order in which they take precedence.

The same words are used by the library, the API, the public page, the status list and the reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Verdict(StrEnum):
    """What a reader may conclude of a file, a code or a sheet."""

    UNREADABLE = "unreadable"
    UNSEALED = "unsealed"
    UNKNOWN_ISSUER = "unknown-issuer"
    SIGNATURE_INVALID = "signature-invalid"
    ALTERED = "altered"
    NOT_THE_ISSUED_FILE = "not-the-issued-file"
    VOIDED = "voided"
    REVOKED = "revoked"
    CANCELLED = "cancelled"
    PAPER_LOST = "paper-lost"
    NOT_IN_FORCE = "not-in-force"
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    STATUS_UNKNOWN = "status-unknown"
    VALID = "valid"


class StatusCode(IntEnum):
    """Entries of the status list (IETF Token Status List, 4 bits)."""

    VALID = 0x0
    REVOKED = 0x1  # revoked, withdrawn or rescinded
    SUSPENDED = 0x2
    SUPERSEDED = 0x3
    PAPER_LOST = 0xC
    PRINT_VOIDED = 0xD
    CANCELLED = 0xE
    NOT_IN_FORCE = 0xF


@dataclass(frozen=True, slots=True)
class Words:
    """How a verdict reads: Chinese, English, and the colour class of the page."""

    chinese: str
    english: str
    tone: str  # "green" | "amber" | "red" | "grey"


WORDS: dict[Verdict, Words] = {
    Verdict.VALID: Words("真实有效", "Genuine and valid", "green"),
    Verdict.SUPERSEDED: Words("真实，已有新版本", "Genuine, but a newer version exists", "amber"),
    Verdict.SUSPENDED: Words("真实，已暂扣", "Genuine, but suspended", "amber"),
    Verdict.EXPIRED: Words("真实，已过期", "Genuine, but expired", "amber"),
    Verdict.CANCELLED: Words("真实，已注销", "Genuine, but cancelled", "red"),
    Verdict.REVOKED: Words("真实，已撤销", "Genuine, but revoked", "red"),
    Verdict.VOIDED: Words("签发错误作废", "Issued in error and voided", "red"),
    Verdict.PAPER_LOST: Words(
        "真实，此实体证照已声明遗失作废", "Genuine, but this paper has been declared lost and void", "red"
    ),
    Verdict.NOT_IN_FORCE: Words("未生效", "Not in force", "amber"),
    Verdict.STATUS_UNKNOWN: Words("签名真实，状态未核对", "Signature genuine, status not checked", "amber"),
    Verdict.ALTERED: Words("内容被改动", "The content has been changed", "red"),
    Verdict.NOT_THE_ISSUED_FILE: Words(
        "印章真实，但非签发原件", "The seal is genuine, but this is not the issued file", "red"
    ),
    Verdict.UNKNOWN_ISSUER: Words("签发机关未登记", "Issuer not on the trust list", "red"),
    Verdict.SIGNATURE_INVALID: Words("签名无效（疑似伪造）", "Signature invalid (suspected forgery)", "red"),
    Verdict.UNSEALED: Words("无电子印章", "No electronic seal", "grey"),
    Verdict.UNREADABLE: Words("无法读取", "Cannot be read", "grey"),
}

REVOKED_WORDS: dict[str, Words] = {
    "revoked": Words("真实，已撤销", "Genuine, but revoked", "red"),
    "withdrawn": Words("真实，已撤回", "Genuine, but withdrawn", "red"),
    "rescinded": Words("真实，已吊销", "Genuine, but rescinded", "red"),
}

GENUINE = frozenset(
    {
        Verdict.VALID,
        Verdict.SUPERSEDED,
        Verdict.SUSPENDED,
        Verdict.EXPIRED,
        Verdict.CANCELLED,
        Verdict.REVOKED,
        Verdict.VOIDED,
        Verdict.PAPER_LOST,
        Verdict.NOT_IN_FORCE,
        Verdict.STATUS_UNKNOWN,
    }
)

OF_STATUS: dict[StatusCode, Verdict] = {
    StatusCode.VALID: Verdict.VALID,
    StatusCode.REVOKED: Verdict.REVOKED,
    StatusCode.SUSPENDED: Verdict.SUSPENDED,
    StatusCode.SUPERSEDED: Verdict.SUPERSEDED,
    StatusCode.PAPER_LOST: Verdict.PAPER_LOST,
    StatusCode.PRINT_VOIDED: Verdict.VOIDED,
    StatusCode.CANCELLED: Verdict.CANCELLED,
    StatusCode.NOT_IN_FORCE: Verdict.NOT_IN_FORCE,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One check and what it found; verdicts are drawn from findings, never the other way round."""

    check: str
    outcome: str  # "pass" | "fail" | "warn" | "unknown"
    detail: str = ""

    def as_json(self) -> dict[str, str]:
        """The finding as the command line's JSON shows it."""
        return {"check": self.check, "outcome": self.outcome, "detail": self.detail}
