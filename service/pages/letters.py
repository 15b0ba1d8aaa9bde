"""The page of dead letters (待处理的归集推送): what was laid aside, why, since when, what waits for it, and what to do.

It is made here, so that it needs no script; what it tells a person to type is `certctl`, where reading a message and
sending it again ask for a reason and are logged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from jinja2 import Environment

from certlib.domain.civil import SHANGHAI
from certlib.domain.delivery import REPLACE_FILE
from certlib.domain.lifecycle import RULES
from service.pages.figures import duration

SHOWN = 200
"""The most dead letters that the page shows; the oldest come first, and the count is of all."""

_WORDS = {**{action.value: rule.label for action, rule in RULES.items()}, REPLACE_FILE: "更换文件"}


def letters_page(environment: Environment, standing: Mapping[str, Any], *, trouble: str, now: datetime) -> str:
    """The page as HTML, of `certlib.issue.repairing.dead_letters`; `trouble` is why nothing at all can be delivered."""
    return environment.get_template("letters.html").render(
        standing=standing,
        letters=list(_letters(standing, now)),
        trouble=trouble,
        waiting=standing["due"] + standing["leased"],
        oldest=duration(standing["oldest_seconds"]),
        at=now.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M"),
    )


def _letters(standing: Mapping[str, Any], now: datetime) -> Iterator[dict[str, Any]]:
    for letter in standing["dead_letters"][:SHOWN]:
        at = datetime.fromisoformat(letter["at"])
        age = duration(max((now - at).total_seconds(), 0.0))
        day = at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
        yield {**letter, "word": _WORDS.get(letter["operation"], letter["operation"]), "age": age, "day": day}
