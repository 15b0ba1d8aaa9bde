"""The page of dead letters (待处理的推送): what was laid aside, why, since when, what waits for it, and what to do.

First the deliveries to the city repository (归集推送), then those to each webhook's target (事件推送). It is made here,
so that it needs no script; what it tells a person to type is `certctl`, where reading a message and sending it again
ask for a reason and are logged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from jinja2 import Environment

from certlib.domain.civil import SHANGHAI
from certlib.domain.delivery import REPLACE_FILE
from certlib.domain.lifecycle import RULES
from certlib.register.subscriptions import PUBLISH, PUBLISH_AGAIN
from service.pages.figures import duration

SHOWN = 200
"""The most dead letters that the page shows of each target; the oldest come first, and the count is of all."""

_WORDS = {
    **{action.value: rule.label for action, rule in RULES.items()},
    REPLACE_FILE: "更换文件",
    "document": "制发文书",
    PUBLISH: "双公示",
    PUBLISH_AGAIN: "双公示更正",
}


def letters_page(
    environment: Environment,
    standing: Mapping[str, Any],
    hooks: Sequence[Mapping[str, Any]] | None,
    *,
    trouble: str,
    now: datetime,
) -> str:
    """The page as HTML, of `certlib.issue.repairing.dead_letters` and `certlib.issue.replaying.hook_letters`.

    `trouble` is why nothing at all can be delivered to the repository; `hooks` are None for who may not see them.
    """
    targets = hooks and [{**hook, "letters": [_event(one, now) for one in hook["letters"]]} for hook in hooks]
    return environment.get_template("letters.html").render(
        standing=standing,
        letters=[_letter(one, now) for one in standing["dead_letters"][:SHOWN]],
        hooks=targets,
        given_up=sum(hook["dead"] for hook in hooks or ()),
        trouble=trouble,
        waiting=standing["due"] + standing["leased"],
        oldest=duration(standing["oldest_seconds"]),
        at=now.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M"),
    )


def _letter(letter: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    operation = letter["operation"]
    words = {"title": f"{letter['id']} 号　{_WORDS.get(operation, operation)}", "english": operation}
    return {**letter, **words, "what": "证照标识", "what_english": "Certificate", **_age(letter["at"], now)}


def _event(letter: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """A dead letter of a webhook in the same words; it has the event's id, by which it is replayed."""
    operation = letter["operation"]
    words = {"title": _WORDS.get(operation, operation), "english": f"{letter['event']} {letter['id']}"}
    about = {"what": "证照标识或文号", "what_english": "About", "identifier": letter["certificate"]}
    return {**letter, **words, **about, **_age(letter["at"], now)}


def _age(moment: str, now: datetime) -> dict[str, str]:
    at = datetime.fromisoformat(moment)
    age = duration(max((now - at).total_seconds(), 0.0))
    return {"age": age, "day": at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")}
