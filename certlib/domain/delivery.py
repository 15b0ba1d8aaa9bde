"""One event on its way to a counterpart: the value that the register hands to whoever delivers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from certlib.domain.actions import Action

CITY = "city"
"""The target of a delivery to the city repository (市电子证照库)."""

GONE = "target-gone"
"""The reason of a dead letter whose target answered that it takes nothing more (HTTP 410)."""

STORE_AWAY = "store-away"
"""Code of a `StorageError`: no file at all can be read now, so that it is the fault of none of them."""

UNREAD = "file-"
"""How the codes begin that say why one delivery's file cannot be read: it is missing, or damaged."""

REPLACE_FILE = "replace-file"
"""The operation of an event that only exchanges an edition's file, such as a raised signature level."""

URGENT: frozenset[str] = frozenset(
    {Action.CANCEL, Action.WITHDRAW, Action.REVOKE, Action.RESCIND, Action.VOID},
)
"""Operations that end a certificate: they may go ahead of a predecessor that cannot be delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A claimed row. `attempts` counts claims and fences: what an outdated claim reports is not taken;
    `failures` counts those that failed for the record's own sake.

    `chain` names the certificate whose events stay in order; `sequence` is the event's place in it, from 1.
    `predecessor_unknown` says that an earlier event could not be delivered and this one goes ahead of it.
    `repair` says that the counterpart once had this event and lost or changed it. The claim holds until `lease_until`.
    """

    id: int
    chain: str
    identifier: str
    sequence: int
    operation: str
    message: Mapping[str, Any]
    file: Callable[[], bytes] | None = None
    attempts: int = 1
    failures: int = 0
    predecessor_unknown: bool = False
    repair: bool = False
    lease_until: datetime | None = None
