"""A leaf of the journal: deterministic CBOR, commitments only, no personal data.

A leaf is a CBOR map with small integer keys in ascending order (RFC 8949, 4.2.1), at most 65,535 bytes
(C2SP tlog-tiles). Absent and empty values are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One event.

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
        try:
            values = _values(data)
            get = values.get
            return cls(
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
