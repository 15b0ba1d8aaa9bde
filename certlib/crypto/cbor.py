"""The one encoding of small values in CBOR: RFC 8949 §4.2.1, core deterministic encoding.

Only what our formats need: integers, byte and text strings, arrays, maps, true, false, null, and on demand one outer
tag. Reading is strict: a value has exactly one encoding, so two different byte strings never mean the same thing, and
nothing in the input can make the reader do more work than the input is long.

    decode(encode([1, "赣", None])) == [1, "赣", None]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MAX_DEPTH = 8
_SIMPLE = {False: b"\xf4", True: b"\xf5", None: b"\xf6"}
_SIMPLE_VALUES: dict[int, bool | None] = {20: False, 21: True, 22: None}


class TruncatedError(ValueError):
    """The bytes end before the value does."""


def head(major: int, value: int) -> bytes:
    """The initial byte and argument of an item, in the shortest form."""
    if value < 24:
        return bytes([major << 5 | value])
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 1 << 8 * size:
            return bytes([major << 5 | info]) + value.to_bytes(size, "big")
    raise ValueError("integer beyond 64 bits")


def encode(value: object) -> bytes:
    """The encoding of `value`. Raises `ValueError` for a type that our formats do not use."""
    if value is None or isinstance(value, bool):
        return _SIMPLE[value]
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        text = value.encode()
        return head(3, len(text)) + text
    if isinstance(value, list | tuple):
        return head(4, len(value)) + b"".join(map(encode, value))
    if isinstance(value, dict):
        pairs = sorted((encode(key), encode(entry)) for key, entry in value.items())
        return head(5, len(pairs)) + b"".join(key + entry for key, entry in pairs)
    raise ValueError(f"no CBOR form for {type(value).__name__}")


def decode(data: bytes) -> Any:
    """Read the one value that `data` is.

    Raises `TruncatedError` when the bytes end too early, `ValueError` for anything else that is not a deterministic
    encoding of a value our formats use.
    """
    value, end = _item(data, 0, 0)
    if end != len(data):
        raise ValueError("bytes after the value")
    return value


def untag(data: bytes, tag: int) -> bytes:
    """The bytes below the outer `tag`. Raises `ValueError` when there is no such tag."""
    prefix = head(6, tag)
    if not data.startswith(prefix):
        raise ValueError(f"tag {tag} expected")
    return data[len(prefix) :]


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    if at >= len(data):
        raise TruncatedError("bytes end before the value")
    major, info = data[at] >> 5, data[at] & 31
    if major == 7:
        if info not in _SIMPLE_VALUES:
            raise ValueError("a float, simple value or break that no format of ours uses")
        return _SIMPLE_VALUES[info], at + 1
    argument, at = _argument(data, at + 1, info)
    if major not in _READERS:
        raise ValueError("a tag where none belongs")
    return _READERS[major](data, at, argument, depth)


def _argument(data: bytes, at: int, info: int) -> tuple[int, int]:
    if info < 24:
        return info, at
    if info > 27:
        raise ValueError("indefinite length or reserved initial byte")
    size = 1 << info - 24
    if at + size > len(data):
        raise TruncatedError("bytes end inside a length")
    value = int.from_bytes(data[at : at + size], "big")
    if value < (24 if size == 1 else 1 << 4 * size):
        raise ValueError("an integer not in its shortest form")
    return value, at + size


def _string(data: bytes, at: int, length: int, _depth: int) -> tuple[bytes, int]:
    if at + length > len(data):
        raise TruncatedError("bytes end inside a string")
    return data[at : at + length], at + length


def _text(data: bytes, at: int, length: int, depth: int) -> tuple[str, int]:
    raw, end = _string(data, at, length, depth)
    return raw.decode("utf-8"), end  # UnicodeDecodeError is a ValueError


def _array(data: bytes, at: int, length: int, depth: int) -> tuple[list[Any], int]:
    values = []
    for _ in range(length):
        value, at = _item(data, at, depth + 1)
        values.append(value)
    return values, at


def _map(data: bytes, at: int, length: int, depth: int) -> tuple[dict[Any, Any], int]:
    pairs: dict[Any, Any] = {}
    last = b""
    for _ in range(length):
        key, middle = _item(data, at, depth + 1)
        if type(key) not in _KEYS or data[at:middle] <= last:
            raise ValueError("a map key of another type, out of order or twice")
        last = data[at:middle]
        pairs[key], at = _item(data, middle, depth + 1)
    return pairs, at


def _unsigned(_data: bytes, at: int, value: int, _depth: int) -> tuple[int, int]:
    return value, at


def _negative(_data: bytes, at: int, value: int, _depth: int) -> tuple[int, int]:
    return -1 - value, at


_KEYS = (int, str, bytes)
_READERS: dict[int, Callable[[bytes, int, int, int], tuple[Any, int]]] = {
    0: _unsigned,
    1: _negative,
    2: _string,
    3: _text,
    4: _array,
    5: _map,
}
