"""The table of deliveries: one row per event and target, written in the transaction of the event."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from certlib.domain.delivery import CITY
from certlib.register import engine as _engine  # noqa: F401  the naming convention must be set before any table

_JSON = JSON().with_variant(JSONB(), "postgresql")
_OPEN = text("state IN ('due', 'leased')")


def _counted(state: str) -> Index:
    """The rows of a target in one state; of its own for each, so that none draws a claim away from what is open."""
    condition = text(f"state = '{state}'")
    return Index(f"ix_delivery_{state}", "target", sqlite_where=condition, postgresql_where=condition)


class DeliveryRow(SQLModel, table=True):
    """One event on its way. `state`: due -> leased -> done, or dead with `last_error` as the reason.

    `available_at` is when it may next be claimed; while leased it equals `lease_until`, so one index finds both
    what is due and what a dead worker left behind. `urgent` rows may pass a predecessor that is dead or keeps
    failing. `digest` is the SHA-256 of the record as it was delivered, for reconciliation.
    """

    __tablename__ = "delivery"
    id: int | None = Field(default=None, primary_key=True)
    target: str = CITY
    certificate: str
    sequence: int
    operation: str
    identifier: str
    day: str  # of the event, ISO 8601, Asia/Shanghai: for daily counts
    message: dict[str, Any] = Field(default={}, sa_column=Column(_JSON, nullable=False))
    file: str = ""  # SHA-256 of the file that goes with it
    urgent: bool = False
    repair: bool = False
    state: str = "due"
    available_at: datetime
    lease_until: datetime | None = None
    lease_owner: str = ""
    attempts: int = 0  # claims
    failures: int = 0  # attempts that failed for this record's own sake, not for an outage
    last_error: str = ""
    answer: dict[str, Any] = Field(default={}, sa_column=Column(_JSON, nullable=False))
    digest: str = ""
    created_at: datetime
    done_at: datetime | None = None

    __table_args__ = (
        Index("uq_delivery_order", "target", "certificate", "sequence", unique=True),
        # the last two are for whoever counts what waits: without them SQLite takes the order's index and reads it all
        Index(
            "ix_delivery_open",
            "target",
            "available_at",
            "state",
            "created_at",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        _counted("dead"),
        _counted("done"),
        Index("ix_delivery_identifier", "identifier"),
        CheckConstraint("state IN ('due', 'leased', 'done', 'dead')", name="state"),
        CheckConstraint("sequence > 0", name="sequence"),
    )
