"""The state of a certificate where no register answers: from a status list and the days the carrier itself names."""

from __future__ import annotations

from datetime import date, datetime

from certlib.domain.civil import civil_date
from certlib.domain.verdict import OF_STATUS, StatusCode, Verdict
from certlib.formats.status import StatusList


def listed_state(
    shard: StatusList | None, n: int, valid_from: date | None, valid_until: date | None, at: datetime
) -> tuple[Verdict, str]:
    """The verdict on index `n` at the moment `at`, and in Chinese what it rests on.

    `STATUS_UNKNOWN` when the list is missing, out of date, or does not reach that far, unless the days alone say that
    it is no longer or not yet in force.
    """
    dated = dated_state(valid_from, valid_until, at)
    code, detail = _listed(shard, n, at)
    if code is None:
        return (Verdict.STATUS_UNKNOWN if dated is Verdict.VALID else dated), detail
    verdict = OF_STATUS[code]
    return (dated if verdict is Verdict.VALID else verdict), detail


def _listed(shard: StatusList | None, n: int, at: datetime) -> tuple[StatusCode | None, str]:
    if shard is None:
        return None, "没有状态清单，状态未核对。"
    if shard.rolled_back:
        return None, f"状态清单（{shard.issued:%Y-%m-%d %H:%M}Z）比以前见过的旧，不予采信，状态未核对。"
    if not shard.is_fresh(at):
        return None, f"状态清单（{shard.issued:%Y-%m-%d %H:%M}Z）不适用于所问的时间，状态未核对。"
    code = shard.status(n)
    if code is None:
        return None, "状态清单尚未包含此编号，状态未核对。"
    return code, f"据状态清单（{shard.issued:%Y-%m-%d %H:%M}Z）。"


def dated_state(valid_from: date | None, valid_until: date | None, at: datetime) -> Verdict:
    """What the days alone say of a certificate that is otherwise in force; both days belong to its validity."""
    today = civil_date(at)
    if valid_from is not None and today < valid_from:
        return Verdict.NOT_IN_FORCE
    return Verdict.EXPIRED if valid_until is not None and today > valid_until else Verdict.VALID
