"""From our delivery message to a repository's record, by data: a dialect is a TOML file.

    dialect = load_dialect()              # the national names
    record = dialect.record(delivery)
    body = dialect.body([record], correction=False)
    lines = dialect.lines(answer)

A dialect says where each field comes from, how it is written, which code stands for which of our words, how a push is
wrapped and where the answer has its lines; the field names of `data/national.toml` say the rest.
"""

from __future__ import annotations

import base64
import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from certlib.domain.civil import SHANGHAI
from certlib.domain.delivery import Delivery
from certlib.errors import ConfigurationError, DeliveryDelayedError, DeliveryRefusedError

ENDPOINTS = ("token", "push")
"""What every counterpart has. A repository that can be compared also has `ranges`, `records`, `events` and `daily`."""

KINDS = ("success", "warning", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """Where one field of the record comes from and how it is written."""

    name: str
    source: str
    kind: str = "text"
    required: bool = False
    default: str | None = None
    prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What the repository answered on one record. `kind` is success, warning or error.

    `number` and `content` are what an allocator assigned (`certlib.city.allocation`): a face number, a code's text.
    """

    kind: str
    guid: str
    code: str
    message: str
    last_sequence: int | None = None
    number: str = ""
    content: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One repository's names, codes and envelope."""

    name: str
    endpoints: Mapping[str, str]
    envelope: Mapping[str, Any]
    answer: Mapping[str, Any]
    undigested: frozenset[str]
    codes: Mapping[str, Mapping[str, str]]
    fields: tuple[FieldRule, ...]
    between: str = "^"  # parts the values of several holders in one field

    def record(self, delivery: Delivery) -> dict[str, Any]:
        """The repository's record of a delivery, its file read and included.

        Raises `DeliveryRefusedError` naming every field that the message does not fill or the dialect has no code for.
        """
        data = delivery.file() if delivery.file else None
        message = {**delivery.message, **_of_delivery(delivery, data)}
        record: dict[str, Any] = {}
        faults: list[str] = []
        for rule in self.fields:
            try:
                value = self._value(rule, message)
            except (ValueError, TypeError, AttributeError):
                faults.append(f"{rule.name} 无法由 {rule.source} 得出")
                continue
            if value is not None:
                record[rule.name] = value
            elif rule.required:
                faults.append(f"{rule.name} 缺少 {rule.source}")
        if faults:
            raise DeliveryRefusedError(
                f"推送记录无法按“{self.name}”生成：{'；'.join(faults)}。", code="delivery-unmappable"
            )
        return record

    def _value(self, rule: FieldRule, message: Mapping[str, Any]) -> Any:
        if rule.kind.startswith("each"):
            return self._each(rule, message)
        values = [_at(message, path) for path in rule.source.split("/")]
        if values[0] is None or values[0] == "":
            return rule.default
        table, _, name = rule.kind.partition(":")
        if table == "code":
            return self._code(name, [str(value) for value in values if value], required=rule.required)
        return _WRITERS[rule.kind](values[0], rule)

    def _each(self, rule: FieldRule, message: Mapping[str, Any]) -> str | None:
        """One value of each holder, the first first, parted as the standard parts several values of one field."""
        base, _, name = rule.source.partition(".")
        first: Mapping[str, Any] = message[base]
        texts = [str(one.get(name) or "") for one in (first, *first.get("others", ()))]
        _, _, table = rule.kind.partition(":")
        if table:
            texts = [self._code(table, [text], required=rule.required) or "" for text in texts]
        return self.between.join(texts) if any(texts) else rule.default

    def _code(self, table: str, words: Sequence[str], *, required: bool) -> str | None:
        """The code of the words together, else of the first. Raises `ValueError` for a required one without code."""
        codes = self.codes[table]
        found = codes.get("/".join(words), codes.get(words[0]))
        if found is None and required:
            raise ValueError(words[0])
        return found

    def digest(self, record: Mapping[str, Any]) -> str:
        """SHA-256 (hexadecimal) of a record's canonical JSON, as both sides compute it for comparison."""
        kept = {name: value for name, value in record.items() if name not in self.undigested}
        text = json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def guid(self, record: Mapping[str, Any]) -> str:
        """The record's own mark, by which the answer names it."""
        rule = next(rule for rule in self.fields if rule.source == "$guid")
        return str(record[rule.name])

    def body(self, records: Sequence[Mapping[str, Any]], *, correction: bool) -> dict[str, Any]:
        """The body of a push."""
        return {**self.envelope["correction" if correction else "delivery"], self.envelope["records"]: list(records)}

    def lines(self, answer: Mapping[str, Any]) -> list[Line]:
        """The lines of an answer.

        Raises `DeliveryDelayedError` when the answer does not have the form the dialect describes.
        """
        try:
            return [self._line(kind, raw) for kind in KINDS for raw in _list_at(answer, self.answer[kind])]
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            raise DeliveryDelayedError(
                "证照库的应答不合约定格式，未视为送达，稍后重试。", code="answer-schema"
            ) from error

    def _line(self, kind: str, raw: Mapping[str, Any]) -> Line:
        names = self.answer
        last = raw.get(names["last_sequence"])
        return Line(
            kind=kind,
            guid=_text_of(raw[names["guid"]]),
            code=_text_of(raw[names["code"]]),
            message=_text_of(raw[names["message"]]),
            last_sequence=int(last) if last is not None else None,
            number=_assigned(raw, names.get("number", ())),
            content=_assigned(raw, names.get("content", ()), names.get("content_between", "")),
        )


def _assigned(raw: Mapping[str, Any], where: Sequence[str], between: str = "") -> str:
    """The texts of these members (one name, or several) in one; empty where the answer has none."""
    names = (where,) if isinstance(where, str) else where
    return between.join(_text_of(raw[name]) for name in names if raw.get(name) is not None)


def _text_of(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(type(value).__name__)
    return value


def _list_at(answer: Mapping[str, Any], path: str) -> list[Mapping[str, Any]]:
    found = _at(answer, path)
    if not isinstance(found, list):
        raise TypeError(path)
    return found


def _at(value: Any, path: str) -> Any:
    """The value at a dotted path, None when a step is missing."""
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _of_delivery(delivery: Delivery, data: bytes | None) -> dict[str, Any]:
    values: dict[str, Any] = {
        "$guid": f"{delivery.chain}#{delivery.sequence}",
        "$predecessor_unknown": "1" if delivery.predecessor_unknown else None,
        "sequence": delivery.sequence,
    }
    if data is None:
        return values | {"file": None}
    return values | {
        "$file": base64.b64encode(data).decode(),
        "$file_name": f"{delivery.identifier}.pdf",
        "$digest_algorithm": "SHA-256",
        "file": {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)},
    }


def _object(value: Any, rule: FieldRule) -> dict[str, str]:
    return {f"{rule.prefix}{key}": str(text) for key, text in value.items()}


def _date(value: Any, _: FieldRule) -> str:
    return date.fromisoformat(value).isoformat()


def _moment(value: Any, _: FieldRule) -> str:
    """ISO 8601 with the offset of Asia/Shanghai, whole seconds, as Chinese systems write time."""
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError(value)
    return at.astimezone(SHANGHAI).isoformat(timespec="seconds")


_WRITERS: Mapping[str, Callable[[Any, FieldRule], Any]] = {
    "text": lambda value, _: str(value),
    "number": lambda value, _: int(value),
    "date": _date,
    "moment": _moment,
    "object": _object,
}


def load_dialect(path: Path | None = None) -> Dialect:
    """The dialect in `path`, or the national names.

    Raises `ConfigurationError` naming what is wrong with the file.
    """
    shipped = files("certlib.city") / "data" / "national.toml"
    name = path.name if path else "national.toml"
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8") if path else shipped.read_text(encoding="utf-8"))
        dialect = _dialect(raw)
        _check(dialect)
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"对接映射文件 {name} 有误：{error}。") from error
    return dialect


def _dialect(raw: Mapping[str, Any]) -> Dialect:
    rules = [
        FieldRule(
            source=row["from"], kind=row.get("as", "text"), **{k: v for k, v in row.items() if k not in ("from", "as")}
        )
        for row in raw["field"]
    ]
    return Dialect(
        name=raw["name"],
        endpoints=raw["endpoints"],
        envelope=raw["envelope"],
        answer=raw["answer"],
        undigested=frozenset(raw["digest"]["without"]),
        codes=raw["codes"],
        fields=tuple(rules),
        between=raw.get("between", "^"),
    )


def _check(dialect: Dialect) -> None:
    """Raise `ValueError` for what would fail only later, at the first delivery."""
    for rule in dialect.fields:
        table, _, name = rule.kind.partition(":")
        coded = table == "code" or (table == "each" and name)
        known = name in dialect.codes if coded else rule.kind in _WRITERS or rule.kind == "each"
        if not known:
            raise ValueError(f"字段 {rule.name} 的 as = {rule.kind} 未定义")
    if not any(rule.source == "$guid" for rule in dialect.fields):
        raise ValueError("缺少取自 $guid 的字段")
    missing = [name for name in ENDPOINTS if name not in dialect.endpoints]
    missing += [name for name in (*KINDS, "guid", "code", "message", "last_sequence") if name not in dialect.answer]
    missing += [name for name in ("records", "delivery", "correction") if name not in dialect.envelope]
    if missing:
        raise ValueError(f"缺少 {'、'.join(missing)}")
