"""What was signed and given to the public, each with a leaf whose commitment is its SHA-256: whoever kept it can ask.

Of a status list the digest is over the statuses themselves (the packed list), not over the token, which is signed anew
every half minute and says the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session, col, select

from certlib.formats.leaf import Leaf
from certlib.register.journal_tables import JournalEvent
from certlib.register.row_tables import PublishedRow
from certlib.register.store import Register

TRUST, SEALS, STATUS = "trust:published", "seals:published", "status:published"
STATEMENT = "reconciliation:statement"


def record_published(
    session: Session, register: Register, kind: str, data: bytes, *, at: datetime, about: str = "", number: int = 0
) -> PublishedRow:
    """Journal inside the caller's transaction that `data` was published."""
    digest = hashlib.sha256(data).digest()
    leaf = register.journal.append(session, Leaf(kind=kind, at=at, commitment=digest))
    row = PublishedRow(kind=kind, about=about, number=number, sha256=digest.hex(), at=at, leaf=leaf)
    session.add(row)
    return row


def record_key(session: Session, register: Register, state: str, public_key: bytes, *, at: datetime) -> None:
    """Journal that a key of the trust list was added (`active`), retired or found compromised."""
    kind = {"active": "key:added"}.get(state, f"key:{state}")
    digest = hashlib.sha256(public_key).digest()
    leaf = register.journal.append(session, Leaf(kind=kind, at=at, commitment=digest))
    session.add(PublishedRow(kind=kind, sha256=digest.hex(), at=at, leaf=leaf))


def publications(session: Session, size: int) -> Iterator[dict[str, int]]:
    """Of each status list that the first `size` leaves tell of, what it was made of (`verify.audit_published`)."""
    number, about, seq = col(PublishedRow.number), col(PublishedRow.about), col(JournalEvent.seq)
    query = select(number, about, seq).join(JournalEvent, col(JournalEvent.leaf_hash) == PublishedRow.leaf)
    query = query.where(PublishedRow.kind == STATUS, seq < size).order_by(number, seq, about)
    for made_of, shard, leaf in session.connection().execute(query):
        if shard.isdecimal():
            yield {"seq": int(leaf or 0), "shard": int(shard), "size": made_of}


def unnumbered(session: Session) -> set[str]:
    """The digests of what was published in leaves that have no number yet."""
    query = select(col(PublishedRow.sha256)).join(JournalEvent, col(JournalEvent.leaf_hash) == PublishedRow.leaf)
    return set(session.connection().scalars(query.where(col(JournalEvent.seq).is_(None))))


def last_published(session: Session, kind: str, about: str = "") -> PublishedRow | None:
    """What was published last of a kind."""
    query = select(PublishedRow).where(PublishedRow.kind == kind, PublishedRow.about == about)
    return session.exec(query.order_by(col(PublishedRow.id).desc()).limit(1)).one_or_none()
