"""Range digests: a hash tree over what an account has delivered, so that two sides compare with few bytes.

leaf(base)      = SHA-256(base ‖ 0x00 ‖ for each event by sequence: sequence as 8 bytes, big-endian ‖ its digest)
bucket(b)       = SHA-256(leaves of the certificates whose SHA-256(base) begins with the 16 bits b, ascending)
range(first byte) = SHA-256(its 256 buckets)     an empty bucket or range is 32 zero bytes
root            = SHA-256(the 256 ranges)        of nothing: 32 zero bytes
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

EMPTY = bytes(32)
BUCKETS = 1 << 16


def bucket_of(base: str) -> int:
    """The number of the bucket in which a certificate lies."""
    return int.from_bytes(hashlib.sha256(base.encode()).digest()[:2], "big")


def leaf(base: str, events: Iterable[tuple[int, str]]) -> bytes:
    """The leaf of a certificate from its (sequence, hexadecimal digest) pairs in order of sequence."""
    body = b"".join(sequence.to_bytes(8, "big") + bytes.fromhex(digest) for sequence, digest in events)
    return hashlib.sha256(base.encode() + b"\0" + body).digest()


def node(children: Sequence[bytes]) -> bytes:
    """The digest above `children`; of nothing, or of empty children only, it is empty."""
    return EMPTY if all(child == EMPTY for child in children) else hashlib.sha256(b"".join(children)).digest()
