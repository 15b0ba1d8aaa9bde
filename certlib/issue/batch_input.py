"""Batches as people hand them in: JSON lines, or CSV whose header names places in the request.

    operation,item,case.number,holder.name,facts.enterprise_name,decision.approval.person
    issue,2-25,360700-2026-000001,赣州某公司,赣州某公司,张某

A header cell is a dotted path; empty cells are left out; a cell of a list fact has one entry per line. In a cell
`holder.others` each line is a holder beside the first: name, code and code type, parted by spaces. CSV comes in
UTF-8 (with or without byte order mark) or GB 18030, as spreadsheets of the city's offices write it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from certlib.errors import Fault, RequestError

MAX_BYTES = 200 << 20
_LABEL = "批量文件"
_DIGITS = 9  # of a number of copies


def read_lines(data: bytes) -> list[dict[str, Any]]:
    """The lines of a batch file, each one request. Raises `RequestError` naming every line that is none."""
    if len(data) > MAX_BYTES:
        raise RequestError([_fault("", f"超过 {MAX_BYTES >> 20} MB")])
    text = _decode(data)
    lines = _json_lines(text) if text.lstrip()[:1] in {"{", "["} else _csv_lines(text)
    if not lines:
        raise RequestError([_fault("", "没有任何一行")])
    return lines


def report_csv(outcomes: Iterable[Mapping[str, Any]]) -> str:
    """The outcomes as CSV with byte order mark, one row a fault, for a spreadsheet."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(["行号", "状态", "编号", "位置", "栏目", "问题", "代码"])
    for outcome in outcomes:
        for row in _report_rows(outcome):
            writer.writerow([_inert(cell) for cell in row])
    return out.getvalue()


def _report_rows(outcome: Mapping[str, Any]) -> Iterator[Sequence[object]]:
    answer = outcome.get("answer") or {}
    head = (outcome["line"], outcome["state"], answer.get("number", ""))
    faults = answer.get("faults") or []
    for fault in faults:
        yield (*head, fault.get("path", ""), fault.get("label", ""), fault.get("message", ""), fault.get("code", ""))
    if not faults:
        yield (*head, "", "", answer.get("message", ""), answer.get("code", ""))


def _inert(cell: object) -> str:
    """A cell that a spreadsheet takes for text: what begins like a formula gets an apostrophe before it."""
    text = str(cell)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _decode(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RequestError([_fault("", "既不是 UTF-8 也不是 GB 18030 编码")])


def _json_lines(text: str) -> list[dict[str, Any]]:
    if text.lstrip().startswith("["):
        try:
            entries = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RequestError([_fault("", f"不是 JSON：{error}")]) from error
        numbered = list(enumerate(entries, start=1))
    else:
        numbered = list(_each(text))
    wrong = [_fault(str(number), "不是 JSON 对象") for number, entry in numbered if not isinstance(entry, dict)]
    if wrong:
        raise RequestError(wrong)
    return [entry for _, entry in numbered]


def _each(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError):
            yield number, None


def _csv_lines(text: str) -> list[dict[str, Any]]:
    rows = _rows(text)
    header = next(rows, [])
    if not any("." in cell or cell == "item" for cell in header):
        raise RequestError([_fault("1", "表头不是请求中的位置（应如 item, case.number, facts.scope）")])
    lines, wrong = [], []
    for number, row in enumerate(rows, start=2):
        if not any(row):
            continue
        if len(row) > len(header):
            wrong.append(_fault(str(number), f"有 {len(row)} 格，表头只有 {len(header)} 格"))
            continue
        try:
            lines.append(_nested(zip(header, row, strict=False)))
        except ValueError as error:
            wrong.append(_fault(str(number), str(error)))
    if wrong:
        raise RequestError(wrong)
    return lines


def _rows(text: str) -> Iterator[list[str]]:
    """The rows as cells. Raises `RequestError` for what is no CSV: an endless cell, above all."""
    rows = csv.reader(io.StringIO(text, newline=""))
    try:
        yield from rows
    except csv.Error as error:
        raise RequestError([_fault(str(rows.line_num), f"不是 CSV，或一格过长（{error}）")]) from error


_FLAGS = {"paper.waived": {"true": True, "false": False, "是": True, "否": False}}


def _nested(cells: Iterable[tuple[str, str]]) -> dict[str, Any]:
    line: dict[str, Any] = {}
    for path, cell in cells:
        if not path or not cell:
            continue
        *parents, last = path.strip().split(".")
        target = line
        for parent in parents:
            inner = target.setdefault(parent, {})
            if inner.__class__ is not dict:  # a cell of its own, or a list of holders
                raise ValueError(f"栏目 {path.strip()[:80]} 所在的 {parent[:80]} 已另有一格")
            target = inner
        target[last] = _value(path.strip(), cell)
    return line


def _value(path: str, cell: str) -> Any:
    if path in _FLAGS:
        return _FLAGS[path].get(cell, cell)
    if path == "holder.others":
        return [_other_holder(line) for line in cell.split("\n") if line.strip()]
    if path.startswith("paper.copies.") and cell.isascii() and cell.isdecimal() and len(cell) < _DIGITS:
        return int(cell)
    return cell


def _other_holder(line: str) -> dict[str, str]:
    """A name, which may hold spaces, then a code and, when it is no 统一社会信用代码, its type of three digits."""
    words = line.split()
    typed = len(words) > 2 and len(words[-1]) == 3 and words[-1].isdecimal()
    code_type = {"code_type": words.pop()} if typed else {}
    name, code = (" ".join(words[:-1]), words[-1]) if len(words) > 1 else (line.strip(), "")
    return {"name": name, "code": code, **code_type}


def _fault(line: str, reason: str) -> Fault:
    message = f"{_LABEL}{f'第 {line} 行' if line else ''}：{reason}。"
    return Fault(f"lines.{line}" if line else "lines", "bad-batch", message, _LABEL, "The batch cannot be read.")
