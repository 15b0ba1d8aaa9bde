"""Signed notes: a text and lines of signatures below it (C2SP signed-note v1, tlog-cosignature v1).

A note is the text, an empty line, and lines `— name base64(key id ‖ signature)`. Two kinds of key are known:
0x01 signs the text itself, 0x04 signs the text together with the moment of signing. Lines of other keys are ignored;
a bad signature of a known key spoils the whole note.

    note = Note("text\\n").signed(NoteKey.of("example.com/log", key), at=now)
    opened = open_note(note.encode(), [VerifierKey.parse("example.com/log+…")])
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from certlib.crypto.keys import SigningKey
from certlib.errors import ConfigurationError, VerificationError

ED25519 = 0x01
"""Signs the note's text (C2SP signed-note, signature types)."""
COSIGNATURE = 0x04
"""Signs the text with the time in seconds (C2SP tlog-cosignature, Ed25519 signed message)."""

MAX_NOTE = 1 << 16  # bytes; room for over a hundred signatures
_DASH = "—"
_NAME = re.compile(r"[^\s+\x00-\x1f]+")
_TIME_SIZE = 8


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name and signature type, as a verifier is given it (“vkey”)."""

    name: str
    algorithm: int  # ED25519 or COSIGNATURE
    public: bytes  # 32 bytes
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.algorithm not in _MESSAGES or len(self.public) != 32:
            raise ConfigurationError(f"日志公钥“{self.name}”不可用：名称不得含空格或加号，算法须为 Ed25519。")
        material = self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public
        object.__setattr__(self, "key_id", hashlib.sha256(material).digest()[:4])

    def __str__(self) -> str:
        """`name+key id+base64(type ‖ key)`."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(bytes([self.algorithm]) + self.public)}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read a vkey. Raises `ConfigurationError` when it is not one, or its key id is not its key's."""
        name, _, rest = text.strip().partition("+")
        key_id, _, material = rest.partition("+")
        try:
            raw = base64.b64decode(material, validate=True)
            key = cls(name, raw[0], raw[1:])
        except (binascii.Error, IndexError, ValueError) as error:
            raise ConfigurationError(f"日志公钥无法识别：{text.strip()[:80]}") from error
        if key.key_id.hex() != key_id:
            raise ConfigurationError(f"日志公钥“{name}”的编号与公钥不符。")
        return key


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A private key that signs notes under a name."""

    verifier: VerifierKey
    key: SigningKey = field(repr=False)

    @classmethod
    def of(cls, name: str, key: SigningKey, algorithm: int = ED25519) -> NoteKey:
        """The Ed25519 key `key` under a name. Raises `ConfigurationError` for an unfit name or another kind of key."""
        public = load_der_public_key(key.public_key)
        if not isinstance(public, Ed25519PublicKey):
            raise ConfigurationError(f"日志密钥“{name}”须为 Ed25519 密钥，而不是 {key.suite}。")
        return cls(VerifierKey(name, algorithm, public.public_bytes_raw()), key)

    def sign(self, text: str, at: datetime) -> NoteSignature:
        """The signature line over `text`; only a cosignature says when."""
        seconds = int(at.timestamp())
        head = seconds.to_bytes(_TIME_SIZE, "big") if self.verifier.algorithm == COSIGNATURE else b""
        signature = self.key.sign(_MESSAGES[self.verifier.algorithm](text, seconds))
        return NoteSignature(self.verifier.name, self.verifier.key_id, head + signature)


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line."""

    name: str
    key_id: bytes
    value: bytes

    def __str__(self) -> str:
        """The line with its newline."""
        return f"{_DASH} {self.name} {_base64(self.key_id + self.value)}\n"

    @classmethod
    def parse(cls, line: str) -> NoteSignature:
        """Read a line without its newline. Raises `VerificationError` when it is not a signature line."""
        parts = line.split(" ")
        try:
            dash, name, value = parts
            raw = base64.b64decode(value, validate=True)
        except (ValueError, binascii.Error) as error:
            raise _malformed("签名行格式不对") from error
        if dash != _DASH or not _NAME.fullmatch(name) or len(raw) < 5:
            raise _malformed("签名行格式不对")
        return cls(name, raw[:4], raw[4:])


@dataclass(frozen=True, slots=True)
class Note:
    """A text, ending in a newline, and the signatures under it."""

    text: str
    signatures: tuple[NoteSignature, ...] = ()

    def encode(self) -> str:
        """The whole note."""
        return f"{self.text}\n{''.join(map(str, self.signatures))}"

    def signed(self, *keys: NoteKey, at: datetime) -> Note:
        """The note with one more signature of each key."""
        return self.with_signatures(key.sign(self.text, at) for key in keys)

    def with_signatures(self, signatures: Iterable[NoteSignature]) -> Note:
        """The note with these signatures added below."""
        return replace(self, signatures=(*self.signatures, *signatures))

    @classmethod
    def parse(cls, data: str) -> Note:
        """Read a note without judging its signatures. Raises `VerificationError` (`unreadable`) when it is none."""
        if len(data) > MAX_NOTE or any(ord(sign) < 0x20 and sign != "\n" for sign in data):
            raise _malformed("含有控制字符或过长")
        text, gap, lines = data.rpartition("\n\n")
        if not gap or not lines.endswith("\n"):
            raise _malformed("缺少签名部分")
        return cls(text + "\n", tuple(map(NoteSignature.parse, lines[:-1].split("\n"))))


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note of which known keys signed the text: each with the moment it says, or None when it says none."""

    note: Note
    signed: Mapping[VerifierKey, datetime | None]


def open_note(data: str, keys: Iterable[VerifierKey]) -> OpenedNote:
    """Read a note and check the signatures of the known `keys`.

    Raises `VerificationError`: `unreadable` when it is not a note, `signature-invalid` when a known key's signature
    is wrong, `unknown-issuer` when no known key signed it.
    """
    note = Note.parse(data)
    known = {(key.name, key.key_id): key for key in keys}
    signed: dict[VerifierKey, datetime | None] = {}
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is not None:
            signed[key] = _verify(note.text, signature, key)
    if not signed:
        raise VerificationError("日志检查点没有任何已登记密钥的签名。", code="unknown-issuer")
    return OpenedNote(note, signed)


def _verify(text: str, signature: NoteSignature, key: VerifierKey) -> datetime | None:
    timed = key.algorithm == COSIGNATURE
    head, value = (signature.value[:_TIME_SIZE], signature.value[_TIME_SIZE:]) if timed else (b"", signature.value)
    seconds = int.from_bytes(head, "big")
    try:
        at = datetime.fromtimestamp(seconds, UTC) if timed else None
        Ed25519PublicKey.from_public_bytes(key.public).verify(value, _MESSAGES[key.algorithm](text, seconds))
    except (InvalidSignature, ValueError, OverflowError, OSError) as error:
        raise VerificationError(f"“{key.name}”在日志检查点上的签名无效。", code="signature-invalid") from error
    return at


def _plain(text: str, _seconds: int) -> bytes:
    return text.encode()


def _timestamped(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


_MESSAGES = {ED25519: _plain, COSIGNATURE: _timestamped}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _malformed(reason: str) -> VerificationError:
    return VerificationError(f"日志检查点无法读取：{reason}。", code="unreadable")
