"""What the audit checks of published lists: trust and seal lists in sequence, status lists as the journal says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from certlib.domain.verdict import StatusCode
from certlib.errors import VerificationError
from certlib.formats.seal_list import SealList, read_seal_list
from certlib.formats.status import SHARD_SIZE, StatusList, read_status_list
from certlib.formats.trust import TrustList, read_trust_list
from certlib.verify.audit_events import Breaches, Indices
from certlib.verify.audit_published import Publications, digests
from certlib.verify.bundle import SEALS, STATUS, TRUST, Bundle

_NOTHING = bytes([StatusCode.NOT_IN_FORCE << 4 | StatusCode.NOT_IN_FORCE])  # two places of a packed list


class _Series(NamedTuple):
    check: str
    kind: str  # of the leaves that tell of its lists
    read: Callable[[bytes, Iterable[bytes]], TrustList | SealList]


_SERIES = {
    TRUST: _Series("trust", "trust:published", read_trust_list),
    SEALS: _Series("seal-list", "seals:published", read_seal_list),
}


class Lists:
    """Steps 11 and 12; `next_size` is the journal size at which the next status list is to be compared."""

    def __init__(self, bundle: Bundle, found: Breaches, roots: Sequence[bytes]) -> None:
        self._bundle, self._found, self._roots = bundle, found, roots
        self._pending: list[tuple[int, str]] = []  # journal size and name, the largest first
        self._trust: TrustList | None = None
        self._shards: set[int] = set()
        self._unread = 0  # status lists that could not be read, each named
        self._published: list[tuple[str, bytes, datetime]] = []  # of status lists: place, digest, time
        self.trusted = {series.check: 0 for series in _SERIES.values()}
        self.compared = 0

    @property
    def next_size(self) -> int | None:
        """Where the next list is to be compared; None when all are done."""
        return self._pending[-1][0] if self._pending else None

    def open(self, size: int) -> None:
        """Read the trust lists, and which status lists there are; a list of a longer journal is a breach."""
        for folder, series in _SERIES.items() if self._roots else ():
            self._take_series(folder, series)
        for name in self._bundle.names(STATUS) if self._trust else ():
            published = self._read(f"{STATUS}/{name}")
            if published is None:
                self._unread += 1
                continue
            self._shards.add(published.shard)
            if published.journal_size <= size:
                self._pending.append((published.journal_size, f"{STATUS}/{name}"))
                continue
            message = f"由 {published.journal_size} 条日志算出，日志却只有 {size} 条：日志被截短或回退"
            self._found.add("status", f"{STATUS}/{name}", message)
        self._pending.sort(reverse=True)

    def compare(self, indices: Indices) -> None:
        """(11): the next list against the statuses rebuilt so far."""
        _size, place = self._pending.pop()
        published = self._read(place)
        if published is None:
            return
        self.compared += 1
        if published.packed.strip(_NOTHING):  # a list that says nothing of any index has nothing to be journalled
            self._published.append((place, hashlib.sha256(published.packed).digest(), published.issued))
        if published.high_water != indices.high_water:
            message = f"清单所称最大索引号 {published.high_water}，由日志得出的是 {indices.high_water}"
            self._found.add("status", place, message)
        rebuilt = indices.packed(published.shard, SHARD_SIZE)
        if rebuilt != published.packed:
            for slot, ours, theirs in _differences(rebuilt, published.packed):
                n = published.shard * SHARD_SIZE + slot
                self._found.add("status", place, f"索引号 {n} 在清单中为 {theirs}，由日志得出的是 {ours}")

    def match(self, publications: Publications, high_water: int) -> None:
        """(11), (12): each list has its leaf, and each leaf its list; once there are status lists, every shard has."""
        shards = range(high_water // SHARD_SIZE + 1) if self._trust and publications.compared else ()
        missing = () if self._unread else (shard for shard in shards if shard not in self._shards)
        for shard in missing:
            self._found.add("status", STATUS, f"审计包中没有第 {shard} 片状态清单：导出不全，或被拿走")
        for place, digest, issued in self._published:
            publications.match_status(place, digest, issued)
        for folder, series in _SERIES.items():
            lists = digests(self._bundle, folder)
            if lists or self._roots:  # without roots, what the bundle does not bring at all is said to be unknown
                publications.match(series.check, series.kind, lists)

    def _take_series(self, folder: str, series: _Series) -> None:
        last = 0
        for place in (f"{folder}/{name}" for name in self._bundle.names(folder)):
            try:
                taken = series.read(self._bundle.read(place), self._roots)
            except VerificationError as error:
                self._found.add(series.check, place, error.message)
                continue
            if taken.seq <= last:
                self._found.add(series.check, place, f"序号 {taken.seq} 不大于前一份的 {last}")
                continue
            last = taken.seq
            self.trusted[series.check] += 1
            if isinstance(taken, TrustList):
                self._trust = taken

    def _read(self, place: str) -> StatusList | None:
        if self._trust is None:
            return None
        try:
            return read_status_list(self._bundle.read(place), self._trust)
        except VerificationError as error:
            self._found.add("status", place, error.message)
            return None


def _differences(ours: bytes, theirs: bytes) -> Iterator[tuple[int, int, int]]:
    """Slot and both codes wherever two packed lists differ."""
    for at, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
        for half in (0, 1) if mine != other else ():
            codes = mine >> 4 * half & 15, other >> 4 * half & 15
            if codes[0] != codes[1]:
                yield 2 * at + half, *codes
