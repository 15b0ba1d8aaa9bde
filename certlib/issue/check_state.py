"""How far the continuous checker has come: kept beside the office, so that the next round goes on from there.

A state that is lost or cannot be read means starting again with a full round; nothing is believed because of it but the
head, which bears the journal's signature.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from certlib.errors import StorageError

_NAME = "check-state.json"


@dataclass(slots=True)
class CheckState:
    """`files` is the digest of the issued file looked at last, `head` the note of the newest head found sound."""

    files: str = ""
    head: str = ""
    full_at: datetime | None = None  # of the last round over the whole journal

    @classmethod
    def load(cls, home: Path) -> CheckState:
        """The state kept in `home`, a fresh one when there is none."""
        try:
            values = json.loads((home / _NAME).read_text(encoding="utf-8"))
            at = datetime.fromisoformat(values["full_at"]) if values["full_at"] else None
            return cls(str(values["files"]), str(values["head"]), at if at and at.tzinfo else None)
        except (OSError, ValueError, KeyError, TypeError):
            return cls()

    def save(self, home: Path) -> None:
        """Keep it. Raises `StorageError` when the disk refuses."""
        values = {**asdict(self), "full_at": self.full_at.isoformat() if self.full_at else ""}
        path = home / _NAME
        try:
            path.with_suffix(".new").write_text(json.dumps(values), encoding="utf-8")
            path.with_suffix(".new").replace(path)
        except OSError as error:
            raise StorageError(f"检查进度无法写入 {path}：{error.strerror}。") from error
