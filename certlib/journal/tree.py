"""How the tiles of a journal grow. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from certlib.formats.tlog import subtree_root
from certlib.formats.tlog_tiles import WIDTH, split_hashes

Tiles = dict[tuple[int, int], bytes]
"""Tiles by (level, index)."""


def grown_tiles(size: int, hashes: Sequence[bytes], read: Callable[[int, int], bytes]) -> Tiles:
    """The tiles that change when a tree of `size` leaves takes on these leaf hashes; `read` gives the present ones."""
    grown: Tiles = {}
    level, start, row = 0, size, list(hashes)
    while row:
        full = _fill(level, start, row, read, grown)
        level, start, row = level + 1, start // WIDTH, full
    return grown


def _fill(level: int, start: int, row: Sequence[bytes], read: Callable[[int, int], bytes], grown: Tiles) -> list[bytes]:
    """Lay `row` into the level's tiles from place `start`; the roots of the tiles that became full."""
    full: list[bytes] = []
    at = 0
    while at < len(row):
        index, offset = divmod(start + at, WIDTH)
        piece = row[at : at + WIDTH - offset]
        # only the part this tree's size knows: a longer tile would be a tree that was rolled back
        before = read(level, index)[: offset * len(piece[0])] if offset else b""
        data = before + b"".join(piece)
        grown[level, index] = data
        if offset + len(piece) == WIDTH:
            full.append(subtree_root(split_hashes(data)))
        at += len(piece)
    return full
