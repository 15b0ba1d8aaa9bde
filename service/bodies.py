"""Reading bodies: a JSON object as the office may have it, or raw bytes up to a limit.

What JSON allows and a register must not have is refused with its path: doubled names, numbers that are no
numbers, half characters (lone surrogates), deep nesting.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends, Request

from certlib.errors import Fault
from service.refusals import MalformedBodyError, UnsupportedMediaError

DEEPEST = 32
"""Levels of nesting a request may have; ours need six."""

_SURROGATES = range(0xD800, 0xE000)


def parse_object(data: bytes) -> dict[str, Any]:
    """The JSON object in `data`. Raises `MalformedBodyError` naming what is wrong and where."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise _malformed("not-utf-8", f"第 {error.start + 1} 字节起不是 UTF-8 文字。", "Not UTF-8.") from error
    except json.JSONDecodeError as error:
        where = f"第 {error.lineno} 行第 {error.colno} 列"
        raise _malformed(
            "not-json", f"{where}不符合 JSON 语法。", f"{error.msg} ({error.lineno}:{error.colno})."
        ) from error
    except (RecursionError, ValueError) as error:
        raise _malformed(
            "not-json", "含有重复的名称、超长数字或过深的嵌套。", "Doubled names or not a number."
        ) from error
    if not isinstance(value, dict):
        raise _malformed("not-an-object", "应为一个 JSON 对象。", "A JSON object is expected.")
    faults = list(_structure(value, "", 0))
    if faults:
        raise MalformedBodyError(faults)
    return value


async def read_object(request: Request) -> dict[str, Any]:
    """The request's JSON object. Raises `UnsupportedMediaError`, `MalformedBodyError`."""
    require_media(request, "application/json")
    return parse_object(await request.body())


RawObject = Annotated[dict[str, Any], Depends(read_object)]
"""A JSON object as it came: the office judges what is in it."""


def require_media(request: Request, *allowed: str) -> None:
    """Raise `UnsupportedMediaError` when the body's media type is none of `allowed`."""
    media = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media not in allowed:
        raise UnsupportedMediaError(f"请求正文的 Content-Type 应为 {' 或 '.join(allowed)}。")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("doubled name")
    return value


def _no_number(_text: str) -> Any:
    raise ValueError("NaN and Infinity are not JSON")


def _structure(value: Any, path: str, depth: int) -> Iterator[Fault]:
    if depth > DEEPEST:
        yield Fault(path, "too-deep", f"嵌套超过 {DEEPEST} 层。", english="Nested too deeply.")
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _characters(name, path)
            yield from _structure(member, f"{path}.{name}" if path else name, depth + 1)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _structure(member, f"{path}.{index}", depth + 1)
    elif isinstance(value, str):
        yield from _characters(value, path)
    elif isinstance(value, float) and not math.isfinite(value):
        yield Fault(path, "not-a-number", "数值超出范围。", english="The number is out of range.")


def _characters(text: str, path: str) -> Iterator[Fault]:
    if any(ord(character) in _SURROGATES for character in text):
        yield Fault(path, "half-character", "含有不完整的字符（半个代理对）。", english="A lone surrogate.")


def _malformed(code: str, message: str, english: str) -> MalformedBodyError:
    return MalformedBodyError([Fault("", code, message, label="请求正文", english=english)])
