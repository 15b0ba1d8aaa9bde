"""What may follow what: the pure decision on a record, given the events already held of its certificate.

Rules:
* The same sequence with the same digest is a repeated delivery: success, no effect. With another digest it is a stale
  or conflicting write: refused, unless the push is a correction (更正) by the account that delivered it.
* The next sequence must be a step that the matrix allows from the state before, with the right edition, file and
  predecessor. A certificate taken in without a file (补录) has no electronic edition yet: the first one takes its
  identifier.
* A sequence further on is refused (its predecessor is missing), unless the matrix lets the operation's predecessor be
  unknown and the record says so.
* A sequence below the last that was never received fills its gap in the history; the present state stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from city_repository.codes import UNKNOWN, Codes, Transition
from city_repository.record import Record, refused

PREDECESSOR_UNKNOWN = "W01"
LATE = "W02"
REPEATED = "S02"
CORRECTED = "S03"
TAKEN = "S01"
STALE = "E13"
PREDECESSOR_MISSING = "E14"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An event the repository already has."""

    sequence: int
    account: str
    identifier: str
    edition: int
    operation: str
    state: str
    digest: str
    file_sha256: str
    values: Mapping[str, Any]
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done with a record: `code` S…, W…; `store` whether it becomes an event (again)."""

    code: str
    message: str
    store: bool = True


def decide(record: Record, held: Sequence[Held], codes: Codes, *, account: str, correction: bool = False) -> Decision:
    """Decide on `record`, given the events held of its certificate in order of sequence.

    Raises `Refused` when it may not be taken in.
    """
    if held and held[0].account != account:
        raise refused("E21", "该证照由其他系统归集，本系统不得推送")
    same = next((event for event in held if event.sequence == record.sequence), None)
    if same is not None:
        return _again(record, same, correction=correction)
    last = held[-1].sequence if held else 0
    if record.sequence < last:
        return _late(record, held, codes)
    if record.sequence > last + 1:
        return _ahead(record, held, codes)
    _step(record, held, codes)
    return Decision(TAKEN, "归集成功")


def _again(record: Record, same: Held, *, correction: bool) -> Decision:
    if same.digest == record.digest:
        return Decision(REPEATED, "该操作已归集，重复推送未产生影响", store=False)
    if correction:
        return Decision(CORRECTED, "已按更正替换同一序号的记录")
    raise refused(STALE, f"操作序号 {record.sequence} 已有内容不同的记录，拒绝以旧覆新")


def _late(record: Record, held: Sequence[Held], codes: Codes) -> Decision:
    row = codes.of_operation(record.operation, record.state)
    if row is None:
        raise refused("E10", _pair(record, codes))
    if row.file == "required" and record.file is None:
        raise refused("E17", "该操作须附证照文件")
    after = next(event for event in held if event.sequence > record.sequence)
    if record.edition > after.edition:
        raise refused("E12", "补收的前序版本号大于后续记录的版本号")
    return Decision(LATE, "补收前序记录，不改变现状")


def _ahead(record: Record, held: Sequence[Held], codes: Codes) -> Decision:
    row = codes.of_operation(record.operation, record.state)
    last = held[-1].sequence if held else 0
    if row is None or not (row.predecessor_may_be_unknown and record.predecessor_unknown):
        raise refused(PREDECESSOR_MISSING, f"缺少前序操作：已收到序号 {last}，本次为 {record.sequence}")
    if held and record.edition < held[-1].edition:
        raise refused("E12", "版本号小于已归集的版本号")
    return Decision(PREDECESSOR_UNKNOWN, "前序未知，已先行归集")


def _step(record: Record, held: Sequence[Held], codes: Codes) -> None:
    before = held[-1] if held else None
    origin = before.state if before else UNKNOWN
    row = codes.transition(record.operation, origin, record.state)
    if row is None:
        if codes.of_operation(record.operation, record.state) is None:
            raise refused("E10", _pair(record, codes))
        state = "未归集" if before is None else codes.name("states", origin)
        raise refused("E11", f"证照现为“{state}”，不能{codes.name('operations', record.operation)}")
    _edition(record, held, row)
    if row.file == "required" and record.file is None:
        raise refused("E17", "该操作须附证照文件")


def _pair(record: Record, codes: Codes) -> str:
    operation, state = codes.name("operations", record.operation), codes.name("states", record.state)
    return f"操作“{operation}”不能导致状态“{state}”"


def _edition(record: Record, held: Sequence[Held], row: Transition) -> None:
    before = held[-1] if held else None
    current = before.edition if before else 0
    currents = {current} if any(event.file_sha256 for event in held) else {current, max(current - 1, 0)}
    allowed = {
        "first": {1},
        "next": {number + 1 for number in currents},
        "same": currents,
        "same-or-next": currents | {number + 1 for number in currents},
        "any": {record.edition},
    }[row.edition]
    if record.edition not in allowed:
        raise refused("E12", f"版本号 {record.edition:03} 与操作不符，现有版本 {current:03}")
    if before is not None and record.edition > before.edition and record.predecessor != before.identifier:
        raise refused("E15", "关联（前一）证照标识不是本库现有版本")
