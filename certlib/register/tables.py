"""The register's tables (证照台账). SQLModel is used here and in the other `*_tables` modules only.

Each column says in its comment-free name what it holds; `TAMPER` declares for every table which columns are
`committed` (a journal leaf holds their digest), `derived` (they follow from committed ones) or `operational`
(leases, retries). Edits of the first two kinds are found by the audit.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from certlib.register import engine as _engine  # noqa: F401  the naming convention must be set before any table
from certlib.register.holder_table import CoHolderRow  # noqa: F401  part of the same register
from certlib.register.seal_tables import SealAuthorisationRow, SealUseRow  # noqa: F401  part of the same register
from certlib.register.turns import TurnRow  # noqa: F401  part of the same register

_JSON = JSON().with_variant(JSONB(), "postgresql")


def _json(*, nullable: bool = False) -> Any:
    return Field(default=None if nullable else {}, sa_column=Column(_JSON, nullable=nullable))


def _bytes() -> Any:
    return Field(default=b"", sa_column=Column(LargeBinary, nullable=False))


class Counter(SQLModel, table=True):
    """A gap-free series: the index n, serials per type and year, document numbers, uses per seal."""

    __tablename__ = "counter"
    name: str = Field(primary_key=True)
    value: int = 0


class Intent(SQLModel, table=True):
    """A planned issuance: everything that will stand on the paper, fixed before the key is used.

    `state`: open (planned) -> signing (a use is reserved) -> done | voided. `plan` holds the final facts, holder,
    decision, days and sheets; `attempt` fences workers; the lease is who may go on with it and until when.
    """

    __tablename__ = "intent"
    id: str = Field(primary_key=True)
    kind: str  # certificate | document
    type: str
    action: str
    item: str
    case: str
    authority: str  # the deciding authority: the tenant
    seal: str
    seal_kind: str
    certificate: str = Field(default="", index=True)  # key of the certificate, empty for documents
    certificate_version: int = 0  # which the certificate must still have when the edition comes into force
    edition: int = 0
    number: str
    identifier: str = ""
    n: int = Field(unique=True)
    day: date  # the Shanghai day on which it must be finished
    plan: dict[str, Any] = _json()
    salt: bytes = _bytes()  # 32 bytes: the journal's commitment
    code_salt: bytes = _bytes()  # 16 bytes: the hash in the code
    chain: bytes = _bytes()  # 16 bytes: salted name of the chain in the journal
    state: str = "open"
    attempt: int = 0
    lease_owner: str = ""
    lease_until: datetime | None = None
    sha256: str = ""  # of the unsealed bytes that were reserved for sealing
    client: str = ""
    key: str = ""
    problem: dict[str, Any] | None = _json(nullable=True)
    created_at: datetime
    finished_at: datetime | None = None

    __table_args__ = (
        Index(
            "uq_intent_open_certificate",
            "certificate",
            unique=True,
            sqlite_where=text("certificate != '' AND state IN ('open', 'signing')"),
            postgresql_where=text("certificate != '' AND state IN ('open', 'signing')"),
        ),
        Index(
            "uq_intent_case",
            "case",
            "type",
            "action",
            unique=True,
            sqlite_where=text("\"case\" != '' AND state != 'voided'"),
            postgresql_where=text("\"case\" != '' AND state != 'voided'"),
        ),
        Index("ix_intent_unfinished", "state", sqlite_where=text("state IN ('open', 'signing')")),
    )


class ChainRow(SQLModel, table=True):
    """The end of one chain of journal leaves: a certificate's or a document's."""

    __tablename__ = "chain"
    id: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))  # 16 random bytes
    step: int = 0
    head: bytes = _bytes()  # leaf hash of the last step


class CertificateRow(SQLModel, table=True):
    """One certificate. `key` is type code, issuer and serial of its 证照标识; `version` is its ETag."""

    __tablename__ = "certificate"
    key: str = Field(primary_key=True)
    type: str = Field(index=True)
    number: str = Field(index=True)
    authority: str = Field(index=True)
    item: str
    holder_name: str
    holder_code: str = Field(index=True)
    holder_code_type: str
    state: str
    cause: str = ""
    since: datetime
    version: int
    edition: int  # the newest
    identifier: str = Field(unique=True)  # of the newest edition
    imported: bool = False
    chain: bytes = _bytes()
    created_at: datetime
    updated_at: datetime


class EditionRow(SQLModel, table=True):
    """One content of a certificate (版本)."""

    __tablename__ = "edition"
    certificate: str = Field(primary_key=True, foreign_key="certificate.key")
    index: int = Field(primary_key=True)
    identifier: str = Field(unique=True)
    n: int = Field(unique=True)
    action: str
    item: str
    case: str = Field(index=True)
    facts: dict[str, Any] = _json()  # the request's facts, for the next change
    printed: dict[str, Any] = _json()  # the final texts of the face
    decision: dict[str, Any] = _json()
    holder: dict[str, Any] = _json()
    issued_on: date
    effective_from: date
    valid_from: date
    valid_until: date | None = None
    activated: bool = True  # its day has come and the journal says so
    salt: bytes = _bytes()
    code_salt: bytes = _bytes()
    code_text: str = ""
    check_code: str = ""  # printed beside the number, for typing it by hand
    paper_waived: bool = False
    intent: str = Field(unique=True)
    created_at: datetime


class SheetRow(SQLModel, table=True):
    """One piece of paper that bears, bore or will bear an edition (实体证照)."""

    __tablename__ = "sheet"
    id: int | None = Field(default=None, primary_key=True)
    certificate: str = Field(foreign_key="certificate.key", index=True)
    edition: int
    kind: str  # original | duplicate
    copy_number: int
    label: str
    n: int = Field(unique=True)
    state: str = "to-print"
    fate: str = "sound"
    recall: bool = False  # of an older edition: to be handed in
    serial: str | None = Field(default=None, unique=True)  # of the blank
    code_text: str = ""
    seal: str = "printed"  # printed 套印 | stamped 加盖实物印章
    created_at: datetime
    printed_at: datetime | None = None
    collected_at: datetime | None = None
    detail: dict[str, Any] = _json()


class FileRow(SQLModel, table=True):
    """A registered file: what was issued, byte for byte. Its path in the store follows from its digest.

    `part` says what it is of its document: the `file` itself, the same document as `copy` under SM2/SM3, or the
    signature `ses` beside the file. `raise_at` is when its level has to be raised or its proof renewed; none when it
    has a successor or needs none.
    """

    __tablename__ = "file"
    sha256: str = Field(primary_key=True)
    certificate: str | None = Field(default=None, index=True)
    edition: int | None = None
    document: str | None = Field(default=None, index=True)
    sheet: int | None = Field(default=None, index=True)
    level: str  # "B-B" | "B-T" | … | "print" for sheets
    suite: str = ""
    part: str = "file"
    predecessor: str | None = Field(default=None, unique=True)
    size: int
    n: int = Field(index=True)
    created_at: datetime
    raise_at: datetime | None = None

    __table_args__ = (
        Index(
            "ix_file_raise",
            "level",
            "raise_at",
            sqlite_where=text("raise_at IS NOT NULL"),
            postgresql_where=text("raise_at IS NOT NULL"),
        ),
    )


class DocumentRow(SQLModel, table=True):
    """One sealed paper of the procedure (审批文书)."""

    __tablename__ = "document"
    id: str = Field(primary_key=True)  # the intent's
    type: str = Field(index=True)
    number: str = Field(unique=True)
    authority: str = Field(index=True)
    item: str
    case: str = Field(index=True)
    holder: dict[str, Any] = _json()
    facts: dict[str, Any] = _json()
    printed: dict[str, Any] = _json()
    decision: dict[str, Any] = _json()
    issued_on: date
    n: int = Field(unique=True)
    state: str = "in-force"
    version: int = 1
    salt: bytes = _bytes()
    code_salt: bytes = _bytes()
    code_text: str = ""
    check_code: str = ""
    chain: bytes = _bytes()
    created_at: datetime


class EventRow(SQLModel, table=True):
    """The history of a certificate: replayed, it gives the certificate."""

    __tablename__ = "event"
    certificate: str = Field(primary_key=True, foreign_key="certificate.key")
    version: int = Field(primary_key=True)
    action: str
    origin: str
    target: str
    cause: str = ""
    edition: int | None = None
    at: datetime
    case: str = ""
    client: str = ""
    detail: dict[str, Any] = _json()  # decision, evidence, second person
    leaf: bytes = _bytes()


class IdempotencyRow(SQLModel, table=True):
    """The first answer under a client's key."""

    __tablename__ = "idempotency"
    client: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    body_sha256: str
    intent: str = ""
    status: int = 0  # 0: still running
    body: dict[str, Any] = _json()
    version: int = 0
    created_at: datetime


class BlankRow(SQLModel, table=True):
    """A blank sheet of security paper (空白证照)."""

    __tablename__ = "blank"
    serial: str = Field(primary_key=True)
    type: str = Field(index=True)
    window: str = ""
    state: str = "stock"  # stock | allotted | used | spoiled | lost | destroyed
    sheet: int | None = None
    updated_at: datetime


class StockMovementRow(SQLModel, table=True):
    """One movement of blanks between two accounts; the ledger balances to zero."""

    __tablename__ = "stock_movement"
    id: int | None = Field(default=None, primary_key=True)
    type: str = Field(index=True)
    first: str  # serial
    last: str
    count: int
    debit: str  # account that gains
    credit: str  # account that gives
    at: datetime
    person: str = ""
    witness: str = ""
    reason: str = ""


class BatchRow(SQLModel, table=True):
    """A batch of issues or actions."""

    __tablename__ = "batch"
    id: str = Field(primary_key=True)
    client: str
    key: str | None = None  # the client's idempotency key
    body_sha256: str = ""
    state: str = "running"  # running | done
    total: int
    created_at: datetime
    finished_at: datetime | None = None

    __table_args__ = (Index("uq_batch_key", "client", "key", unique=True),)


class BatchLineRow(SQLModel, table=True):
    """One line of a batch, claimed by lease."""

    __tablename__ = "batch_line"
    batch: str = Field(primary_key=True, foreign_key="batch.id")
    line: int = Field(primary_key=True)
    operation: str  # issue | document | act
    body: dict[str, Any] = _json()
    state: str = Field(default="due", index=True)  # due | leased | done | failed
    lease_owner: str = ""
    lease_until: datetime | None = None
    attempts: int = 0
    answer: dict[str, Any] = _json()


class MassRow(SQLModel, table=True):
    """A mass action: proposed by one person, approved by another, begun after a window in which it may be cancelled."""

    __tablename__ = "mass"
    id: str = Field(primary_key=True)
    client: str
    action: str
    where: dict[str, Any] = _json()  # which certificates
    body: dict[str, Any] = _json()  # the action's request
    reason: str
    proposer: str
    approver: str = ""
    state: str = "proposed"  # proposed | approved | cancelled | begun
    count: int  # of the certificates found when it was proposed
    starts_at: datetime | None = None
    batch: str = ""
    created_at: datetime


class AccessRow(SQLModel, table=True):
    """One access to personal data or to a printed seal (who saw what, why)."""

    __tablename__ = "access"
    id: int | None = Field(default=None, primary_key=True)
    at: datetime
    client: str
    subject: str
    purpose: str
    outcome: str
    digest: int | None = Field(default=None, index=True)  # the digest of its hour, once there is one


class MetaRow(SQLModel, table=True):
    """Facts about the register itself: schema version, the salt of chain names."""

    __tablename__ = "meta"
    name: str = Field(primary_key=True)
    value: str
