"""COSE_Sign1 (RFC 9052 §4.2): one payload, one signature, deterministic CBOR.

    message = sign1(payload, key, {KID: kid})
    read = read1(message)          # structure only
    read.verify(public_key)        # raises VerificationError

A message is the array `[protected, {}, payload, signature]`, without tag unless asked for. The algorithm stands in the
protected header and is decided by the key; reading refuses an algorithm it does not know before any key is touched.
ECDSA and SM2 signatures are r ‖ s, 64 bytes (RFC 9053 §2.1), while keys give and take them in DER.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from certlib.crypto import cbor
from certlib.crypto.keys import SigningKey
from certlib.crypto.suites import suite_named, suite_of
from certlib.errors import ConfigurationError, VerificationError

ALG, KID, TYPE = 1, 4, 16  # header parameters: RFC 9052 §3.1, RFC 9596
TAG = 18  # COSE_Sign1, RFC 9052 §4.2


def _raw_from_der(signature: bytes) -> bytes:
    r, s = decode_dss_signature(signature)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _der_from_raw(signature: bytes) -> bytes:
    return encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))


def _same(signature: bytes) -> bytes:
    return signature


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A COSE algorithm: its IANA number, the suite it is, and how the suite's signatures look in COSE."""

    number: int
    name: str
    suite: str
    to_cose: Callable[[bytes], bytes]
    from_cose: Callable[[bytes], bytes]
    size: int = 64


ALGORITHMS: dict[int, Algorithm] = {
    algorithm.number: algorithm
    for algorithm in (
        Algorithm(-7, "ES256", "p256-sha256", _raw_from_der, _der_from_raw),
        Algorithm(-8, "EdDSA", "ed25519", _same, _same),
        Algorithm(-65537, "SM2", "sm2-sm3", _raw_from_der, _der_from_raw),  # private use: IANA has none for SM2
    )
}
_OF_SUITE = {algorithm.suite: algorithm for algorithm in ALGORITHMS.values()}


def algorithm_of(suite: str) -> Algorithm:
    """The COSE algorithm of a suite. Raises `ConfigurationError` when the suite has none."""
    if suite not in _OF_SUITE:
        raise ConfigurationError(f"密码套件 {suite} 不能用于二维码和清单的签名；可用的有 {'、'.join(_OF_SUITE)}。")
    return _OF_SUITE[suite]


def key_id(public_key: bytes) -> bytes:
    """The four bytes that name a key: the head of SHA-256 over its SubjectPublicKeyInfo."""
    return hashlib.sha256(public_key).digest()[:4]


@dataclass(frozen=True, slots=True)
class Sign1:
    """A message as read, its signature not yet checked. `protected` are the header's bytes as signed."""

    protected: bytes
    headers: Mapping[int, Any]
    payload: bytes
    signature: bytes

    @property
    def algorithm(self) -> int:
        """The algorithm's number as the header states it; 0 when it states none."""
        number = self.headers.get(ALG, 0)
        return number if isinstance(number, int) else 0

    @property
    def kid(self) -> bytes:
        """The key's name as the header states it; empty when it states none."""
        kid = self.headers.get(KID, b"")
        return kid if isinstance(kid, bytes) else b""

    def verify(self, public_key: bytes) -> None:
        """Check the signature under a SubjectPublicKeyInfo.

        Raises `VerificationError` when it does not hold, or the key's algorithm is not the one the header states.
        """
        stated = ALGORITHMS.get(self.algorithm)
        if stated is None or suite_of(public_key).name != stated.suite:
            raise VerificationError("签名声明的算法与登记的密钥不符。")
        if len(self.signature) != stated.size:
            raise VerificationError("签名长度不对。")
        message = signature_input(self.protected, self.payload)
        suite_named(stated.suite).verify(public_key, stated.from_cose(self.signature), message)


def signature_input(protected: bytes, payload: bytes) -> bytes:
    """The bytes that are signed: Sig_structure of RFC 9052 §4.4 without external data."""
    return cbor.encode(["Signature1", protected, b"", payload])


def sign1(payload: bytes, key: SigningKey, headers: Mapping[int, object], *, tagged: bool = False) -> bytes:
    """Sign `payload`; `headers` join the algorithm in the protected header.

    Raises `ConfigurationError` when the key's suite has no COSE algorithm, `KeyUnavailableError` when it is gone.
    """
    algorithm = algorithm_of(key.suite)
    protected = cbor.encode({ALG: algorithm.number, **headers})
    signature = algorithm.to_cose(key.sign(signature_input(protected, payload)))
    message = cbor.encode([protected, {}, payload, signature])
    return cbor.head(6, TAG) + message if tagged else message


def read1(data: bytes, *, tagged: bool = False) -> Sign1:
    """Take a message apart. Raises `ValueError` (`cbor.TruncatedError` when it ends early) when it is not one."""
    value = cbor.decode(cbor.untag(data, TAG) if tagged else data)
    if not isinstance(value, list) or len(value) != 4:
        raise ValueError("not a COSE_Sign1 array")
    protected, unprotected, payload, signature = value
    if not all(isinstance(part, bytes) for part in (protected, payload, signature)) or unprotected != {}:
        raise ValueError("not the parts of a COSE_Sign1 array")
    headers = cbor.decode(protected)
    if isinstance(headers, dict):
        return Sign1(protected, headers, payload, signature)
    raise ValueError("protected header is not a map")
