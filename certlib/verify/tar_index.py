"""The members of a plain tar file, found by its headers alone: name, kind, place, size; nothing is unpacked.

ustar, GNU long names, and PAX records of names and sizes, as common tools write them. The standard library's reader
believes what a header says of itself: it reads a claimed terabyte into memory, follows a chain of headers by
recursion, searches PAX records in quadratic time, and takes a file cut at a header for a whole one. An auditor may be
given any of these.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO, NamedTuple

BLOCK = 512
_MAX_EXTENSION = 1 << 16  # bytes of a long name or of PAX records
_MAX_LENGTH = 20  # characters of a PAX record's length
_FILES, _FOLDER = frozenset({b"0", b"\0", b"7"}), b"5"
_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL = b"L", b"K", b"x", b"g"
_EXTENSIONS = frozenset({_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL})


class NotPlainTarError(ValueError):
    """The file is no tar file, or not a whole and plain one; the text says what is wrong with it, and where."""


class Member(NamedTuple):
    """One member, its bytes at `offset`. `kind` is `file`, `folder`, or `other`: a link, a device, a sparse file."""

    name: str
    kind: str
    offset: int
    size: int


class _Extended(NamedTuple):
    """What headers before a member say of it."""

    name: bytes = b""
    size: int | None = None
    sparse: bool = False


def tar_members(file: IO[bytes]) -> Iterator[Member]:
    """The members in their order. Raises `NotPlainTarError`."""
    total = file.seek(0, os.SEEK_END)
    at, extended = 0, _Extended()
    while True:
        header = _header(file, at, total)
        if not header:
            return
        kind, size = header[156:157], _number(header[124:136], at)
        if kind not in _EXTENSIONS and extended.size is not None:
            size = extended.size
        name, start = _name(header, extended), at + BLOCK
        if size > total - start:
            raise NotPlainTarError(f"{name[:100]} 应有 {size} 字节，文件到第 {total} 字节为止：未传完或被截短")
        if kind in {_LONG_NAME, _PAX}:
            extended = _extend(extended, kind, _extension(file, start, size))
        elif kind not in {_LONG_LINK, _PAX_GLOBAL}:
            yield Member(name, _kind(kind, name, sparse=extended.sparse), start, size)
            extended = _Extended()
        at = start + -(-size // BLOCK) * BLOCK


def _header(file: IO[bytes], at: int, total: int) -> bytes:
    """The header at a place, nothing at the mark that ends the archive."""
    file.seek(at)
    header = file.read(BLOCK)
    if len(header) < BLOCK:
        if at == 0:
            raise NotPlainTarError("不是 tar 文件")
        raise NotPlainTarError(f"到第 {total} 字节为止，没有结尾标记：未传完或被截短")
    if header.count(0) == BLOCK:
        return b""
    if _octal(header[148:156]) != sum(header) - sum(header[148:156]) + 8 * ord(" "):
        raise NotPlainTarError("不是 tar 文件" if at == 0 else f"第 {at} 字节处不是 tar 的文件头：已损坏")
    return header


def _octal(field: bytes) -> int:
    """The number of a field of octal digits, 0 when it is empty, -1 when it is none."""
    digits = field.split(b"\0", 1)[0].strip()
    return -1 if digits.strip(b"01234567") else int(digits or b"0", 8)


def _number(field: bytes, at: int) -> int:
    """A size: octal digits, or binary where the first bit says so (GNU)."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    size = _octal(field)
    if size < 0:
        raise NotPlainTarError(f"第 {at} 字节处的文件头所写的大小不是数")
    return size


def _name(header: bytes, extended: _Extended) -> str:
    raw = extended.name
    if not raw:
        raw = header[:100].split(b"\0", 1)[0]
        prefix = header[345:500].split(b"\0", 1)[0] if header[257:263] == b"ustar\0" else b""
        raw = prefix + b"/" + raw if prefix else raw
    return raw.decode(errors="replace")


def _kind(kind: bytes, name: str, *, sparse: bool) -> str:
    if kind == _FOLDER or (kind == b"\0" and name.endswith("/")):
        return "folder"
    return "file" if kind in _FILES and not sparse else "other"


def _extension(file: IO[bytes], start: int, size: int) -> bytes:
    if size > _MAX_EXTENSION:
        raise NotPlainTarError(f"第 {start} 字节处的附加文件头称有 {size} 字节，超过 {_MAX_EXTENSION}")
    file.seek(start)
    return file.read(size)


def _extend(extended: _Extended, kind: bytes, data: bytes) -> _Extended:
    if kind == _LONG_NAME:
        return extended._replace(name=data.split(b"\0", 1)[0])
    for key, value in _records(data):
        if key == b"path":
            extended = extended._replace(name=value)
        elif key == b"size":
            extended = extended._replace(size=_decimal(value))
        elif key.startswith(b"GNU.sparse."):
            extended = extended._replace(sparse=True)
    return extended


def _records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """PAX records, `length key=value` and a newline each (POSIX.1-2001, pax, extended header)."""
    at = 0
    while at < len(data):
        space = data.find(b" ", at, at + _MAX_LENGTH)
        end = at + _decimal(data[at : max(space, at)])
        if not at < space < end <= len(data) or data[end - 1 : end] != b"\n":
            raise NotPlainTarError("附加文件头的格式不对")
        key, _, value = data[space + 1 : end - 1].partition(b"=")
        yield key, value
        at = end


def _decimal(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > _MAX_LENGTH:
        raise NotPlainTarError("附加文件头的格式不对")
    return int(digits)
