"""Signed JSON for browsers: JWS in general serialization (RFC 7515 §7.2.1) with its payload as plain text (RFC 7797).

    {"payload": "{…}", "signatures": [{"protected": base64url({"alg","b64":false,"crit":["b64"],"kid","typ"}),
                                        "signature": base64url}]}

Plain, because base64 over a list that is sent compressed costs every telephone half as much again. One good signature
of a pinned key suffices, so that keys and algorithms can follow one another; a bad signature of a pinned key spoils
the whole, and those of unknown keys are passed over.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from certlib.crypto.cose import Algorithm, algorithm_of, key_id
from certlib.crypto.keys import SigningKey
from certlib.crypto.suites import suite_named, suite_of
from certlib.domain.verdict import Verdict
from certlib.errors import VerificationError
from certlib.formats.facts import canonical

MAX_SIZE = 1 << 20  # bytes
MAX_SIGNATURES = 8


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of signed JSON: its `typ`, and what it is called in messages."""

    typ: str
    chinese: str


def seal_json(values: Mapping[str, Any], kind: Kind, keys: Iterable[SigningKey]) -> bytes:
    """The signed JSON, one signature for each key. Raises `ConfigurationError`, `KeyUnavailableError`."""
    payload = canonical(values).decode()
    return canonical({"payload": payload, "signatures": [_signature(payload, kind, key) for key in keys]})


def open_json(data: bytes, kind: Kind, roots: Iterable[bytes]) -> dict[str, Any]:
    """The values under a good signature of one of the pinned keys `roots` (SubjectPublicKeyInfo).

    Raises `VerificationError`: `unreadable` when it is no such thing, `unknown-issuer` when no pinned key signed it,
    `signature-invalid` when one signed wrongly.
    """
    envelope = _object(data, kind)
    payload, signatures = envelope.get("payload"), envelope.get("signatures")
    if not isinstance(payload, str) or not isinstance(signatures, list) or len(signatures) > MAX_SIGNATURES:
        raise unreadable(kind, "不是签名的 JSON")
    pinned = {key_id(root).hex(): root for root in roots}
    good = [_check(payload, entry, kind, pinned) for entry in signatures]
    if not any(good):
        message = f"{kind.chinese}没有任何已登记密钥的签名，不予采信。"
        raise VerificationError(message, code=Verdict.UNKNOWN_ISSUER)
    return _object(payload, kind)


def stated_signers(data: bytes, kind: Kind) -> frozenset[str]:
    """The key ids (hexadecimal) that the signatures name; nothing is checked. Raises `VerificationError`."""
    entries = _object(data, kind).get("signatures")
    headers = [entry.get("protected") if isinstance(entry, dict) else None for entry in _listed(entries)]
    if not all(isinstance(header, str) for header in headers):
        raise unreadable(kind, "签名不合格式")
    return frozenset(str(_object(_unbase64(str(header), kind), kind).get("kid")) for header in headers)


def unreadable(kind: Kind, reason: str) -> VerificationError:
    """The error for a list that cannot be read."""
    return VerificationError(f"{kind.chinese}无法读取：{reason}。", code=Verdict.UNREADABLE)


def _header(algorithm: Algorithm, key: bytes, kind: Kind) -> dict[str, Any]:
    # RFC 7797 §6: a payload that is not encoded must be declared critical
    return {"alg": algorithm.name, "b64": False, "crit": ["b64"], "kid": key_id(key).hex(), "typ": kind.typ}


def _signature(payload: str, kind: Kind, key: SigningKey) -> dict[str, str]:
    algorithm = algorithm_of(key.suite)
    protected = _base64(canonical(_header(algorithm, key.public_key, kind)))
    signed = key.sign(f"{protected}.{payload}".encode())
    return {"protected": protected, "signature": _base64(algorithm.to_cose(signed))}


def _check(payload: str, entry: object, kind: Kind, pinned: Mapping[str, bytes]) -> bool:
    parts = [entry.get(name) for name in ("protected", "signature")] if isinstance(entry, dict) else [None]
    if not all(isinstance(part, str) for part in parts):
        raise unreadable(kind, "签名不合格式")
    protected, signature = map(str, parts)
    header = _object(_unbase64(protected, kind), kind)
    public_key = pinned.get(str(header.get("kid")))
    if public_key is None:
        return False  # another reader's key
    algorithm = algorithm_of(suite_of(public_key).name)
    raw = _unbase64(signature, kind)
    if header != _header(algorithm, public_key, kind) or len(raw) != algorithm.size:
        raise VerificationError(f"{kind.chinese}的签名与登记的密钥不符，不予采信。")
    try:
        message = f"{protected}.{payload}".encode()
    except UnicodeEncodeError as error:  # half a surrogate pair, which JSON lets pass
        raise unreadable(kind, "编码有误") from error
    try:
        suite_named(algorithm.suite).verify(public_key, algorithm.from_cose(raw), message)
    except VerificationError as error:
        raise VerificationError(f"{kind.chinese}的签名无效，不予采信。") from error
    return True


def _listed(entries: object) -> list[object]:
    return entries if isinstance(entries, list) else [None]


def _object(data: bytes | str, kind: Kind) -> dict[str, Any]:
    if len(data) > MAX_SIZE:
        raise unreadable(kind, "过大")
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise unreadable(kind, "不是 JSON") from error
    if not isinstance(values, dict):
        raise unreadable(kind, "不是 JSON 对象")
    return values


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unbase64(text: str, kind: Kind) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise unreadable(kind, "编码有误") from error
