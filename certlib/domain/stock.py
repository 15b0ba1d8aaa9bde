"""The stock of blanks as a double-entry ledger, by ranges of serials. Pure.

Every movement takes a range of serials out of one account and puts it into another; nothing is made or lost on the
way, so: received = stock + allotted + used + spoiled + lost + destroyed, per type, at every moment.

    ledger = StockLedger()
    ledger.post(Movement("gas-licence", SerialRange.of("GZ000001", "GZ000500"), SUPPLIER, "stock"))
    balance(ledger.movements)["gas-licence"].received        # 500
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from certlib.domain.paper import BLANK_TRANSITIONS, BLANK_WORDS, BlankState
from certlib.domain.verdict import Finding
from certlib.errors import TransitionError

SUPPLIER = "supplier"
"""The account from which all blanks come: the printer's deliveries."""

MAX_RANGE = 1_000_000  # serials in one movement; more is a slip of the pen
_SERIAL = re.compile(r"(.*?)([0-9]{1,18})", re.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class SerialRange:
    """Serials that count up: a prefix, then digits of one width; both ends belong to it."""

    prefix: str
    width: int
    start: int
    end: int  # the last one

    @classmethod
    def of(cls, first: str, last: str) -> SerialRange:
        """The range from `first` to `last`. Raises `ValueError` with the reason in Chinese."""
        head, tail = _SERIAL.fullmatch(first.strip()), _SERIAL.fullmatch(last.strip())
        if head is None or tail is None:
            raise ValueError("编号须以数字结尾。")
        if head[1] != tail[1] or len(head[2]) != len(tail[2]):
            raise ValueError("起止编号的字头和位数须一致。")
        span = cls(head[1], len(head[2]), int(head[2]), int(tail[2]))
        if span.start > span.end:
            raise ValueError("起始编号不得大于终止编号。")
        if span.count > MAX_RANGE:
            raise ValueError(f"一次最多 {MAX_RANGE} 张。")
        return span

    @property
    def first(self) -> str:
        """The first serial."""
        return self.serial(self.start)

    @property
    def last(self) -> str:
        """The last serial."""
        return self.serial(self.end)

    @property
    def count(self) -> int:
        """How many serials."""
        return self.end - self.start + 1

    def serial(self, number: int) -> str:
        """The serial with that number."""
        return f"{self.prefix}{number:0{self.width}d}"

    def __iter__(self) -> Iterator[str]:
        return map(self.serial, range(self.start, self.end + 1))

    def __contains__(self, serial: object) -> bool:
        match = _SERIAL.fullmatch(serial) if isinstance(serial, str) else None
        return (
            match is not None
            and (match[1], len(match[2])) == (self.prefix, self.width)
            and self.start <= int(match[2]) <= self.end
        )

    def overlaps(self, other: SerialRange) -> bool:
        """Whether the two share a serial."""
        same = (self.prefix, self.width) == (other.prefix, other.width)
        return same and self.start <= other.end and other.start <= self.end


def account(state: BlankState, window: str = "") -> str:
    """The account of blanks in `state`; each window has its own account of what is allotted to it."""
    return f"{state}:{window}" if state is BlankState.ALLOTTED else str(state)


def account_state(name: str) -> BlankState:
    """The state of the blanks in an account. Raises `ValueError` for an account that does not exist."""
    state, _, window = name.partition(":")
    if bool(window) != (state == BlankState.ALLOTTED):
        raise ValueError(f"没有“{name}”这个账户。")
    return BlankState(state)


@dataclass(frozen=True, slots=True)
class Movement:
    """A range of blanks of one type from one account to another."""

    type: str
    serials: SerialRange
    source: str  # gives (credit)
    target: str  # gains (debit)


@dataclass(frozen=True, slots=True)
class Balance:
    """What stands in each account of one type after some movements."""

    accounts: Mapping[str, int]

    @property
    def received(self) -> int:
        """How many blanks ever came in."""
        return -self.accounts.get(SUPPLIER, 0)

    def of(self, state: BlankState) -> int:
        """How many blanks are in `state`, at all windows together."""
        return sum(count for name, count in self.accounts.items() if name.partition(":")[0] == state)

    @property
    def difference(self) -> int:
        """Received less everything accounted for; must be zero."""
        return self.received - sum(self.of(state) for state in BlankState)

    @property
    def overdrawn(self) -> tuple[str, ...]:
        """Accounts that gave more than they had; must be empty."""
        return tuple(name for name, count in sorted(self.accounts.items()) if count < 0 and name != SUPPLIER)


def balance(movements: Iterable[Movement]) -> dict[str, Balance]:
    """The balance of every type after these movements."""
    totals: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for movement in movements:
        totals[movement.type][movement.source] -= movement.serials.count
        totals[movement.type][movement.target] += movement.serials.count
    return {kind: Balance(dict(accounts)) for kind, accounts in totals.items()}


def compare(book: Mapping[str, Balance], counted: Mapping[tuple[str, BlankState], int]) -> list[Finding]:
    """The nightly check: the ledger's balances against the blanks as counted one by one, by type and state."""
    findings = []
    for kind in sorted({*book, *(kind for kind, _ in counted)}):
        present = book.get(kind, Balance({}))
        findings += [
            Finding(f"stock:{kind}", "fail", f"{BLANK_WORDS[state]}账面 {present.of(state)} 张，实数 {number} 张")
            for state in BlankState
            if (number := counted.get((kind, state), 0)) != present.of(state)
        ]
        if present.difference or present.overdrawn:
            detail = f"账面不平：差 {present.difference} 张，透支账户 {'、'.join(present.overdrawn) or '无'}"
            findings.append(Finding(f"stock:{kind}", "fail", detail))
    return findings or [Finding("stock", "pass", "账面与实数一致")]


@dataclass(slots=True)
class StockLedger:
    """Where every serial stands, by ranges: checks each movement against it before it is posted."""

    movements: list[Movement] = field(default_factory=list)
    _series: dict[tuple[str, int], _Series] = field(default_factory=dict)

    def post(self, movement: Movement) -> None:
        """Book a movement. Raises `TransitionError` naming the first serial that is not where it should be."""
        span = movement.serials
        series = self._series.setdefault((span.prefix, span.width), _Series())
        expected = None if movement.source == SUPPLIER else (movement.type, movement.source)
        _require_way(movement)
        for start, _end, found in series.parts(span.start, span.end):
            if found != expected:
                raise TransitionError(_misplaced(span.serial(start), found, movement))
        series.put(span.start, span.end, (movement.type, movement.target))
        self.movements.append(movement)

    def where(self, serial: str) -> tuple[str, str] | None:
        """Type and account of a serial, None when it was never received."""
        match = _SERIAL.fullmatch(serial)
        series = self._series.get((match[1], len(match[2]))) if match else None
        return series.at(int(match[2])) if match and series else None


Place = tuple[str, str] | None


class _Series:
    """The serials of one prefix as bordering ranges: from `_starts[i]` on, `_places[i]` holds."""

    __slots__ = ("_places", "_starts")

    def __init__(self) -> None:
        self._starts = [0]
        self._places: list[Place] = [None]

    def at(self, number: int) -> Place:
        return self._places[bisect_right(self._starts, number) - 1]

    def parts(self, start: int, end: int) -> Iterator[tuple[int, int, Place]]:
        at = bisect_right(self._starts, start) - 1
        while at < len(self._starts) and self._starts[at] <= end:
            stop = self._starts[at + 1] - 1 if at + 1 < len(self._starts) else end
            yield max(start, self._starts[at]), min(end, stop), self._places[at]
            at += 1

    def put(self, start: int, end: int, place: Place) -> None:
        after = self.at(end + 1)
        low = bisect_right(self._starts, start - 1) if start else 0
        high = bisect_right(self._starts, end + 1)
        self._starts[low:high] = [start, end + 1]
        self._places[low:high] = [place, after]


_ACCOUNT_WORDS = {SUPPLIER: "印制单位", **{str(state): words for state, words in BLANK_WORDS.items()}}
_WAYS: frozenset[tuple[BlankState | None, BlankState]] = frozenset(
    {(None, BlankState.STOCK), *((source, target) for (source, _), target in BLANK_TRANSITIONS.items())}
)


def _require_way(movement: Movement) -> None:
    """Blanks come in from the supplier to the stock; from there on the blank's own table holds."""
    try:
        source = None if movement.source == SUPPLIER else account_state(movement.source)
        possible = (source, account_state(movement.target)) in _WAYS
    except ValueError as error:
        raise TransitionError(str(error)) from error
    if not possible:
        raise TransitionError(f"空白证照不能由“{_name(movement.source)}”转为“{_name(movement.target)}”。")


def _misplaced(serial: str, found: Place, movement: Movement) -> str:
    if found is None:
        return f"空白证照 {serial} 从未入库。"
    if movement.source == SUPPLIER:
        return f"空白证照 {serial} 已经入库，编号重叠，不能再次入库。"
    kind, name = found
    if kind != movement.type:
        return f"空白证照 {serial} 是“{kind}”的空白，不能用于“{movement.type}”。"
    return f"空白证照 {serial} 现为“{_name(name)}”，不在“{_name(movement.source)}”。"


def _name(name: str) -> str:
    state, _, window = name.partition(":")
    words = _ACCOUNT_WORDS.get(state, state)
    return f"{words}（{window}）" if window else words
