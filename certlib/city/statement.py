"""The daily statement: “both sides equal at T, n records, digest d”, or how far they were not; signed with COSE."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from certlib.crypto.cose import KID, key_id, read1, sign1
from certlib.crypto.keys import SigningKey
from certlib.domain.civil import SHANGHAI
from certlib.errors import VerificationError

_KIND = "certlib reconciliation 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What was compared with `target` at the moment `at`. `differences` counts certificates by kind."""

    target: str
    at: datetime
    ours: int
    theirs: int
    our_root: bytes
    their_root: bytes
    differences: Mapping[str, int]
    waiting: int = 0

    @property
    def equal(self) -> bool:
        """Whether both sides held the same, byte for byte."""
        return self.our_root == self.their_root

    @property
    def sentence(self) -> str:
        """The statement in words."""
        moment = self.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
        if self.equal:
            return f"{moment}，双方一致：{self.ours} 件证照，摘要 {self.our_root.hex()}。"
        words = {"missing": "缺失", "stale": "滞后", "changed": "被改", "foreign": "多出"}
        found = "、".join(f"{words.get(kind, kind)} {count}" for kind, count in self.differences.items() if count)
        return f"{moment}，双方不一致：本方 {self.ours} 件，对方 {self.theirs} 件；{found or f'在途 {self.waiting}'}。"

    def as_json(self) -> dict[str, object]:
        """The statement as a JSON object."""
        return {
            "kind": _KIND,
            "target": self.target,
            "at": self.at.isoformat(timespec="milliseconds"),
            "equal": self.equal,
            "ours": self.ours,
            "theirs": self.theirs,
            "our_root": self.our_root.hex(),
            "their_root": self.their_root.hex(),
            "differences": dict(self.differences),
            "waiting": self.waiting,
        }

    @classmethod
    def from_json(cls, value: object) -> Statement:
        """Read a statement. Raises `ValueError` when it is none."""
        if not isinstance(value, dict) or value.get("kind") != _KIND:
            raise ValueError("not a statement of reconciliation")
        return cls(
            target=str(value["target"]),
            at=datetime.fromisoformat(value["at"]),
            ours=int(value["ours"]),
            theirs=int(value["theirs"]),
            our_root=bytes.fromhex(value["our_root"]),
            their_root=bytes.fromhex(value["their_root"]),
            differences={str(kind): int(count) for kind, count in value["differences"].items()},
            waiting=int(value["waiting"]),
        )


def sign_statement(statement: Statement, key: SigningKey) -> bytes:
    """The statement as a COSE_Sign1 message whose payload is its canonical JSON. Raises `KeyUnavailableError`."""
    text = json.dumps(statement.as_json(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sign1(text.encode(), key, {KID: key_id(key.public_key)})


def read_statement(data: bytes, public_key: bytes) -> Statement:
    """The statement of a signed message.

    Raises `VerificationError` when the signature does not hold or the content is no statement.
    """
    try:
        message = read1(data)
        message.verify(public_key)
        return Statement.from_json(json.loads(message.payload))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise VerificationError("这不是对账声明，或内容已损坏。", code="unreadable") from error
