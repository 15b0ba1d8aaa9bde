"""The Merkle tree of a transparency log: hashes, roots and proofs (RFC 6962 §2.1, RFC 9162 §2.1). Pure.

* A leaf is hashed behind the byte 0x00, an inner node behind 0x01, so neither can pass for the other.
* A proof is a list of hashes of ranges of leaves; `inclusion_ranges` and `consistency_ranges` name the ranges,
  `range_root` computes one from perfect subtrees, the `verify_` functions need no tree at all.

    tree = CompactRange()
    tree.extend([leaf_hash(b"first"), leaf_hash(b"second")])
    verify_inclusion(0, tree.size, leaf_hash(b"first"), [leaf_hash(b"second")], tree.root())
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from certlib.errors import VerificationError

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of the tree without leaves (RFC 6962 §2.1)."""

Range = tuple[int, int]
"""Leaves from the first number up to, not including, the second."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf's bytes (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node over its two children (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def subtree_root(hashes: Sequence[bytes]) -> bytes:
    """The root of a perfect subtree: of 1, 2, 4, 8 … hashes."""
    row, sha256 = list(hashes), hashlib.sha256
    while len(row) > 1:  # `node_hash` of each two, written out: an audit takes a million of them
        row = [sha256(b"\x01" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]


class CompactRange:
    """The left edge of a growing tree: its size and the roots of its perfect subtrees, at most 64 of them."""

    __slots__ = ("_edge", "size")

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []  # roots of the perfect subtrees, the largest first: one per bit of `size`

    def extend(self, hashes: Sequence[bytes]) -> None:
        """Append leaf hashes; whole aligned blocks are folded at once."""
        start = 0
        while start < len(hashes):
            block = _block(self.size, len(hashes) - start)
            self.append_subtree(subtree_root(hashes[start : start + block]), block)
            start += block

    def append_subtree(self, root: bytes, width: int) -> None:
        """Append the root of a perfect subtree of `width` leaves; `size` must be a multiple of `width`."""
        full = self.size // width
        while full & 1:
            root = node_hash(self._edge.pop(), root)
            full >>= 1
        self._edge.append(root)
        self.size += width

    def root(self) -> bytes:
        """The root of the tree so far (RFC 6962 §2.1)."""
        return _fold_edge(self._edge)


def tree_root(hashes: Sequence[bytes]) -> bytes:
    """The root of the tree over these leaf hashes (RFC 6962 §2.1)."""
    tree = CompactRange()
    tree.extend(hashes)
    return tree.root()


def range_root(span: Range, node_at: Callable[[int, int], bytes]) -> bytes:
    """The root over the leaves of `span`; `node_at(height, place)` gives perfect subtrees of 2^height leaves.

    The span begins where a subtree at least as large as itself could begin, as every range of a proof does.
    """
    start, end = span
    edge = []
    while start < end:
        width = _block(start, end - start)
        edge.append(node_at(width.bit_length() - 1, start // width))
        start += width
    return _fold_edge(edge)


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The ranges whose roots prove leaf `index` in the tree of `size` leaves, the leaf's sibling first (§2.1.1).

    Raises `VerificationError` when the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise VerificationError(f"日志第 {index} 条不在前 {size} 条之内。", code="not-found")
    path: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The ranges whose roots prove that the tree of `new` leaves begins with the tree of `old` leaves (§2.1.2).

    Raises `VerificationError` when `old` is larger than `new`.
    """
    if not 0 <= old <= new:
        raise VerificationError(f"日志不能从 {old} 条缩短为 {new} 条。", code="altered")
    if old in (0, new):
        return []
    path: list[Range] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start, whole = middle, False
    return ([] if whole else [(start, end)]) + path[::-1]


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """The root that `proof` leads to from the leaf hash `leaf` (RFC 9162 §2.1.3.2).

    Raises `VerificationError` when index, size and the proof's length do not fit together.
    """
    _require_hashes([leaf, *proof])
    if not 0 <= index < size:
        raise _broken("位置超出日志长度")
    inner = (index ^ (size - 1)).bit_length()
    if len(proof) != inner + (index >> inner).bit_count():
        raise _broken("证明长度不符")
    root = leaf
    for at, sibling in enumerate(proof):
        right = at >= inner or (index >> at) & 1
        root = node_hash(sibling, root) if right else node_hash(root, sibling)
    return root


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf hash stands at `index` in the tree (RFC 9162 §2.1.3.2). Raises `VerificationError`."""
    if root_from_inclusion(index, size, leaf, proof) != root:
        raise _broken("与根不一致")


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Check that the new tree begins with the old one (RFC 9162 §2.1.4.2). Raises `VerificationError`.

    The empty tree is the beginning of every tree; its root must be `EMPTY_ROOT`.
    """
    _require_hashes([old_root, new_root, *proof])
    if not 0 <= old <= new:
        raise _broken("日志变短")
    if old in (0, new):
        if proof or (old == 0 and old_root != EMPTY_ROOT) or (old == new and old_root != new_root):
            raise _broken("与根不一致")
        return
    first, second = _roots_from_consistency(old, new, proof, old_root)
    if first != old_root or second != new_root:
        raise _broken("与根不一致")


def _roots_from_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes) -> tuple[bytes, bytes]:
    """Both roots that the proof leads to, for 0 < old < new."""
    complete = (old & -old).bit_length() - 1  # levels on which the old tree ends with a full subtree
    inner = ((old - 1) ^ (new - 1)).bit_length() - complete
    border = ((old - 1) >> (complete + inner)).bit_count()
    steps = list(proof) if old != 1 << complete else [old_root, *proof]  # an old tree that is perfect is the seed
    if len(steps) != 1 + inner + border:
        raise _broken("证明长度不符")
    place = (old - 1) >> complete
    first = second = steps[0]
    for at, sibling in enumerate(steps[1:]):
        if at >= inner or (place >> at) & 1:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
        else:
            second = node_hash(second, sibling)
    return first, second


def _block(start: int, room: int) -> int:
    """The width of the largest perfect subtree that may begin at leaf `start` and fits in `room` leaves."""
    fits = 1 << (room.bit_length() - 1)
    return min(start & -start, fits) if start else fits


def _split(size: int) -> int:
    """The largest power of two smaller than `size`, for size > 1 (RFC 6962 §2.1)."""
    return 1 << ((size - 1).bit_length() - 1)


def _fold_edge(edge: Sequence[bytes]) -> bytes:
    if not edge:
        return EMPTY_ROOT
    root = edge[-1]
    for left in reversed(edge[:-1]):
        root = node_hash(left, root)
    return root


def _require_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(value) != HASH_SIZE for value in hashes):
        raise _broken("哈希值长度不是 32 字节")


def _broken(reason: str) -> VerificationError:
    return VerificationError(f"日志证明不成立：{reason}。", code="altered")
