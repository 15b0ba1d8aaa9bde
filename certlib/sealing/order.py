"""The values between the ledger of seal uses and the Sealer, and the ledger's interface."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from certlib.domain.page import Box
from certlib.domain.seal import SealSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class SealOrder:
    """A reserved use of a seal: proof that intent, authorisation and bytes were read and agree.

    Only `UseLedger.reserve` makes one. `counter` is the seal's own running number of uses, `attempt` the fence:
    a later attempt of the same intent makes this one worthless.
    """

    use: int
    counter: int
    intent: str
    attempt: int
    seal: str  # seal id, e.g. "36070000000003"
    seal_edition: int
    authorisation: bytes  # SHA-256 of the seal authorisation
    pdf: bytes
    sha256: str  # of `pdf`, hexadecimal
    placement: Box
    reason: str  # 用途, e.g. 核发医疗器械经营许可证
    level: str  # "B-B" | "B-T"
    suite: str  # "rsa3072-sha256" | "p256-sha256" …
    reserved_at: datetime
    certificates: Mapping[str, str] = field(default_factory=dict)  # the edition's, by suite: SHA-256, hexadecimal
    spec: SealSpec | None = None  # what the edition's picture is drawn from; None: the identity's
    straddle: int = 0  # the most pages over which one circle is cut along their right edges (骑缝章); 0: none

    def identity(self, suite: str) -> str:
        """The name of that suite's key: its certificate's digest, or the seal's id where no certificates are named.

        Empty when the seal's edition has no certificate of the suite.
        """
        return self.certificates.get(suite, "") if self.certificates else self.seal


@dataclass(frozen=True, slots=True)
class Part:
    """A further file made by the same use: `copy`, the document under SM2/SM3, or `ses`, the signature beside it."""

    name: str
    data: bytes
    level: str  # "B-B" | "B-T"; of a `ses` its version, with -T when it has a timestamp: "v4" | "v4-T"
    suite: str

    @property
    def sha256(self) -> str:
        """The digest it is kept under, hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Sealed:
    """What came of an order. `level` is what was reached, never more than what is in the file."""

    pdf: bytes
    sha256: str
    level: str
    signed_at: datetime
    timestamped_at: datetime | None
    parts: tuple[Part, ...] = ()
    signature_sha256: str = ""  # of the signature value, hexadecimal


class UseLedger(Protocol):
    """The ledger of seal uses (用印日志), kept beside the register; each call is one committed transaction."""

    def reserve(self, intent: str, *, now: datetime) -> SealOrder:
        """Take the intent from open to signing under a new attempt number and reserve one use of its seal.

        Raises `SealDeniedError` when the seal is not in use or no authorisation covers it (the denial is recorded),
        `ConflictError` when another attempt holds the intent.
        """

    def release(self, order: SealOrder, *, why: str, now: datetime) -> None:
        """Record that the reserved use came to nothing; its counter stays used."""
