"""What the audit checks of the archive as a whole: no head is missing from it, and no cosignature that a head named."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from certlib.formats.tlog_chain import line_digest, read_link, text_digest
from certlib.formats.tlog_checkpoint import SignedCheckpoint
from certlib.verify.audit_events import Breaches
from certlib.verify.bundle import CHECKPOINT, CHECKPOINTS

WINDOW = 1 << 16
"""Cosignatures in memory at once, about 8 MB. A head names the few newest of its time, so none of older ones."""


class Links:
    """Step 2: each archived head names the one before it; the last is the newest; heads kept elsewhere are in it."""

    def __init__(self, found: Breaches) -> None:
        self._found = found
        self._number = 0
        self._last = b""  # digest of the text of the head before
        self._lines: dict[bytes, None] = {}  # digests of the cosignatures seen, the newest at the end
        self._kept: dict[bytes, str] = {}

    def expect(self, kept: Iterable[tuple[SignedCheckpoint, str]]) -> None:
        """Heads that must be in the archive, and where each was found."""
        self._kept |= {text_digest(signed.note.text): place for signed, place in kept}

    def take(self, signed: SignedCheckpoint, place: str) -> None:
        """One archived head whose signatures held."""
        link, digest = read_link(signed.checkpoint), text_digest(signed.note.text)
        if link is None:
            self._add(place, "检查点没有编号，无从判断其前后是否有缺失")
        elif link.previous != self._last or (self._number and link.number != self._number + 1):
            self._add(place, f"第 {link.number} 个检查点所指的前一个，不是存档中它前面的检查点：有检查点被删去或调换")
        for size, line in link.cosigned if link else ():
            if line not in self._lines:
                self._add(place, f"{size} 条检查点下的一个见证签名已不在存档中，疑被删去")
        own = signed.checkpoint.origin  # its own lines are in every head, and named by none
        self._lines |= {line_digest(str(line)): None for line in signed.note.signatures if line.name != own}
        for line in list(islice(self._lines, max(0, len(self._lines) - WINDOW))):
            del self._lines[line]
        self._number, self._last = link.number if link else 0, digest
        self._kept.pop(digest, None)

    def finish(self, head: SignedCheckpoint) -> None:
        """The archive was read to its end."""
        if self._last != text_digest(head.note.text):
            self._add(CHECKPOINTS, "历次检查点不以最新检查点结尾：其后的检查点被删去")
        for place in self._kept.values():
            if place != CHECKPOINT:
                self._add(place, "此检查点不在历次检查点中，疑被删去")

    def _add(self, place: str, message: str) -> None:
        self._found.add("archive", place, message)
