"""A pushed record, read and checked by itself: fields, codes, identifier, dates. What it follows is in `rules`.

Error codes are `E…`, warnings `W…`; every error names the field's Chinese label.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from certlib.identifiers import CertificateIdentifier, check_citizen_number, check_uscc
from city_repository.catalogue import TypeEntry
from city_repository.codes import Codes, Field

NOT_DIGESTED = frozenset({"guid", "fileData", "predecessorUnknown"})
"""Fields outside the record's digest: they belong to the transport, not to the certificate."""

_USCC, _CITIZEN = "001", "111"
BETWEEN = "^"  # parts the values of several holders in one field
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a record is refused."""

    code: str
    message: str


class Refused(Exception):  # noqa: N818  it reads as what happened to the record
    """The record is not taken in; `problems` says why, every reason at once."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("；".join(problem.message for problem in problems))

    @property
    def code(self) -> str:
        """The first problem's code."""
        return self.problems[0].code


def refused(code: str, message: str) -> Refused:
    """A refusal for one reason."""
    return Refused(Problem(code, message))


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record that is sound in itself. `values` are its fields without the file's bytes."""

    base: str
    identifier: CertificateIdentifier
    sequence: int
    operation: str
    state: str
    at: datetime
    digest: str
    values: Mapping[str, Any]
    predecessor: str
    predecessor_unknown: bool
    file: bytes | None
    file_sha256: str

    @property
    def edition(self) -> int:
        """The edition its identifier names."""
        return self.identifier.edition


def record_digest(values: Mapping[str, Any]) -> str:
    """SHA-256 (hexadecimal) of a record's canonical JSON: sorted keys, no spaces, UTF-8, transport fields left out."""
    kept = {name: value for name, value in values.items() if name not in NOT_DIGESTED}
    text = json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def guid_of(raw: Mapping[str, Any]) -> str:
    """The record's own mark, made fit to be answered and kept whatever was sent."""
    return str(raw.get("guid") or "")[:160].encode("utf-8", "replace").decode()


def read_record(raw: Mapping[str, Any], codes: Codes, types: Mapping[str, TypeEntry]) -> Record:
    """Read a pushed record.

    Raises `Refused` with every problem found.
    """
    problems = list(_unencodable(raw)) or list(_field_problems(raw, codes))
    if problems:
        raise Refused(*problems)
    try:
        identifier = CertificateIdentifier.parse(raw["certificateIdentifier"])
    except ValueError as error:
        raise refused("E02", f"证照标识有误：{error}") from error
    problems = [*_agreement(raw, identifier, types), *_holder(raw), *_dates(raw), *_sizes(raw)]
    if problems:
        raise Refused(*problems)
    values = {name: value for name, value in raw.items() if name != "fileData"}
    return Record(
        base=identifier.key,
        identifier=identifier,
        sequence=int(raw["operationSequence"]),
        operation=raw["operateType"],
        state=raw["certState"],
        at=datetime.fromisoformat(raw["operateTime"]),
        digest=record_digest(raw),
        values=values,
        predecessor=raw.get("associatedZzeCertID") or "",
        predecessor_unknown=raw.get("predecessorUnknown") == "1",
        file=base64.b64decode(raw["fileData"]) if raw.get("fileData") else None,
        file_sha256=(raw.get("fileDigest") or "") if raw.get("fileData") else "",
    )


def _unencodable(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Lone surrogates come through JSON escapes and fit into no file."""
    try:
        json.dumps({**raw, "fileData": ""}, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        yield Problem("E01", "含有无法编码的字符")


def _field_problems(raw: Mapping[str, Any], codes: Codes) -> Iterator[Problem]:
    known = {field.name for field in codes.fields}
    for name in sorted(set(raw) - known):
        yield Problem("E01", f"未知字段 {name[:40]}")
    for field in codes.fields:
        value = raw.get(field.name)
        if value is None or value in ("", {}):
            if field.required:
                yield Problem("E01", f"{field.label}（{field.name}）必填")
        elif problem := _checks(codes, field)(value, field):
            yield Problem("E01", f"{field.label}（{field.name}）{problem}")


def _checks(codes: Codes, field: Field) -> Callable[[Any, Field], str]:
    if field.check.startswith("code:"):
        table = codes.tables[field.check.removeprefix("code:")]
        return lambda value, _: "" if isinstance(value, str) and value in table else "不在代码表中"
    if field.check.startswith("codes:"):  # of several holders each
        several = codes.tables[field.check.removeprefix("codes:")]
        return lambda value, _: "" if set(str(value).split(BETWEEN)) <= set(several) else "不在代码表中"
    return _CHECKS[field.check]


def _text(value: Any, field: Field) -> str:
    if not isinstance(value, str):
        return "应为文本"
    if any(ord(character) < 0x20 for character in value):
        return "含有控制字符"
    return f"超过 {field.max} 字" if len(value) > field.max else ""


def _number(value: Any, _: Field) -> str:
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31
    return "" if fits else "应为正整数"


def _date_check(value: Any, _: Field) -> str:
    try:
        date.fromisoformat(value if isinstance(value, str) and _DATE.fullmatch(value) else "")
    except ValueError:
        return "应为 YYYY-MM-DD 日期"
    return ""


def _moment(value: Any, _: Field) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return "应为带时区的 ISO 8601 时间"
    return "" if moment.tzinfo and moment.year >= 1900 else "应为带时区的 ISO 8601 时间"


def _face(value: Any, _: Field) -> str:
    if not isinstance(value, dict) or len(value) > 200:
        return "应为照面项对象"
    sound = all(isinstance(text, str) and len(text) <= 20_000 for text in value.values())
    return "" if sound else "各照面项应为文本"


def _base64(value: Any, field: Field) -> str:
    if not isinstance(value, str) or len(value) > field.max:
        return "应为 Base64 文本，且不超过大小上限"
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return "不是 Base64"
    return ""


_CHECKS: Mapping[str, Callable[[Any, Field], str]] = {
    "text": _text,
    "number": _number,
    "date": _date_check,
    "moment": _moment,
    "object": _face,
    "base64": _base64,
    "sha256": lambda value, _: "" if isinstance(value, str) and _SHA256.fullmatch(value) else "应为 64 位十六进制摘要",
}


def _agreement(
    raw: Mapping[str, Any], identifier: CertificateIdentifier, types: Mapping[str, TypeEntry]
) -> Iterator[Problem]:
    """The identifier's parts against the metadata and the type catalogue."""
    entry = types.get(raw["certificateTypeCode"])
    if entry is None:
        yield Problem("E03", f"证照类型代码 {raw['certificateTypeCode']} 不存在或未发布")
    elif entry.name != raw["certificateName"]:
        yield Problem("E03", f"证照名称与类型目录不一致，目录为“{entry.name}”")
    if identifier.type_code != raw["certificateTypeCode"]:
        yield Problem("E04", "证照标识中的类型代码与证照类型代码不一致")
    if identifier.issuer != raw["certificateIssuingAuthorityCode"]:
        yield Problem("E05", "证照标识中的颁发机构代码与证照颁发机构代码不一致")


def _holder(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Several holders stand in one field each, parted alike; each code is checked by its own type."""
    kinds, codes, names = (raw[f"certificateHolder{part}"].split(BETWEEN) for part in ("TypeCode", "Code", "Name"))
    if not len(kinds) == len(codes) == len(names):
        yield Problem("E06", "持证主体、代码、代码类型的个数不一致")
        return
    for kind, code in zip(kinds, codes, strict=True):
        try:
            if kind == _USCC:
                check_uscc(code)
            elif kind == _CITIZEN:
                check_citizen_number(code, on=datetime.fromisoformat(raw["operateTime"]).date())
        except ValueError as error:
            yield Problem("E06", f"持证主体代码有误：{error}")


def _dates(raw: Mapping[str, Any]) -> Iterator[Problem]:
    effective, expiring = raw["certificateEffectiveDate"], raw["certificateExpiringDate"]
    if effective > expiring:
        yield Problem("E07", "证照有效期截止日期早于起始日期")
    if raw["certificateIssuedDate"] > expiring:
        yield Problem("E07", "证照颁发日期晚于有效期截止日期")


def _sizes(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """The file against its digest and size."""
    if not raw.get("fileData"):
        return
    data = base64.b64decode(raw["fileData"])
    if hashlib.sha256(data).hexdigest() != raw.get("fileDigest"):
        yield Problem("E16", "文件与摘要不一致")
    if raw.get("fileSize") not in (None, len(data)):
        yield Problem("E16", "文件与文件大小不一致")
