"""The actions on a certificate and the legal states they lead to, by name only; the rules are in `lifecycle`."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What may be done to a certificate (design: Lifecycle)."""

    ISSUE = "issue"  # 新办/核发/新备案
    IMPORT = "import"  # 补录
    RENEW = "renew"  # 延续
    REPLACE = "replace"  # 换证
    CHANGE = "change"  # 变更
    TRANSFER = "transfer"  # 转让
    CORRECT = "correct"  # 更正
    REISSUE = "reissue"  # 补证
    RETAIN = "retain"  # 保留
    SUSPEND = "suspend"  # 暂扣
    RESUME = "resume"  # 发还
    CANCEL = "cancel"  # 注销
    WITHDRAW = "withdraw"  # 撤回
    REVOKE = "revoke"  # 撤销
    RESCIND = "rescind"  # 吊销
    VOID = "void"  # 签发错误作废


class LegalState(StrEnum):
    """Where a certificate stands in law. Expiry is computed from the moment asked, never stored."""

    PLANNED = "planned"  # numbered, not yet in force
    IN_FORCE = "in-force"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    RESCINDED = "rescinded"
    VOIDED = "voided"
    EXPIRED = "expired"  # computed
