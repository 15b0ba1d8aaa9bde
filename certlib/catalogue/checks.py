"""The catalogue's checks of a request. Each gives every fault, in the order of the form; none raises."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from certlib.catalogue.catalogue import Catalogue
from certlib.catalogue.facts import check_changes, check_facts
from certlib.catalogue.text import check_text
from certlib.domain.chain import STEP_LABELS, chain_faults
from certlib.domain.decision import Decision, StepKind
from certlib.domain.holder import Holder, HolderCode
from certlib.domain.kinds import CertificateType, DocumentType, Item
from certlib.errors import Fault
from certlib.identifiers import check_citizen_number, check_uscc, uscc_warnings

__all__ = ["check_changes", "check_decision", "check_facts", "check_holder", "check_text", "holder_warnings"]

_OTHER_CODE = re.compile(r"[0-9A-Za-z()（）\-]{4,30}")
_MOST_OPINION, _MOST_TEXT, _MOST_NAME = 500, 200, 100
_MOST_HOLDERS = 50  # of one document: its applicants


def check_holder(
    holder: Holder,
    *,
    today: date | None = None,
    kind: CertificateType | DocumentType | None = None,
    facts: Mapping[str, Any] | None = None,
) -> list[Fault]:
    """Faults of the holder: name, and the code as its type demands (GB 32100 for 001, GB 11643 for 111).

    Each of several holders is checked; a type says how many may hold its certificate together. `today` bounds a
    person's birth date. With `kind` and `facts`, the facts that repeat the holder are compared.
    """
    faults = _one_holder(holder, "holder", today)
    for index, other in enumerate(holder.others):
        faults += _one_holder(other, f"holder.others.{index}", today)
    faults += _together(holder, kind)
    if kind is not None and facts is not None:
        found, _ = check_facts(kind, facts, today=today or date.max, holder=holder)
        faults += [fault for fault in found if fault.code == "differs-from-holder"]
    return faults


def _one_holder(holder: Holder, path: str, today: date | None) -> list[Fault]:
    faults: list[Fault] = []
    if holder.name:
        faults += _text_faults(f"{path}.name", "持证主体名称", holder.name, _MOST_NAME)
    reason = _code_reason(holder, today or date.max) if holder.code else ""
    if reason:
        english = f"The code is not a sound code of type {holder.code_type.value}."
        faults.append(Fault(f"{path}.code", "bad-code", f"持证主体代码：{reason}。", "持证主体代码", english))
    return faults


def _together(holder: Holder, kind: CertificateType | DocumentType | None) -> list[Fault]:
    """No more holders than the type allows, and none twice."""
    codes = [(one.code_type, one.code.upper()) for one in holder.all]
    most = kind.holders if isinstance(kind, CertificateType) else _MOST_HOLDERS
    label = "共同持证主体"
    faults = []
    if len(codes) > most:
        only = f"{kind.name if kind else '文书'}" + (f"最多 {most} 个持证主体" if most > 1 else "只有一个持证主体")
        faults.append(Fault("holder.others", "too-many-holders", f"{label}：{only}。", label, "Too many holders."))
    if len(set(codes)) < len(codes):
        faults.append(
            Fault("holder.others", "holder-twice", f"{label}：同一主体列入两次。", label, "Names a holder twice.")
        )
    return faults


def _code_reason(holder: Holder, today: date) -> str:
    try:
        if holder.code_type is HolderCode.USCC:
            check_uscc(holder.code)
        elif holder.code_type is HolderCode.CITIZEN:
            check_citizen_number(holder.code, on=today)
        elif not _OTHER_CODE.fullmatch(holder.code):
            return "应为 4 至 30 位字母、数字"
    except ValueError as error:
        return str(error)
    return ""


def holder_warnings(holder: Holder) -> tuple[str, ...]:
    """What is odd about a sound holder code, in Chinese (GB 11714 inside a USCC); never a reason to refuse."""
    return uscc_warnings(holder.code) if holder.code_type is HolderCode.USCC and len(holder.code) == 18 else ()


def check_decision(
    decision: Decision,
    item: Item | None,
    catalogue: Catalogue,
    *,
    now: datetime,
    decider: str = "",
    until: StepKind = StepKind.APPROVAL,
) -> list[Fault]:
    """Faults of a decision: its chain against the mandate on each step's own day, its order, its persons.

    `decider` is the authority whose certificate is acted upon, when no item says it; `until` the last step that must
    have been taken (a 受理通知书 needs the acceptance only).
    """
    mandates = catalogue.mandates.get(item.key, ()) if item else ()
    faults = chain_faults(decision, item, mandates, catalogue.authorities, now=now, decider=decider, until=until)
    return faults + _decision_texts(decision)


def _decision_texts(decision: Decision) -> list[Fault]:
    faults = []
    for step in decision.steps:
        path, label = f"decision.{step.kind.value}", STEP_LABELS[step.kind]
        faults += _text_faults(f"{path}.person", f"{label}人", step.person, _MOST_NAME)
        faults += _text_faults(f"{path}.opinion", f"{label}意见", step.opinion, _MOST_OPINION, lines=True)
    faults += _text_faults("decision.basis", "法律依据", decision.basis, _MOST_OPINION, lines=True)
    faults += _text_faults("decision.grounds", "理由", decision.grounds, _MOST_OPINION, lines=True)
    faults += _text_faults("decision.document_number", "文号", decision.document_number, _MOST_NAME)
    return faults + _text_faults("decision.authority", "作出机关", decision.authority, _MOST_TEXT)


def _text_faults(path: str, label: str, text: str, most: int, *, lines: bool = False) -> list[Fault]:
    faults = check_text(text, path=path, label=label, lines=lines)
    if len(text) > most:
        message = f"{label}：长 {len(text)} 字，最多 {most} 字。"
        faults.append(Fault(path, "too-long", message, label, f"{path} has {len(text)} characters of {most}."))
    return faults
