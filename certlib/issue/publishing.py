"""The status lists that the office publishes, computed from the journal alone.

The board reads the journal's new leaves and keeps one packed shard per 2^17 indices in memory; a published list
names the journal size it was computed from and the highest index planned so far.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock

from sqlmodel import Session

from certlib.catalogue import Catalogue
from certlib.errors import NotFoundError, VerificationError
from certlib.formats.leaf import statuses_of
from certlib.formats.status import pack, repack, shard_of, sign_status_list
from certlib.formats.trust import Names
from certlib.issue.keyring import Rota
from certlib.journal.journal import Journal
from certlib.register.store import Register

_AGAIN = timedelta(seconds=30)  # a list is signed anew at least this often while it is asked for: ttl is 60 s
_CHUNK = 4096  # leaves read at a time


def issuer_names(catalogue: Catalogue) -> Mapping[int, Names]:
    """The names of the issuers of codes, by the number that the catalogue gives each authority for good."""
    return {one.code_number: Names(one.name, one.english) for one in catalogue.authorities.values()}


def issuer_number(catalogue: Catalogue, authority: str) -> int:
    """The number of an authority in the code."""
    return catalogue.authorities[authority].code_number


@dataclass(slots=True)
class StatusBoard:
    """The status of every index, as the journal has it; lists are signed when asked for and kept for a while."""

    register: Register
    journal: Journal[Session]
    keys: Rota
    address: str  # of the lists; the shard's number is appended
    _shards: dict[int, bytearray] = field(default_factory=dict)
    _size: int = 0
    _high_water: int = 0
    _signed: dict[int, tuple[int, datetime, bytes]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def status_list(self, shard: int, *, now: datetime) -> tuple[bytes, str]:
        """The signed list of a shard and its entity tag. Raises `NotFoundError` for a shard not begun."""
        with self._lock:
            self._catch_up()
            if shard not in self._shards and shard != 0:
                raise NotFoundError(f"没有第 {shard} 片状态清单。")
            size, signed_at, token = self._signed.get(shard, (-1, datetime.min.replace(tzinfo=UTC), b""))
            if size != self._size or now - signed_at > _AGAIN:
                token = self._sign(shard, now)
                self._signed[shard] = (self._size, now, token)
        return token, hashlib.sha256(token).hexdigest()[:32]

    def statuses(self) -> tuple[int, dict[int, bytes]]:
        """The journal's size, and what each list says then: the packed statuses by shard."""
        with self._lock:
            self._catch_up()
            return self._size, {shard: bytes(packed) for shard, packed in self._shards.items()}

    def _sign(self, shard: int, now: datetime) -> bytes:
        packed = self._shards.get(shard) or pack([], shard=shard)
        return sign_status_list(
            bytes(packed),
            shard=shard,
            address=f"{self.address}/{shard}",
            journal_size=self._size,
            high_water=self._high_water,
            key=self.keys.at(now),
            now=now,
        )

    def _catch_up(self) -> None:
        with self.register.reader() as session:
            end = self.journal.head(session).size
            while self._size < end:
                bodies = self.journal.leaves(session, self._size, min(end, self._size + _CHUNK))
                for index, body in enumerate(bodies, start=self._size):
                    self._take(_statuses(index, body))
                self._size += len(bodies)

    def _take(self, statuses: tuple[tuple[int, int], ...]) -> None:
        for n, code in statuses:
            shard = shard_of(n)
            packed = self._shards.get(shard)
            if packed is None:
                packed = self._shards[shard] = bytearray(pack([], shard=shard))
            repack(packed, [(n, code)], shard=shard)
            self._high_water = max(self._high_water, n)


def _statuses(index: int, body: bytes) -> tuple[tuple[int, int], ...]:
    """What a leaf says of indices. Raises `VerificationError` (`altered`) for none: then no list is signed."""
    try:
        return statuses_of(body)
    except ValueError as error:
        message = f"日志第 {index} 条已被改动，停止签发状态清单；请运行 certctl check，并从备份恢复。"
        raise VerificationError(message, code="altered") from error
