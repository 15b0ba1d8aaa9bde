"""Reconciliation (对账): prove that both sides hold the same, find what differs, repair what is ours.

Rules:
* What we count as delivered is compared by a hash tree (`tree`): equal parts cost one digest, so a million records
  with ten differences take a few hundred kilobytes.
* An event that is on its way is no difference.
* Lost events go out again in their order; changed ones go out as corrections. What only they have is reported.
* The statement says when, how many, which digests, and whether the sides were equal; it is signed and kept.

    found = reconcile(queue, client, now=now)
    signed = sign_statement(found.statement("city"), key)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from certlib.city.statement import Statement
from certlib.city.tree import Delivered, Tree, bucket_of, leaves, root_of

_CHAINS_AT_ONCE, _BUCKETS_AT_ONCE = 500, 256
DONE = "done"

Place = tuple[str, str]
"""State and digest of one of our events."""


class Ledger(Protocol):
    """What we hold of our deliveries; `SqlDeliveries` is one."""

    def delivered(self) -> Iterator[Delivered]:
        """Every event counted as delivered, by chain and sequence."""

    def places(self, chains: Sequence[str]) -> Mapping[str, Mapping[int, Place]]:
        """All events of these chains: sequence to state and digest."""

    def reopen(self, chain: str, sequences: Sequence[int], now: datetime, *, repair: bool = False) -> int:
        """Make delivered events due again; how many they were."""


class Held(Protocol):
    """What the counterpart holds; `CityClient` asks it."""

    def ranges(self, prefix: str) -> dict[str, tuple[int, bytes]]:
        """The children of a part of its tree that are not empty: prefix to count and digest."""

    def leaves(self, buckets: Sequence[str]) -> dict[str, bytes]:
        """Chain and leaf of everything in the buckets."""

    def events(self, chains: Sequence[str]) -> dict[str, dict[int, str]]:
        """The events of each chain: sequence to digest."""


class Kind(StrEnum):
    """How a chain differs."""

    MISSING = "missing"  # they have none of it 缺失
    STALE = "stale"  # they lack events of it 滞后
    CHANGED = "changed"  # an event has another content 被改
    FOREIGN = "foreign"  # they have what we never sent 多出


@dataclass(frozen=True, slots=True)
class Difference:
    """One chain and the sequences in which it differs."""

    kind: Kind
    chain: str
    sequences: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What a comparison found. `repaired` counts the events that go out again; `waiting` the chains under way."""

    at: datetime
    ours: int
    theirs: int
    our_root: bytes
    their_root: bytes
    differences: tuple[Difference, ...]
    repaired: int
    waiting: int

    @property
    def equal(self) -> bool:
        """Whether both sides held the same, byte for byte."""
        return self.our_root == self.their_root

    def count(self, kind: Kind) -> int:
        """How many chains differ in this way: the drift gauge."""
        return sum(difference.kind is kind for difference in self.differences)

    def statement(self, target: str) -> Statement:
        """The daily statement."""
        return Statement(
            target=target,
            at=self.at,
            ours=self.ours,
            theirs=self.theirs,
            our_root=self.our_root,
            their_root=self.their_root,
            differences={kind.value: self.count(kind) for kind in Kind},
            waiting=self.waiting,
        )


def reconcile(ledger: Ledger, held: Held, *, now: datetime, repair: bool = True) -> Reconciliation:
    """Compare both sides and, with `repair`, make what they lost or changed due again.

    Raises `DeliveryError` when the counterpart cannot be asked.
    """
    tree = Tree.of(ledger.delivered())
    their_ranges = held.ranges("")
    chains = list(_differing_chains(tree, their_ranges, ledger, held))
    differences: list[Difference] = []
    waiting = 0
    for part in _parts(chains, _CHAINS_AT_ONCE):
        found, under_way = _compare(part, ledger, held)
        differences += found
        waiting += under_way
    return Reconciliation(
        at=now,
        ours=tree.count,
        theirs=sum(count for count, _ in their_ranges.values()),
        our_root=tree.root,
        their_root=root_of(their_ranges),
        differences=tuple(differences),
        repaired=sum(_repair(difference, ledger, now) for difference in differences) if repair else 0,
        waiting=waiting,
    )


def _differing_chains(tree: Tree, theirs: Mapping[str, tuple[int, bytes]], ledger: Ledger, held: Held) -> Iterator[str]:
    """The chains whose leaves differ, found by going down where digests differ."""
    buckets: list[str] = []
    for prefix in _differing(tree.range(""), theirs):
        buckets += _differing(tree.range(prefix), held.ranges(prefix))
    if not buckets:
        return
    numbers = {int(bucket, 16) for bucket in buckets}
    ours = {chain: digest for chain, digest in leaves(ledger.delivered()) if bucket_of(chain) in numbers}
    of_theirs: dict[str, bytes] = {}
    for part in _parts(buckets, _BUCKETS_AT_ONCE):
        of_theirs |= held.leaves(part)
    yield from sorted(chain for chain in {*ours, *of_theirs} if ours.get(chain) != of_theirs.get(chain))


def _differing(ours: Mapping[str, object], theirs: Mapping[str, object]) -> list[str]:
    return sorted(key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key))


def _compare(chains: Sequence[str], ledger: Ledger, held: Held) -> tuple[list[Difference], int]:
    """Compare chains event by event, and count those that only have something under way.

    Ours is read before theirs, so what we count as delivered must be there; and again after, so that what they have
    and we did not know at first is not called foreign.
    """
    before, theirs = ledger.places(chains), held.events(chains)
    after = ledger.places([chain for chain in chains if set(theirs.get(chain, ())) - set(before.get(chain, ()))])
    differences: list[Difference] = []
    waiting = 0
    for chain in chains:
        own = before.get(chain, {})
        found = list(_of_chain(chain, own, {**own, **after.get(chain, {})}, theirs.get(chain, {})))
        differences += found
        waiting += not found
    return differences, waiting


def _of_chain(
    chain: str, own: Mapping[int, Place], later: Mapping[int, Place], theirs: Mapping[int, str]
) -> Iterator[Difference]:
    done = {sequence: digest for sequence, (state, digest) in own.items() if state == DONE}
    kinds = {
        Kind.STALE if theirs else Kind.MISSING: [sequence for sequence in done if sequence not in theirs],
        Kind.CHANGED: [sequence for sequence in done if theirs.get(sequence, done[sequence]) != done[sequence]],
        Kind.FOREIGN: [sequence for sequence in theirs if sequence not in later],
    }
    yield from (Difference(kind, chain, tuple(sorted(found))) for kind, found in kinds.items() if found)


def _repair(difference: Difference, ledger: Ledger, now: datetime) -> int:
    if difference.kind is Kind.FOREIGN:
        return 0
    return ledger.reopen(difference.chain, difference.sequences, now, repair=difference.kind is Kind.CHANGED)


def _parts(values: Iterable[str], size: int) -> Iterator[list[str]]:
    whole = list(values)
    yield from (whole[start : start + size] for start in range(0, len(whole), size))
