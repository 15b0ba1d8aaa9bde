"""A leaf of the journal: deterministic CBOR, commitments only, no personal data.

A leaf is a CBOR map with small integer keys in ascending order (RFC 8949, 4.2.1), at most 65,535 bytes
(C2SP tlog-tiles). Absent and empty values are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import cbor2

_KIND, _AT, _COMMITMENT, _CHAIN, _STEP, _PREVIOUS, _STATUSES, _FILE, _SEAL, _USE = range(1, 11)


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
        values: dict[int, object] = {
            _KIND: self.kind,
            _AT: int(self.at.timestamp() * 1000),
            _COMMITMENT: self.commitment,
            _CHAIN: self.chain,
            _STEP: self.step,
            _PREVIOUS: self.previous,
            _STATUSES: [list(pair) for pair in self.statuses],
            _FILE: self.file,
            _SEAL: self.seal,
            _USE: self.use,
        }
        return cbor2.dumps({key: value for key, value in values.items() if value}, canonical=True)

    @classmethod
    def decode(cls, data: bytes) -> Leaf:
        """Read a leaf's bytes. Raises `ValueError` when they are not a leaf in its one encoding."""
        try:
            values = cbor2.loads(data)
            leaf = cls(
                kind=values[_KIND],
                at=datetime.fromtimestamp(values[_AT] / 1000, UTC),
                commitment=values.get(_COMMITMENT, b""),
                chain=values.get(_CHAIN, b""),
                step=values.get(_STEP, 0),
                previous=values.get(_PREVIOUS, b""),
                statuses=tuple((int(n), int(code)) for n, code in values.get(_STATUSES, [])),
                file=values.get(_FILE, b""),
                seal=values.get(_SEAL, ""),
                use=values.get(_USE, 0),
            )
        except (cbor2.CBORDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError("not a leaf") from error
        if leaf.encode() != data:
            raise ValueError("not the leaf's one encoding")
        return leaf
