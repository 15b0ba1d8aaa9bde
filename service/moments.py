"""The moment that a question is about: a day of the city or a time, past or now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Query

from certlib.domain.civil import moment_asked
from certlib.errors import Fault, RequestError

_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
_APART = timedelta(minutes=1)  # by which the asker's clock may be ahead of ours; within it a moment is now
_LONGEST = 40  # characters

AsOf = Annotated[
    str,
    Query(
        max_length=_LONGEST,
        description="某日（该日终了时）或某一时刻（无时区为北京时间）；空为现在 · a day, as it ended, or a time",
        examples=["2026-10-01"],
    ),
]


def moment_in(value: object, now: datetime, path: str) -> datetime | None:
    """The moment past that a request asks about, None for now. Raises `RequestError` for what is none or lies ahead."""
    if value is None or value == "":
        return None
    try:
        moment = moment_asked(value if isinstance(value, str) and len(value) <= _LONGEST else "", now)
    except (ValueError, OverflowError):
        moment = datetime.min.replace(tzinfo=UTC)
    if moment < _FIRST:
        message = "应为 2026-10-01（该日终了时）或 2026-10-01T10:00:00+08:00 的形式。"
        raise RequestError([Fault(path, "no-moment", message, "所问时间", "Neither a day nor a time (ISO 8601).")])
    if moment > now + _APART:
        message = "所问时间还没有到，只能问现在或以前。"
        raise RequestError([Fault(path, "in-future", message, "所问时间", "It lies in the future.")])
    return moment if moment < now else None
