"""The tables of seals: what they are, what happened to them, who may use them, and every use (用印日志)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from certlib.register import engine as _engine  # noqa: F401  the naming convention must be set before any table

_JSON = JSON().with_variant(JSONB(), "postgresql")


def _json() -> Any:
    return Field(default={}, sa_column=Column(_JSON, nullable=False))


def _bytes() -> Any:
    return Field(default=b"", sa_column=Column(LargeBinary, nullable=False))


class SealRow(SQLModel, table=True):
    """A seal as it stands (电子印章). A numbered duplicate (2号章) is a row of its own."""

    __tablename__ = "seal"
    id: str = Field(primary_key=True)  # esID
    authority: str = Field(index=True)
    kind: str  # approval | organ
    copy_number: int
    name: str
    keeper: str
    state: str
    cause: str = ""
    since: datetime | None = None  # when it came into this state
    version: int = 0
    edition: int = 0  # the newest
    filing: str = ""  # 备案号
    compromised_since: datetime | None = None
    chain: bytes = _bytes()
    created_at: datetime
    updated_at: datetime


class SealEditionRow(SQLModel, table=True):
    """One edition of a seal: what its picture is drawn from and its X.509 certificates. Never changed."""

    __tablename__ = "seal_edition"
    seal: str = Field(primary_key=True, foreign_key="seal.id")
    index: int = Field(primary_key=True)
    spec: dict[str, Any] = _json()  # what the picture is drawn from
    certificates: dict[str, Any] = _json()  # suite: SHA-256 of the certificate
    sha256: str  # of the edition's canonical text, as an eSeal file has a digest
    maker: str = ""  # 制作单位
    created_at: datetime


class SealCertificateRow(SQLModel, table=True):
    """One X.509 certificate of a seal's edition."""

    __tablename__ = "seal_certificate"
    sha256: str = Field(primary_key=True)  # over the DER
    seal: str = Field(foreign_key="seal.id", index=True)
    edition: int
    suite: str
    serial: str  # hexadecimal
    subject: str
    key_sha256: str = Field(index=True)  # over the SubjectPublicKeyInfo: a key belongs to one seal
    not_before: datetime
    not_after: datetime
    der: bytes = _bytes()


class SealEventRow(SQLModel, table=True):
    """The history of a seal: replayed, it gives the seal."""

    __tablename__ = "seal_event"
    seal: str = Field(primary_key=True, foreign_key="seal.id")
    version: int = Field(primary_key=True)
    act: str
    origin: str
    target: str
    edition: int
    cause: str = ""
    at: datetime
    person: str
    second_person: str = ""
    document: str = ""  # 依据文号
    compromised_since: datetime | None = None
    client: str = ""
    detail: dict[str, Any] = _json()
    leaf: bytes = _bytes()


class SealAuthorisationRow(SQLModel, table=True):
    """A seal authorisation (用印授权), as the canonical text that is digested. `uses` are reserved or used."""

    __tablename__ = "seal_authorisation"
    id: str = Field(primary_key=True)
    seal: str = Field(index=True)
    authority: str
    since: datetime
    until: datetime
    canonical: bytes = _bytes()
    sha256: str = Field(unique=True)
    uses: int = 0
    record: dict[str, Any] = _json()  # who made it, and who ended it why
    created_at: datetime
    ended_at: datetime | None = None


class SealUseRow(SQLModel, table=True):
    """One line of the ledger of seal uses. `counter` is dense per seal over reserved, used and released.

    `kind`: electronic 电子签章, printed 套印, stamped 加盖实物印章. `record` holds what the columns do not: seal and
    keeper, matter and mandate, document, approvers, place, operator, proof of time.
    """

    __tablename__ = "seal_use"
    id: int | None = Field(default=None, primary_key=True)
    seal: str = Field(index=True)
    counter: int | None = None  # none for a denial: the key was never reached
    seal_edition: int = 0
    kind: str = "electronic"
    intent: str = Field(index=True)  # empty for paper
    attempt: int = 0
    sheet: int | None = Field(default=None, index=True)
    state: str  # reserved | used | released | denied
    authorisation: str = ""
    authorisation_sha256: str = ""
    item: str = ""
    case: str = ""
    type: str = ""
    action: str = ""
    number: str = ""
    persons: dict[str, Any] = _json()
    input_sha256: str = ""
    output_sha256: str = ""
    why: str = ""
    record: dict[str, Any] = _json()
    reserved_at: datetime
    closed_at: datetime | None = None

    __table_args__ = (
        Index("uq_seal_use_counter", "seal", "counter", unique=True),
        Index("ix_seal_use_time", "seal", "reserved_at"),
    )
