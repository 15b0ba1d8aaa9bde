"""The facts of a face: checked against their type, all faults at once, and set as the paper will show them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from certlib.catalogue.text import check_text
from certlib.domain.civil import chinese_date
from certlib.domain.holder import Holder
from certlib.domain.kinds import CertificateType, DocumentType, FieldKind, FieldSpec, Outcome
from certlib.errors import Fault
from certlib.identifiers import check_citizen_number, check_uscc

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_NUMBER = re.compile(r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?", re.ASCII)
_LINES = frozenset({FieldKind.PARAGRAPH, FieldKind.LIST, FieldKind.HOLDERS})
_MOST_ENTRIES = 200


@dataclass(frozen=True, slots=True)
class Known:
    """What the rest of the request says, for the facts that must repeat it; empty or None is not compared."""

    holder: Holder | None = None
    case: str = ""
    accepted_on: date | None = None

    def expected(self, spec: FieldSpec) -> str:
        """What a fact must read by its `same_as`; empty when nothing is known."""
        holders = self.holder.all if self.holder else ()
        between = "\n" if spec.kind in _LINES else "、"
        values = {
            "holder.name": between.join(holder.name for holder in holders),
            "holder.code": between.join(holder.code for holder in holders),
            "case.number": self.case,
            "acceptance.date": self.accepted_on.isoformat() if self.accepted_on else "",
        }
        return values.get(spec.same_as, "")

    def longest(self, spec: FieldSpec) -> int:
        """The most characters of a fact: one that repeats several holders has room for each, and a 、 between."""
        count = len(self.holder.all) if self.holder and spec.same_as.startswith("holder.") else 1
        return spec.max_length * count + count - 1


def check_facts(
    kind: CertificateType | DocumentType,
    facts: Mapping[str, Any],
    *,
    today: date,
    holder: Holder | None = None,
    case: str = "",
    accepted_on: date | None = None,
) -> tuple[list[Fault], dict[str, str]]:
    """Every fault of `facts` as facts of `kind`, and the sound ones as they will be printed.

    Dates become 年月日, lists are joined by line feeds. `holder`, `case` and `accepted_on`, when given, are compared
    with the facts that repeat them. Optional facts that are absent are absent from the texts too.
    """
    known = Known(holder, case, accepted_on)
    faults: list[Fault] = []
    texts: dict[str, str] = {}
    for spec in kind.fields:
        value = facts.get(spec.key)
        if value is None or value in ("", [], ()):
            faults += [_fault(spec, _MISSING)] if spec.required else []
            continue
        found, text = _read(spec, value, today, known.longest(spec))
        found = found or [*_order(spec, facts, kind), *_agreement(spec, text, known)]
        faults += found
        if not found:
            texts[spec.key] = chinese_date(date.fromisoformat(text)) if spec.kind is FieldKind.DATE else text
    return faults + list(_unexpected(kind, facts)), texts


def check_changes(
    outcome: Outcome, kind: CertificateType, before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[Fault]:
    """Faults of a change from `before` to `after` under an item's outcome: facts it may not touch."""
    open_facts = outcome.changes or tuple(spec.key for spec in kind.fields if spec.changeable)
    label = outcome.label or (kind.labels.get(outcome.action, "") if outcome.action else "") or "变更"
    barred = _Reason("may-not-change", f"不在“{label}”可以改变的内容之内", "may not be changed under this item")
    return [
        _fault(spec, barred)
        for spec in kind.fields
        if spec.key not in open_facts and before.get(spec.key) != after.get(spec.key)
    ]


@dataclass(frozen=True, slots=True)
class _Reason:
    code: str
    chinese: str
    english: str


_MISSING = _Reason("missing", "缺少该项", "is missing")
_NOT_TEXT = _Reason("not-a-text", "应为文字", "must be a text")
_NOT_LIST = _Reason("not-a-list", "应为文字列表", "must be a list of texts")
_NOT_HOLDERS = _Reason("not-holders", "应为名称（name）和代码（code）的列表", "must be a list of names and codes")
_TWICE = _Reason("holder-twice", "同一主体列入两次", "names a holder twice")
_OUTER_SPACE = _Reason("outer-space", "首尾有空格", "begins or ends with white space")
_BAD_DATE = _Reason("not-a-date", "不是日期（应如 2026-03-02）", "is not a date such as 2026-03-02")
_BAD_NUMBER = _Reason("not-a-number", "不是数（应如 1200 或 12.5）", "is not a number such as 1200 or 12.5")
_AHEAD = _Reason("in-the-future", "日期在今天之后", "lies in the future")
_DIFFERS = {
    "holder.name": _Reason("differs-from-holder", "与持证主体名称不一致", "differs from the holder's name"),
    "holder.code": _Reason("differs-from-holder", "与持证主体代码不一致", "differs from the holder's code"),
    "case.number": _Reason("differs-from-case", "与办件编号不一致", "differs from the case number"),
    "acceptance.date": _Reason("differs-from-decision", "与受理时间不一致", "differs from the day of acceptance"),
}


def _fault(spec: FieldSpec, reason: _Reason) -> Fault:
    path = f"facts.{spec.key}"
    english = f"{spec.english} ({path}) {reason.english}."
    return Fault(path, reason.code, f"{spec.label}：{reason.chinese}。", spec.label, english)


def _read(spec: FieldSpec, value: object, today: date, longest: int) -> tuple[list[Fault], str]:
    """The value as one text, and its faults: first its shape, then its characters and length, then its meaning."""
    text = _as_text(spec, value)
    if isinstance(text, _Reason):
        return [_fault(spec, text)], ""
    faults = check_text(text, path=f"facts.{spec.key}", label=spec.label, lines=spec.kind in _LINES)
    lines = [text] if spec.kind is FieldKind.PARAGRAPH else text.split("\n")
    if any(not line or line != line.strip() for line in lines):
        faults.append(_fault(spec, _OUTER_SPACE))
    if len(text) > longest:
        many = f"长 {len(text)} 字，最多 {longest} 字"
        faults.append(_fault(spec, _Reason("too-long", many, f"has {len(text)} characters of {longest}")))
    if not faults and spec.kind in _MEANING:
        reason = _MEANING[spec.kind](spec, text, today)
        faults += [_fault(spec, reason)] if reason else []
    return faults, text


def _as_text(spec: FieldSpec, value: object) -> str | _Reason:
    if spec.kind is FieldKind.HOLDERS:
        value = _holder_lines(value)
        if isinstance(value, _Reason):
            return value
    if spec.kind in {FieldKind.LIST, FieldKind.HOLDERS}:
        entries = value.split("\n") if isinstance(value, str) else value
        if not isinstance(entries, list | tuple) or not all(isinstance(entry, str) for entry in entries):
            return _NOT_LIST
        if len(entries) > _MOST_ENTRIES:
            return _Reason("too-long", f"超过 {_MOST_ENTRIES} 行", f"has more than {_MOST_ENTRIES} entries")
        return "\n".join(entries)
    if spec.kind is FieldKind.NUMBER and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else _NOT_TEXT


def _holder_lines(value: object) -> list[str] | _Reason:
    """One line for each holder: its name, a space, its code; neither may hold what would part them otherwise."""
    lines = []
    for entry in value if isinstance(value, list | tuple) else [value]:
        if not isinstance(entry, Mapping) or set(entry) != {"name", "code"}:
            return _NOT_HOLDERS
        name, code = entry["name"], entry["code"]
        if not isinstance(name, str) or not isinstance(code, str) or "\n" in name or " " in code:
            return _NOT_HOLDERS
        lines.append(f"{name} {code}")
    return lines


def _date(spec: FieldSpec, text: str, today: date) -> _Reason | None:
    if not _DATE.fullmatch(text):
        return _BAD_DATE
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return _BAD_DATE
    return _AHEAD if spec.past and day > today else None


def _choice(spec: FieldSpec, text: str, _today: date) -> _Reason | None:
    allowed = "、".join(spec.choices)
    wrong = _Reason("not-a-choice", f"应为 {allowed} 之一", f"must be one of {allowed}")
    return None if text in spec.choices else wrong


def _number(_spec: FieldSpec, text: str, _today: date) -> _Reason | None:
    return None if _NUMBER.fullmatch(text) else _BAD_NUMBER


def _uscc(_spec: FieldSpec, text: str, _today: date) -> _Reason | None:
    try:
        check_uscc(text)
    except ValueError as error:
        return _Reason("bad-uscc", str(error), "is not a sound unified social credit code")
    return None


def _citizen(_spec: FieldSpec, text: str, today: date) -> _Reason | None:
    try:
        check_citizen_number(text, on=today)
    except ValueError as error:
        return _Reason("bad-citizen-number", str(error), "is not a sound citizen number")
    return None


def _subject(spec: FieldSpec, text: str, today: date) -> _Reason | None:
    """A USCC or a citizen number, of joint applicants each; of a code that is neither, what it lacks as a USCC."""
    for code in text.split("、"):
        as_organisation = _uscc(spec, code, today)
        if as_organisation is not None and _citizen(spec, code, today) is not None:
            return as_organisation
    return None


def _holders(spec: FieldSpec, text: str, today: date) -> _Reason | None:
    """Every code sound, none twice; the fault names the line."""
    codes = [line.rpartition(" ")[2] for line in text.split("\n")]
    for number, code in enumerate(codes, start=1):
        reason = _subject(spec, code, today)
        if reason:
            return _Reason(reason.code, f"第 {number} 行{reason.chinese}", f"in line {number} {reason.english}")
    return _TWICE if len(set(codes)) < len(codes) else None


_MEANING: Mapping[FieldKind, Callable[[FieldSpec, str, date], _Reason | None]] = {
    FieldKind.DATE: _date,
    FieldKind.CHOICE: _choice,
    FieldKind.NUMBER: _number,
    FieldKind.USCC: _uscc,
    FieldKind.CITIZEN_NUMBER: _citizen,
    FieldKind.SUBJECT_CODE: _subject,
    FieldKind.HOLDERS: _holders,
}


def _order(spec: FieldSpec, facts: Mapping[str, Any], kind: CertificateType | DocumentType) -> Iterator[Fault]:
    """A date must not precede the one it follows; ISO dates compare as texts."""
    earlier = facts.get(spec.after) if spec.after else None
    if isinstance(earlier, str) and _DATE.fullmatch(earlier) and str(facts[spec.key]) < earlier:
        label = next(other.label for other in kind.fields if other.key == spec.after)
        yield _fault(spec, _Reason("dates-in-wrong-order", f"早于{label}", f"lies before {spec.after}"))


def _agreement(spec: FieldSpec, text: str, known: Known) -> Iterator[Fault]:
    expected = known.expected(spec)
    if expected and text != expected:
        yield _fault(spec, _DIFFERS[spec.same_as])


def _unexpected(kind: CertificateType | DocumentType, facts: Mapping[str, Any]) -> Iterator[Fault]:
    for key in sorted(set(map(str, facts)) - {spec.key for spec in kind.fields}):
        shown = "".join(char if char.isprintable() else "?" for char in key[:60])
        message = f"{shown}：{kind.name}没有这一项。"
        yield Fault(f"facts.{shown}", "unexpected", message, shown, f"{shown} is not a fact of {kind.english}.")
