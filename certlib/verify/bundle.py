"""An exported bundle: everything an auditor needs to check the journal offline, in a folder or one plain tar file.

    bundle.json           format, origin, size, when exported: for people, not relied upon
    checkpoint            the newest signed head (C2SP tlog-checkpoint)
    checkpoints.jsonl     every head ever signed, in order: {"note": "…"}
    tile/…                tiles and entry bundles (C2SP tlog-tiles)
    status/….cwt          published status lists
    published.jsonl       of each status list that was journalled, what it was made of (audit, step 11)
    trust/….json          trust lists, one file each, in the order of their names
    seals/….json          seal lists, likewise
    register.jsonl        what the register says of each leaf, in the order of the leaves (audit, step 9)
    standing.jsonl        the status of every index as the register's tables have it now: {"n": 7, "code": 0}, or
                          {"n": 7, "waiting": true} when its newest change has no number in the journal yet

Nothing is ever unpacked: a file is read where it lies, up to the size its kind may have.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import IO, Any, Protocol

from certlib.errors import VerificationError
from certlib.formats.tlog_tiles import MAX_ENTRY, WIDTH
from certlib.verify.tar_index import Member, NotPlainTarError, tar_members

FORMAT = "certlib-bundle/1"
ABOUT, CHECKPOINT, CHECKPOINTS = "bundle.json", "checkpoint", "checkpoints.jsonl"
REGISTER, STANDING = "register.jsonl", "standing.jsonl"
PUBLISHED = "published.jsonl"
STATUS, TRUST, SEALS = "status", "trust", "seals"

_JSON = json.JSONDecoder()
_scan: Callable[[str, int], tuple[Any, int]] = _JSON.scan_once  # type: ignore[attr-defined]

MAX_ENTRIES = WIDTH * (MAX_ENTRY + 2)  # bytes of a full entry bundle
MAX_FILE = 1 << 20  # bytes of any other file that is read whole, and of one line
_BLOCK = 1 << 16  # bytes of lines read at once
MAX_MEMBERS = 4_000_000  # files in a tar; a billion events have that many


class Bundle(Protocol):
    """Read access to a bundle. Every method raises `VerificationError` (`unreadable`) for what it cannot read."""

    def read(self, name: str, limit: int = MAX_FILE) -> bytes:
        """The file's bytes; `not-found` when there is none, `unreadable` when it is longer than `limit`."""

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """The objects of a file of JSON lines, one by one; none when there is no such file."""

    def names(self, folder: str) -> list[str]:
        """The names of what lies directly in a folder and is none itself, sorted; with `""` of the bundle itself."""

    def within(self) -> list[str]:
        """What in it looks like a bundle itself: folders and tar files, a few of them."""


@contextmanager
def open_bundle(path: Path) -> Iterator[Bundle]:
    """Open a bundle. Raises `VerificationError` (`unreadable`) when it is neither a folder nor a plain tar file."""
    with _refused(str(path)):
        if path.is_dir():
            os.scandir(path).close()  # or it may not be listed, and nothing in it could be found
            file = None
        else:
            file = open_regular(path, str(path))
    if file is None:
        yield FolderBundle(path)
        return
    with file:
        yield TarBundle(file)


class FolderBundle:
    """A bundle in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._real = folder, folder.resolve()
        self._inside: set[str] = set()  # folders seen to lie in it; a billion leaves have some thousand

    def read(self, name: str, limit: int = MAX_FILE) -> bytes:
        """The file's bytes."""
        with self._open(name) as file, _refused(name):
            size = os.fstat(file.fileno()).st_size
            if size > limit:
                raise _too_long(name, limit)
            return file.read(size)

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """The objects of a file of JSON lines."""
        try:
            file = self._open(name)
        except VerificationError as error:
            if error.code != "not-found":
                raise
            return
        with file, _refused(name):
            yield from _objects(file, name)

    def names(self, folder: str) -> list[str]:
        """The names of what lies directly in a folder and is none itself."""
        place = self._folder / folder
        with _refused(folder):
            if not os.path.lexists(place):
                return []
            with os.scandir(place) as entries:
                return sorted(entry.name for entry in entries if not Path(entry).is_dir())

    def within(self) -> list[str]:
        """What in it looks like a bundle itself."""
        with _refused("."):
            found = (one for one in self._folder.iterdir() if one.suffix == ".tar" or (one / CHECKPOINT).is_file())
            return [one.name for one in islice(found, _HINTS)]

    def _open(self, name: str) -> FileIO:
        path = self._folder / name
        with _refused(name):
            if not self._within(path, name.rpartition("/")[0]):
                raise _unreadable(f"{name} 指向审计包之外", name)
            try:
                return open_regular(path, name)
            except (FileNotFoundError, NotADirectoryError):
                raise _missing(name) from None

    def _within(self, path: Path, folder: str) -> bool:
        """Whether a file lies in the bundle, links followed; each folder of it is followed once."""
        if folder in self._inside and not path.is_symlink():
            return True
        if Path(os.path.realpath(path.parent)).is_relative_to(self._real):
            self._inside.add(folder)
        return Path(os.path.realpath(path)).is_relative_to(self._real)


class TarBundle:
    """A bundle in an uncompressed tar file, read in place: its members are found once and never unpacked."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._members: dict[str, tuple[int, int]] = {}  # offset and size by name
        try:
            with _refused("tar"):
                for member in tar_members(file):
                    self._add(member)
        except NotPlainTarError as error:
            raise _unreadable(self._instead() or f"{error}；请重新取得完整的审计包") from error

    def read(self, name: str, limit: int = MAX_FILE) -> bytes:
        """The file's bytes."""
        offset, size = self._place(name)
        if size > limit:
            raise _too_long(name, limit)
        with _refused(name):
            self._file.seek(offset)
            data = self._file.read(size)
        if len(data) != size:
            raise _unreadable(f"{name} 不完整", name)
        return data

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """The objects of a file of JSON lines."""
        if name in self._members:
            with _refused(name):
                yield from _objects(_Part(self._file, *self._place(name)), name)

    def names(self, folder: str) -> list[str]:
        """The names of the files directly in a folder."""
        start = f"{folder}/" if folder else ""
        within = (name.removeprefix(start) for name in self._members if name.startswith(start))
        return sorted(name for name in within if "/" not in name)

    def within(self) -> list[str]:
        """What in it looks like a bundle itself."""
        found = (name for name in self._members if name.endswith((".tar", f"/{CHECKPOINT}")))
        return [name.removesuffix(f"/{CHECKPOINT}") for name in islice(found, _HINTS)]

    def _add(self, member: Member) -> None:
        name = member.name.removeprefix("./")
        if name.startswith("/") or ".." in name.split("/"):
            raise _unreadable(f"{name[:100]} 指向审计包之外", name)
        if member.kind == "folder":
            return
        if member.kind != "file":
            raise _unreadable(f"{name[:100]} 不是普通文件", name)
        if name in self._members or len(self._members) >= MAX_MEMBERS:
            raise _unreadable(f"{name[:100]} 重复，或文件过多", name)
        self._members[name] = (member.offset, member.size)

    def _instead(self) -> str:
        """What the file is when it is no tar file at all, and what to do with it."""
        with _refused("tar"):
            self._file.seek(0)
            start = self._file.read(_LONGEST_MARK)
        return next((words for mark, words in _MARKS.items() if start.startswith(mark)), "" if start else _EMPTY)

    def _place(self, name: str) -> tuple[int, int]:
        if name not in self._members:
            raise _missing(name)
        return self._members[name]


_EMPTY = "文件是空的：没有传完；请重新取得审计包"
_PACKED = "是压缩文件，不是未压缩的 tar 文件；压缩过的请先解压，再审计解压出的 .tar 或文件夹"
_MARKS = {
    b"%PDF-": "是 PDF 文件，不是审计包；核验文件请用 certctl verify",
    b"SQLite format 3": "是数据库，不是审计包；请用 certctl bundle 导出审计包",
    **dict.fromkeys(
        (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"\x28\xb5\x2f\xfd", b"Rar!"), _PACKED
    ),
}
"""How files begin that are given for a bundle by mistake."""
_LONGEST_MARK = 16
_HINTS = 3
_REASONS = {
    errno.EACCES: "没有读取权限",
    errno.EPERM: "没有读取权限",
    errno.ELOOP: "链接互相指向",
    errno.ENOENT: "没有此文件",
    errno.EISDIR: "是文件夹",
}


def open_regular(path: Path, name: str) -> FileIO:
    """Open a file that is one: a pipe would be waited for, a device has no end. Raises `VerificationError`, `OSError`.

    `name` is what messages call it.
    """
    file = FileIO(path, opener=_at_once)
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise _unreadable(f"{name} 不是普通文件", name)


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


@contextmanager
def _refused(name: str) -> Iterator[None]:
    """Whatever the system refuses becomes our error."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0) or error.strerror or type(error).__name__
        raise _unreadable(f"{name} 打不开：{reason}", name) from error


class _Part:
    """Lines of a part of a file; other parts may be read in between."""

    def __init__(self, file: IO[bytes], offset: int, size: int) -> None:
        self._file, self._at, self._end = file, offset, offset + size

    def read(self, size: int) -> bytes:
        self._file.seek(self._at)
        data = self._file.read(min(size, self._end - self._at))
        if not data and self._at < self._end:
            raise OSError("shorter than it was")
        self._at += len(data)
        return data


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _objects(file: _Readable, name: str) -> Iterator[dict[str, Any]]:
    number, rest = 1, b""
    while data := file.read(_BLOCK):
        block = rest + data
        if len(block) > MAX_FILE and block.find(b"\n", 0, MAX_FILE) < 0:
            raise _too_long(f"{name} 第 {number} 行", MAX_FILE)
        whole = block.rfind(b"\n") + 1
        yield from _objects_in(block[:whole], name, number)
        number += block.count(b"\n", 0, whole)
        rest = block[whole:]
    yield from _objects_in(rest, name, number)


def _objects_in(lines: bytes, name: str, number: int) -> Iterator[dict[str, Any]]:
    """The objects of whole lines of which the first has that number: read where they lie, one after the other."""
    try:
        text = lines.decode()
    except UnicodeDecodeError:  # only one of them is at fault
        for at, line in enumerate(lines.split(b"\n"), start=number):
            yield _object(line, f"{name} 第 {at} 行")
        return
    at, size = 0, len(text)
    while at < size:
        end = text.find("\n", at)
        end = size if end < 0 else end
        try:
            value, stop = _scan(text, at)
        except (StopIteration, ValueError, RecursionError):
            stop = -1
        if stop != end or type(value) is not dict:
            value = _object(text[at:end].encode(), f"{name} 第 {number} 行")
        yield value
        at, number = end + 1, number + 1


def _object(line: bytes, place: str) -> dict[str, Any]:
    """The one object of a line."""
    try:
        value = _JSON.decode(line.decode())
    except (ValueError, RecursionError) as error:
        raise _unreadable(f"{place} 不是 JSON", place) from error
    if not isinstance(value, dict):
        raise _unreadable(f"{place} 不是 JSON 对象", place)
    return value


def _missing(name: str) -> VerificationError:
    return VerificationError(f"审计包缺少文件 {name}。", code="not-found", extra={"file": name})


def _too_long(name: str, limit: int) -> VerificationError:
    return _unreadable(f"{name} 超过 {limit} 字节", name)


def _unreadable(reason: str, name: str = "") -> VerificationError:
    return VerificationError(f"审计包无法读取：{reason}。", code="unreadable", extra={"file": name})
