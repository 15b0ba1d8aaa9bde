"""What the audit checks of the tree: tiles equal the hashes computed from the entries, level by level."""

from __future__ import annotations

from certlib.errors import VerificationError
from certlib.formats.tlog import HASH_SIZE, subtree_root
from certlib.formats.tlog_tiles import WIDTH, TilePlace, tile_width
from certlib.verify.audit_events import Breaches
from certlib.verify.bundle import Bundle


class Tiles:
    """Step 3: the tiles against the leaf hashes, level by level, each compared when it is full and at the end."""

    def __init__(self, bundle: Bundle, found: Breaches) -> None:
        self._bundle, self._found = bundle, found
        self._rows: list[list[bytes]] = [[]]
        self._done = [0]
        self.folded = b""  # the root over the last full row of leaf hashes

    def leaves(self, index: int, hashes: list[bytes]) -> None:
        """The leaf hashes of one bundle."""
        self._rows[0], self._done[0] = hashes, index
        self._close_full(0)

    def finish(self, size: int) -> None:
        """Compare what is left at the right edge."""
        for level, row in enumerate(self._rows):
            if row:
                self._compare(TilePlace(level, self._done[level], tile_width(level, self._done[level], size)), row)

    def _close_full(self, level: int) -> None:
        row = self._rows[level]
        if len(row) < WIDTH:
            return
        self._compare(TilePlace(level, self._done[level]), row)
        root = subtree_root(row)
        if level == 0:
            self.folded = root
        self._rows[level] = []
        self._done[level] += 1
        if level + 1 == len(self._rows):
            self._rows.append([])
            self._done.append(0)
        self._rows[level + 1].append(root)
        self._close_full(level + 1)

    def _compare(self, place: TilePlace, row: list[bytes]) -> None:
        try:
            tile = self._bundle.read(place.path, WIDTH * HASH_SIZE)
        except VerificationError as error:
            self._found.add("bundle", place.path, error.message)
            return
        if tile != b"".join(row):
            wrong = [at for at, value in enumerate(row) if tile[at * HASH_SIZE : (at + 1) * HASH_SIZE] != value]
            first = place.index * WIDTH + wrong[0] if wrong else "末尾"
            self._found.add("tree", place.path, f"与由条目算出的哈希不符，自第 {first} 个起共 {len(wrong)} 个")
