"""A witness's heads in a folder: one small file per journal, replaced whole and flushed before anyone is answered."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from certlib.errors import StorageError, VerificationError
from certlib.formats.tlog_checkpoint import Checkpoint
from certlib.journal.witness import empty_head


class FolderWitnessStore:
    """`WitnessStore` in a folder; safe between threads and processes of one machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def head(self, origin: str) -> Checkpoint:
        """The newest head cosigned. Raises `StorageError` when its file is damaged."""
        path = self._path(origin)
        try:
            return Checkpoint.parse(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return empty_head(origin)
        except (OSError, UnicodeDecodeError, VerificationError) as error:
            # never taken for an empty head: that would let a journal begin anew
            raise StorageError(f"见证记录 {path} 无法读取，已停止见证；请从备份恢复此文件。") from error

    def advance(self, origin: str, step: Callable[[Checkpoint], Checkpoint]) -> None:
        """Replace the head by what `step` makes of it. Raises `StorageError` when the disk refuses."""
        path = self._path(origin)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with _locked(path.with_suffix(".lock")):
                head = step(self.head(origin))
                _replace(path, head.text.encode())
        except OSError as error:
            raise StorageError(f"见证记录无法保存到 {self._folder}，未签名；请检查磁盘。") from error

    def _path(self, origin: str) -> Path:
        return self._folder / f"{hashlib.sha256(origin.encode()).hexdigest()[:32]}.head"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _replace(path: Path, data: bytes) -> None:
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
