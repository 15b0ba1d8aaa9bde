"""Who is told of which events (审管信息推送): a subscription of an approval system or a supervising department.

A supervising department is told of every event of the items that it supervises by the mandate of the event's day; an
approval system of the events of the authorities that it serves. Both may be narrowed to items.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from certlib.domain.kinds import Item, OutcomeKind

EVERYONE = "*"
PREFIX = "hook:"
FILED = "publicity:file"
"""The target of 双公示 records that were handed over as a file."""

_PERMIT, _REFUSAL = "行政许可", "refusal-decision"


class Content(StrEnum):
    """What a subscription is told: the events, or the 双公示 record of each permit."""

    EVENTS = "events"
    PUBLICITY = "publicity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One target by name. `supervises` and `authorities` are catalogue keys or `*`; no `items` means every item."""

    name: str
    content: Content = Content.EVENTS
    supervises: frozenset[str] = frozenset()
    authorities: frozenset[str] = frozenset()
    items: frozenset[str] = frozenset()

    @property
    def target(self) -> str:
        """The name of its queue among the deliveries."""
        return PREFIX + self.name

    def wants(self, *, item: str, supervisor: str, parties: Iterable[str]) -> bool:
        """Whether it is told of an event under `item`, which `supervisor` supervises and `parties` decided."""
        if self.items and item not in self.items:
            return False
        concerned = self.authorities & {EVERYONE, *parties}
        return bool(concerned or self.supervises & {EVERYONE, supervisor or EVERYONE})


def is_permit(item: Item) -> bool:
    """Whether what the item grants is a permit to be published (行政许可法40).

    The notice's power type says so, or that it can be refused as a permit: 2-14 is an approval typed 备案.
    """
    return item.power_type == _PERMIT or any(outcome.type == _REFUSAL for outcome in item.outcomes)


def is_granted_by_document(item: Item, document_type: str) -> bool:
    """Whether a document of that type is itself what the item grants (批复), with no certificate beside it."""
    return item.outcome.kind is not OutcomeKind.CERTIFICATE and item.outcome.type == document_type
