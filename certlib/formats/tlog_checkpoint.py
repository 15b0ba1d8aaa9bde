"""Checkpoints: the signed head of a journal (C2SP tlog-checkpoint v1).

The journal's own keys carry its origin as their name; witnesses have names of their own. A checkpoint of ours bears
two lines of the journal's key: the plain Ed25519 one every C2SP client reads, and a timestamped one, so that the
head's time is signed with it.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from certlib.errors import VerificationError
from certlib.formats.tlog import HASH_SIZE
from certlib.formats.tlog_note import Note, VerifierKey, open_note


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a journal: whose, how many leaves, which root; lines of its own below (`tlog_chain`)."""

    origin: str
    size: int
    root: bytes
    extension: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extension)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of a note. Raises `VerificationError`."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
            raise _malformed("少于三行")
        origin, size, root, *extension = lines[:-1]
        try:
            digest = base64.b64decode(root, validate=True)
        except ValueError as error:  # binascii.Error, or a character beyond ASCII
            raise _malformed("根哈希不是 Base64") from error
        if len(digest) != HASH_SIZE or not is_decimal(size):
            raise _malformed("条数或根哈希格式不对")
        return cls(origin, int(size), digest, tuple(extension))


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint that the journal's key signed, and what the known witnesses say of it."""

    checkpoint: Checkpoint
    note: Note
    at: datetime | None  # the journal's signed time
    witnessed: Mapping[str, datetime]  # by the witness's name


def open_checkpoint(
    data: str, journal: Collection[VerifierKey], witnesses: Collection[VerifierKey] = (), *, quorum: int = 0
) -> SignedCheckpoint:
    """Read a checkpoint, check the journal's signature and at least `quorum` witnesses' cosignatures.

    Raises `VerificationError`: `unreadable`, `signature-invalid`, `unknown-issuer` when the journal's key did not
    sign it or its origin is not the key's name, `status-unknown` when witnesses are missing.
    """
    opened = open_note(data, [*journal, *witnesses])
    checkpoint = Checkpoint.parse(opened.note.text)
    own = {key: at for key, at in opened.signed.items() if key in journal and key.name == checkpoint.origin}
    if not own:
        raise VerificationError(f"检查点“{checkpoint.origin}”没有该日志自己的签名。", code="unknown-issuer")
    witnessed = {key.name: at for key, at in opened.signed.items() if key in witnesses and at is not None}
    if len(witnessed) < quorum:
        message = f"检查点（{checkpoint.size} 条）只有 {len(witnessed)} 个见证签名，应有 {quorum} 个。"
        raise VerificationError(message, code="status-unknown")
    return SignedCheckpoint(checkpoint, opened.note, max(filter(None, own.values()), default=None), witnessed)


def is_decimal(text: str) -> bool:
    """Whether `text` is a decimal number as C2SP writes it: ASCII digits, no leading zero, at most 19 digits."""
    return text.isascii() and text.isdigit() and len(text) < 20 and (text == "0" or text[0] != "0")


def _malformed(reason: str) -> VerificationError:
    return VerificationError(f"日志检查点无法读取：{reason}。", code="unreadable")
