"""Texts that carry proofs: the offline proof beside a file (C2SP tlog-proof v1) and a request to a witness
(C2SP tlog-witness, add-checkpoint).

    proof = InclusionProof.parse(path.read_text())
    proof.verify(leaf_hash(leaf.encode()), journal_keys, witness_keys, quorum=2)
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from certlib.errors import VerificationError
from certlib.formats.tlog import HASH_SIZE, verify_inclusion
from certlib.formats.tlog_checkpoint import SignedCheckpoint, is_decimal, open_checkpoint
from certlib.formats.tlog_note import VerifierKey

_TITLE = "c2sp.org/tlog-proof@v1"
_MAX_HASHES = 63
_MAX_TEXT = 1 << 17


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Proof that a leaf stands at `index` of the journal, with the checkpoint it was taken under.

    `extra` is opaque and not authenticated.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str  # the signed note, verbatim
    extra: bytes = b""

    def encode(self) -> str:
        """The proof as text; kept in files ending in `.tlog-proof`."""
        extra = f"extra {_base64(self.extra)}\n" if self.extra else ""
        return f"{_TITLE}\n{extra}index {self.index}\n{_lines(self.hashes)}\n{self.checkpoint}"

    @classmethod
    def parse(cls, text: str) -> InclusionProof:
        """Read a proof without judging it. Raises `VerificationError` (`unreadable`)."""
        head, checkpoint = _halves(text)
        title, *lines = head
        extra = b""
        if lines and lines[0].startswith("extra "):
            extra = _decode(lines.pop(0).removeprefix("extra "))
        if title != _TITLE or not lines:
            raise _malformed("不是 tlog-proof")
        return cls(_number(lines[0], "index "), tuple(map(_hash, lines[1:])), checkpoint, extra)

    def verify(
        self,
        leaf: bytes,
        journal: Collection[VerifierKey],
        witnesses: Collection[VerifierKey] = (),
        *,
        quorum: int = 0,
    ) -> SignedCheckpoint:
        """Check the checkpoint, its cosignatures and that the leaf hash `leaf` is in its tree; give the checkpoint.

        Raises `VerificationError` as `open_checkpoint` and `verify_inclusion` do.
        """
        signed = open_checkpoint(self.checkpoint, journal, witnesses, quorum=quorum)
        verify_inclusion(self.index, signed.checkpoint.size, leaf, self.hashes, signed.checkpoint.root)
        return signed


@dataclass(frozen=True, slots=True)
class WitnessRequest:
    """What a journal asks of a witness: cosign this checkpoint, which grew from the one of `old` leaves."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: str  # the signed note, verbatim

    def encode(self) -> str:
        """The request's body."""
        return f"old {self.old}\n{_lines(self.proof)}\n{self.checkpoint}"

    @classmethod
    def parse(cls, text: str) -> WitnessRequest:
        """Read a request's body. Raises `VerificationError` (`unreadable`)."""
        head, checkpoint = _halves(text)
        return cls(_number(head[0], "old "), tuple(map(_hash, head[1:])), checkpoint)


def _halves(text: str) -> tuple[list[str], str]:
    """The lines before the first empty line, and everything behind it."""
    head, gap, rest = text.partition("\n\n")
    lines = head.split("\n")
    if not gap or len(text) > _MAX_TEXT or len(lines) > _MAX_HASHES + 3:
        raise _malformed("缺少检查点或过长")
    return lines, rest


def _number(line: str, title: str) -> int:
    text = line.removeprefix(title)
    if not line.startswith(title) or not is_decimal(text):
        raise _malformed(f"缺少“{title.strip()}”行")
    return int(text)


def _hash(line: str) -> bytes:
    value = _decode(line)
    if len(value) != HASH_SIZE:
        raise _malformed("哈希值长度不对")
    return value


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _malformed("不是 Base64") from error


def _lines(hashes: Iterable[bytes]) -> str:
    return "".join(f"{_base64(value)}\n" for value in hashes)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _malformed(reason: str) -> VerificationError:
    return VerificationError(f"日志证明无法读取：{reason}。", code="unreadable")
