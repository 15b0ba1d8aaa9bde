"""The chain of a decision against the mandates that were in force on each step's own day. Pure.

The rules, each a fault of its own:
1. every step up to the one asked for is there, with a named person and an aware moment not after `now`;
2. the steps follow each other in time;
3. each step was taken by the authority that the mandate of that step's civil day (Shanghai) names;
4. a case accepted before its mandate ended follows that mandate until its run-off day;
5. an annex-1 mandate is in force only from the day of its 承接协议;
6. who reviewed is not who approved;
7. ex officio: law, grounds, and the authority that decides for the item; by another authority's document: that
   authority, its document's number, day, file and grounds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

from certlib.domain.civil import chinese_date, civil_date
from certlib.domain.decision import Decision, DecisionKind, Step, StepKind
from certlib.domain.kinds import Authority, Item, Mandate
from certlib.domain.mandate import governing, has_agreement, mandate_on
from certlib.errors import Fault

STEP_LABELS: Mapping[StepKind, str] = {
    StepKind.ACCEPTANCE: "受理",
    StepKind.REVIEW: "审核",
    StepKind.APPROVAL: "批准",
}
_ORDER = tuple(StepKind)
_SHA256 = re.compile(r"[0-9a-f]{64}")


def chain_faults(
    decision: Decision,
    item: Item | None,
    mandates: Sequence[Mandate],
    authorities: Mapping[str, Authority],
    *,
    now: datetime,
    decider: str = "",
    until: StepKind = StepKind.APPROVAL,
) -> list[Fault]:
    """Every fault of `decision` as a decision on `item` at the moment `now` (rules 1–7 above).

    Without `item` the mandates are not asked; `decider` is then the only authority that may order ex officio.
    """
    chain = _Chain(decision, item, mandates, authorities, now, decider)
    if decision.kind is DecisionKind.APPLICATION:
        return [*chain.missing(until), *chain.steps(), *chain.order(), *chain.persons()]
    if decision.kind is DecisionKind.EX_OFFICIO:
        return [*chain.ex_officio(), *chain.steps(), *chain.order(), *chain.persons()]
    return list(chain.other_authority())


@dataclass(frozen=True, slots=True)
class _Chain:
    """One decision being examined."""

    decision: Decision
    item: Item | None
    mandates: Sequence[Mandate]
    authorities: Mapping[str, Authority]
    now: datetime
    decider: str

    @property
    def accepted_on(self) -> date | None:
        acceptance = self.decision.step(StepKind.ACCEPTANCE)
        return civil_date(acceptance.at) if acceptance and acceptance.at.tzinfo else None

    def missing(self, until: StepKind) -> Iterator[Fault]:
        for kind in _ORDER[: _ORDER.index(until) + 1]:
            if self.decision.step(kind) is None:
                yield _fault(f"decision.{kind.value}", "missing", STEP_LABELS[kind], "缺少这一环节", "is missing")

    def steps(self) -> Iterator[Fault]:
        for step in self.decision.steps:
            path, label = f"decision.{step.kind.value}", STEP_LABELS[step.kind]
            if not step.person.strip():
                yield _fault(f"{path}.person", "missing", f"{label}人", "缺少该项", "is missing")
            if step.at.tzinfo is None:
                yield _fault(f"{path}.at", "no-time-zone", f"{label}时间", "时间缺少时区", "has no time zone")
                continue
            if step.at > self.now:
                yield _fault(f"{path}.at", "in-the-future", f"{label}时间", "在当前时间之后", "lies in the future")
            yield from self._authority(step, path, label)

    def _authority(self, step: Step, path: str, label: str) -> Iterator[Fault]:
        at = f"{path}.authority"
        if step.authority not in self.authorities:
            reason = f"权限目录中没有机关“{_shown(step.authority)}”"
            yield _fault(at, "unknown-authority", f"{label}机关", reason, "is not an authority of the catalogue")
            return
        day = civil_date(step.at)
        if self.decision.kind is DecisionKind.EX_OFFICIO:
            wanted = self._decider(day)
        else:
            mandate = governing(self.mandates, self.accepted_on, day)
            yield from self._in_force(mandate, day, path, label)
            wanted = _NAMED[step.kind](mandate) if mandate else ""
        if wanted and step.authority != wanted:
            reason = f"{chinese_date(day)}该事项应由{self._name(wanted)}{label}，现为{self._name(step.authority)}"
            english = f"was taken by {step.authority}, but the mandate of {day} names {wanted}"
            yield _fault(at, "wrong-authority", f"{label}机关", reason, english)

    def _in_force(self, mandate: Mandate | None, day: date, path: str, label: str) -> Iterator[Fault]:
        if self.item is None:
            return
        if mandate is None:
            reason = f"{chinese_date(day)}该事项没有有效的权限配置"
            yield _fault(f"{path}.at", "no-mandate", f"{label}时间", reason, "lies outside every mandate of the item")
        elif not has_agreement(mandate, day):
            reason = f"{chinese_date(day)}该事项的承接协议尚未签订，权限配置未生效"
            yield _fault(f"{path}.at", "no-agreement", f"{label}时间", reason, "lies before the item's agreement")

    def order(self) -> Iterator[Fault]:
        steps = [step for kind in _ORDER if (step := self.decision.step(kind)) and step.at.tzinfo]
        for earlier, later in pairwise(steps):
            if later.at < earlier.at:
                label = f"{STEP_LABELS[later.kind]}时间"
                reason = f"早于{STEP_LABELS[earlier.kind]}时间"
                path = f"decision.{later.kind.value}.at"
                yield _fault(path, "dates-in-wrong-order", label, reason, f"lies before the {earlier.kind.value}")

    def persons(self) -> Iterator[Fault]:
        review, approval = self.decision.step(StepKind.REVIEW), self.decision.step(StepKind.APPROVAL)
        if review and approval and review.person and review.person == approval.person:
            reason = "与审核人为同一人，审核与批准须由不同的人作出（同名者请在姓名后加注工号）"
            yield _fault("decision.approval.person", "same-person", "批准人", reason, "is also the reviewer")

    def ex_officio(self) -> Iterator[Fault]:
        yield from self._required("basis", "grounds", "authority")
        yield from self._decided_at(required=False)
        if self.decision.step(StepKind.ACCEPTANCE):
            yield _fault("decision.acceptance", "unexpected", "受理", "依职权作出的决定没有受理", "is not expected")
        decided_at = self.decision.decided_at
        wanted = self._decider(civil_date(decided_at if decided_at and decided_at.tzinfo else self.now))
        authority = self.decision.authority
        if authority and authority not in self.authorities:
            reason = f"权限目录中没有机关“{_shown(authority)}”"
            yield _fault("decision.authority", "unknown-authority", "作出机关", reason, "is not in the catalogue")
        elif authority and wanted and authority != wanted:
            reason = f"应由{self._name(wanted)}作出，现为{self._name(authority)}"
            yield _fault("decision.authority", "wrong-authority", "作出机关", reason, f"must be {wanted}")

    def other_authority(self) -> Iterator[Fault]:
        yield from self._required("authority", "document_number", "grounds", "file_sha256")
        yield from self._decided_at(required=True)
        if self.decision.file_sha256 and not _SHA256.fullmatch(self.decision.file_sha256):
            reason = "应为 64 位小写十六进制的 SHA-256"
            yield _fault("decision.file_sha256", "bad-digest", "文书文件摘要", reason, "is not a hexadecimal SHA-256")
        for step in self.decision.steps:
            path, label = f"decision.{step.kind.value}", STEP_LABELS[step.kind]
            yield _fault(path, "unexpected", label, "他机关文书没有这一环节", "is not expected")

    def _required(self, *names: str) -> Iterator[Fault]:
        for name in names:
            if not str(getattr(self.decision, name)).strip():
                yield _fault(f"decision.{name}", "missing", _LABELS[name], "缺少该项", "is missing")

    def _decided_at(self, *, required: bool) -> Iterator[Fault]:
        at, path, label = self.decision.decided_at, "decision.decided_at", "作出时间"
        if at is None:
            if required:
                yield _fault(path, "missing", label, "缺少该项", "is missing")
        elif at.tzinfo is None:
            yield _fault(path, "no-time-zone", label, "时间缺少时区", "has no time zone")
        elif at > self.now:
            yield _fault(path, "in-the-future", label, "在当前时间之后", "lies in the future")

    def _decider(self, day: date) -> str:
        mandate = mandate_on(self.mandates, day)
        return self.decider or (mandate.decides if mandate else "")

    def _name(self, key: str) -> str:
        return self.authorities[key].name if key in self.authorities else _shown(key)


_NAMED: Mapping[StepKind, Callable[[Mandate], str]] = {
    StepKind.ACCEPTANCE: lambda mandate: mandate.accepts,
    StepKind.REVIEW: lambda mandate: mandate.reviews,
    StepKind.APPROVAL: lambda mandate: mandate.decides,
}
_LABELS = {
    "basis": "法律依据",
    "grounds": "理由",
    "authority": "作出机关",
    "document_number": "文号",
    "file_sha256": "文书文件摘要",
}


def _shown(text: str) -> str:
    """A text from outside as a message may carry it: short, and nothing invisible or unencodable in it."""
    return "".join(char if char.isprintable() else "?" for char in text[:40])


def _fault(path: str, code: str, label: str, reason: str, english: str) -> Fault:
    return Fault(path, code, f"{label}：{reason}。", label, f"{path} {english}.")
