"""What the audit checks of publications: each leaf `…:published` against what was published, each list against a leaf.

`published.jsonl` tells for each status list that was journalled, in the order of their sizes, what it was made of:

    {"seq": 12, "shard": 0, "size": 10}      leaf 12 commits to the statuses of shard 0 as of the first 10 leaves

Trust lists and seal lists stand in the bundle whole; the digest of each is in a leaf, in the order of their numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from certlib.formats.leaf import Leaf
from certlib.formats.status import SHARD_SIZE
from certlib.verify.audit_events import Breaches, Indices, place_of
from certlib.verify.bundle import PUBLISHED, Bundle

ANNOUNCED_WITHIN = timedelta(minutes=10)
"""How long a status list with other statuses may be in use before the journal says so."""

_STATUS = "status:published"
_MAX_SHARD = 1 << 20


class Publications:
    """Steps 11 and 12, the leaves' side; `next_size` is where the statuses of a publication are to be computed."""

    def __init__(self, found: Breaches, lines: Iterator[Mapping[str, Any]]) -> None:
        self._found = found
        self._lines = enumerate(lines, start=1)
        self._next: tuple[int, int, int] | None = None  # size, shard, number of the leaf
        self._size = 0
        self._made: dict[int, set[bytes]] = {}  # digests of the statuses, by the leaf that ought to have one of them
        self._leaves: dict[str, list[tuple[int, bytes]]] = {}  # digests by kind, with the leaf's number
        self._announced: datetime | None = None
        self.compared = 0
        self._advance()

    @property
    def next_size(self) -> int | None:
        """Where the next one is to be computed; None when all are done."""
        return self._next[0] if self._next else None

    def compare(self, indices: Indices) -> None:
        """(11): the statuses of the next publication as they are now."""
        if self._next is None:
            raise LookupError("no further publication")
        _size, shard, seq = self._next
        self._made.setdefault(seq, set()).add(hashlib.sha256(indices.packed(shard, SHARD_SIZE)).digest())
        self._advance()

    def take(self, index: int, leaf: Leaf) -> None:
        """One leaf that tells of a publication."""
        self._leaves.setdefault(leaf.kind, []).append((index, leaf.commitment))
        if leaf.kind != _STATUS:
            return
        self.compared += 1
        self._announced = leaf.at
        made = self._made.pop(index, None)
        if made is None:
            self._found.add("status", place_of(index, leaf), f"{PUBLISHED} 没有说明这份状态清单由多少条日志算出")
        elif leaf.commitment not in made:
            self._found.add("status", place_of(index, leaf), "公布过的状态清单与由日志得出的状态不符")

    def finish(self, size: int) -> None:
        """What was told of leaves that are not there."""
        left = sorted({*self._made, *([self._next[2]] if self._next else [])})
        for seq in left:
            self._found.add("status", PUBLISHED, f"日志 {size} 条中没有第 {seq} 条公布登记")

    def match_status(self, place: str, digest: bytes, issued: datetime) -> None:
        """A status list of the bundle; what was changed a moment ago need not be journalled yet."""
        if any(digest == told for _, told in self._leaves.get(_STATUS, ())):
            return
        if self._announced is None or issued - self._announced > ANNOUNCED_WITHIN:
            self._found.add("status", place, "日志中没有这份清单的公布登记")

    def match(self, check: str, kind: str, lists: Sequence[tuple[str, bytes]]) -> None:
        """(12): the lists of a series, by place and digest in their order, and the leaves, one to one."""
        leaves = self._leaves.get(kind, [])
        told = {digest for _, digest in leaves}
        for place in (place for place, digest in lists if digest not in told):
            self._found.add(check, place, "日志中没有这份清单的公布登记")
        given = {digest for _, digest in lists}
        for index in (index for index, digest in leaves if digest not in given):
            self._found.add(check, f"日志第 {index} 条（{kind}）", "公布过的清单不在审计包中，疑被隐去")
        order = [digest for _, digest in lists if digest in told]
        if order != [digest for _, digest in leaves if digest in given]:
            self._found.add(check, lists[0][0], "各期清单的次序与日志中公布的次序不符")

    def _advance(self) -> None:
        self._next = None
        for number, line in self._lines:
            size, shard, seq = (_number(line.get(name)) for name in ("size", "shard", "seq"))
            if self._size <= size <= seq and 0 <= shard < _MAX_SHARD:
                self._next, self._size = (size, shard, seq), size
                return
            self._found.add("status", f"{PUBLISHED} 第 {number} 行", "无法识别，或次序颠倒")


def digests(bundle: Bundle, folder: str) -> list[tuple[str, bytes]]:
    """Place and digest of each file of a folder of the bundle. Raises `VerificationError`."""
    places = [f"{folder}/{name}" for name in bundle.names(folder)]
    return [(place, hashlib.sha256(bundle.read(place)).digest()) for place in places]


def _number(value: Any) -> int:
    """A whole number of the bundle, or one that no line may have."""
    return value if type(value) is int else -1
