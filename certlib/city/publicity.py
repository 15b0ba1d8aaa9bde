"""双公示 records in the names of the credit platform (XK_*), by data: the platform's template is a TOML file.

    template = load_template()                     # or another platform's file
    template.rows({**record, "row": "new"})        # [{"XK_XDR_MC": "赣州惠民医药有限公司", …}]
    template.csv(rows)

`data/publicity.toml` says where each field comes from and which code stands for which of our words.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from certlib.domain.holder import HolderCode
from certlib.errors import ConfigurationError
from certlib.formats.spreadsheet import csv_bytes

Row = dict[str, str]

_ORGANISATIONS = {HolderCode.USCC.value, HolderCode.OTHER_ORGANISATION.value}
_HEADINGS = ("name", "label")
_OF_THE_FIRST = frozenset({"legal_representative"})
"""The facts that speak of the first holder alone: a face names one 法定代表人."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Where one field of the platform comes from and how it is written."""

    name: str
    label: str
    source: tuple[str, ...] = ()
    kind: str = "text"
    required: bool = False
    default: str = ""
    join: str = ""
    holder: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One platform's fields in their order, and its codes."""

    name: str
    heading: str
    date_format: str
    household_prefixes: tuple[str, ...]
    codes: Mapping[str, Mapping[str, str]]
    fields: tuple[Field, ...]

    def rows(self, record: Mapping[str, Any]) -> list[Row]:
        """The platform's rows of a record that names its kind of `row`: the form has one 行政相对人 a row.

        A permit held together makes one for each organisation, or for each person when only persons hold it.
        Raises `ValueError` naming every required field that has no value.
        """
        return [self._row(part) for part in _by_holder(record)]

    def _row(self, record: Mapping[str, Any]) -> Row:
        values = {**record, "$holder_class": self._holder_class(record["holder"])}
        row = {field.name: self._value(field, values) for field in self.fields}
        missing = [f"{field.label} {field.name}" for field in self.fields if field.required and not row[field.name]]
        if missing:
            raise ValueError(f"缺少{'、'.join(missing)}")
        return row

    def csv(self, rows: Sequence[Row]) -> bytes:
        """The rows as a CSV file, the heading first."""
        heading = [getattr(field, self.heading) for field in self.fields]
        return csv_bytes([heading, *([row[field.name] for field in self.fields] for row in rows)])

    def json(self, rows: Sequence[Row]) -> bytes:
        """The rows as a JSON array, one object a line; the same rows are the same bytes."""
        lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
        return f"[\n{lines}\n]\n".encode() if rows else b"[]\n"

    def _value(self, field: Field, record: Mapping[str, Any]) -> str:
        if field.holder and record["holder"].get("code_type") not in field.holder:
            return ""
        found = [str(value) for path in field.source if (value := _at(record, path)) not in (None, "")]
        if not found:
            return field.default
        kind, _, table = field.kind.partition(":")
        if kind == "code":
            codes = self.codes[table]
            return codes.get("/".join(found), codes.get(found[0], field.default))
        if kind == "date":
            return date.fromisoformat(found[0]).strftime(self.date_format)
        return field.join.join(found) if field.join else found[0]

    def _holder_class(self, holder: Mapping[str, Any]) -> str:
        if holder.get("code_type") not in _ORGANISATIONS:
            return "person"
        return "household" if str(holder.get("code")).startswith(self.household_prefixes) else "organisation"


def _by_holder(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    first = {name: value for name, value in record["holder"].items() if name != "others"}
    holders = [first, *record["holder"].get("others", ())]
    others = {name: value for name, value in record["facts"].items() if name not in _OF_THE_FIRST}
    for one in [one for one in holders if one.get("code_type") in _ORGANISATIONS] or holders:
        yield {**record, "holder": one, "facts": record["facts"] if one is first else others}


def load_template(path: Path | None = None) -> Template:
    """The template in `path`, or the one shipped. Raises `ConfigurationError` naming what is wrong with the file."""
    shipped = files("certlib.city") / "data" / "publicity.toml"
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8") if path else shipped.read_text(encoding="utf-8"))
        template = _template(raw)
        _check(template)
    except (OSError, KeyError, TypeError, ValueError) as error:
        name = path.name if path else "publicity.toml"
        raise ConfigurationError(f"双公示映射文件 {name} 有误：{error}。") from error
    return template


def _template(raw: Mapping[str, Any]) -> Template:
    return Template(
        name=raw["name"],
        heading=raw["heading"],
        date_format=raw["date_format"],
        household_prefixes=tuple(raw["household_prefixes"]),
        codes=raw["codes"],
        fields=tuple(_field(row) for row in raw["field"]),
    )


def _field(row: Mapping[str, Any]) -> Field:
    rest = {name: value for name, value in row.items() if name not in {"from", "as", "holder"}}
    source = tuple(row["from"].split("/")) if "from" in row else ()
    return Field(source=source, kind=row.get("as", "text"), holder=tuple(row.get("holder", ())), **rest)


def _check(template: Template) -> None:
    """Raise `ValueError` for what would fail only later, at the first row."""
    if template.heading not in _HEADINGS:
        raise ValueError(f"heading 应为 {' 或 '.join(_HEADINGS)}")
    for field in template.fields:
        kind, _, table = field.kind.partition(":")
        if kind not in {"text", "date", "code"} or (kind == "code" and table not in template.codes):
            raise ValueError(f"字段 {field.name} 的 as = {field.kind} 未定义")
    names = [field.name for field in template.fields]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"字段重复：{'、'.join(sorted(twice))}")


def _at(value: Any, path: str) -> Any:
    """The value at a dotted path, None when a step is missing."""
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
