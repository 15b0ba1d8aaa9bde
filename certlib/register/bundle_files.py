"""Where an export is written: a folder, or one plain tar file that is read in place."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from certlib.errors import ConflictError, StorageError


class BundleFiles(Protocol):
    """Takes the files of a bundle one by one."""

    def add(self, name: str, data: bytes) -> None:
        """Write a file."""

    def add_lines(self, name: str, lines: Iterable[Mapping[str, Any]]) -> int:
        """Write a file of JSON lines as they come; gives how many."""


@contextmanager
def bundle_files(path: Path) -> Iterator[BundleFiles]:
    """Write a bundle to `path`: a tar file when its name ends in `.tar`, else a folder.

    Nothing is left of one that was not finished. Raises `ConflictError` when it is there already, `StorageError` when
    the disk refuses.
    """
    if path.exists():
        raise ConflictError(f"{path} 已存在，未导出；请另取名称。", code="exists")
    try:
        if path.suffix != ".tar":
            path.mkdir(parents=True)
            yield FolderFiles(path)
            return
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
            yield TarFiles(archive)
    except OSError as error:
        _remove(path)
        raise StorageError(f"审计包无法写入 {path}：{error.strerror}；请检查磁盘后重试。") from error
    except BaseException:
        _remove(path)  # or it would be taken for one that was cut on its way
        raise


def _remove(path: Path) -> None:
    with suppress(OSError):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


class FolderFiles:
    """A bundle in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, name: str, data: bytes) -> None:
        """Write a file."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def add_lines(self, name: str, lines: Iterable[Mapping[str, Any]]) -> int:
        """Write a file of JSON lines."""
        with (self._folder / name).open("wb") as file:
            return _write_lines(file, lines)


class TarFiles:
    """A bundle in a tar file; lines go through a temporary file, since a tar says a file's size before it."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive

    def add(self, name: str, data: bytes) -> None:
        """Write a file."""
        self._add(name, len(data), io.BytesIO(data))

    def add_lines(self, name: str, lines: Iterable[Mapping[str, Any]]) -> int:
        """Write a file of JSON lines."""
        with tempfile.TemporaryFile() as file:
            count = _write_lines(file, lines)
            size = file.tell()
            file.seek(0)
            self._add(name, size, file)
        return count

    def _add(self, name: str, size: int, data: BinaryIO | io.BytesIO) -> None:
        member = tarfile.TarInfo(name)
        member.size = size
        self._archive.addfile(member, data)


def _write_lines(file: Any, lines: Iterable[Mapping[str, Any]]) -> int:
    count = 0
    for count, line in enumerate(lines, start=1):  # noqa: B007
        file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
    return count
