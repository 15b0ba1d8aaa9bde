"""Where a journal keeps its rows, as a Protocol; the register's database implements it.

`Transaction` is the caller's: what it does becomes durable with the caller's commit, or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from certlib.formats.tlog_checkpoint import Checkpoint
from certlib.formats.tlog_note import Note

Transaction = TypeVar("Transaction", contravariant=True)  # noqa: PLC0105  it reads as a word in every signature


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint as kept: its row, its head, the note with the journal's own signatures, witnesses' lines."""

    id: int
    size: int
    root: bytes
    note: str
    at: datetime
    cosignatures: tuple[str, ...] = ()

    @property
    def checkpoint(self) -> Checkpoint:
        """The head that the note signs."""
        return Checkpoint.parse(Note.parse(self.note).text)

    @property
    def text(self) -> str:
        """The note with every cosignature kept so far."""
        return self.note + "".join(self.cosignatures)


@dataclass(frozen=True, slots=True)
class Numbered:
    """The events just given numbers: the first number, their leaf hashes in order, and the last one's bytes."""

    start: int
    hashes: Sequence[bytes]
    last: bytes


class JournalStore(Protocol[Transaction]):
    """The rows of one journal."""

    def append(self, transaction: Transaction, body: bytes, leaf_hash: bytes) -> None:
        """Add an event without a number."""

    def number(self, transaction: Transaction, limit: int) -> Numbered:
        """Number up to `limit` committed events that have none, in the order they were added.

        Holds off every other sequencer until the transaction ends.
        """

    def waiting(self, transaction: Transaction) -> bool:
        """Whether an event waits for its number."""

    def tile(self, transaction: Transaction, level: int, index: int) -> bytes:
        """The hashes of a tile so far, empty when there is none."""

    def put_tiles(self, transaction: Transaction, tiles: Mapping[tuple[int, int], bytes]) -> None:
        """Store tiles, new ones or longer forms of old ones, by (level, index)."""

    def entries(self, transaction: Transaction, start: int, end: int) -> Sequence[bytes]:
        """The leaves numbered from `start` up to, not including, `end`."""

    def index_of(self, transaction: Transaction, leaf_hash: bytes) -> int | None:
        """The first number of the event with this leaf hash; None while it has none."""

    def newest_event(self, transaction: Transaction) -> bytes | None:
        """The leaf added last, with or without number."""

    def add_checkpoint(self, transaction: Transaction, size: int, root: bytes, note: str, at: datetime) -> None:
        """Keep a checkpoint."""

    def newest_checkpoint(self, transaction: Transaction, *, cosignatures: int = 0) -> StoredCheckpoint | None:
        """The newest checkpoint that has at least this many cosignatures."""

    def add_cosignature(self, transaction: Transaction, checkpoint: int, witness: str, line: str, at: datetime) -> None:
        """Keep a witness's line under a checkpoint; once kept it stays."""

    def cosignatures(self, transaction: Transaction, count: int) -> Sequence[tuple[int, str]]:
        """The newest `count` lines of witnesses, each with the size of the head it stands under, oldest head first."""

    def witnessed_size(self, transaction: Transaction, witness: str) -> int:
        """The size of the newest checkpoint with a line of this witness, 0 when there is none."""
