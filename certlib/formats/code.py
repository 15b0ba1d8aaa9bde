"""The signed code on a certificate: `https://HOST/v#1<digits>` in a QR code.

The fragment never reaches a server. Its first digit is the format; the others are the bytes of a COSE_Sign1
(`certlib.crypto.cose`) whose payload is one CBOR array. Defined in full, with sizes and test vectors, in
docs/payload.md.

    message = sign_code(payload, key)
    text = code_text(message, host="zwfw.example.gov.cn")   # what the QR code holds
    code = read_code(text)                                  # structure; raises CodeError
    entry = verify_code(code, trust_list)                   # signature; raises CodeError

Whoever reads a code decides nothing by its host: only the signed digits count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from certlib.crypto import cbor
from certlib.crypto.cose import ALGORITHMS, KID, Sign1, key_id, read1, sign1
from certlib.crypto.keys import SigningKey
from certlib.domain.verdict import Verdict
from certlib.errors import VerificationError
from certlib.formats.digits import BLOCK, WIDE, CutError, from_digits, to_digits
from certlib.formats.trust import TrustedKey, TrustList

FORMAT = "1"
EPOCH = date(2020, 1, 1)  # days in the payload count from here
MAX_TEXT, MAX_MESSAGE = 2000, 600  # characters of the URL; bytes of the message
MAX_NUMBER, MAX_NAME = 64, 100  # characters
_URL = re.compile(r"https://([a-z0-9.-]{1,253}(?::\d{1,5})?)/v#(.*)", re.DOTALL)
_FIELDS = 10
_LAST_DAY = (date(9999, 12, 31) - EPOCH).days


class CodeError(VerificationError):
    """A code is not what it should be; `reason` is stable and finer than the verdict in `code`."""

    def __init__(self, reason: str, message: str, verdict: Verdict = Verdict.UNREADABLE) -> None:
        super().__init__(message, code=verdict.value)
        self.reason = reason


_FOREIGN = ("foreign", "这不是本市证照的二维码，请扫描证照上印制的二维码。")
_FUTURE = ("future", "二维码的格式比本程序新，请更新核验程序后再试。")
_TRUNCATED = ("truncated", "二维码内容不完整，请重新扫描，或改用编号查询。")
_MALFORMED = ("malformed", "二维码内容有误，无法读取，请重新扫描，或改用编号查询。")
_ALGORITHM = ("unknown-algorithm", "二维码的签名算法不在本程序认识之列，不能确认，请更新核验程序后再试。")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePayload:
    """What a code says.

    `type_number` and `issuer_number` are looked up in the trust list (issuer 0: the issuer of the key); `name` is
    masked for persons, empty for minors; `expires` is the last day of validity, None without end; `n` is the index
    of this very carrier; `carrier` 0 is the electronic file, 1 the 正本, 2 and up the 副本 1 and up.
    """

    type_number: int
    number: str
    edition: int
    name: str
    issued: date
    expires: date | None
    digest: bytes
    n: int
    carrier: int = 0
    issuer_number: int = 0

    def encode(self) -> bytes:
        """The payload's bytes. Raises `ValueError` when a value is out of its bounds."""
        days = (self.issued - EPOCH).days
        until = None if self.expires is None else (self.expires - EPOCH).days
        values = [self.type_number, self.number, self.edition, self.name, days, until, self.digest, self.n]
        values += [self.carrier, self.issuer_number]
        _check(values)
        return cbor.encode(values)

    @classmethod
    def decode(cls, data: bytes) -> CodePayload:
        """Read a payload's bytes. Raises `ValueError` when they are none."""
        values = cbor.decode(data)
        _check(values if isinstance(values, list) else [])
        kind, number, edition, name, days, until, digest, n, carrier, issuer = values
        return cls(
            type_number=kind,
            number=number,
            edition=edition,
            name=name,
            issued=EPOCH + timedelta(days=days),
            expires=None if until is None else EPOCH + timedelta(days=until),
            digest=digest,
            n=n,
            carrier=carrier,
            issuer_number=issuer,
        )


def _natural(limit: int) -> Any:
    return lambda value: type(value) is int and 0 <= value < limit


def _day(value: object) -> bool:
    return type(value) is int and -36_500 < value <= _LAST_DAY


_BOUNDS: tuple[tuple[str, Any], ...] = (
    ("type", _natural(1 << 16)),
    ("number", lambda value: isinstance(value, str) and 0 < len(value) <= MAX_NUMBER and value.isprintable()),
    ("edition", _natural(1000)),
    ("name", lambda value: isinstance(value, str) and len(value) <= MAX_NAME and value.isprintable()),
    ("issued", _day),
    ("expires", lambda value: value is None or _day(value)),
    ("digest", lambda value: isinstance(value, bytes) and len(value) == 16),
    ("n", _natural(1 << 48)),
    ("carrier", _natural(100)),
    ("issuer", _natural(1 << 16)),
)


def _check(values: list[Any]) -> None:
    if len(values) != _FIELDS:
        raise ValueError(f"payload has {len(values)} fields, not {_FIELDS}")
    for (name, holds), value in zip(_BOUNDS, values, strict=True):
        if not holds(value):
            raise ValueError(f"{name} of the payload is out of its bounds")


@dataclass(frozen=True, slots=True)
class SignedCode:
    """A code as read, its signature not yet checked; `host` is what the text named, and proves nothing."""

    payload: CodePayload
    message: Sign1
    host: str = ""

    @property
    def kid(self) -> bytes:
        """The four bytes that name the signing key."""
        return self.message.kid


def sign_code(payload: CodePayload, key: SigningKey) -> bytes:
    """The signed message of a code. Raises `ValueError` for a payload out of bounds, `KeyUnavailableError`."""
    return sign1(payload.encode(), key, {KID: key_id(key.public_key)})


def code_text(message: bytes, host: str) -> str:
    """What the QR code holds. Raises `ValueError` for a host that is not lower-case letters, digits, dots, hyphens."""
    text = f"https://{host}/v#{FORMAT}{to_digits(message)}"
    if not _URL.fullmatch(text):
        raise ValueError("a host is lower-case letters, digits, dots and hyphens, with or without a port")
    return text


def read_code(text: str) -> SignedCode:
    """Take a code's text apart: the whole URL, or the fragment alone.

    Raises `CodeError`; nothing about the signature is said yet.
    """
    host, fragment = _fragment(text.strip())
    if not fragment.startswith(FORMAT):
        raise CodeError(*(_FUTURE if fragment[:1].isdecimal() else _FOREIGN))
    try:
        message = read1(_bytes(fragment[1:]))
    except cbor.TruncatedError as error:
        raise CodeError(*_TRUNCATED) from error
    except ValueError as error:
        raise CodeError(*_MALFORMED) from error
    if message.algorithm not in ALGORITHMS:
        raise CodeError(*_ALGORITHM)
    if set(message.headers) != {1, KID} or len(message.kid) != 4:
        raise CodeError(*_MALFORMED)
    try:
        return SignedCode(CodePayload.decode(message.payload), message, host)
    except ValueError as error:
        raise CodeError(*_MALFORMED) from error


def _fragment(text: str) -> tuple[str, str]:
    if len(text) > MAX_TEXT:
        raise CodeError(*_FOREIGN)
    if text.isascii() and text.isdecimal():
        return "", text
    found = _URL.fullmatch(text)
    if found is None:
        raise CodeError(*_FOREIGN)
    if not found[2]:
        raise CodeError(*_TRUNCATED)
    return found[1], found[2]


def _bytes(digits: str) -> bytes:
    if len(digits) > MAX_MESSAGE * WIDE // BLOCK:
        raise ValueError("longer than any code")
    try:
        data = from_digits(digits)
    except CutError as error:
        raise cbor.TruncatedError(str(error)) from error
    if not data:
        raise cbor.TruncatedError("no bytes")
    return data


def verify_code(code: SignedCode, trust: TrustList) -> TrustedKey:
    """Check a code's signature and return the key that made it.

    Whether the key was fit on the day of issue is said by `TrustedKey.fault`. Raises `CodeError`: `unknown-key` when
    the trust list has no such key for codes, `signature` when the signature does not hold.
    """
    key = trust.key(code.kid, "code")
    if key is None:
        message = f"签发密钥 {code.kid.hex()} 不在信任清单（第 {trust.seq} 期）中，不能确认签发机关。"
        raise CodeError("unknown-key", message, Verdict.UNKNOWN_ISSUER)
    try:
        code.message.verify(key.public_key)
    except VerificationError as error:
        raise CodeError("signature", "签名不符，疑似伪造，请勿采信。", Verdict.SIGNATURE_INVALID) from error
    return key
