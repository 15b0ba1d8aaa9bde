"""What an update of a PDF adds, byte for byte: objects, the table that lists them, a trailer, and nothing between.

A timestamp over an update proves when it was made, not that it is harmless, and a reader of PDF passes over whatever no
table lists and no object refers to. So each update behind a seal must be accounted for on the raw bytes (ISO 32000-2
7.5.4 to 7.5.6; cross-reference tables only, as our files have them):

    plain_updates(pdf, ends)   ->   [{number: the object's bytes}, ...], or None
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

_TAIL = re.compile(rb"trailer\s*<<[^%]{0,2000}>>\s*startxref\s+([0-9]{1,10})\s+%%EOF(?:\r\n|\r|\n)?\Z")
_SECTION = re.compile(rb"([0-9]{1,10}) ([0-9]{1,7})[ ]?(?:\r\n|\r|\n)")
_ENTRY = re.compile(rb"([0-9]{10}) ([0-9]{5}) ([nf])(?: \r| \n|\r\n)")
_OBJECT = re.compile(rb"([0-9]{1,10}) 0 obj\b(.*?)\s*\bendobj\s*\Z", re.DOTALL)
_STREAM = re.compile(rb"\s*<<\s*/Length ([0-9]{1,10})\s*>>\s*stream(?:\r\n|\n)")
_ENDSTREAM = re.compile(rb"\s*endstream\s*\Z")


def plain_update(pdf: bytes, start: int, end: int) -> dict[int, bytes] | None:
    """The objects of the one update in `pdf[start:end]` by their numbers; None when anything else stands there."""
    found = _TAIL.search(pdf, max(start, end - 4000), end)
    if found is None:
        return None
    table = int(found[1])
    if not start < table < found.start() or pdf[table : table + 4] != b"xref":
        return None
    places = _places(pdf[table + 4 : found.start()])
    if places is None or not places:
        return None
    return _objects(pdf, start, table, places)


def _places(table: bytes) -> dict[int, int] | None:
    """Offset and number of each object in use; None when the table is not of the one form, or frees an object."""
    places: dict[int, int] = {}
    at = len(table) - len(table.lstrip())
    while section := _SECTION.match(table, at):
        at, first = section.end(), int(section[1])
        for number in range(first, first + int(section[2])):
            entry = _ENTRY.match(table, at)
            if entry is None or (entry[3] == b"f") != (number == 0) or (number and int(entry[2])):
                return None
            at = entry.end()
            if number:
                places[int(entry[1])] = number
    return places if not table[at:].strip() else None


def _objects(pdf: bytes, start: int, table: int, places: dict[int, int]) -> dict[int, bytes] | None:
    """Each object from its place to the next one's, the first at the beginning, the last before the table."""
    offsets = sorted(places)
    if offsets[0] < start or pdf[start : offsets[0]].strip(b"\r\n") or offsets[0] - start > 2 or offsets[-1] >= table:
        return None
    bodies: dict[int, bytes] = {}
    for at, after in pairwise((*offsets, table)):
        found = _OBJECT.fullmatch(pdf, at, after)
        if found is None or int(found[1]) != places[at] or not _is_one(found[2]):
            return None
        bodies[places[at]] = found[2]
    return bodies


def _is_one(body: bytes) -> bool:
    """Whether the body is a single object without comments, or a stream of the length it says."""
    if stream := _STREAM.match(body):
        return _ENDSTREAM.fullmatch(body, stream.end() + int(stream[1])) is not None
    return not any(word in body for word in (b"%", b"endobj", b"stream"))


def plain_updates(pdf: bytes, ends: Iterable[int]) -> list[dict[int, bytes]] | None:
    """The objects of each update between the ends of signed revisions, oldest first; None unless all are plain."""
    updates = [plain_update(pdf, start, end) for start, end in pairwise(ends)]
    plain = [one for one in updates if one is not None]
    return plain if len(plain) == len(updates) else None
