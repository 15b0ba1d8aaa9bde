"""The store of registered files: create-only, addressed by digest, on disk before the database says so.

    store/ab/abcdef….pdf      a registered file, never changed
    spool/<intent>.pdf        unsealed bytes waiting for their seal; may vanish, they are rendered anew

A create is: write a temporary file, fsync it, link it to its name (which fails when the name exists), fsync the
folder. So after a crash a name either is not there or holds the whole file.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from certlib.domain.delivery import STORE_AWAY, UNREAD
from certlib.errors import NotFoundError, StorageError

_AWAY = "文件库现在无法读取（磁盘故障，或网络存储没有连上），稍后重试；请联系管理员。"


class FileStore:
    """Files under one folder; a file is named by its SHA-256."""

    def __init__(self, folder: Path) -> None:
        self._store, self._spool = folder / "store", folder / "spool"
        for path in (self._store, self._spool):
            path.mkdir(parents=True, exist_ok=True)

    def create(self, data: bytes) -> str:
        """Keep `data` for good and return its digest (hexadecimal); the same bytes again are the same file.

        Raises `StorageError` when the disk refuses; nothing is kept then.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._path(sha256)
        if path.exists():
            return sha256
        with _disk_errors():
            path.parent.mkdir(exist_ok=True)
            temporary = path.parent / f".{secrets.token_hex(8)}"
            try:
                _write_synced(temporary, data)
                os.link(temporary, path)
            except FileExistsError:
                pass  # another worker kept the same bytes meanwhile
            finally:
                temporary.unlink(missing_ok=True)
            _sync_folder(path.parent)
            _sync_folder(self._store)
        return sha256

    def read(self, sha256: str) -> bytes:
        """The registered file with that digest.

        Raises `NotFoundError` when it is not there, `StorageError` when its bytes have changed on disk or cannot be
        read, with the code `STORE_AWAY` when no other file can be read either (a network store that is away).
        """
        path = self._path(sha256)
        try:
            data = path.read_bytes()
        except OSError as error:
            if self._is_away(path):
                raise StorageError(_AWAY, code=STORE_AWAY) from error
            if isinstance(error, FileNotFoundError):
                raise NotFoundError(f"文件库中没有 {sha256[:12]}… 这一文件。") from error
            message = f"文件 {sha256[:12]}… 现在读不出（磁盘坏块或权限），其他文件可读；请检查磁盘或从备份恢复。"
            raise StorageError(message, code=f"{UNREAD}unreadable") from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise StorageError(f"文件 {sha256[:12]}… 在磁盘上已被改动，停止使用；请从备份恢复。", code="file-damaged")
        return data

    def size(self, sha256: str) -> int:
        """How many bytes the file with that digest has on disk. Raises `NotFoundError`."""
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError as error:
            raise NotFoundError(f"文件库中没有 {sha256[:12]}… 这一文件。") from error

    def remove(self, sha256: str) -> None:
        """Take a file out for good: an erasure by law, after the register has let go of it."""
        self._path(sha256).unlink(missing_ok=True)

    def __contains__(self, sha256: str) -> bool:
        return self._path(sha256).exists()

    def digests(self) -> Iterator[str]:
        """The digests of all files kept."""
        return (path.stem for path in self._store.glob("??/*.pdf"))

    def spool(self, intent: str, pdf: bytes, about: Mapping[str, object]) -> None:
        """Lay unsealed bytes ready for the signer, with what it must know of them (placement, template version)."""
        with _disk_errors():
            self._spooled(intent, "pdf").write_bytes(pdf)
            self._spooled(intent, "json").write_text(json.dumps(dict(about)), encoding="utf-8")

    def spooled(self, intent: str) -> tuple[bytes, dict[str, Any]]:
        """The unsealed bytes of an intent. Raises `NotFoundError` when they were not laid ready or are gone."""
        try:
            about = json.loads(self._spooled(intent, "json").read_text(encoding="utf-8"))
            return self._spooled(intent, "pdf").read_bytes(), about
        except (FileNotFoundError, ValueError) as error:
            raise NotFoundError(f"待用印文件 {intent} 不在，须重新排版。") from error

    def unspool(self, intent: str) -> None:
        """Forget the unsealed bytes of an intent."""
        for suffix in ("pdf", "json"):
            self._spooled(intent, suffix).unlink(missing_ok=True)

    def _is_away(self, missed: Path) -> bool:
        """Whether the store is at fault: it holds nothing, as when it is not mounted, or no other file can be read."""
        try:
            if next(self._store.iterdir(), None) is None:
                return True
            other = next((path for path in self._store.glob("??/*.pdf") if path != missed), None)
            return other is not None and not _first_byte(other)
        except OSError:
            return True

    def _path(self, sha256: str) -> Path:
        return self._store / sha256[:2] / f"{sha256}.pdf"

    def _spooled(self, intent: str, suffix: str) -> Path:
        return self._spool / f"{intent}.{suffix}"


def _first_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(1)


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StorageError("磁盘已满，未签发、未保存任何内容；请清理磁盘后重试。", code="storage-full") from error
        raise StorageError("文件库写入失败，未签发、未保存任何内容；请联系管理员检查磁盘。") from error
