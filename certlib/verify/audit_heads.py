"""What the audit checks of checkpoints: signed, never larger than the head, of the root the tree had then."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from certlib.errors import VerificationError
from certlib.formats.tlog_checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint
from certlib.formats.tlog_note import COSIGNATURE, MAX_NOTE, Note, VerifierKey
from certlib.verify.audit_events import Breaches
from certlib.verify.audit_links import Links
from certlib.verify.bundle import CHECKPOINT, CHECKPOINTS, Bundle

KEPT = "审计人自存检查点 {}"
"""How the checkpoints of `since` are named in breaches, from 1."""

WITNESSED_WITHIN = timedelta(days=1)
"""How long a journal may go on without a cosignature before the audit calls it a breach."""


@dataclass(frozen=True, slots=True, order=True)
class Archived:
    """A checkpoint whose signature held, and where it was found."""

    size: int
    place: str = field(compare=False)
    root: bytes = field(compare=False)
    at: datetime | None = field(compare=False)
    witnesses: int = field(compare=False)


class Heads:
    """Steps 1 and 2: opens checkpoints and gives the archived ones in order of size, the next one visible."""

    def __init__(
        self,
        found: Breaches,
        journal: Collection[VerifierKey],
        witnesses: Collection[VerifierKey],
        tolerance: timedelta,
    ) -> None:
        self._found, self._journal, self._witnesses, self.tolerance = found, journal, witnesses, tolerance
        self._timed = any(key.algorithm == COSIGNATURE for key in journal)
        self._links = Links(found)
        self._points: Iterator[Archived] = iter(())
        self.head: SignedCheckpoint | None = None
        self.next: Archived | None = None

    def open(self, bundle: Bundle, since: Sequence[str]) -> SignedCheckpoint | None:
        """(1): the newest checkpoint, None when it cannot be relied on; from then on `next` is the first to compare."""
        try:
            note = bundle.read(CHECKPOINT, MAX_NOTE).decode(errors="replace")
        except VerificationError as error:
            self._found.add("bundle", CHECKPOINT, error.message)
            return None
        try:
            self.head = open_checkpoint(note, self._journal, self._witnesses)
        except VerificationError as error:
            self._found.add("head", CHECKPOINT, self._whose(note, error))
            return None
        own = [(note, KEPT.format(number)) for number, note in enumerate(since, start=1)]
        kept = [opened for source in ((note, CHECKPOINT), *own) if (opened := self._opened(*source)) is not None]
        self._links.expect((signed, point.place) for signed, point in kept)
        self._points = heapq.merge(self._archive(bundle.lines(CHECKPOINTS)), sorted(point for _, point in kept))
        self.next = next(self._points, None)
        return self.head

    def compare_clocks(self, now: datetime | None) -> None:
        """(8): the newest head is not ahead of the auditor's own clock, where one is given."""
        at = self.head.at if self.head is not None else None
        if now is not None and at is not None and at > now + self.tolerance:
            message = (
                f"签于 {at:%Y-%m-%d %H:%M:%S} UTC，晚于本机的 {now:%Y-%m-%d %H:%M:%S}：两处时钟不一致，先核对本机时间"
            )
            self._found.add("times", CHECKPOINT, message)

    def take(self) -> Archived:
        """The next one; `next` moves on."""
        if self.next is None:
            raise LookupError("no further checkpoint")
        point, self.next = self.next, next(self._points, None)
        return point

    def _archive(self, lines: Iterator[Mapping[str, Any]]) -> Iterator[Archived]:
        """(2): the bundle's archive; those out of order are named and passed over."""
        last = 0
        for number, line in enumerate(lines, start=1):
            opened = self._opened(str(line.get("note", "")), f"{CHECKPOINTS} 第 {number} 行")
            if opened is None:
                continue
            signed, archived = opened
            self._link(signed, archived.place)
            if archived.size < last:
                self._found.add("archive", archived.place, f"检查点从 {last} 条退回到 {archived.size} 条")
            else:
                last = archived.size
                yield archived
        if self.head is not None:
            self._links.finish(self.head)

    def _link(self, signed: SignedCheckpoint, place: str) -> None:
        try:
            self._links.take(signed, place)
        except VerificationError as error:
            self._found.add("archive", place, error.message)

    def _opened(self, note: str, place: str) -> tuple[SignedCheckpoint, Archived] | None:
        try:
            signed = open_checkpoint(note, self._journal, self._witnesses)
        except VerificationError as error:
            self._found.add("archive", place, error.message)
            return None
        fault = self._fault(signed)
        if fault:
            self._found.add("archive", place, fault)
            return None
        self._clocks(signed, place)
        point = signed.checkpoint
        return signed, Archived(point.size, place, point.root, signed.at, len(signed.witnessed))

    def _whose(self, note: str, error: VerificationError) -> str:
        """Why a head is not the journal's: whose it says it is, and whose keys the auditor gave."""
        ours = sorted({key.name for key in self._journal})
        try:
            origin = Checkpoint.parse(Note.parse(note).text).origin
        except VerificationError:
            return error.message
        if error.code != "unknown-issuer" or not ours:
            return error.message
        if origin in ours:
            return f"检查点没有日志“{origin}”所给公钥的签名：同名而密钥不同，是另一日志，或公钥给错"
        return f"是日志“{origin[:100]}”的审计包，所给公钥属于日志“{'、'.join(ours)[:200]}”：另一日志，或公钥给错"

    def _fault(self, signed: SignedCheckpoint) -> str:
        point, head = signed.checkpoint, (self.head or signed).checkpoint
        if point.origin != head.origin:
            return f"是另一日志“{point.origin}”的检查点"
        if point.size > head.size:
            return f"已签过 {point.size} 条的检查点，最新检查点却只有 {head.size} 条：日志被截短或回退"
        return ""

    def _clocks(self, signed: SignedCheckpoint, place: str) -> None:
        if signed.at is None and self._timed:
            self._found.add("times", place, "检查点没有日志密钥签名的时间，无从判断其前后条目的时间")
        for name, at in signed.witnessed.items():
            if signed.at is not None and at < signed.at - self.tolerance:
                message = f"见证“{name}”签于 {at:%Y-%m-%d %H:%M:%S} UTC，早于检查点自称的时间：时钟不一致"
                self._found.add("times", place, message)


class Witnessing:
    """Step 1: how far the witnesses have followed; a head signed a moment ago may still lack their lines."""

    def __init__(self, quorum: int) -> None:
        self._quorum = quorum
        self.wanted = quorum > 0
        self._newest: Archived | None = None

    def take(self, point: Archived) -> None:
        """A checkpoint that agrees with the tree."""
        if point.witnesses >= self._quorum and (self._newest is None or point.size >= self._newest.size):
            self._newest = point

    def finish(self, head: SignedCheckpoint, found: Breaches) -> str:
        """What to say of the head; a breach when no witness vouches for this history, or none has for a day."""
        if self._newest is None:
            message = f"没有任何检查点有 {self._quorum} 个见证签名：可能是改写后重签的日志"
            found.add("head", CHECKPOINT, message + _strangers(head))
            return ""
        behind = head.checkpoint.size - self._newest.size
        if head.at and self._newest.at and head.at - self._newest.at > WITNESSED_WITHIN:
            found.add("head", CHECKPOINT, f"最近一次见证是 {self._newest.size} 条，其后已超过一天没有见证")
        return f"{head.checkpoint.size} 条" + (f"，最后 {behind} 条尚未见证" if behind else "")


def _strangers(head: SignedCheckpoint) -> str:
    """The cosignatures under the newest head that the auditor's keys say nothing of, by name."""
    known = {head.checkpoint.origin, *head.witnessed}
    names = sorted({line.name for line in head.note.signatures} - known)
    return f"；最新检查点上另有“{'”“'.join(names)[:200]}”的签名，所给见证公钥中没有它们的" if names else ""
