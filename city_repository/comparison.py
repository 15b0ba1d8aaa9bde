"""Comparing with a counterpart: range digests, leaves, events and daily counts of what one account delivered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from city_repository import ranges
from city_repository.store import Store


@dataclass(frozen=True, slots=True)
class Range:
    """A part of the tree: prefix (hexadecimal), how many certificates, digest."""

    prefix: str
    count: int
    digest: bytes


class Comparison:
    """Answers of the comparison interface."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def ranges(self, account: str, prefix: str) -> tuple[Range, list[Range]]:
        """The part under `prefix` (empty or two hexadecimal digits) and its children that are not empty."""
        children = self._buckets(account, prefix) if prefix else self._firsts(account)
        digests = [ranges.EMPTY] * 256
        for child in children:
            digests[int(child.prefix[-2:], 16)] = child.digest
        return Range(prefix, sum(child.count for child in children), ranges.node(digests)), children

    def _firsts(self, account: str) -> list[Range]:
        parts = (self._part(account, f"{first:02x}") for first in range(256))
        return [part for part in parts if part.count]

    def _part(self, account: str, prefix: str) -> Range:
        children = self._buckets(account, prefix)
        digests = [ranges.EMPTY] * 256
        for child in children:
            digests[int(child.prefix[-2:], 16)] = child.digest
        return Range(prefix, sum(child.count for child in children), ranges.node(digests))

    def _buckets(self, account: str, prefix: str) -> list[Range]:
        first = int(prefix, 16) << 8
        rows = self._store.rows(
            "SELECT id, count, digest FROM bucket WHERE account = ? AND id BETWEEN ? AND ? AND count > 0 ORDER BY id",
            account,
            first,
            first + 255,
        )
        return [Range(f"{row['id']:04x}", row["count"], row["digest"]) for row in rows]

    def leaves(self, account: str, buckets: Iterable[str]) -> list[tuple[str, bytes]]:
        """The certificates of the buckets, with their leaves."""
        query = "SELECT base, leaf FROM record WHERE account = ? AND bucket = ? ORDER BY base"
        return [
            (row["base"], row["leaf"])
            for bucket in buckets
            for row in self._store.rows(query, account, int(bucket, 16))
        ]

    def events(self, account: str, bases: Sequence[str]) -> dict[str, list[tuple[int, str]]]:
        """The (sequence, digest) pairs held of each certificate."""
        query = "SELECT sequence, digest FROM event WHERE account = ? AND base = ? ORDER BY sequence"
        found = {base: self._store.rows(query, account, base) for base in bases}
        return {base: [(row["sequence"], row["digest"]) for row in rows] for base, rows in found.items() if rows}

    def daily(self, account: str, first: str, last: str) -> list[tuple[str, str, int]]:
        """How many events of each operation on each day of operateTime."""
        rows = self._store.rows(
            "SELECT day, operation, COUNT(*) AS n FROM event WHERE account = ? AND day BETWEEN ? AND ?"
            " GROUP BY day, operation ORDER BY day, operation",
            account,
            first,
            last,
        )
        return [(row["day"], row["operation"], row["n"]) for row in rows]
