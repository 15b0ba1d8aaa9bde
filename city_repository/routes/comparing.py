"""对账: range digests, leaves, events and daily counts of what the calling account has delivered."""

from __future__ import annotations

from fastapi import APIRouter

from city_repository.bodies import (
    DailyAnswer,
    DailyBody,
    DailyLine,
    EventLine,
    EventsAnswer,
    EventsBody,
    LeafLine,
    LeavesAnswer,
    LeavesBody,
    RangeLine,
    RangesAnswer,
    RangesBody,
    Refusal,
)
from city_repository.comparison import Range
from city_repository.routes.access import Here, Pusher

router = APIRouter(
    prefix="/reconcile",
    tags=["对账"],
    responses={401: {"model": Refusal}, 403: {"model": Refusal}},
)


@router.post("/ranges", summary="区间摘要")
def ranges(body: RangesBody, here: Here, account: Pusher) -> RangesAnswer:
    """The digest of a part of the tree and of its children; see `city_repository.ranges` for the definition."""
    whole, children = here.comparison.ranges(account.id, body.prefix)
    return RangesAnswer(count=whole.count, digest=whole.digest.hex(), children=[_range(child) for child in children])


def _range(child: Range) -> RangeLine:
    return RangeLine(prefix=child.prefix, count=child.count, digest=child.digest.hex())


@router.post("/records", summary="区间内的证照")
def records(body: LeavesBody, here: Here, account: Pusher) -> LeavesAnswer:
    """The certificates of the buckets named, with their leaves."""
    found = here.comparison.leaves(account.id, body.buckets)
    return LeavesAnswer(records=[LeafLine(base=base, leaf=leaf.hex()) for base, leaf in found])


@router.post("/events", summary="证照的操作记录")
def events(body: EventsBody, here: Here, account: Pusher) -> EventsAnswer:
    """The events held of the certificates named."""
    found = here.comparison.events(account.id, body.bases)
    return EventsAnswer(
        events={base: [EventLine(sequence=n, digest=digest) for n, digest in lines] for base, lines in found.items()}
    )


@router.post("/daily", summary="每日条数")
def daily(body: DailyBody, here: Here, account: Pusher) -> DailyAnswer:
    """Counts by day and operation."""
    lines = here.comparison.daily(account.id, body.first, body.last)
    return DailyAnswer(lines=[DailyLine(day=day, operateType=operation, count=n) for day, operation, n in lines])
