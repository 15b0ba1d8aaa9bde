"""The life of a seal (电子印章): the regulation as a table, and two pure functions.

Applied for, made, filed (备案), enabled; suspended and resumed; renewed, revoked, cancelled (国办发〔2025〕33号;
国发〔1999〕25号 24, 25). `decide` turns a command into an event or refuses it; `evolve` applies an event. Neither looks
at a clock, a database or a key. What a seal may be used for is not here but in its authorisations
(`certlib.domain.seal_authorisation`); here is only whether it may be used at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import reduce

from certlib.errors import TransitionError


class SealState(StrEnum):
    """Where a seal stands."""

    NONE = "none"  # no such seal yet
    APPLIED = "applied"  # 已申请
    MADE = "made"  # 已制作
    FILED = "filed"  # 已备案
    ENABLED = "enabled"  # 在用
    SUSPENDED = "suspended"  # 已停用
    REVOKED = "revoked"  # 已撤销
    CANCELLED = "cancelled"  # 已注销


class SealAct(StrEnum):
    """What may be done to a seal."""

    APPLY = "apply"  # 申请
    MAKE = "make"  # 制作
    FILE = "file"  # 备案
    ENABLE = "enable"  # 启用
    ACCEDE = "accede"  # 接入: a seal that another system made and filed is taken in
    SUSPEND = "suspend"  # 停用
    RESUME = "resume"  # 恢复
    RENEW = "renew"  # 更新: a new X.509 certificate or picture, a new edition of the seal
    REVOKE = "revoke"  # 撤销
    CANCEL = "cancel"  # 注销


S = SealState


@dataclass(frozen=True, slots=True)
class SealRule:
    """One row of the table: from which state to which, and what must be said.

    `two_persons`: a second person confirms (双人复核). Whatever stops a seal needs one person only, so that nobody has
    to be found first. `causes` are the grounds that may be named; one must be when there are any.
    """

    label: str
    past: str  # what the journal calls it
    moves: Mapping[SealState, SealState]
    two_persons: bool = False
    new_edition: bool = False
    causes: tuple[str, ...] = ()


COMPROMISE = "key-compromise"
CAUSE_WORDS: Mapping[str, str] = {
    COMPROMISE: "密钥泄露",
    "suspected-compromise": "疑似密钥泄露",
    "keeper-change": "保管人变更",
    "reorganisation": "机构调整",
    "medium-lost": "介质遗失",
    "inspection": "检查",
    "certificate-expiry": "证书到期",
    "key-change": "更换密钥",
    "picture-change": "印模变更",
    "unlawful-making": "违规制作",
    "forged-application": "骗取制作",
    "abolition": "机构撤销",
    "name-change": "名称变更",
    "replaced": "另行制作",
    "application-withdrawn": "撤回申请",
}

SEAL_RULES: Mapping[SealAct, SealRule] = {
    SealAct.APPLY: SealRule("申请", "applied", {S.NONE: S.APPLIED}),
    SealAct.MAKE: SealRule("制作", "made", {S.APPLIED: S.MADE}, two_persons=True, new_edition=True),
    SealAct.FILE: SealRule("备案", "filed", {S.MADE: S.FILED}),
    SealAct.ENABLE: SealRule("启用", "enabled", {S.FILED: S.ENABLED}, two_persons=True),
    SealAct.ACCEDE: SealRule("接入", "acceded", {S.NONE: S.ENABLED}, two_persons=True, new_edition=True),
    SealAct.SUSPEND: SealRule(
        "停用",
        "suspended",
        {S.ENABLED: S.SUSPENDED},
        causes=("suspected-compromise", "keeper-change", "reorganisation", "medium-lost", "inspection"),
    ),
    SealAct.RESUME: SealRule("恢复", "resumed", {S.SUSPENDED: S.ENABLED}, two_persons=True),
    SealAct.RENEW: SealRule(
        "更新",
        "renewed",
        {S.FILED: S.FILED, S.ENABLED: S.ENABLED, S.SUSPENDED: S.SUSPENDED},
        two_persons=True,
        new_edition=True,
        causes=("certificate-expiry", "key-change", "picture-change"),
    ),
    # A seal that is closed stays closed; that its key was compromised, or earlier than known, may still be learnt.
    SealAct.REVOKE: SealRule(
        "撤销",
        "revoked",
        {
            S.MADE: S.REVOKED,
            S.FILED: S.REVOKED,
            S.ENABLED: S.REVOKED,
            S.SUSPENDED: S.REVOKED,
            S.REVOKED: S.REVOKED,
            S.CANCELLED: S.CANCELLED,
        },
        causes=(COMPROMISE, "medium-lost", "unlawful-making", "forged-application"),
    ),
    SealAct.CANCEL: SealRule(
        "注销",
        "cancelled",
        {
            S.APPLIED: S.CANCELLED,
            S.MADE: S.CANCELLED,
            S.FILED: S.CANCELLED,
            S.ENABLED: S.CANCELLED,
            S.SUSPENDED: S.CANCELLED,
            S.REVOKED: S.CANCELLED,
        },
        two_persons=True,
        causes=("abolition", "name-change", "replaced", "application-withdrawn"),
    ),
}

SEAL_STATE_WORDS: Mapping[SealState, str] = {
    S.NONE: "尚未登记",
    S.APPLIED: "已申请，尚未制作",
    S.MADE: "已制作，尚未备案",
    S.FILED: "已备案，尚未启用",
    S.ENABLED: "在用",
    S.SUSPENDED: "已停用",
    S.REVOKED: "已撤销",
    S.CANCELLED: "已注销",
}
_ENDED = frozenset({S.REVOKED, S.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A seal as it stands. `edition` is the newest; `compromised_since` is kept for good."""

    id: str
    name: str
    version: int = 0
    state: SealState = SealState.NONE
    edition: int = 0
    since: datetime | None = None
    compromised_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealCommand:
    """What is asked for. `document` is what it rests on (文号); from `compromised_since` on the key is not believed."""

    act: SealAct
    person: str
    second_person: str = ""
    document: str = ""
    cause: str = ""
    compromised_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealEvent:
    """Something that happened to a seal; the register keeps these for good."""

    seal: str
    version: int
    act: SealAct
    origin: SealState
    target: SealState
    edition: int
    at: datetime
    person: str
    second_person: str = ""
    document: str = ""
    cause: str = ""
    compromised_since: datetime | None = None
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SealPermit:
    """Whether an act is open; `reason` says in Chinese why it is not."""

    act: SealAct
    label: str
    allowed: bool
    reason: str = ""


def permitted(seal: Seal) -> tuple[SealPermit, ...]:
    """Every act, with whether the seal's state allows it and, if not, why."""
    return tuple(
        SealPermit(act, rule.label, not reason, reason)
        for act, rule in SEAL_RULES.items()
        for reason in [refusal(seal, act)]
    )


def refusal(seal: Seal, act: SealAct) -> str:
    """Why the seal's state forbids the act; empty when it does not."""
    rule = SEAL_RULES[act]
    return "" if seal.state in rule.moves else f"该印章{SEAL_STATE_WORDS[seal.state]}，不能{rule.label}"


def decide(seal: Seal, command: SealCommand, *, at: datetime) -> SealEvent:
    """What `command` does to `seal` at the moment `at`.

    Raises `TransitionError` naming the seal and the reason when state or rule forbid it.
    """
    rule = SEAL_RULES[command.act]
    reason = refusal(seal, command.act) or _unsaid(rule, command) or _compromise_refusal(seal, command, at)
    if reason:
        raise TransitionError(f"不能办理{seal.name}（{seal.id}）的{rule.label}：{reason}。")
    return SealEvent(
        seal=seal.id,
        version=seal.version + 1,
        act=command.act,
        origin=seal.state,
        target=rule.moves[seal.state],
        edition=seal.edition + rule.new_edition,
        at=at,
        person=command.person,
        second_person=command.second_person,
        document=command.document,
        cause=command.cause,
        compromised_since=_earliest(seal.compromised_since, command.compromised_since),
    )


def _unsaid(rule: SealRule, command: SealCommand) -> str:
    if not command.person:
        return "缺经办人"
    if not command.document:
        return "缺依据文号"
    if rule.two_persons and (not command.second_person or command.second_person == command.person):
        return "须双人复核，缺第二人"
    if rule.causes and command.cause not in rule.causes:
        return f"事由须为{'、'.join(CAUSE_WORDS[cause] for cause in rule.causes)}之一"
    return ""


def _compromise_refusal(seal: Seal, command: SealCommand, at: datetime) -> str:
    known, told = seal.compromised_since, command.compromised_since
    compromise = command.act is SealAct.REVOKE and command.cause == COMPROMISE
    if compromise != (told is not None):
        return "密钥泄露须写明自何时起，其他情形不得写"
    if told is not None and told > at:
        return "密钥泄露的时间不得晚于现在"
    if command.act is SealAct.REVOKE and seal.state in _ENDED and (told is None or (known and told >= known)):
        return f"该印章{SEAL_STATE_WORDS[seal.state]}，只可再登记更早的密钥泄露时间"
    return ""


def _earliest(first: datetime | None, second: datetime | None) -> datetime | None:
    return min(filter(None, (first, second)), default=None)


def evolve(seal: Seal, event: SealEvent) -> Seal:
    """The seal as it stands after `event`."""
    return replace(
        seal,
        version=event.version,
        state=event.target,
        edition=event.edition,
        since=event.at if event.target is not event.origin else seal.since,
        compromised_since=event.compromised_since,
    )


def replay(blank: Seal, events: Iterable[SealEvent]) -> Seal:
    """Rebuild a seal from its events."""
    return reduce(evolve, events, blank)
