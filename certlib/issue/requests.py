"""Requests as they come: JSON objects read into values, every structural fault collected, none hidden by another.

The reading judges shape only (an object here, a moment there); the catalogue and the law judge the content, and
their faults are reported together with these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, TypeVar

from certlib.domain.decision import Decision, DecisionKind, Step, StepKind
from certlib.domain.holder import Holder, HolderCode
from certlib.domain.service import PROOFS
from certlib.errors import Fault

R = TypeVar("R", "IssueRequest", "ActRequest")
MAX_TEXT = 20_000
_MOST_INNER = 200
LABELS: Mapping[str, str] = {
    "item": "事项",
    "type": "文书种类",
    "case": "办件",
    "case.number": "办件编号",
    "decision": "决定",
    "decision.kind": "决定方式",
    "decision.acceptance": "受理",
    "decision.review": "审核",
    "decision.approval": "批准",
    "decision.basis": "法律依据",
    "decision.grounds": "理由",
    "decision.authority": "作出机关",
    "decision.document_number": "文号",
    "decision.decided_at": "作出时间",
    "decision.file_sha256": "文书文件摘要",
    "decision.deemed": "视为准予",
    "holder": "持证主体",
    "holder.name": "持证主体名称",
    "holder.code": "持证主体代码",
    "holder.code_type": "持证主体代码类型",
    "holder.others": "共同持证主体",
    "facts": "证照内容",
    "paper": "实体证照",
    "paper.copies": "正副本份数",
    "paper.waived": "放弃实体证照",
    "valid_from": "有效期起始日期",
    "valid_until": "有效期截止日期",
    "number": "证照编号",
    "cause": "事由",
    "evidence": "材料",
    "second_person": "复核人",
    "document": "决定文书",
    "way": "送达方式",
    "served_at": "送达时间",
    **PROOFS,
}


def label_of(path: str) -> str:
    """The Chinese name of a place in a request."""
    return LABELS.get(path) or LABELS.get(path.split(".", 1)[0], "") if path else "请求"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """The paper asked for: waived, or how many of each kind (empty: the type's default)."""

    waived: bool = False
    copies: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRequest:
    """A certificate or document asked for. Facts are as given; `faults` is what the reading found."""

    item: str
    type: str
    case: str
    decision: Decision
    holder: Holder
    facts: Mapping[str, Any]
    paper: Paper
    valid_from: date | None
    valid_until: date | None
    number: str
    second_person: str
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRequest:
    """An action asked for on a certificate that exists."""

    item: str
    case: str
    decision: Decision
    facts: Mapping[str, Any]
    paper: Paper
    holder: Holder | None
    valid_until: date | None
    cause: str
    evidence: tuple[str, ...]
    second_person: str
    document: Mapping[str, Any] | None  # facts of the decision document to be sealed; None: none is asked for
    faults: tuple[Fault, ...]


_FIRST_YEAR, _LAST_YEAR = 1900, 9998


class Reading:
    """A JSON object being read; missing and ill-shaped values become faults and harmless stand-ins."""

    def __init__(self, raw: object, path: str = "", faults: list[Fault] | None = None) -> None:
        self.faults: list[Fault] = [] if faults is None else faults
        self.path = path
        self._seen: set[str] = set()
        if not isinstance(raw, Mapping):
            if raw is not None:
                self._fault("", "not-an-object", "应为对象", "must be an object")
            raw = {}
        self._raw: Mapping[str, Any] = raw

    def __contains__(self, key: str) -> bool:
        return key in self._raw

    def text(self, key: str, *, required: bool = True) -> str:
        """A text; surrounding white space is a fault of its own, never trimmed in silence."""
        value = self._take(key)
        if value is None or value == "":
            if required:
                self._fault(key, "missing", "缺少该项", "is missing")
            return ""
        if not isinstance(value, str):
            self._fault(key, "not-a-text", "应为文字", "must be a text")
            return ""
        if len(value) > MAX_TEXT:
            self._fault(key, "too-long", f"超过 {MAX_TEXT} 字", f"is longer than {MAX_TEXT} characters")
            return value[:MAX_TEXT]
        if value != value.strip():
            self._fault(key, "outer-space", "首尾有空格", "begins or ends with white space")
        return value

    def moment(self, key: str, *, required: bool = True) -> datetime | None:
        """An aware moment in ISO 8601."""
        value = self.text(key, required=required)
        if not value:
            return None
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            self._fault(key, "not-a-time", "不是时间（应如 2026-03-02T09:30:00+08:00）", "is not an ISO 8601 time")
            return None
        if at.tzinfo is None:
            self._fault(key, "no-time-zone", "时间缺少时区（应如 +08:00）", "has no time zone")
            return None
        if not _FIRST_YEAR <= at.year <= _LAST_YEAR:  # beyond, it has no date in every time zone
            self._fault(key, "not-a-time", f"年份应在 {_FIRST_YEAR} 与 {_LAST_YEAR} 之间", "lies in no year in use")
            return None
        return at

    def day(self, key: str) -> date | None:
        """A civil day in ISO 8601, if given."""
        value = self.text(key, required=False)
        try:
            return date.fromisoformat(value) if value else None
        except ValueError:
            self._fault(key, "not-a-date", "不是日期（应如 2026-03-02）", "is not an ISO 8601 date")
            return None

    def flag(self, key: str) -> bool:
        """True or false; false when absent."""
        value = self._take(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        self._fault(key, "not-a-flag", "应为 true 或 false", "must be true or false")
        return False

    def choice(self, key: str, choices: type[Any], default: Any) -> Any:
        """One of an enumeration's values."""
        value = self.text(key, required=default is None)
        if not value:
            return default
        try:
            return choices(value)
        except ValueError:
            allowed = "、".join(str(choice.value) for choice in choices)
            self._fault(key, "not-a-choice", f"应为 {allowed} 之一", f"must be one of {allowed}")
            return default

    def inner(self, key: str, *, required: bool = True) -> Reading:
        """An object within; its faults join these."""
        value = self._take(key)
        if value is None and required:
            self._fault(key, "missing", "缺少该项", "is missing")
        return Reading(value, self._at(key), self.faults)

    def mapping(self, key: str, *, required: bool = True) -> Mapping[str, Any]:
        """An object whose keys are judged elsewhere."""
        value = self._take(key)
        if value is None:
            if required:
                self._fault(key, "missing", "缺少该项", "is missing")
            return {}
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            self._fault(key, "not-an-object", "应为对象", "must be an object")
            return {}
        return dict(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty when absent."""
        value = self._take(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            self._fault(key, "not-a-list", "应为文字列表", "must be a list of texts")
            return ()
        return tuple(value)

    def inners(self, key: str) -> list[Reading]:
        """A list of objects within; none when absent."""
        value = self._take(key)
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > _MOST_INNER:
            self._fault(key, "not-a-list", f"应为至多 {_MOST_INNER} 个对象的列表", "must be a list of objects")
            return []
        # an entry that is null is no object either
        return [
            Reading("" if entry is None else entry, f"{self._at(key)}.{index}", self.faults)
            for index, entry in enumerate(value)
        ]

    def counts(self, key: str) -> dict[str, int]:
        """An object of small whole numbers."""
        counts = self.mapping(key, required=False)
        wrong = [n for n in counts.values() if not isinstance(n, int) or isinstance(n, bool) or not 0 <= n <= 99]
        if wrong:
            self._fault(key, "not-a-count", "份数应为 0 至 99 的整数", "must be whole numbers from 0 to 99")
            return {}
        return dict(counts)

    def number(self, key: str, default: float, *, least: float, most: float) -> Any:
        """A number from `least` to `most`, whole when `default` is; `default` when absent."""
        value = self._take(key)
        if value is None:
            return default
        kinds = int if isinstance(default, int) else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value <= most:
            whole = "整数" if isinstance(default, int) else "数"
            message = f"应为 {least:g} 至 {most:g} 的{whole}"
            self._fault(key, "not-a-number", message, f"must be a number from {least:g} to {most:g}")
            return default
        return value

    def close(self) -> None:
        """Report every key that nobody asked for."""
        for key in self._raw:
            if key not in self._seen:
                self._fault(str(key)[:60], "unexpected", "多余的项", "is not expected here")

    def _take(self, key: str) -> Any:
        self._seen.add(key)
        return self._raw.get(key)

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path and key else self.path or key

    def _fault(self, key: str, code: str, message: str, english: str) -> None:
        path = self._at(key)
        label = label_of(path)
        self.faults.append(Fault(path, code, f"{label or path}：{message}。", label, f"{path or 'request'} {english}."))


_STEPS = tuple(StepKind)


def read_decision(reading: Reading) -> Decision:
    """The decision object, read and closed."""
    kind = reading.choice("kind", DecisionKind, DecisionKind.APPLICATION)
    steps = [_read_step(reading, step) for step in _STEPS if step.value in reading]
    decision = Decision(
        kind=kind,
        steps=tuple(step for step in steps if step is not None),
        basis=reading.text("basis", required=False),
        grounds=reading.text("grounds", required=False),
        document_number=reading.text("document_number", required=False),
        authority=reading.text("authority", required=False),
        decided_at=reading.moment("decided_at", required=False),
        file_sha256=reading.text("file_sha256", required=False),
        deemed=reading.flag("deemed"),
    )
    reading.close()
    return decision


def _read_step(reading: Reading, kind: StepKind) -> Step | None:
    inner = reading.inner(kind.value)
    authority, person, at = inner.text("authority"), inner.text("person"), inner.moment("at")
    opinion = inner.text("opinion", required=False)
    inner.close()
    return Step(kind, authority, person, at, opinion) if at else None


def read_holder(reading: Reading) -> Holder:
    """The holder object with those who hold together with it, read and closed."""
    holder = _read_one_holder(reading)
    others = []
    for inner in reading.inners("others"):
        others.append(_read_one_holder(inner))
        inner.close()
    reading.close()
    return replace(holder, others=tuple(others))


def _read_one_holder(reading: Reading) -> Holder:
    return Holder(reading.text("name"), reading.text("code"), reading.choice("code_type", HolderCode, HolderCode.USCC))


def read_paper(reading: Reading) -> Paper:
    """The paper object, read and closed."""
    paper = Paper(waived=reading.flag("waived"), copies=reading.counts("copies"))
    reading.close()
    return paper


def read_issue(raw: object) -> IssueRequest:
    """Read a request for a certificate or document; it carries its own faults."""
    reading = Reading(raw)
    case = reading.inner("case")
    number = case.text("number")
    case.close()
    request = IssueRequest(
        item=reading.text("item"),
        type=reading.text("type", required=False),
        case=number,
        decision=read_decision(reading.inner("decision")),
        holder=read_holder(reading.inner("holder")),
        facts=reading.mapping("facts"),
        paper=read_paper(reading.inner("paper", required=False)),
        valid_from=reading.day("valid_from"),
        valid_until=reading.day("valid_until"),
        number=reading.text("number", required=False),
        second_person=reading.text("second_person", required=False),
        faults=(),
    )
    reading.close()
    return _with_faults(request, reading)


def read_act(raw: object) -> ActRequest:
    """Read a request for an action; it carries its own faults."""
    reading = Reading(raw)
    case = reading.inner("case", required=False)
    number = case.text("number", required=False)
    case.close()
    request = ActRequest(
        item=reading.text("item", required=False),
        case=number,
        decision=read_decision(reading.inner("decision")),
        facts=reading.mapping("facts", required=False),
        paper=read_paper(reading.inner("paper", required=False)),
        holder=read_holder(reading.inner("holder")) if "holder" in reading else None,
        valid_until=reading.day("valid_until"),
        cause=reading.text("cause", required=False),
        evidence=reading.texts("evidence"),
        second_person=reading.text("second_person", required=False),
        document=_read_document(reading),
        faults=(),
    )
    reading.close()
    return _with_faults(request, reading)


def _read_document(reading: Reading) -> Mapping[str, Any] | None:
    if "document" not in reading:
        return None
    inner = reading.inner("document")
    facts = inner.mapping("facts", required=False)
    inner.close()
    return facts


def _with_faults(request: R, reading: Reading) -> R:
    return replace(request, faults=tuple(reading.faults))
