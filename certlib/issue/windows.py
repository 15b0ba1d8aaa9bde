"""What the printer of a window is off by: set once against a trial sheet, applied to every print file, journalled.

Kept under the window's name among the facts about the register; the row is committed by the journal as every other.
"""

from __future__ import annotations

import json
from typing import Any

from sqlmodel import Session, col, select

from certlib.document.overprint import FARTHEST, Offset
from certlib.errors import Fault, RequestError
from certlib.formats.leaf import Leaf
from certlib.register.store import Register
from certlib.register.tables import MetaRow

_PREFIX = "window/"
_LONGEST = 40  # characters of a window's name


def align_window(register: Register, window: str, offset: Offset, *, person: str) -> dict[str, Any]:
    """Keep that everything printed at `window` is to be moved by `offset` (right, down) in millimetres.

    Raises `RequestError` for a window or person without a name, or more than 5 mm.
    """
    faults = [*_unnamed(window, person), *_too_far(offset)]
    if faults:
        raise RequestError(faults)
    with register.writer() as session:
        at = register.moment(session)
        row = session.get(MetaRow, _PREFIX + window) or MetaRow(name=_PREFIX + window, value="")
        value = {"x": offset[0], "y": offset[1], "person": person, "at": at.isoformat(timespec="seconds")}
        row.value = json.dumps(value, ensure_ascii=False)
        session.add(row)
        register.journal.append(session, Leaf(kind="window:aligned", at=at))
    return {"window": window, **value}


def windows(session: Session) -> list[dict[str, Any]]:
    """Every window whose printer was aligned, by name: how far, by whom, when."""
    rows = session.exec(select(MetaRow).where(col(MetaRow.name).startswith(_PREFIX)).order_by(col(MetaRow.name)))
    return [{"window": row.name.removeprefix(_PREFIX), **json.loads(row.value)} for row in rows]


def offset_of(session: Session, window: str) -> Offset:
    """How far a window's print files are moved; nothing when it was never aligned."""
    row = session.get(MetaRow, _PREFIX + window)
    value = json.loads(row.value) if row else {"x": 0.0, "y": 0.0}
    return value["x"], value["y"]


def _unnamed(window: str, person: str) -> list[Fault]:
    faults = []
    for key, text, label in (("window", window, "窗口"), ("person", person, "经办人")):
        if not text.strip() or len(text) > _LONGEST or not text.isprintable():
            message = f"{label}：应为 1 至 {_LONGEST} 字。"
            faults.append(Fault(key, "bad-name", message, label, f"{key} needs a name."))
    return faults


def _too_far(offset: Offset) -> list[Fault]:
    return [
        Fault(
            key,
            "too-far",
            f"打印偏移：{key} 应在 ±{FARTHEST:g} 毫米之内。",
            "打印偏移",
            "More than 5 mm, or no number.",
        )
        for key, distance in zip("xy", offset, strict=True)
        if not -FARTHEST <= distance <= FARTHEST
    ]
