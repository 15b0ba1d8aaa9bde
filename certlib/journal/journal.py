"""The journal (日志): an append-only Merkle log of every event.

* `append` writes a leaf inside the transaction that causes the event: both are committed, or neither.
* `sequence` numbers what was committed, extends the tree and signs its new head, in one transaction of its own.
* At least once an hour a head is signed even when nothing happened, so that the time of every event is bounded.

    journal = Journal("city.example/journal", journal_keys("city.example/journal", key), store)
    journal.append(transaction, leaf)
    journal.sequence(transaction, now)
    journal.proof_text(transaction, 0)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Generic

from certlib.crypto.keys import SigningKey
from certlib.errors import NotFoundError, VerificationError
from certlib.formats.leaf import Leaf
from certlib.formats.tlog import Range, consistency_ranges, inclusion_ranges, leaf_hash, range_root
from certlib.formats.tlog_chain import next_link
from certlib.formats.tlog_checkpoint import Checkpoint
from certlib.formats.tlog_note import COSIGNATURE, ED25519, Note, NoteKey, VerifierKey, open_note
from certlib.formats.tlog_proof import InclusionProof, WitnessRequest
from certlib.formats.tlog_tiles import ENTRIES, MAX_ENTRY, WIDTH, TilePlace, join_entries, node_of_tiles
from certlib.journal.store import JournalStore, StoredCheckpoint, Transaction
from certlib.journal.tree import grown_tiles

CHECKPOINT_EVERY = timedelta(hours=1)
"""The longest time between two signed heads."""

_NAMED = 4  # cosignatures that each head names, the newest: of two witnesses under two heads
_BATCH = 100_000  # events numbered in one transaction at most; bounds memory and the time the lock is held


def journal_keys(origin: str, key: SigningKey) -> tuple[NoteKey, NoteKey]:
    """The two ways the journal's key signs a head: plainly for every C2SP client, and with the time."""
    return NoteKey.of(origin, key, ED25519), NoteKey.of(origin, key, COSIGNATURE)


class Journal(Generic[Transaction]):
    """One journal: its origin (the name in every checkpoint), its signing keys, its rows."""

    def __init__(self, origin: str, signers: Sequence[NoteKey], store: JournalStore[Transaction]) -> None:
        self.origin = origin
        self._signers = tuple(signers)
        self._store = store

    @property
    def verifiers(self) -> tuple[VerifierKey, ...]:
        """The public keys that readers of this journal's checkpoints need."""
        return tuple(signer.verifier for signer in self._signers)

    def append(self, transaction: Transaction, leaf: Leaf) -> bytes:
        """Add the event inside the caller's transaction and give its leaf hash, the `previous` of the next step.

        Raises `ValueError` when the leaf is longer than 65,535 bytes.
        """
        body = leaf.encode()
        if len(body) > MAX_ENTRY:
            raise ValueError(f"leaf of {len(body)} bytes, {MAX_ENTRY} at most")
        digest = leaf_hash(body)
        self._store.append(transaction, body, digest)
        return digest

    def due(self, transaction: Transaction, now: datetime) -> bool:
        """Whether `sequence` has something to do: an event waits, or the newest head is an hour old."""
        newest = self._store.newest_checkpoint(transaction)
        return self._store.waiting(transaction) or newest is None or now - newest.at >= CHECKPOINT_EVERY

    def sequence(self, transaction: Transaction, now: datetime, *, limit: int = _BATCH) -> Checkpoint:
        """Number the committed events, extend the tree, sign its head; give the newest head.

        Give it a transaction of its own: other sequencers wait until it ends.
        """
        fresh = self._store.number(transaction, limit)
        newest = self._store.newest_checkpoint(transaction)
        if not fresh.hashes and newest is not None and now - newest.at < CHECKPOINT_EVERY:
            return newest.checkpoint
        size = fresh.start + len(fresh.hashes)
        read = _Tiles(self._store, transaction)
        if fresh.hashes:
            # events committed while we waited for the lock may be later than `now`
            now = max(now, Leaf.decode(fresh.last).at)
            grown = grown_tiles(fresh.start, fresh.hashes, read)
            self._store.put_tiles(transaction, grown)
            read.know(grown)
        return self._sign(transaction, newest, size, read.root(size), max(now, newest.at) if newest else now)

    def newest_time(self, transaction: Transaction) -> datetime | None:
        """When the event added last happened: the floor below which the clock may not stand."""
        body = self._store.newest_event(transaction)
        return Leaf.decode(body).at if body else None

    def head(self, transaction: Transaction) -> StoredCheckpoint:
        """The newest checkpoint. Raises `NotFoundError` before the first `sequence`."""
        newest = self._store.newest_checkpoint(transaction)
        if newest is None:
            raise NotFoundError("日志尚无检查点。")
        return newest

    def checkpoint(self, transaction: Transaction) -> str:
        """The newest checkpoint with its cosignatures, as it is served. Raises `NotFoundError`."""
        return self.head(transaction).text

    def index_of(self, transaction: Transaction, digest: bytes) -> int | None:
        """The number of the event with this leaf hash, None while it waits for one."""
        return self._store.index_of(transaction, digest)

    def tile(self, transaction: Transaction, level: int, index: int, width: int = WIDTH) -> bytes:
        """The hashes of a tile, as served under `TilePlace(level, index, width).path`. Raises `NotFoundError`."""
        data = self._store.tile(transaction, level, index)[: width * 32]
        if not data or len(data) < width * 32:
            raise NotFoundError(f"日志没有 {TilePlace(level, index, width).path}。")
        return data

    def entries(self, transaction: Transaction, index: int, width: int = WIDTH) -> bytes:
        """A bundle of entries, as served under `tile/entries/…`. Raises `NotFoundError`."""
        start = index * WIDTH
        entries = self._store.entries(transaction, start, start + width)
        if not entries or len(entries) < width:
            raise NotFoundError(f"日志没有 {TilePlace(ENTRIES, index, width).path}。")
        return join_entries(entries)

    def leaves(self, transaction: Transaction, start: int, end: int) -> Sequence[bytes]:
        """The bytes of the leaves numbered from `start` up to, not including, `end`.

        Raises `VerificationError` (`altered`) when one is missing: numbers are never given back.
        """
        bodies = self._store.entries(transaction, start, end)
        if len(bodies) != end - start:
            message = f"日志第 {start} 至 {end - 1} 条只有 {len(bodies)} 条：数据库中的日志不完整或被删改。"
            raise VerificationError(message, code="altered")
        return bodies

    def root(self, transaction: Transaction, size: int) -> bytes:
        """The root of the tree of the first `size` leaves. Raises `VerificationError` when there are not so many."""
        return self._hashes(transaction, size, [(0, size)])[0]

    def inclusion(self, transaction: Transaction, index: int, size: int) -> tuple[bytes, ...]:
        """The proof that leaf `index` is in the tree of `size` leaves. Raises `VerificationError` when it is not."""
        return self._hashes(transaction, size, inclusion_ranges(index, size))

    def consistency(self, transaction: Transaction, old: int, new: int) -> tuple[bytes, ...]:
        """The proof that the tree of `new` leaves begins with that of `old`. Raises `VerificationError`."""
        return self._hashes(transaction, new, consistency_ranges(old, new))

    def proof_text(self, transaction: Transaction, index: int, *, cosignatures: int = 0) -> str:
        """The offline proof (`.tlog-proof`) of leaf `index`.

        Under the newest checkpoint that has so many cosignatures and covers it, else under the newest.
        Raises `VerificationError` (`not-found`) when no checkpoint covers it yet.
        """
        witnessed = self._store.newest_checkpoint(transaction, cosignatures=cosignatures)
        head = witnessed if witnessed and witnessed.size > index else self.head(transaction)
        return InclusionProof(index, self.inclusion(transaction, index, head.size), head.text).encode()

    def witness_request(self, transaction: Transaction, old: int) -> tuple[StoredCheckpoint, WitnessRequest]:
        """The newest checkpoint and what to ask a witness that last saw `old` leaves.

        Raises `VerificationError` when the witness has seen more than there is: the journal was rolled back.
        """
        head = self.head(transaction)
        return head, WitnessRequest(old, self.consistency(transaction, old, head.size), head.note)

    def witnessed_size(self, transaction: Transaction, witness: VerifierKey) -> int:
        """The size of the newest head this witness cosigned, 0 when none."""
        return self._store.witnessed_size(transaction, witness.name)

    def lacks_cosignature(self, transaction: Transaction, witness: VerifierKey) -> bool:
        """Whether this witness has yet to cosign the newest head.

        One of an unchanged size, too: a journal in which nothing happens for days is still seen to be there every hour.
        """
        newest = self._store.newest_checkpoint(transaction)
        return newest is not None and all(line.split(" ")[1:2] != [witness.name] for line in newest.cosignatures)

    def keep_cosignature(
        self, transaction: Transaction, checkpoint: StoredCheckpoint, witness: VerifierKey, answer: str
    ) -> None:
        """Check a witness's answer to `witness_request` and keep its line. Raises `VerificationError`."""
        opened = open_note(checkpoint.note + answer, [witness])
        at = opened.signed[witness]
        if at is None:
            raise VerificationError(f"见证“{witness.name}”的签名没有时间。", code="signature-invalid")
        line = next(line for line in opened.note.signatures if line.key_id == witness.key_id)
        self._store.add_cosignature(transaction, checkpoint.id, witness.name, str(line), at)

    def _sign(
        self, transaction: Transaction, before: StoredCheckpoint | None, size: int, root: bytes, at: datetime
    ) -> Checkpoint:
        link = next_link(before.checkpoint if before else None, self._store.cosignatures(transaction, _NAMED))
        head = Checkpoint(self.origin, size, root, link.lines)
        note = Note(head.text).signed(*self._signers, at=at)
        self._store.add_checkpoint(transaction, size, root, note.encode(), at)
        return head

    def _hashes(self, transaction: Transaction, size: int, ranges: Sequence[Range]) -> tuple[bytes, ...]:
        if size > self.head(transaction).size:
            raise VerificationError(f"日志还没有 {size} 条。", code="not-found")
        read = _Tiles(self._store, transaction)
        return tuple(range_root(span, read.node) for span in ranges)


class _Tiles(Generic[Transaction]):
    """Tiles read once each within one call."""

    def __init__(self, store: JournalStore[Transaction], transaction: Transaction) -> None:
        self._store = store
        self._transaction = transaction
        self._known: dict[tuple[int, int], bytes] = {}

    def __call__(self, level: int, index: int) -> bytes:
        place = (level, index)
        if place not in self._known:
            self._known[place] = self._store.tile(self._transaction, level, index)
        return self._known[place]

    def know(self, tiles: dict[tuple[int, int], bytes]) -> None:
        self._known.update(tiles)

    def node(self, height: int, place: int) -> bytes:
        return node_of_tiles(self, height, place)

    def root(self, size: int) -> bytes:
        return range_root((0, size), self.node)
