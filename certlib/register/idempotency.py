"""The first answer under a client's key, kept for the life of the case."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from certlib.errors import IdempotencyError
from certlib.register.tables import IdempotencyRow


@dataclass(frozen=True, slots=True)
class Answer:
    """What a use case answers: HTTP-like status, body, the version for the ETag, and whether it is a replay."""

    status: int
    body: Mapping[str, Any]
    version: int = 1
    replayed: bool = False


def body_digest(operation: str, raw: object) -> str:
    """The digest by which two requests are the same: operation and canonical JSON."""
    text = json.dumps([operation, raw], ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def find(session: Session, client: str, key: str, digest: str) -> IdempotencyRow | None:
    """The record under this key. Raises `IdempotencyError` when it belongs to another request."""
    row = session.get(IdempotencyRow, (client, key))
    if row is not None and row.body_sha256 != digest:
        raise IdempotencyError("同一个 Idempotency-Key 已用于内容不同的另一请求，本次未办理；请换一个新的键。")
    return row


def begin(session: Session, client: str, key: str, digest: str, *, intent: str, at: datetime) -> IdempotencyRow:
    """Record that a request has begun."""
    row = IdempotencyRow(client=client, key=key, body_sha256=digest, intent=intent, created_at=at)
    session.add(row)
    return row


def settle(session: Session, client: str, key: str, answer: Answer) -> None:
    """Keep the answer in the transaction that makes it true."""
    row = session.get(IdempotencyRow, (client, key))
    if row is not None:
        row.status, row.body, row.version = answer.status, dict(answer.body), answer.version
        session.add(row)


def replay(row: IdempotencyRow) -> Answer | None:
    """The kept answer, or None while the first request has none yet."""
    return Answer(row.status, row.body, row.version, replayed=True) if row.status else None
