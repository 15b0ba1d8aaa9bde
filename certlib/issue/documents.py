"""From a request to the draft of a sealed paper: one that is asked for by itself, or the decision behind an action.

Who issues and seals follows from the kind's data: `approval` and `organ` are the deciding authority's, `district` that
of the district authority whose step the paper belongs to. A paper that shows the chain (审批流转单, 审核转报件) takes
it from the decision that was checked and from the mandate, never from the request. Pure, like `planning`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from certlib.catalogue import Catalogue
from certlib.catalogue.checks import check_decision, check_facts, check_holder
from certlib.domain.actions import Action
from certlib.domain.civil import SHANGHAI, chinese_date, civil_date
from certlib.domain.decision import Decision, Step, StepKind
from certlib.domain.holder import Holder
from certlib.domain.kinds import Authority, DocumentType, Item, Mandate, OutcomeKind
from certlib.domain.lifecycle import RULES, Command
from certlib.domain.seal import SealKind, SealSpec
from certlib.domain.seal_table import DOCUMENT, SealedThing
from certlib.errors import Fault, RequestError
from certlib.issue.acting import Present, plan_action
from certlib.issue.draft import Draft
from certlib.issue.planning import (
    check_case,
    check_number,
    face_of,
    find_item,
    mandate_of,
    persons_of,
    read_facts,
)
from certlib.issue.publishing import issuer_number
from certlib.issue.requests import ActRequest, IssueRequest

_DOCUMENTS = frozenset({OutcomeKind.DOCUMENT, OutcomeKind.RECEIPT})
CHAIN_LABELS: Mapping[str, str] = {
    "acceptance": "受理",
    "acceptance_person": "受理人",
    "acceptance_at": "受理时间",
    "review": "审核",
    "review_person": "审核人",
    "review_at": "审核时间",
    "approval": "批准",
    "decides": "审批机关",
    "supervises": "监管部门",
    "mandate": "权限依据",
}
"""What a paper that shows the chain prints besides its facts, with the Chinese labels."""


def plan_document(request: IssueRequest, catalogue: Catalogue, *, now: datetime) -> Draft:
    """The draft of a sealed document of the procedure. Raises `RequestError` with every fault."""
    faults = list(request.faults)
    item = find_item(catalogue, request.item, faults)
    kind = _document_type(catalogue, item, request, faults)
    decision = replace(request.decision, item=request.item, case=request.case)
    faults += check_case(request.case)
    until = StepKind(kind.step) if kind else StepKind.APPROVAL
    faults += check_decision(decision, item, catalogue, now=now, until=until)
    faults += check_holder(request.holder, today=civil_date(now))
    texts: Mapping[str, str] = {}
    if kind is not None:
        fact_faults, texts = read_facts(kind, request.facts, request.holder, decision, now=now)
        faults += fact_faults + check_number(kind.number, request.number, {"word": "字"})
    mandate = mandate_of(catalogue, item, decision, now)
    if faults or kind is None or item is None or mandate is None:
        raise RequestError(faults)
    authority, seal = _issuer(kind, mandate, catalogue, item=item.key, now=now)
    shown = chain_texts(decision, mandate, catalogue) if kind.chain else {}
    draft = _draft(kind, catalogue, authority, seal, decision=decision, holder=request.holder, now=now)
    return replace(
        draft,
        facts=dict(request.facts),
        texts={**texts, **shown},
        labels={**draft.labels, **(CHAIN_LABELS if kind.chain else {})},
        number=request.number,
        persons=persons_of(decision, request.second_person) or draft.persons,
        second_person=request.second_person,
    )


def plan_act(
    request: ActRequest, action: Action, present: Present, catalogue: Catalogue, *, now: datetime
) -> tuple[Command, Draft | None, Draft | None]:
    """What `plan_action` gives, and the draft of the action's decision document when the request asks for one.

    Raises `RequestError` with the faults of both at once.
    """
    faults: list[Fault] = []
    planned: tuple[Command, Draft | None] | None = None
    order: Draft | None = None
    try:
        planned = plan_action(request, action, present, catalogue, now=now)
    except RequestError as error:
        faults += error.faults
    if request.document is not None:
        order, found = _order(request, action, present, catalogue, now)
        faults += found
    if faults or planned is None:
        raise RequestError(faults)
    return *planned, order


def decision_kind(action: Action, certificate: str, catalogue: Catalogue) -> DocumentType | None:
    """The document by which `action` on a certificate of that type is decided, if one of its items yields it."""
    kind = next((kind for kind in catalogue.document_types.values() if kind.action is action), None)
    if kind is None:
        return None
    types = [{outcome.type for outcome in item.outcomes} for item in catalogue.items.values()]
    return kind if any({kind.key, certificate} <= yielded for yielded in types) else None


def chain_texts(decision: Decision, mandate: Mandate, catalogue: Catalogue) -> dict[str, str]:
    """Who accepted, reviewed and decided, when and with what opinion; who supervises; under which mandate."""
    texts: dict[str, str] = {}
    for step in decision.steps:
        name = step.kind.value
        texts[name] = _step_text(step, catalogue)
        texts[f"{name}_person"], texts[f"{name}_at"] = step.person, _moment(step.at)
    agreement = f"承接协议：{mandate.agreement}" if mandate.agreement else ""
    texts["decides"] = catalogue.authorities[mandate.decides].name
    texts["supervises"] = catalogue.authorities[mandate.supervises].name
    texts["mandate"] = "；".join(filter(None, (mandate.basis, agreement)))
    return {key: texts[key] for key in CHAIN_LABELS if key in texts}


def _step_text(step: Step, catalogue: Catalogue) -> str:
    lines = (catalogue.authorities[step.authority].name, f"{step.person}，{_moment(step.at)}", step.opinion)
    return "\n".join(filter(None, lines))


def _moment(at: datetime) -> str:
    return f"{chinese_date(civil_date(at))} {at.astimezone(SHANGHAI):%H:%M}"


_DISTRICT: Mapping[str, Callable[[Mandate], str]] = {
    "acceptance": lambda mandate: mandate.accepts,
    "review": lambda mandate: mandate.reviews,
    "approval": lambda mandate: mandate.reviews,
}
_SEALS = {"approval": SealKind.APPROVAL, "organ": SealKind.ORGAN, "district": SealKind.ORGAN}


def _issuer(
    kind: DocumentType, mandate: Mandate, catalogue: Catalogue, *, item: str, now: datetime
) -> tuple[Authority, SealSpec]:
    """In whose name a document of this kind goes out, and its seal. Raises `ConfigurationError` when it has none."""
    district = kind.seal == "district"
    issuer = _DISTRICT[kind.step](mandate) if district else mandate.decides
    seal = _seal(catalogue, issuer if district else mandate.seals, kind, item=item, now=now)
    return catalogue.authorities[issuer], seal


def _seal(catalogue: Catalogue, authority: str, kind: DocumentType, *, item: str, now: datetime) -> SealSpec:
    issue, day = Action.ISSUE.value, civil_date(now)
    thing = SealedThing(outcome=DOCUMENT, authority=authority, type=kind.key, action=issue, item=item, day=day)
    return catalogue.seal_for(thing, _SEALS[kind.seal])


def _order(
    request: ActRequest, action: Action, present: Present, catalogue: Catalogue, now: datetime
) -> tuple[Draft | None, list[Fault]]:
    """The draft of an action's decision document. What the act itself says need not be said again in its facts."""
    kind = decision_kind(action, present.kind.key, catalogue)
    if kind is None:
        message = f"决定文书：{present.kind.name}的{RULES[action].label}没有相应的决定文书，不能同时制发。"
        return None, [Fault("document", "no-document", message, "决定文书", "The action has no decision document.")]
    facts = {**_said(request, present, kind), **(request.document or {})}
    faults, texts = check_facts(kind, facts, today=civil_date(now), holder=present.holder, case=request.case)
    faults += _other_certificate(facts, present)
    if faults:
        return None, [replace(fault, path=f"document.{fault.path}") for fault in faults]
    decision = replace(request.decision, item=request.item, case=request.case)
    mandate = mandate_of(catalogue, catalogue.items.get(request.item), decision, now)
    authority = catalogue.authorities[mandate.decides if mandate else present.authority]
    sealing = mandate.seals if mandate else present.authority
    seal = _seal(catalogue, sealing, kind, item=request.item, now=now)
    draft = _draft(kind, catalogue, authority, seal, decision=decision, holder=present.holder, now=now)
    owed = f"{present.certificate.key}/{present.certificate.version + 1}"
    persons = persons_of(decision, request.second_person) or draft.persons
    return replace(draft, facts=facts, texts=texts, owed=owed, persons=persons), []


def _said(request: ActRequest, present: Present, kind: DocumentType) -> dict[str, Any]:
    """The facts that the act and its certificate already state."""
    stated = {
        "applicant": "、".join(holder.name for holder in present.holder.all),
        "applicant_code": "、".join(holder.code for holder in present.holder.all),
        "certificate_name": present.kind.name,
        "certificate_number": present.certificate.number,
        "case": request.case,
        "basis": request.decision.basis,
        "facts_found": request.decision.grounds,
    }
    keys = {spec.key for spec in kind.fields}
    return {key: value for key, value in stated.items() if value and key in keys}


def _other_certificate(facts: Mapping[str, Any], present: Present) -> list[Fault]:
    named = facts.get("certificate_number"), facts.get("certificate_name")
    if named == (present.certificate.number, present.kind.name):
        return []
    message = f"证照编号：决定文书须写本证（{present.kind.name} {present.certificate.number}）。"
    english = "The document must name this certificate."
    return [Fault("facts.certificate_number", "differs-from-certificate", message, "证照编号", english)]


def _draft(
    kind: DocumentType,
    catalogue: Catalogue,
    authority: Authority,
    seal: SealSpec,
    *,
    decision: Decision,
    holder: Holder,
    now: datetime,
) -> Draft:
    today = civil_date(now)
    return Draft(
        kind="document",
        type=kind.key,
        type_code="",
        code_number=kind.code_number,
        name=kind.name,
        english=kind.english,
        template=face_of(kind.template, kind.name),
        action=Action.ISSUE.value,
        label="制发",
        item=decision.item,
        case=decision.case,
        decision=decision,
        persons=persons_of(decision) or (authority.key,),
        authority=authority.key,
        issuer=authority.name,
        issuer_code=authority.uscc,
        issuer_number=issuer_number(catalogue, authority.key),
        document_word=authority.document_word,
        seal=seal.id,
        seal_kind=seal.kind.value,
        holder=holder,
        facts={},
        texts={},
        labels={spec.key: spec.label for spec in kind.fields},
        numbering=kind.number,
        issued_on=today,
        effective_from=today,
        valid_from=today,
        valid_until=None,
        outward=kind.outward,
    )


def _document_type(
    catalogue: Catalogue, item: Item | None, request: IssueRequest, faults: list[Fault]
) -> DocumentType | None:
    if item is None:
        return None
    offered = [outcome.type for outcome in item.outcomes if outcome.kind in _DOCUMENTS]
    key = request.type or (offered[0] if offered else "")
    if key in offered:
        return catalogue.document_types[key]
    message = f"文书种类：{item.title}可制发 {'、'.join(offered) or '（无）'}，没有“{key[:40]}”。"
    faults.append(Fault("type", "unknown-type", message, "文书种类", "This item does not yield that document."))
    return None
