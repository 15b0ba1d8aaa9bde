"""The page of statistics: the report as charts and tables, made here, so that the page needs no script.

A chart is a small SVG without text, drawn in hundredths of its width; what it shows stands beside it as a table,
which is what a screen reader hears and what a phone can read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from jinja2 import Environment

from certlib.catalogue import Catalogue
from certlib.domain.figure_tables import TABLES
from certlib.errors import Fault

SERIES = (("certificates", "证照", "Certificates"), ("documents", "文书", "Documents"), ("acts", "状态变动", "Acts"))
_SHOWN = 8  # rows of a long table before it is folded
_LABELLED = 12  # columns that can each have a label
_BAR_OF = {"items": "total", "authorities": "total", "outcomes": "count", "states": "count"}


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a column: which series, where it begins from the top and how high it is, in hundredths."""

    series: str
    x: float
    width: float
    top: float
    height: float


def figures_page(
    environment: Environment,
    report: Mapping[str, Any],
    catalogue: Catalogue,
    *,
    base: str,
    tenant: str = "",
    faults: Sequence[Fault] = (),
) -> str:
    """The page as HTML; `base` is its own path. A `tenant` is not asked for an authority."""
    period = report["period"]
    today = date.fromisoformat(report["at"][:10])
    asked = {"from": period["from"], "to": period["to"], "item": report["item"], "authority": report["authority"]}
    largest = {key: max((row[member] for row in report[key]), default=0) or 1 for key, member in _BAR_OF.items()}
    return environment.get_template("statistics.html").render(
        report=report,
        asked=asked,
        base=base,
        tenant=catalogue.authorities[tenant].name if tenant else "",
        query="&".join(f"{name}={value}" for name, value in asked.items() if value),
        items=catalogue.items.values(),
        authorities=_deciding(catalogue),
        presets=_presets(today),
        series=SERIES,
        bars=columns(report["times"]),
        highest=max((row["total"] for row in report["times"]), default=0),
        labelled=len(report["times"]) <= _LABELLED,
        axis=_axis([row["time"] for row in report["times"]]),
        tables={table.key: table for table in TABLES},
        largest=largest,
        shown=_SHOWN,
        duration=duration,
        faults=faults,
    )


def over_page(environment: Environment) -> str:
    """What a link that is over shows."""
    return environment.get_template("link-over.html").render()


def columns(times: Sequence[Mapping[str, Any]]) -> list[Bar]:
    """The columns over time, the series of each one upon the other, in a square of 100 by 100."""
    highest = max((row["total"] for row in times), default=0)
    if not highest:
        return []
    step = 100 / len(times)
    bars = []
    for place, row in enumerate(times):
        top = 100.0
        for member, _, _ in SERIES:
            height = 100 * row[member] / highest
            top -= height
            if height:
                bars.append(Bar(member, round(step * (place + 0.14), 3), round(step * 0.72, 3), round(top, 3), height))
    return bars


def duration(seconds: float | None) -> str:
    """Seconds as people say them, in Chinese."""
    if seconds is None:
        return "—"
    if seconds < 60:
        return f"{seconds:.2f} 秒" if seconds < 10 else f"{seconds:.0f} 秒"
    units = ((86_400, "天"), (3_600, "小时"), (60, "分"), (1, "秒"))
    place = next(index for index, (size, _) in enumerate(units) if seconds >= size)
    whole, rest = divmod(int(seconds), units[place][0])
    smaller = rest // units[place + 1][0]
    return f"{whole} {units[place][1]}" + (f" {smaller} {units[place + 1][1]}" if smaller else "")


def _axis(times: Sequence[str]) -> list[str]:
    """What stands under the columns: the time of each, or of five evenly apart where there are too many."""
    if len(times) <= _LABELLED:
        return [time[5:] if time.count("-") > 1 else f"{int(time[5:])}月" for time in times]
    return [times[round(place * (len(times) - 1) / 4)] for place in range(5)]


def _presets(today: date) -> list[tuple[str, str, str]]:
    """Periods that officials ask for: this month, the last one, this year, the last one."""
    month = today.replace(day=1)
    before = month - timedelta(days=1)
    year = date(today.year, 1, 1)
    spans = (
        ("本月", month, today),
        ("上月", before.replace(day=1), before),
        ("本年", year, today),
        ("上年", date(today.year - 1, 1, 1), year - timedelta(days=1)),
    )
    return [(name, first.isoformat(), last.isoformat()) for name, first, last in spans]


def _deciding(catalogue: Catalogue) -> Iterable[tuple[str, str]]:
    """The authorities that decide under some mandate, by name."""
    keys = {mandate.decides for mandates in catalogue.mandates.values() for mandate in mandates}
    return sorted(((key, catalogue.authorities[key].name) for key in keys), key=lambda pair: pair[1])
