"""Statistics without a database: the period asked for, what the register counted, and the tables made of it. Pure.

The register counts in cells — so many outcomes of one kind under one item, by one authority, in one day or month —
and every table of the report is a sum of the same cells, so that no two tables can contradict each other.

    scope = Scope(date(2026, 1, 1), date(2026, 11, 24))
    totals(cells, lambda cell: cell.item)["2-25"][CERTIFICATE]        # 17
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from certlib.domain.paper import BlankState
from certlib.domain.stock import Balance

CERTIFICATE, ACT, DOCUMENT = "certificate", "act", "document"

LONGEST = 3_660
"""Days a period may have; beyond ten years a report is a search."""

DAILY = 62
"""Up to so many days are counted day by day, a longer period month by month."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report is of: both days belong to it; no item and no authority means all of them."""

    first: date
    last: date
    item: str = ""
    authority: str = ""

    @property
    def daily(self) -> bool:
        """Whether it is counted day by day."""
        return (self.last - self.first).days < DAILY

    def times(self) -> list[str]:
        """Every day (`2026-11-24`) or month (`2026-11`) of the period, in order, those without cases too."""
        days = [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]
        return list(dict.fromkeys(self.time_of(day) for day in days))

    def time_of(self, day: date) -> str:
        """The day or month to which `day` counts."""
        return day.isoformat() if self.daily else day.isoformat()[:7]


@dataclass(frozen=True, slots=True)
class Cell:
    """So many outcomes of one sort. `kind` is certificate, act (a change of standing) or document."""

    time: str
    kind: str
    item: str
    authority: str
    type: str
    action: str
    count: int


@dataclass(frozen=True, slots=True)
class Delay:
    """How the deliveries to one target went: arrived, on their way, given up; and the delay of the arrived, seconds.

    `p50` and `p95` are nearest ranks: so many hundredths of the deliveries took no longer.
    """

    target: str
    done: int = 0
    waiting: int = 0
    dead: int = 0
    p50: float | None = None
    p95: float | None = None
    longest: float | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """Everything that the register counted at one moment.

    `states` are certificates by legal state, as they stand now; `parties` cases by authority and step (`acceptance`,
    `review`, `approval`); `books` the ledger of blanks by type, `blanks` the same counted one by one.
    """

    cells: Sequence[Cell]
    states: Mapping[str, int]
    parties: Mapping[str, Mapping[str, int]]
    delays: Sequence[Delay]
    books: Mapping[str, Balance]
    blanks: Mapping[tuple[str, BlankState], int]


def totals(cells: Iterable[Cell], key: Callable[[Cell], str]) -> dict[str, Counter[str]]:
    """The cells summed by `key`, and within by kind."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for cell in cells:
        found[key(cell)][cell.kind] += cell.count
    return dict(found)
