"""The chain of a journal's heads: each names its number and the head before it, and cosignatures it has seen.

A checkpoint may bear lines after its root (C2SP tlog-checkpoint, extension lines), signed and cosigned with it. Ours:

    head 42 <base64 of the SHA-256 of head 41's text>       without the digest: the first
    cosigned <size> <base64 of the SHA-256 of a witness's line under an earlier head of that size>

So the newest head answers for every head before it, and for the cosignatures that were kept when it was signed: an
archive that lacks one of either no longer fits.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from certlib.errors import VerificationError
from certlib.formats.tlog_checkpoint import Checkpoint, is_decimal

_HEAD, _COSIGNED = "head", "cosigned"


@dataclass(frozen=True, slots=True)
class Link:
    """What a head says of those before it; `previous` is empty in the first."""

    number: int
    previous: bytes = b""
    cosigned: tuple[tuple[int, bytes], ...] = ()  # size of the head below which the line stands, digest of the line

    @property
    def lines(self) -> tuple[str, ...]:
        """The extension lines."""
        head = f"{_HEAD} {self.number}" + (f" {_base64(self.previous)}" if self.previous else "")
        return (head, *(f"{_COSIGNED} {size} {_base64(digest)}" for size, digest in self.cosigned))


def next_link(before: Checkpoint | None, cosigned: Iterable[tuple[int, str]] = ()) -> Link:
    """The link of the head after `before`; `cosigned` are lines of witnesses with the size of their head."""
    named = tuple((size, line_digest(line)) for size, line in cosigned)
    if before is None:
        return Link(1, b"", named)
    known = read_link(before)
    return Link(known.number + 1 if known else 1, text_digest(before.text), named)


def read_link(checkpoint: Checkpoint) -> Link | None:
    """What a head says of those before it, None when it says nothing. Raises `VerificationError` (`unreadable`)."""
    if not checkpoint.extension:
        return None
    head, *rest = (line.split(" ") for line in checkpoint.extension)
    if not 2 <= len(head) <= 3 or head[0] != _HEAD or not is_decimal(head[1]):
        raise _malformed()
    return Link(int(head[1]), _digest(head[2]) if head[2:] else b"", tuple(map(_cosigned, rest)))


def text_digest(text: str) -> bytes:
    """The digest of a head's text, by which the next one names it."""
    return hashlib.sha256(text.encode()).digest()


def line_digest(line: str) -> bytes:
    """The digest of a signature line, its newline included."""
    return hashlib.sha256(line.encode()).digest()


def _cosigned(words: Sequence[str]) -> tuple[int, bytes]:
    if len(words) != 3 or words[0] != _COSIGNED or not is_decimal(words[1]):
        raise _malformed()
    return int(words[1]), _digest(words[2])


def _digest(text: str) -> bytes:
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _malformed() from error
    if len(digest) != hashlib.sha256().digest_size:
        raise _malformed()
    return digest


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _malformed() -> VerificationError:
    return VerificationError("日志检查点无法读取：附加行格式不对。", code="unreadable")
