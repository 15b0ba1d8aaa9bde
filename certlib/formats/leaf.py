"""A leaf of the journal: deterministic CBOR, commitments only, no personal data.

A leaf is a CBOR map with small integer keys in ascending order (RFC 8949, 4.2.1), at most 65,535 bytes
(C2SP tlog-tiles). Absent and empty values are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import cbor2

_KIND, _AT, _COMMITMENT, _CHAIN, _STEP, _PREVIOUS, _STATUSES, _FILE, _SEAL, _USE = range(1, 11)
_TYPES = {
    _KIND: str,
    _AT: int,
    _COMMITMENT: bytes,
    _CHAIN: bytes,
    _STEP: int,
    _PREVIOUS: bytes,
    _STATUSES: list,
    _FILE: bytes,
    _SEAL: str,
    _USE: int,
}
_LIMIT = 1 << 53  # beyond it not every reader has exact integers
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

# What almost every leaf looks like, for a reading that builds no map: each group is one item of CBOR in its shortest
# form, so a match whose items are as many and as long as they say is the leaf's one encoding. Anything else takes the
# long way, which alone decides what is no leaf. Of the statuses two pairs have groups of their own: an electronic
# certificate and its paper.
_COUNT = rb"[\x01-\x17]|\x18[\x18-\xff]|\x19(?!\x00)..|\x1a(?!\x00\x00)...."  # 1 to 2^32 - 1
_PAIR = rb"\x82(%b\x00|" + _COUNT + rb")(%b[\x00-\x0f])"
_CAUGHT, _PASSED = _PAIR % (b"", b""), _PAIR % (b"?:", b"?:")
_PLAIN = re.compile(
    rb"[\xa2-\xaa]\x01([\x61-\x78][\x18-\x1f -~]+)\x02\x1b(?!\x00{4})(\x00[\x00-\x1f].{6})"
    rb"(?:\x03\x58\x20(.{32}))?(?:\x04\x50(.{16}))?(?:\x05(" + _COUNT + rb"))?(?:\x06\x58\x20(.{32}))?"
    rb"(?:\x07([\x81-\x97])" + _CAUGHT + rb"(?:" + _CAUGHT + rb"((?:" + _PASSED + rb")*))?)?"
    rb"(?:\x08\x58\x20(.{32}))?(?:\x09([\x61-\x77][ -~]+))?(?:\x0a(" + _COUNT + rb"))?",
    re.DOTALL,
).fullmatch
_PAIRS = re.compile(_CAUGHT, re.DOTALL)
_GROUPS = 15
_BITS = (0, 0xFF, 0xFF, 0xFFFF, 0, 0xFFFFFFFF)  # the number in an item of so many bytes, its first byte taken off
_MAP, _LIST, _TEXT = 0xA0, 0x80, 0x60  # CBOR's first bytes of what has a size of its own
_MAX_KINDS = 256
_kinds: dict[bytes, str] = {}
"""Kinds by their item of CBOR, as met on the long way; a kind is read once."""


class Leaf(NamedTuple):
    """One event; a tuple, since an audit makes millions.

    `kind` reads `subject:event`, e.g. `certificate:planned`, `certificate:in-force`, `certificate:suspended`,
    `document:sealed`, `seal:used`, `seal:released`, `seal:denied`, `sheet:printed`, `key:added`.
    `commitment` is SHA-256(32-byte salt ‖ canonical facts); `chain` is the 16-byte salted name of the certificate
    or document, `step` counts 1, 2, 3 … within it and `previous` is the leaf hash of the step before.
    `statuses` are pairs (n, status code) that hold from this leaf on; `file` is the SHA-256 of a sealed file.
    """

    kind: str
    at: datetime  # aware; whole milliseconds are kept
    commitment: bytes = b""
    chain: bytes = b""
    step: int = 0
    previous: bytes = b""
    statuses: tuple[tuple[int, int], ...] = ()
    file: bytes = b""
    seal: str = ""
    use: int = 0

    def encode(self) -> bytes:
        """The leaf's bytes, as they are hashed and stored."""
        values = (
            (_KIND, self.kind),
            (_AT, (self.at - _EPOCH) // _MILLISECOND),
            (_COMMITMENT, self.commitment),
            (_CHAIN, self.chain),
            (_STEP, self.step),
            (_PREVIOUS, self.previous),
            (_STATUSES, [list(pair) for pair in self.statuses]),
            (_FILE, self.file),
            (_SEAL, self.seal),
            (_USE, self.use),
        )
        # the keys stand in ascending order, so this is the canonical encoding at half its price
        return cbor2.dumps({key: value for key, value in values if value})

    @classmethod
    def decode(cls, data: bytes) -> Leaf:
        """Read a leaf's bytes. Raises `ValueError` when they are not a leaf in its one encoding."""
        return _plain(data) or cls._by_map(data)

    @classmethod
    def _by_map(cls, data: bytes) -> Leaf:
        """The long way: the whole map, written again and compared."""
        try:
            values = _values(data)
            get = values.get
            leaf = cls(
                kind=values[_KIND],
                at=_EPOCH + timedelta(milliseconds=values[_AT]),
                commitment=get(_COMMITMENT, b""),
                chain=get(_CHAIN, b""),
                step=get(_STEP, 0),
                previous=get(_PREVIOUS, b""),
                statuses=tuple(map(_status, get(_STATUSES, ()))),
                file=get(_FILE, b""),
                seal=get(_SEAL, ""),
                use=get(_USE, 0),
            )
        except (cbor2.CBORDecodeError, LookupError, TypeError, OverflowError, RecursionError) as error:
            raise ValueError("not a leaf") from error
        if len(_kinds) < _MAX_KINDS:
            _kinds[cbor2.dumps(leaf.kind)] = leaf.kind
        return leaf


_new: Callable[[type[Leaf], tuple[Any, ...]], Leaf] = tuple.__new__  # a third of the price of calling the class


def _plain(data: bytes) -> Leaf | None:
    """The leaf when it has the common form, or None: then it must be read the long way.

    Written for speed: an audit spends a quarter of its time here.
    """
    match = _PLAIN(data)
    if match is None:
        return None
    whole = int.from_bytes
    groups = match.groups(b"")  # an item that is there has at least a byte
    kind, at, commitment, chain, step, previous, many, n, code, next_n, next_code, more, file, seal, use = groups
    name = _kinds.get(kind)
    if name is None or (seal and len(seal) - 1 != seal[0] - _TEXT):
        return None
    fields = _GROUPS - groups.count(b"")
    statuses: tuple[tuple[int, int], ...] = ()
    if many:
        if not next_n:
            statuses = ((whole(n) & _BITS[len(n)], code[0]),)
            fields -= 2
        else:
            statuses = ((whole(n) & _BITS[len(n)], code[0]), (whole(next_n) & _BITS[len(next_n)], next_code[0]))
            fields -= 4
        if more:
            statuses += tuple([(whole(n) & _BITS[len(n)], code[0]) for n, code in _PAIRS.findall(more)])
            fields -= 1
        if len(statuses) != many[0] - _LIST:
            return None
    if fields != data[0] - _MAP:
        return None
    moment = _moment(at)
    if moment is None:
        return None
    steps, count = whole(step) & _BITS[len(step)], whole(use) & _BITS[len(use)]
    return _new(Leaf, (name, moment, commitment, chain, steps, previous, statuses, file, seal[1:].decode(), count))


@lru_cache(maxsize=256)
def _moment(at: bytes) -> datetime | None:
    """The moment of an item of eight bytes; the leaves of one act share it. None beyond the year 9999."""
    try:
        return _EPOCH + timedelta(0, 0, 0, int.from_bytes(at))
    except OverflowError:
        return None


def statuses_of(data: bytes) -> tuple[tuple[int, int], ...]:
    """The pairs of index and code in a leaf's bytes, at a quarter of the price of reading all of it.

    That the rest is a leaf in its one encoding is not looked at. Raises `ValueError` when no such pairs can be seen.
    """
    try:
        values = cbor2.loads(data)
        return tuple(map(_status, values.get(_STATUSES, ())))
    except (cbor2.CBORDecodeError, AttributeError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError("not a leaf") from error


def _values(data: bytes) -> dict[int, Any]:
    """The leaf's map, each value of its key's type, none empty, and `data` its one encoding."""
    values = cbor2.loads(data)
    if type(values) is not dict or not all(values.values()) or cbor2.dumps(values) != data:
        raise ValueError("not the leaf's one encoding")
    if any(type(key) is not int for key in values):  # true, 1.0 and simple(1) are equal to 1, and are not its encoding
        raise ValueError("a leaf's key that is no number")
    if tuple(map(type, values.values())) != _types(tuple(values)):
        raise ValueError("a value of another type")
    for key in (_AT, _STEP, _USE):
        if not 0 <= values.get(key, 0) < _LIMIT:
            raise ValueError("a value out of range")
    return values


@lru_cache(maxsize=2048)
def _types(keys: tuple[int, ...]) -> tuple[type, ...]:
    """The types that belong to these keys; there are at most 1,024 such tuples. Raises `ValueError` out of order."""
    if list(keys) != sorted(keys):
        raise ValueError("a leaf's keys in another order")
    return tuple(_TYPES[key] for key in keys)


def _status(pair: Any) -> tuple[int, int]:
    n, code = pair
    if (
        type(pair) is not list
        or type(n) is not int
        or type(code) is not int
        or not (0 <= n < _LIMIT and 0 <= code < 16)
    ):
        raise ValueError("not a pair of index and status code")
    return n, code
