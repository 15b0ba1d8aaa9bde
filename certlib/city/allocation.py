"""Numbers and contents of codes that another allots, as ministries do (赋码): the same seam as the city repository.

An allocator is a counterpart with a dialect of its own: which fields it wants, how they are wrapped, and under which
names its answer has what it assigned (`number`, `content` in the dialect's `answer`). Client, transport and errors are
those of a repository, so a ministry's allocator is a mapping file, and where it speaks otherwise a client.

    client = CityClient(url, account="…", secret="…", clock=clock, dialect=load_dialect(path))
    allotment = allot(client, "360700-2026-000001", {"item": "1-7", "holder": {…}, "facts": {…}, …})
    request["number"] = allotment.number

The same key asks for the same assignment again: whoever did not get the answer may ask until it comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from certlib.city.client import Answer
from certlib.domain.delivery import Delivery
from certlib.errors import DeliveryDelayedError, DeliveryRefusedError

OPERATION = "allot"


class Allocator(Protocol):
    """Who assigns; `CityClient` speaks to one."""

    def push(self, delivery: Delivery) -> Answer:
        """Bring one record there; what was said of it."""


@dataclass(frozen=True, slots=True)
class Allotment:
    """What was assigned: a face number, the text of a code, or both; empty what was not."""

    number: str
    content: str


def allot(allocator: Allocator, key: str, message: Mapping[str, Any]) -> Allotment:
    """Ask for an assignment; `key` names the case, `message` has what the allocator's dialect takes its fields from.

    Raises `DeliveryRefusedError` with the allocator's words when it refuses, `DeliveryDelayedError` when it cannot be
    asked now or assigned nothing, `CounterpartError` when account or address are wrong. Nothing is issued then.
    """
    asked = {**message, "operation": OPERATION, "case": key}
    line = allocator.push(
        Delivery(id=0, chain=key, identifier=key, sequence=1, operation=OPERATION, message=asked)
    ).line
    if line.kind == "error":
        raise DeliveryRefusedError(f"赋码机构未赋码：{line.message}（{line.code}）", code="allotment-refused")
    if not line.number and not line.content:
        raise DeliveryDelayedError("赋码机构的应答既无编号也无码内容，稍后重试。", code="answer-schema")
    return Allotment(line.number, line.content)
