"""Tiles: the tree and its entries in files of 256 (C2SP tlog-tiles v1).

A tile of level L holds up to 256 roots of perfect subtrees of 256^L leaves; an entry bundle the bytes of 256 leaves.
Paths are `tile/0/x001/234`, the narrower forms `tile/0/x001/234.p/17`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from certlib.errors import VerificationError
from certlib.formats.tlog import HASH_SIZE, subtree_root

WIDTH = 256
"""Hashes in a full tile, entries in a full bundle."""
HEIGHT = 8
MAX_ENTRY = 0xFFFF
"""Bytes in one entry at most."""
ENTRIES = -1
"""The level that stands for entry bundles."""

_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*)([0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


@dataclass(frozen=True, slots=True)
class TilePlace:
    """Which tile: its level (`ENTRIES` for a bundle of entries), its index in the level, how many hashes it shows."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """The path below the journal's prefix."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        digits = f"{self.index:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        partial = f".p/{self.width}" if self.width < WIDTH else ""
        return f"tile/{level}/{'/'.join([f'x{group}' for group in groups[:-1]] + groups[-1:])}{partial}"

    @classmethod
    def parse(cls, path: str) -> TilePlace:
        """Read a path. Raises `VerificationError` (`not-found`) when it is not the one spelling of a tile."""
        match = _PATH.fullmatch(path)
        if match is None or len(path) > 60:
            raise _no_tile(path)
        level, groups, last, width = match.groups()
        index = int(groups.replace("x", "").replace("/", "") + last)
        place = cls(ENTRIES if level == "entries" else int(level), index, int(width or WIDTH))
        if place.level > 63 or place.path != path:
            raise _no_tile(path)
        return place


def tile_width(level: int, index: int, size: int) -> int:
    """How many hashes the tile shows in a tree of `size` leaves: 0 when it has none yet."""
    return min(WIDTH, max(0, (size >> HEIGHT * max(level, 0)) - index * WIDTH))


def tiles_of(size: int) -> Iterator[TilePlace]:
    """Every tile of the tree of `size` leaves in its widest form, entry bundles first, then level by level."""
    for level in (ENTRIES, *range(64)):
        count = size >> HEIGHT * max(level, 0)
        if count == 0:
            return
        for index in range(-(-count // WIDTH)):
            yield TilePlace(level, index, tile_width(level, index, size))


def node_of_tiles(read: Callable[[int, int], bytes], height: int, place: int) -> bytes:
    """The root of the perfect subtree `place` of 2^height leaves, from the tile that `read(level, index)` gives.

    Raises `VerificationError` when the tile is too narrow.
    """
    level, rise = divmod(height, HEIGHT)
    index, offset = divmod(place << rise, WIDTH)
    start, end = offset * HASH_SIZE, (offset + (1 << rise)) * HASH_SIZE
    hashes = read(level, index)[start:end]
    if len(hashes) != end - start:
        raise VerificationError(f"日志缺少所需的哈希（{TilePlace(level, index).path}）。", code="altered")
    return subtree_root(split_hashes(hashes))


def split_hashes(data: bytes) -> list[bytes]:
    """The hashes of a tile. Raises `VerificationError` when the length is not a multiple of 32."""
    if len(data) % HASH_SIZE:
        raise VerificationError("日志哈希文件长度不对。", code="altered")
    return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]


def join_entries(entries: Iterable[bytes]) -> bytes:
    """An entry bundle: each entry behind its length in two bytes, big-endian.

    Raises `VerificationError` when an entry is longer than 65,535 bytes.
    """
    pieces: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY:
            raise VerificationError(f"日志条目 {len(entry)} 字节，超过 {MAX_ENTRY} 字节上限。", code="unreadable")
        pieces += (len(entry).to_bytes(2, "big"), entry)
    return b"".join(pieces)


def split_entries(bundle: bytes) -> list[bytes]:
    """The entries of a bundle. Raises `VerificationError` when it ends in the middle of one."""
    entries: list[bytes] = []
    at, end = 0, len(bundle)
    while at < end:
        start = at + 2
        at = start + int.from_bytes(bundle[at:start], "big")
        entries.append(bundle[start:at])
    if at != end:
        raise VerificationError("日志条目文件不完整。", code="altered")
    return entries


def _no_tile(path: str) -> VerificationError:
    return VerificationError(f"没有这样的日志文件：{path[:80]}", code="not-found")
