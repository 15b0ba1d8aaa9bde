"""The demo's folder: emptied only when a demo made it, filled, and told in `summary.json`."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from certlib.errors import ConfigurationError, StorageError

MARK = ".certctl-demo"
_UNSAFE = re.compile(r"[^\w〔〕（）()\-]+")


@dataclass(frozen=True, slots=True)
class Folder:
    """Where the demo leaves its files."""

    root: Path

    @classmethod
    def fresh(cls, root: Path) -> Folder:
        """An empty folder at `root`; an earlier demo's is replaced.

        Raises `ConfigurationError` when something else stands there, `StorageError` when it cannot be made.
        """
        if root.is_symlink() or (root.exists() and not root.is_dir()):
            raise ConfigurationError(f"{root} 不是文件夹，请用 --out 另指一处。")
        if root.is_dir() and any(root.iterdir()) and not (root / MARK).is_file():
            raise ConfigurationError(f"{root} 里有别的文件，未作改动；请用 --out 另指一处。")
        try:
            if root.is_dir():
                _empty(root)
            root.mkdir(parents=True, exist_ok=True)
            (root / MARK).write_text("made by certctl demo; replaced by the next run\n", encoding="utf-8")
        except OSError as error:
            raise StorageError(f"{root} 无法写入：{error.strerror}。") from error
        return cls(root)

    @property
    def home(self) -> Path:
        """Where register and repository keep their data."""
        return self.root / "home"

    def keep(self, kind: str, name: str, data: bytes) -> str:
        """Write a file into the part called `kind`; returns its path below the folder."""
        path = self.root / kind / _UNSAFE.sub("-", name.removesuffix(".pdf")).strip("-")
        path = path.with_name(path.name + (".pdf" if name.endswith(".pdf") else ".txt"))
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return path.relative_to(self.root).as_posix()

    def read(self, name: str) -> bytes:
        """A file written before."""
        return (self.root / name).read_bytes()

    def tell(self, summary: Mapping[str, Any]) -> None:
        """Leave `summary.json`."""
        text = json.dumps(summary, ensure_ascii=False, indent=2)
        (self.root / "summary.json").write_text(text + "\n", encoding="utf-8")


def _empty(root: Path) -> None:
    """Take away what an earlier demo left, the mark last: an interrupted run can still be replaced."""
    for child in root.iterdir():
        if child.name == MARK:
            continue
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        else:
            child.unlink()
