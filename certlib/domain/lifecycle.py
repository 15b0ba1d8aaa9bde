"""The life of a certificate: the law as a table, and three pure functions.

`permitted` says what may be done now and why the rest may not; `decide` turns a command into an event or refuses
it; `evolve` applies an event. None of them looks at a clock, a database or a key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import reduce

from certlib.domain.actions import Action, LegalState
from certlib.domain.calendar import Calendar
from certlib.domain.certificate import Certificate, Edition
from certlib.domain.civil import chinese_date, civil_date
from certlib.domain.decision import Decision, DecisionKind, StepKind
from certlib.domain.kinds import CertificateType
from certlib.domain.renewal import WEEKENDS, renewal_days
from certlib.domain.seal import SealKind
from certlib.errors import TransitionError

S = LegalState
APPLICATION, EX_OFFICIO, OTHER = DecisionKind.APPLICATION, DecisionKind.EX_OFFICIO, DecisionKind.OTHER_AUTHORITY


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the law: from which states, to which, by whose decision, with what effect on edition and sheets.

    `sheets`: "new" — the new edition has sheets of its own, the older ones are to be recalled; "keep" — they share
    the certificate's fate; "recall" — all are to be handed in. `causes` are the grounds that may be named; the first
    is the default. `second_person` asks for 双人复核. `evidence` names what must be attached, in Chinese.
    """

    label: str
    sources: frozenset[LegalState]
    target: LegalState
    decisions: frozenset[DecisionKind]
    new_edition: bool = False
    sheets: str = "keep"
    causes: tuple[str, ...] = ()
    second_person: bool = False
    evidence: tuple[str, ...] = ()
    seal: SealKind = SealKind.APPROVAL
    basis: str = ""


_LIVE = frozenset({S.IN_FORCE})
_LIVE_OR_SUSPENDED = frozenset({S.IN_FORCE, S.SUSPENDED, S.EXPIRED})
_CLOSED_BY = frozenset({S.IN_FORCE, S.SUSPENDED, S.EXPIRED, S.REVOKED, S.WITHDRAWN, S.RESCINDED})
_BY_APPLICATION = frozenset({APPLICATION})

RULES: Mapping[Action, Rule] = {
    Action.ISSUE: Rule(
        "新办", frozenset({S.PLANNED}), S.IN_FORCE, _BY_APPLICATION, True, "new", basis="行政许可法38、39"
    ),
    Action.IMPORT: Rule(
        "补录", frozenset({S.PLANNED}), S.IN_FORCE, frozenset({EX_OFFICIO}), True, "new", second_person=True
    ),
    Action.RENEW: Rule("延续", _LIVE | {S.EXPIRED}, S.IN_FORCE, _BY_APPLICATION, True, "new", basis="行政许可法50"),
    Action.REPLACE: Rule("换证", _LIVE | {S.EXPIRED}, S.IN_FORCE, _BY_APPLICATION, True, "new"),
    Action.CHANGE: Rule("变更", _LIVE, S.IN_FORCE, _BY_APPLICATION, True, "new", basis="行政许可法49"),
    Action.TRANSFER: Rule("转让", _LIVE, S.IN_FORCE, _BY_APPLICATION, True, "new"),
    Action.CORRECT: Rule(
        "更正",
        _LIVE,
        S.IN_FORCE,
        frozenset({APPLICATION, EX_OFFICIO}),
        True,
        "new",
        ("clerical-error",),
        True,
        ("更正说明",),
    ),
    Action.REISSUE: Rule("补证", _LIVE, S.IN_FORCE, _BY_APPLICATION, True, "new", ("lost", "damaged")),
    Action.RETAIN: Rule("保留", _LIVE, S.IN_FORCE, _BY_APPLICATION, True, "new"),
    Action.SUSPEND: Rule(
        "暂扣", _LIVE, S.SUSPENDED, frozenset({OTHER}), causes=("penalty", "assistance"), basis="行政处罚法9(三)"
    ),
    Action.RESUME: Rule(
        "发还", frozenset({S.SUSPENDED}), S.IN_FORCE, frozenset({OTHER, EX_OFFICIO}), causes=("term-ended", "lifted")
    ),
    Action.CANCEL: Rule(
        "注销",
        _CLOSED_BY,
        S.CANCELLED,
        frozenset({APPLICATION, EX_OFFICIO}),
        sheets="recall",
        causes=("request", "expiry", "termination", "impossibility"),
        seal=SealKind.ORGAN,
        basis="行政许可法70",
    ),
    Action.WITHDRAW: Rule(
        "撤回",
        _LIVE_OR_SUSPENDED,
        S.WITHDRAWN,
        frozenset({EX_OFFICIO}),
        sheets="recall",
        causes=("law-changed", "circumstances-changed"),
        seal=SealKind.ORGAN,
        basis="行政许可法8",
    ),
    Action.REVOKE: Rule(
        "撤销",
        _LIVE_OR_SUSPENDED,
        S.REVOKED,
        frozenset({EX_OFFICIO}),
        sheets="recall",
        causes=("fraud", "unlawful-grant"),
        seal=SealKind.ORGAN,
        basis="行政许可法69",
    ),
    Action.RESCIND: Rule(
        "吊销",
        _LIVE_OR_SUSPENDED,
        S.RESCINDED,
        frozenset({OTHER}),
        sheets="recall",
        causes=("penalty",),
        basis="行政处罚法9(三)",
    ),
    Action.VOID: Rule(
        "签发错误作废",
        _LIVE | {S.SUSPENDED},
        S.VOIDED,
        frozenset({EX_OFFICIO}),
        sheets="recall",
        causes=("issued-in-error",),
        second_person=True,
        evidence=("签发错误说明",),
    ),
}

STATE_WORDS: Mapping[LegalState, str] = {
    S.PLANNED: "尚未生效",
    S.IN_FORCE: "有效",
    S.SUSPENDED: "已暂扣",
    S.CANCELLED: "已注销",
    S.WITHDRAWN: "已撤回",
    S.REVOKED: "已撤销",
    S.RESCINDED: "已吊销",
    S.VOIDED: "已因签发错误作废",
    S.EXPIRED: "已过期",
}
DECISION_WORDS: Mapping[DecisionKind, str] = {APPLICATION: "依申请", EX_OFFICIO: "依职权", OTHER: "他机关文书"}


@dataclass(frozen=True, slots=True)
class Permit:
    """Whether an action is open at a moment; `reason` says in Chinese why it is not."""

    action: Action
    label: str
    allowed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What is asked for: an action under a decision, with the edition it would make."""

    action: Action
    decision: Decision
    cause: str = ""
    edition: Edition | None = None
    second_person: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a certificate; the register keeps these for good."""

    key: str
    version: int
    action: Action
    origin: LegalState
    target: LegalState
    cause: str
    at: datetime
    edition: Edition | None = None
    detail: Mapping[str, object] = field(default_factory=dict)


def permitted(
    certificate: Certificate, kind: CertificateType, *, at: datetime, calendar: Calendar = WEEKENDS
) -> tuple[Permit, ...]:
    """Every action of the type, with whether it is open at the moment `at` and, if not, why."""
    actions = [action for action in RULES if action in kind.actions or action in _UNIVERSAL]
    return tuple(
        Permit(action, kind.labels.get(action, RULES[action].label), not reason, reason)
        for action in actions
        if action not in _FIRST
        for reason in [refusal(certificate, kind, action, at=at, applied_on=civil_date(at), calendar=calendar)]
    )


# Actions that come by law or by another authority stand beside those the type's items name.
_UNIVERSAL = frozenset(
    {
        Action.CORRECT,
        Action.SUSPEND,
        Action.RESUME,
        Action.CANCEL,
        Action.WITHDRAW,
        Action.REVOKE,
        Action.RESCIND,
        Action.VOID,
    }
)
_FIRST = frozenset({Action.ISSUE, Action.IMPORT})


def refusal(
    certificate: Certificate,
    kind: CertificateType,
    action: Action,
    *,
    at: datetime,
    applied_on: date,
    calendar: Calendar = WEEKENDS,
) -> str:
    """Why `action` may not be done at `at` on an application of the day `applied_on`; empty when it may."""
    state, rule = certificate.state_at(at), RULES[action]
    label = kind.labels.get(action, rule.label)
    if action not in kind.actions and action not in _UNIVERSAL:
        return f"{kind.name}没有“{label}”这一办理情形"
    if state not in rule.sources:
        return f"该证{STATE_WORDS[state]}，不能{label}"
    if action in {Action.RENEW, Action.REPLACE}:
        return _renewal_refusal(certificate, kind, label, at=at, applied_on=applied_on, calendar=calendar)
    newest = certificate.newest
    if rule.new_edition and newest is not None and newest.effective_from > civil_date(at):
        return f"该证已有新版本，自{chinese_date(newest.effective_from)}起生效，生效前不能{label}"
    return ""


def _renewal_refusal(
    certificate: Certificate,
    kind: CertificateType,
    label: str,
    *,
    at: datetime,
    applied_on: date,
    calendar: Calendar,
) -> str:
    newest = certificate.newest
    if newest is None or newest.valid_until is None:
        return f"该证长期有效，无需{label}"
    if certificate.state_at(at) is S.EXPIRED:
        return "" if kind.validity.late_renewal else f"该证已过期，逾期不能{label}，请重新申请"
    if len(certificate.editions) > 1 and newest.effective_from > applied_on:
        return f"该证已{label}，新版本自{chinese_date(newest.effective_from)}起生效"
    opens, closes = renewal_days(kind.validity, newest.valid_until, calendar)
    if applied_on < opens:
        return f"未到申请期：{label}应当自{chinese_date(opens)}起提出"
    if applied_on > closes and not kind.validity.late_renewal:
        return f"已过申请期：{label}应当在{chinese_date(closes)}前提出"
    return ""


def decide(
    certificate: Certificate,
    kind: CertificateType,
    command: Command,
    *,
    at: datetime,
    calendar: Calendar = WEEKENDS,
) -> Event:
    """What `command` does to `certificate` at the moment `at`.

    Raises `TransitionError` naming the certificate and the reason when state, law or type forbid it.
    """
    rule = RULES[command.action]
    acceptance = command.decision.step(StepKind.ACCEPTANCE)
    applied_on = civil_date(acceptance.at if acceptance else at)
    by_law = refusal(certificate, kind, command.action, at=at, applied_on=applied_on, calendar=calendar)
    reason = by_law or _decision_refusal(rule, command)
    if reason:
        label = kind.labels.get(command.action, rule.label)
        raise TransitionError(f"不能办理{certificate.number}的{label}：{reason}。")
    if rule.new_edition != (command.edition is not None):
        raise TransitionError(f"{rule.label}与新版本必须同时出现。")
    return Event(
        key=certificate.key,
        version=certificate.version + 1,
        action=command.action,
        origin=certificate.state,
        target=rule.target,
        cause=_cause(certificate, rule, command),
        at=at,
        edition=command.edition,
    )


def _decision_refusal(rule: Rule, command: Command) -> str:
    if command.decision.kind not in rule.decisions:
        wanted = "或".join(DECISION_WORDS[kind] for kind in DecisionKind if kind in rule.decisions)
        return f"须有{wanted}的决定，现为{DECISION_WORDS[command.decision.kind]}"
    if rule.causes and command.cause and command.cause not in rule.causes:
        return f"事由“{command.cause}”不在{'、'.join(rule.causes)}之列"
    if rule.second_person and not command.second_person:
        return "须双人复核，缺第二人"
    if rule.evidence and not command.evidence:
        return f"缺少材料：{'、'.join(rule.evidence)}"
    return ""


_KEPT_CAUSES = {S.REVOKED: "revoked", S.WITHDRAWN: "withdrawn", S.RESCINDED: "rescinded"}


def _cause(certificate: Certificate, rule: Rule, command: Command) -> str:
    """The cause kept on the certificate: a revocation's word survives the cancellation that closes the number."""
    if rule.target in _KEPT_CAUSES:
        return _KEPT_CAUSES[rule.target]
    if rule.target is S.CANCELLED and certificate.state in _KEPT_CAUSES:
        return _KEPT_CAUSES[certificate.state]
    if rule.target is S.IN_FORCE:
        return ""
    return command.cause or (rule.causes[0] if rule.causes else "")


def evolve(certificate: Certificate, event: Event) -> Certificate:
    """The certificate as it stands after `event`."""
    editions = certificate.editions + ((event.edition,) if event.edition else ())
    return replace(
        certificate,
        version=event.version,
        state=event.target,
        cause=event.cause,
        since=event.at,
        editions=editions,
    )


def replay(blank: Certificate, events: Iterable[Event]) -> Certificate:
    """Rebuild a certificate from its events; auditors and tests run this."""
    return reduce(evolve, events, blank)
