"""How far the continuous checker has come: kept beside the office, so that the next round goes on from there.

A state that is lost or cannot be read means starting again with a full round; nothing is believed because of it but the
head, which bears the journal's signature.
"""

from __future__ import annotations

import fcntl
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from certlib.errors import StorageError

_NAME, _LOCK = "check-state.json", "check-state.lock"
MOST_BAD = 1000
"""While so many files are bad no further ones are looked for; so the state stays small and nothing is forgotten."""

_DIGEST = re.compile("[0-9a-f]{64}")
_LONGEST = 1 << 20  # bytes; cut there it is no JSON, and cannot be read


@dataclass(slots=True)
class CheckState:
    """`files` is the digest of the issued file looked at last, `head` the note of the newest head found sound.

    `bad` are the digests of files found bad, `ending` that of the file whose proof of time was found to end first.
    """

    files: str = ""
    head: str = ""
    full_at: datetime | None = None  # of the last round over the whole journal
    bad: tuple[str, ...] = ()
    ending: str = ""

    @classmethod
    def load(cls, home: Path) -> CheckState:
        """The state kept in `home`, a fresh one when there is none."""
        try:
            with (home / _NAME).open("rb") as file:
                values = json.loads(file.read(_LONGEST))
            at = datetime.fromisoformat(values["full_at"]) if values["full_at"] else None
            bad = tuple(sorted({digest for digest in values.get("bad", ()) if _DIGEST.fullmatch(digest)}))
            ending = values.get("ending", "")
            at = at if at and at.tzinfo else None
            return cls(str(values["files"]), str(values["head"]), at, bad, ending if _DIGEST.fullmatch(ending) else "")
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return cls()

    def save(self, home: Path) -> None:
        """Keep it. Raises `StorageError` when the disk refuses."""
        values = {**asdict(self), "full_at": self.full_at.isoformat() if self.full_at else ""}
        fresh = home / f".check-state.{secrets.token_hex(8)}"
        try:
            try:
                fresh.write_text(json.dumps(values), encoding="utf-8")
                fresh.replace(home / _NAME)
            finally:
                fresh.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"检查进度无法写入 {_NAME}：{error.strerror}。") from error


@contextmanager
def one_round(home: Path) -> Iterator[None]:
    """One round at a time over a home, whichever process or thread makes it: a second waits for the first.

    Raises `StorageError` when the disk refuses.
    """
    with ExitStack() as held:
        try:
            file = held.enter_context((home / _LOCK).open("a"))
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            raise StorageError(f"检查进度无法锁定：{error.strerror}。") from error
        yield
