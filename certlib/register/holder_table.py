"""The table of those who hold an edition together with its first holder, so that a search finds each of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import String, cast, exists
from sqlmodel import Field, SQLModel, col, or_, select

from certlib.register import engine as _engine  # noqa: F401  the naming convention must be set before any table


class CoHolderRow(SQLModel, table=True):
    """A holder beside the first, of one edition; `place` counts from 1. The first stands in the certificate's row."""

    __tablename__ = "co_holder"
    certificate: str = Field(primary_key=True, foreign_key="certificate.key")
    edition: int = Field(primary_key=True)
    place: int = Field(primary_key=True)
    name: str
    code: str = Field(index=True)
    code_type: str


def co_holders(certificate: str, edition: int, holder: Mapping[str, Any]) -> list[CoHolderRow]:
    """The rows of an edition's stored holder; none when one alone holds it."""
    return [
        CoHolderRow(certificate=certificate, edition=edition, place=place, **other)
        for place, other in enumerate(holder.get("others", ()), start=1)
    ]


def held_together(code: str, *, name: str = "") -> Any:
    """The keys of certificates of which somebody beside the first holder has or had this code, or a name like this."""
    wanted = [col(CoHolderRow.code) == code]
    if name:
        wanted.append(col(CoHolderRow.name).contains(name, autoescape=True))
    return select(CoHolderRow.certificate).where(or_(*wanted))


def held_now_with(code: str, certificate: Any, edition: Any) -> Any:
    """Whether somebody beside the first holder of this edition (columns of an outer query) has the code."""
    return exists().where(
        col(CoHolderRow.certificate) == certificate, col(CoHolderRow.edition) == edition, col(CoHolderRow.code) == code
    )


def is_among(holder: Any, code: str) -> Any:
    """Whether a stored holder (a JSON column or a member of one), or any who holds with it, has the code."""
    return or_(
        holder["code"].as_string() == code, cast(holder["others"], String).contains(f'"{code}"', autoescape=True)
    )
