"""From a request to a draft: every fault of the request, the case, the mandate and the facts at once, or a draft.

Pure: the catalogue and the moment are arguments. Nothing here numbers, seals or stores.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from certlib.catalogue import Catalogue
from certlib.catalogue.checks import check_decision, check_facts, check_holder
from certlib.domain.actions import Action
from certlib.domain.civil import civil_date
from certlib.domain.decision import Decision, StepKind
from certlib.domain.holder import Holder
from certlib.domain.kinds import Allocator, CertificateType, DocumentType, Item, Mandate, NumberFormat, OutcomeKind
from certlib.domain.lifecycle import RULES
from certlib.domain.renewal import last_day
from certlib.domain.seal import SealSpec
from certlib.domain.seal_table import CERTIFICATE, SealedThing
from certlib.errors import ConfigurationError, Fault, RequestError
from certlib.identifiers import check_number as match_number
from certlib.identifiers import format_number
from certlib.issue.draft import Draft, PlannedSheet
from certlib.issue.publishing import issuer_number
from certlib.issue.requests import IssueRequest, Paper

_CASE = re.compile(r"[0-9A-Za-z〔〕()（）_.\-]{4,60}")


def plan_certificate(request: IssueRequest, catalogue: Catalogue, *, now: datetime) -> Draft:
    """The draft of a first certificate. Raises `RequestError` with every fault."""
    faults = list(request.faults)
    item = find_item(catalogue, request.item, faults)
    kind = _certificate_type(catalogue, item, request, faults)
    decision = replace(request.decision, item=request.item, case=request.case)
    faults += check_case(request.case)
    faults += check_decision(decision, item, catalogue, now=now)
    faults += check_holder(request.holder, today=civil_date(now), kind=kind)
    texts: Mapping[str, str] = {}
    valid_from, valid_until = request.valid_from or civil_date(now), request.valid_until
    if kind is not None:
        fact_faults, texts = read_facts(kind, request.facts, request.holder, decision, now=now)
        faults += fact_faults
        faults += check_number(kind.number, request.number, request.facts)
        faults += check_paper(kind, request.paper)
        valid_until, validity_faults = first_validity(kind, valid_from, request.valid_until, civil_date(now))
        faults += validity_faults
    mandate = mandate_of(catalogue, item, decision, now)
    if faults or kind is None or item is None or mandate is None:
        raise RequestError(faults)
    seal = certificate_seal(catalogue, mandate.seals, kind, Action.ISSUE, item=item.key, now=now)
    authority = catalogue.authorities[mandate.decides]
    return Draft(
        kind="certificate",
        type=kind.key,
        type_code=kind.code,
        code_number=kind.code_number,
        name=kind.name,
        english=kind.english,
        template=face_of(kind.template, kind.name),
        action=Action.ISSUE.value,
        label=kind.labels.get(Action.ISSUE, RULES[Action.ISSUE].label),
        item=item.key,
        case=request.case,
        decision=decision,
        persons=persons_of(decision, request.second_person),
        authority=authority.key,
        issuer=authority.name,
        issuer_code=authority.uscc,
        issuer_number=issuer_number(catalogue, authority.key),
        document_word=authority.document_word,
        seal=seal.id,
        seal_kind=seal.kind.value,
        holder=request.holder,
        facts=dict(request.facts),
        texts=texts,
        labels={spec.key: spec.label for spec in kind.fields},
        numbering=kind.number,
        number=request.number,
        issued_on=civil_date(now),
        effective_from=valid_from,
        valid_from=valid_from,
        valid_until=valid_until,
        sheets=planned_sheets(kind, request.paper),
        paper_waived=request.paper.waived,
        second_person=request.second_person,
    )


def find_item(catalogue: Catalogue, key: str, faults: list[Fault]) -> Item | None:
    """The item, or a fault."""
    item = catalogue.items.get(key)
    if item is None and key:
        message = f"事项：清单中没有事项“{key[:20]}”（应如 2-25）。"
        faults.append(Fault("item", "unknown-item", message, "事项", "There is no such item."))
    return item


def _certificate_type(
    catalogue: Catalogue, item: Item | None, request: IssueRequest, faults: list[Fault]
) -> CertificateType | None:
    if item is None:
        return None
    offered = [
        outcome.type
        for outcome in item.outcomes
        if outcome.kind is OutcomeKind.CERTIFICATE and Action.ISSUE in outcome.actions
    ]
    key = request.type or (offered[0] if offered else "")
    if key in offered:
        return catalogue.certificate_types[key]
    if not offered:
        message = f"事项：{item.title}不核发新证；请对已有证照办理相应的变动。"
        faults.append(Fault("item", "no-first-issue", message, "事项", "This item does not issue a new certificate."))
    else:
        message = f"证照种类：{item.title}可核发 {'、'.join(offered)}，没有“{key[:40]}”。"
        faults.append(Fault("type", "unknown-type", message, "证照种类", "This item does not issue that type."))
    return None


def check_case(number: str) -> list[Fault]:
    """A case number is a short code without spaces."""
    if not number or _CASE.fullmatch(number):
        return []
    message = "办件编号：应为 4 至 60 位字母、数字或 〔〕()-_. 。"
    return [
        Fault("case.number", "bad-case-number", message, "办件编号", "A case number has 4 to 60 letters or digits.")
    ]


def read_facts(
    kind: CertificateType | DocumentType, facts: Mapping[str, Any], holder: Holder, decision: Decision, *, now: datetime
) -> tuple[list[Fault], dict[str, str]]:
    """The faults of the facts and the sound ones as printed; what repeats holder, case or dates must agree."""
    acceptance = decision.step(StepKind.ACCEPTANCE)
    return check_facts(
        kind,
        facts,
        today=civil_date(now),
        holder=holder,
        case=decision.case,
        accepted_on=civil_date(acceptance.at) if acceptance else None,
    )


def check_number(numbering: NumberFormat, number: str, facts: Mapping[str, Any]) -> list[Fault]:
    """A number is given when another allots it, and then has that other's form; else the facts must yield one."""
    label = "证照编号"
    try:
        if numbering.allocator is Allocator.LOCAL:
            if number:
                return [
                    Fault("number", "number-not-expected", f"{label}：由本系统编号，不得自带。", label, "Not expected.")
                ]
            format_number(numbering, year=2026, serial=1, facts=facts)
        elif not number:
            message = f"{label}：由上级系统或人工编号，须随申请给出。"
            return [Fault("number", "missing", message, label, "The number is allotted elsewhere and must be given.")]
        else:
            match_number(numbering, number)
    except ValueError as error:
        return [Fault("number", "bad-number", f"{label}：{error}。", label, "Not a number of this format.")]
    return []


def check_paper(kind: CertificateType, paper: Paper) -> list[Fault]:
    """Only the type's kinds of sheets, at least one of each unless paper is waived altogether."""
    known = {copy.kind: copy for copy in kind.copies}
    wrong = [name for name in paper.copies if name not in known]
    if wrong:
        message = f"正副本份数：{kind.name}没有 {'、'.join(wrong)}，只有 {'、'.join(known)}。"
        return [Fault("paper.copies", "unknown-copy", message, "正副本份数", "The type has no such copies.")]
    if paper.copies.get("original", 1) != 1 and not paper.waived:
        message = "正副本份数：正本只能一份。"
        return [Fault("paper.copies", "one-original", message, "正副本份数", "There is exactly one original.")]
    return []


def planned_sheets(kind: CertificateType, paper: Paper) -> tuple[PlannedSheet, ...]:
    """The sheets an edition will have."""
    if paper.waived:
        return ()
    return tuple(
        PlannedSheet(copy.kind, copy.label, number, copy.seal)
        for copy in kind.copies
        for number in range(1, paper.copies.get(copy.kind, copy.count) + 1)
    )


def first_validity(
    kind: CertificateType, start: date, asked: date | None, today: date
) -> tuple[date | None, list[Fault]]:
    """The last day of validity, and the faults of the days asked for."""
    faults: list[Fault] = []
    if start < today:
        message = "有效期起始日期：不得早于发证当日。"
        faults.append(Fault("valid_from", "back-dated", message, "有效期起始日期", "Must not lie before the issue."))
    until = last_day(kind.validity, start)
    if asked is None:
        return until, faults
    return asked, faults + check_until(kind, start, asked, until)


def check_until(kind: CertificateType, start: date, asked: date, longest: date | None) -> list[Fault]:
    """A shorter validity may be set; a longer one, or one that ends before it begins, may not."""
    label = "有效期截止日期"
    if longest is None:
        return [Fault("valid_until", "no-end", f"{label}：{kind.name}长期有效，无截止日期。", label, "Has no end.")]
    if asked < start:
        return [
            Fault("valid_until", "dates-in-wrong-order", f"{label}：早于起始日期。", label, "Ends before it begins.")
        ]
    if asked > longest:
        return [Fault("valid_until", "too-late", f"{label}：超过最长有效期（{longest}）。", label, "Too late.")]
    return []


def mandate_of(catalogue: Catalogue, item: Item | None, decision: Decision, now: datetime) -> Mandate | None:
    """The mandate under which the case is completed, its run-off included; `check_decision` has judged it."""
    if item is None:
        return None
    approval = decision.step(StepKind.APPROVAL)
    return catalogue.mandate_for(item.key, decision, civil_date(approval.at if approval else now))


def persons_of(decision: Decision, second_person: str = "") -> tuple[str, ...]:
    """Who approves the use of the seal: the person of the decision's last step, and who confirmed it (双人复核)."""
    first = decision.steps[-1].person if decision.steps else decision.authority
    return tuple(dict.fromkeys(filter(None, (first, second_person))))


def certificate_seal(
    catalogue: Catalogue, authority: str, kind: CertificateType, action: Action, *, item: str, now: datetime
) -> SealSpec:
    """The seal of `authority` that goes on a certificate by `action`; see `Catalogue.seal_for`."""
    thing = SealedThing(
        outcome=CERTIFICATE,
        authority=authority,
        type=kind.key,
        action=action.value,
        item=item,
        day=civil_date(now),
    )
    return catalogue.seal_for(thing, RULES[action].seal)


def face_of(template: str, name: str) -> str:
    """The template's folder. Raises `ConfigurationError` when the type has no face yet."""
    if not template:
        raise ConfigurationError(f"{name}尚未配置版式（templates/ 下没有它的文件夹），不能签发。")
    return template


def facts_json(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as they are stored: texts and lists of texts."""
    return {key: list(value) if isinstance(value, list | tuple) else value for key, value in facts.items()}
