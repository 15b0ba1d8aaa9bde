"""The table of services (送达): who was served what, by which way, when, against which proof."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from certlib.register import engine as _engine  # noqa: F401  the naming convention must be set before any table

_JSON = JSON().with_variant(JSONB(), "postgresql")


class ServiceRow(SQLModel, table=True):
    """One service of a certificate's edition on one carrier, or of a document. The journal commits to `record`."""

    __tablename__ = "service"
    id: int | None = Field(default=None, primary_key=True)
    certificate: str | None = Field(default=None, foreign_key="certificate.key")
    edition: int | None = None
    document: str | None = Field(default=None, foreign_key="document.id")
    carrier: str  # file | paper | document
    way: str
    served_at: datetime
    record: dict[str, Any] = Field(default={}, sa_column=Column(_JSON, nullable=False))
    salt: bytes = Field(default=b"", sa_column=Column(LargeBinary, nullable=False))  # of the leaf's commitment
    leaf: bytes = Field(default=b"", sa_column=Column(LargeBinary, nullable=False))
    client: str = ""
    created_at: datetime

    __table_args__ = (
        Index("uq_service_edition", "certificate", "edition", "carrier", unique=True),
        Index("uq_service_document", "document", unique=True),
    )


def service_facts(row: ServiceRow) -> dict[str, Any]:
    """What the leaf of a service commits to."""
    served_at = row.served_at.astimezone(UTC).isoformat(timespec="microseconds")
    return {**row.record, "way": row.way, "served_at": served_at, "carrier": row.carrier}
