"""From a request for an action to a draft of a new edition, or to a command on the certificate as it is.

Pure, like `planning`: the certificate, its newest edition's facts, the catalogue and the moment are arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from certlib.catalogue import Catalogue
from certlib.catalogue.checks import check_changes, check_decision, check_facts, check_holder
from certlib.domain.actions import Action
from certlib.domain.calendar import decision_due
from certlib.domain.certificate import Certificate, Edition
from certlib.domain.civil import chinese_date, civil_date
from certlib.domain.decision import Decision, DecisionKind, StepKind
from certlib.domain.holder import Holder
from certlib.domain.kinds import CertificateType, Item
from certlib.domain.lifecycle import RULES, Command, decide
from certlib.domain.renewal import last_day
from certlib.errors import Fault, RequestError
from certlib.issue.draft import Draft
from certlib.issue.planning import (
    certificate_seal,
    check_case,
    check_paper,
    check_until,
    face_of,
    find_item,
    mandate_of,
    persons_of,
    planned_sheets,
)
from certlib.issue.publishing import issuer_number
from certlib.issue.requests import ActRequest

_NEW_DAYS = frozenset({Action.RENEW, Action.REPLACE, Action.RETAIN})
_FREE_FACTS = frozenset({Action.CORRECT, Action.TRANSFER})
_FACTS_NEEDED = frozenset({Action.CHANGE, Action.CORRECT, Action.TRANSFER})


@dataclass(frozen=True, slots=True)
class Present:
    """A certificate as the register holds it, with what its newest edition says."""

    certificate: Certificate
    kind: CertificateType
    authority: str
    holder: Holder
    facts: Mapping[str, Any]
    paper_waived: bool


def plan_action(
    request: ActRequest, action: Action, present: Present, catalogue: Catalogue, *, now: datetime
) -> tuple[Command, Draft | None]:
    """The command, and the draft of the new edition when the action makes one.

    Raises `RequestError` with every fault of the request; `TransitionError` when the law's table refuses.
    """
    faults = list(request.faults)
    decision = replace(request.decision, item=request.item, case=request.case)
    by_application = decision.kind is DecisionKind.APPLICATION
    item = _item_of(request, action, present.kind, catalogue, faults) if by_application else None
    if by_application:
        faults += check_case(request.case) or _missing_case(request.case)
    faults += _deemed(decision, action, present, catalogue, now=now)
    until = StepKind.ACCEPTANCE if decision.deemed else StepKind.APPROVAL
    faults += check_decision(decision, item, catalogue, now=now, decider=present.authority, until=until)
    faults += _before_issue(decision, present)
    if item is not None and action is Action.CHANGE:
        faults += _outside_item(request, item, present)
    holder, facts, texts = _content(request, action, present, faults, civil_date(now))
    faults += check_paper(present.kind, request.paper)
    if faults:
        raise RequestError(faults)
    command = Command(
        action=action,
        decision=decision,
        cause=request.cause,
        second_person=request.second_person,
        evidence=request.evidence,
    )
    if not RULES[action].new_edition:
        return command, None
    edition_days = _days(request, action, present, now)
    draft = _draft(request, present, catalogue, command, days=edition_days, now=now)
    return command, replace(draft, holder=holder, facts=facts, texts=texts)


def check_allowed(
    present: Present, command: Command, draft: Draft | None, catalogue: Catalogue, *, now: datetime
) -> None:
    """Ask the law before any work is done. Raises `TransitionError`."""
    edition = None
    if draft is not None:
        edition = Edition(
            index=draft.edition,
            n=0,
            issued_on=draft.issued_on,
            effective_from=draft.effective_from,
            valid_from=draft.valid_from,
            valid_until=draft.valid_until,
        )
    asked = replace(command, edition=edition)
    decide(present.certificate, present.kind, asked, at=now, calendar=catalogue.calendar)


def _item_of(
    request: ActRequest, action: Action, kind: CertificateType, catalogue: Catalogue, faults: list[Fault]
) -> Item | None:
    if not request.item:
        faults.append(
            Fault("item", "missing", "事项：依申请办理须写明事项。", "事项", "An application names its item.")
        )
        return None
    item = find_item(catalogue, request.item, faults)
    if item is None:
        return None
    if any(outcome.type == kind.key and action in outcome.actions for outcome in item.outcomes):
        return item
    label = kind.labels.get(action, RULES[action].label)
    message = f"事项：{item.title}不办理{kind.name}的{label}。"
    faults.append(Fault("item", "item-without-action", message, "事项", "This item does not cover that action."))
    return None


def _outside_item(request: ActRequest, item: Item, present: Present) -> list[Fault]:
    """Facts that this item's change may not touch: 登记事项 and 许可事项 are items of their own."""
    outcome = next(entry for entry in item.outcomes if entry.type == present.kind.key)
    return check_changes(outcome, present.kind, present.facts, {**present.facts, **request.facts})


def _deemed(
    decision: Decision, action: Action, present: Present, catalogue: Catalogue, *, now: datetime
) -> list[Fault]:
    """A renewal counts as granted when the law says so and it was not decided by its due day (行政许可法50)."""
    acceptance = decision.step(StepKind.ACCEPTANCE)
    if not decision.deemed:
        return []
    label = "视为准予"
    if action is not Action.RENEW or not present.kind.validity.deemed_renewal:
        message = f"{label}：{present.kind.name}的这一办理情形没有视为准予的规定。"
        return [Fault("decision.deemed", "not-deemed", message, label, "The law does not deem this granted.")]
    newest = present.certificate.newest
    due = decision_due(catalogue.calendar, civil_date(acceptance.at)) if acceptance else None
    last = newest.valid_until if newest else None
    if due is None or last is None or civil_date(now) <= min(due, last):
        message = f"{label}：尚未逾期，须作出决定。"
        return [Fault("decision.deemed", "not-overdue", message, label, "It is not overdue yet.")]
    return []


def _before_issue(decision: Decision, present: Present) -> list[Fault]:
    """A decision about a certificate is not older than it: one dated before the first edition's day is back-dated."""
    first = min((edition.issued_on for edition in present.certificate.editions), default=None)
    approval = decision.step(StepKind.APPROVAL)
    moments = {"decision.decided_at": decision.decided_at, "decision.approval.at": approval.at if approval else None}
    label = "决定时间"
    return [
        Fault(
            path,
            "before-issue",
            f"{label}：早于发证日期（{chinese_date(first)}），对尚未制发的证照不能作出决定。",
            label,
            "The decision is dated before the certificate was issued.",
        )
        for path, at in moments.items()
        if first and at and at.tzinfo and civil_date(at) < first
    ]


def _missing_case(number: str) -> list[Fault]:
    message = "办件编号：依申请办理须有办件编号。"
    return [] if number else [Fault("case.number", "missing", message, "办件编号", "An application has a case number.")]


def _content(
    request: ActRequest, action: Action, present: Present, faults: list[Fault], today: date
) -> tuple[Holder, dict[str, Any], Mapping[str, str]]:
    """Holder, facts and printed texts of the new edition; faults of what may not be touched."""
    changed = {key: value for key, value in request.facts.items() if present.facts.get(key) != value}
    holder = request.holder or present.holder
    if not RULES[action].new_edition:
        if request.facts:
            faults.append(_may_not("facts", f"{RULES[action].label}不改变证照内容。", "证照内容"))
        return holder, dict(present.facts), {}
    faults += _untouchable(changed, action, present.kind)
    if action in _FACTS_NEEDED and not changed and holder == present.holder:
        message = f"证照内容：{RULES[action].label}没有改动任何一项。"
        faults.append(Fault("facts", "nothing-changed", message, "证照内容", "Nothing would change."))
    facts = {**present.facts, **request.facts}
    holder = _holder_after(holder, request, changed, present.kind)
    if _codes(holder) != _codes(present.holder) and action is not Action.TRANSFER:
        faults.append(_may_not("holder.code", "持证主体代码只能经转让改变。", "持证主体代码"))
    fact_faults, texts = check_facts(present.kind, facts, today=today, holder=holder)
    faults += fact_faults
    if request.holder is not None:
        faults += check_holder(request.holder, today=today, kind=present.kind)
    return holder, facts, texts


def _holder_after(holder: Holder, request: ActRequest, changed: Mapping[str, Any], kind: CertificateType) -> Holder:
    """A holder whose name on the face changed holds the certificate under the new one."""
    spec = kind.holder_name
    name = changed.get(spec.key) if spec else None
    if request.holder is not None or not name:
        return holder
    names = name if isinstance(name, list) else str(name).split("\n") if holder.others else [name]
    if len(names) != len(holder.all) or not all(isinstance(one, str) for one in names):
        return holder  # whoever joins or leaves is named with a code; the face then differs, and that is told
    first, *others = (replace(one, name=new) for one, new in zip(holder.all, names, strict=True))
    return replace(first, others=tuple(others))


def _codes(holder: Holder) -> set[tuple[str, str]]:
    """Who holds it, in no order."""
    return {(one.code_type.value, one.code) for one in holder.all}


def _untouchable(changed: Mapping[str, Any], action: Action, kind: CertificateType) -> list[Fault]:
    if action in _FREE_FACTS:
        return []
    specs = {spec.key: spec for spec in kind.fields}
    barred = changed if action is not Action.CHANGE else ()  # what a change may touch, its item says
    label = kind.labels.get(action, RULES[action].label)
    return [
        _may_not(f"facts.{key}", f"{specs[key].label if key in specs else key}：{label}时不得改变。", specs[key].label)
        for key in barred
        if key in specs
    ]


def _may_not(path: str, message: str, label: str) -> Fault:
    return Fault(path, "may-not-change", message, label, "May not be changed by this action.")


def _days(request: ActRequest, action: Action, present: Present, now: datetime) -> tuple[date, date, date | None]:
    """Effective day, first and last day of validity of the new edition (医疗器械经营监督管理办法 15, 16)."""
    today, newest, validity = civil_date(now), present.certificate.newest, present.kind.validity
    if newest is None or action not in _NEW_DAYS or newest.valid_until is None:
        start = newest.valid_from if newest else today
        return today, start, newest.valid_until if newest else None
    start = max(today, newest.valid_until + timedelta(days=1))
    longest = last_day(validity, start)
    if request.valid_until is not None:
        faults = check_until(present.kind, start, request.valid_until, longest)
        if faults:
            raise RequestError(faults)
    return start, start, request.valid_until or longest


def _draft(
    request: ActRequest,
    present: Present,
    catalogue: Catalogue,
    command: Command,
    *,
    days: tuple[date, date, date | None],
    now: datetime,
) -> Draft:
    kind, certificate = present.kind, present.certificate
    mandate = mandate_of(catalogue, catalogue.items.get(request.item), command.decision, now)
    authority = catalogue.authorities[mandate.decides if mandate else present.authority]
    sealing = mandate.seals if mandate else present.authority
    seal = certificate_seal(catalogue, sealing, kind, command.action, item=request.item, now=now)
    effective_from, valid_from, valid_until = days
    waived = request.paper.waived or (present.paper_waived and not request.paper.copies)
    return Draft(
        kind="certificate",
        type=kind.key,
        type_code=kind.code,
        code_number=kind.code_number,
        name=kind.name,
        english=kind.english,
        template=face_of(kind.template, kind.name),
        action=command.action.value,
        label=kind.labels.get(command.action, RULES[command.action].label),
        item=request.item,
        case=request.case,
        decision=command.decision,
        persons=persons_of(command.decision, request.second_person) or (authority.key,),
        authority=authority.key,
        issuer=authority.name,
        issuer_code=authority.uscc,
        issuer_number=issuer_number(catalogue, authority.key),
        document_word=authority.document_word,
        seal=seal.id,
        seal_kind=seal.kind.value,
        holder=present.holder,
        facts=present.facts,
        texts={},
        labels={spec.key: spec.label for spec in kind.fields},
        numbering=kind.number,
        number=certificate.number,
        certificate=certificate.key,
        certificate_version=certificate.version,
        edition=certificate.newest.index + 1 if certificate.newest else 1,
        issued_on=civil_date(now),
        effective_from=effective_from,
        valid_from=valid_from,
        valid_until=valid_until,
        sheets=() if waived else planned_sheets(kind, request.paper),
        paper_waived=waived,
        cause=request.cause,
        evidence=request.evidence,
        second_person=request.second_person,
    )
