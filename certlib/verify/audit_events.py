"""What the audit checks leaf by leaf: chains, indices, seal counters, times, and the statuses that follow.

Each class takes the leaves in their order and keeps only what it needs to judge the next: per chain its step and
head, per index its chain and status, per seal the counters seen.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from certlib.domain.verdict import StatusCode
from certlib.formats.leaf import Leaf

_MAX_GAP = 1 << 20  # indices; a larger jump is an error, and would cost memory
_MAX_NAMED = 1000  # counters named one by one in a gap


@dataclass(frozen=True, slots=True)
class Breach:
    """One thing that does not hold: which check, where, what is wrong."""

    check: str
    place: str
    message: str

    def as_json(self) -> dict[str, str]:
        """The breach as the command line's JSON shows it."""
        return {"check": self.check, "place": self.place, "message": self.message}


@dataclass(slots=True)
class Breaches:
    """What was found; of each check at most `limit` are kept, all are counted."""

    limit: int = 200
    kept: list[Breach] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, check: str, place: str, message: str) -> None:
        """Note a breach; what the bundle itself says in it can neither fill the page nor command the terminal."""
        self.counts[check] += 1
        if self.counts[check] <= self.limit:
            self.kept.append(Breach(check, _shown(place, _LONGEST_PLACE), _shown(message, _LONGEST_MESSAGE)))


_LONGEST_PLACE, _LONGEST_MESSAGE = 200, 500  # characters


def _shown(text: str, longest: int) -> str:
    text = text if len(text) <= longest else f"{text[:longest]}…"
    return text if text.isprintable() else "".join(sign if sign.isprintable() else "?" for sign in text)


def place_of(index: int, leaf: Leaf) -> str:
    """How a leaf is named in findings."""
    return f"日志第 {index} 条（{leaf.kind}）"


class Chains:
    """Step 5: within a chain steps count 1, 2, 3 … and each names the leaf before it."""

    def __init__(self, found: Breaches) -> None:
        self._found = found
        self._heads: dict[bytes, tuple[int, bytes, int]] = {}  # step, leaf hash, ordinal

    def __len__(self) -> int:
        return len(self._heads)

    def take(self, index: int, leaf: Leaf, digest: bytes) -> int:
        """Check one leaf of a chain and give the chain's ordinal, counted from 1."""
        head = self._heads.get(leaf.chain)
        step, previous, ordinal = head or (0, b"", len(self._heads) + 1)
        if leaf.step != step + 1:
            message = f"本证照（文书）的第 {leaf.step} 步接在第 {step} 步之后，中间有缺失或重复"
            self._found.add("chains", place_of(index, leaf), message)
        elif leaf.previous != previous:
            message = f"第 {leaf.step} 步所指的前一步不是日志中的第 {step} 步，前一步被改动、调换或插入"
            self._found.add("chains", place_of(index, leaf), message)
        self._heads[leaf.chain] = (leaf.step, digest, ordinal)
        return ordinal


_BIRTHS = frozenset(
    {"certificate:imported", "sheet:spoiled"}
)  # an import has no plan; a reprint is born of the spoiled


class Indices:
    """Step 6: each index n comes into being in one leaf, its plan, and from then on only its own chain speaks of it."""

    def __init__(self, found: Breaches) -> None:
        self._found = found
        self._owners = array("Q")  # ordinal of the chain by n; 0: not planned
        self.codes = bytearray()  # status by n, as of the leaves taken so far
        self.planned = 0
        self.high_water = 0  # the highest index planned so far

    def take(self, index: int, leaf: Leaf, chain: int) -> None:
        """Check the statuses of one leaf and let them hold from here on."""
        kind, owners = leaf.kind, self._owners
        plans, births = kind.endswith(":planned"), kind in _BIRTHS
        for n, code in leaf.statuses:
            if n >= len(owners) and not self._room(n):
                self._found.add("indices", place_of(index, leaf), f"索引号 {n} 远超已用的范围")
                continue
            owner = owners[n]
            if owner == chain and not plans:  # almost always
                self.codes[n] = code
                continue
            fault = self._plan(n, chain) if plans or (births and not owner) else self._fault(n)
            if fault:
                self._found.add("indices", place_of(index, leaf), fault)
            self.codes[n] = code

    def owner(self, n: int) -> int:
        """The ordinal of the chain that planned `n`, 0 when none did."""
        return self._owners[n] if n < len(self._owners) else 0

    def owns(self, n: Any, chain: int) -> bool:
        """Whether that chain planned `n`, which comes from a bundle and may be anything; of 0, whether none did."""
        return type(n) is int and n >= 0 and (self._owners[n] if n < len(self._owners) else 0) == chain

    def packed(self, shard: int, count: int) -> bytes:
        """The statuses of a shard of `count` indices as a status list packs them: two in a byte, the lower first."""
        codes = self.codes[shard * count : (shard + 1) * count]
        codes.extend(bytes([StatusCode.NOT_IN_FORCE]) * (count - len(codes)))
        low, high = (
            int.from_bytes(codes[half::2], "little") for half in (0, 1)
        )  # all at once: no code has a fifth bit
        return (low | high << 4).to_bytes(count // 2, "little")

    def _plan(self, n: int, chain: int) -> str:
        if self._owners[n]:
            return f"索引号 {n} 被再次计划：每个索引号只能有一条计划"
        self._owners[n] = chain
        self.planned += 1
        self.high_water = max(self.high_water, n)
        return ""

    def _fault(self, n: int) -> str:
        return f"索引号 {n} 属于另一证照（文书）" if self._owners[n] else f"索引号 {n} 没有计划就有了状态"

    def _room(self, n: int) -> bool:
        more = n + 1 - len(self._owners)
        if more > _MAX_GAP:
            return False
        more += 4096
        self._owners.extend([0] * more)
        self.codes.extend(bytes([StatusCode.NOT_IN_FORCE]) * more)
        return True


_AUTHORISED, _ENDED, _USED = "seal:authorised", "seal:authorisation-ended", "seal:used"


class Seals:
    """Step 7: the counters of each seal are dense over uses closed as used or released, none twice.

    A use that names its authorisation (the digest that stands in the signature) names one of its seal that was
    journalled before it and not ended.
    """

    def __init__(self, found: Breaches) -> None:
        self._found = found
        self._dense: dict[str, int] = {}  # all counters up to here are seen
        self._ahead: dict[str, set[int]] = {}  # seen beyond that
        self._authorised: set[tuple[str, bytes]] = set()  # seal and digest of what is in force

    @property
    def uses(self) -> int:
        """How many closed uses were seen."""
        return sum(self._dense.values()) + sum(map(len, self._ahead.values()))

    def note(self, index: int, leaf: Leaf) -> None:
        """Keep what a leaf says of authorisations, and hold a use to them."""
        named = (leaf.seal, leaf.commitment)
        if leaf.kind == _AUTHORISED:
            self._authorised.add(named)
        elif leaf.kind == _ENDED:
            self._authorised.discard(named)
        elif leaf.kind == _USED and leaf.commitment and named not in self._authorised:
            message = f"{leaf.seal} 号印章的第 {leaf.use} 次用印所依的授权，此前没有登记或已经终止"
            self._found.add("seals", place_of(index, leaf), message)

    def take(self, index: int, leaf: Leaf) -> None:
        """Check one closed use."""
        dense, ahead = self._dense.setdefault(leaf.seal, 0), self._ahead.setdefault(leaf.seal, set())
        if leaf.use <= dense or leaf.use in ahead:
            message = f"{leaf.seal} 号印章的第 {leaf.use} 次用印被登记了两次"
            self._found.add("seals", place_of(index, leaf), message)
            return
        ahead.add(leaf.use)
        while dense + 1 in ahead:
            dense += 1
            ahead.remove(dense)
        self._dense[leaf.seal] = dense

    def finish(self, still_open: set[tuple[str, int]]) -> None:
        """Name every counter that is missing; `still_open` are uses reserved and not closed yet, by the register."""
        for seal, ahead in sorted(self._ahead.items()):
            before = self._dense[seal]
            for use in sorted(ahead):
                self._name_gap(seal, before + 1, use - 1, still_open)
                before = use

    def _name_gap(self, seal: str, first: int, last: int, still_open: set[tuple[str, int]]) -> None:
        if last - first < _MAX_NAMED:
            missing = [use for use in range(first, last + 1) if (seal, use) not in still_open]
            for use in missing:
                self._found.add("seals", f"{seal} 号印章", f"第 {use} 次用印没有记录：计数器有缺口")
            return
        self._found.add("seals", f"{seal} 号印章", f"第 {first} 至 {last} 次用印没有记录：计数器有缺口")


_EVER, _NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Times:
    """Step 8: a leaf's time lies between the signed times of the heads before and after it, give or take."""

    def __init__(self, found: Breaches, tolerance: timedelta) -> None:
        self._found = found
        self._tolerance = tolerance
        self.earliest, self.latest = _EVER, _NEVER  # between which the next leaves lie, both included

    def between(self, before: datetime | None, after: datetime | None) -> None:
        """From here on leaves lie between these two heads; without `before` the earlier one still holds."""
        if before is not None:
            self.earliest = before - self._tolerance
        self.latest = after + self._tolerance if after else _NEVER

    def name(self, index: int, leaf: Leaf) -> None:
        """Name a leaf that does not lie between the two."""
        early = leaf.at < self.earliest
        message = "早于此前已签检查点的时间，疑为倒签" if early else "晚于其后检查点的时间"
        self._found.add("times", place_of(index, leaf), f"时间 {leaf.at:%Y-%m-%d %H:%M:%S} UTC {message}")
