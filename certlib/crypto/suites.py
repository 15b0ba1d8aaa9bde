"""The cipher suites as rows of one table: how a key of each is made, signs, and is checked.

| name | key | digest | signature |
|---|---|---|---|
| rsa3072-sha256 | RSA, 3072 bits | SHA-256 | PKCS #1 v1.5 (RFC 8017 §8.2) |
| p256-sha256 | NIST P-256 | SHA-256 | ECDSA, DER SEQUENCE{r, s} (FIPS 186-5) |
| sm2-sm3 | SM2 | SM3 | SM2, DER SEQUENCE{r, s}, the usual identity (GB/T 32918, GB/T 35276) |
| ed25519 | Ed25519 | – | raw 64 bytes (RFC 8032); for the journal and lists, never for a PDF |

PKCS #1 v1.5 and not PSS, because poppler, Adobe and OpenSSL's `cms` all read it without being told.
Public keys are SubjectPublicKeyInfo in DER throughout, so that a row may have keys that no other row knows. What a
machine cannot sign with, a row says in `missing`; verifying is possible everywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)

from certlib.crypto import der, libcrypto
from certlib.crypto.sm2 import SM2_SM3, SM3, Sm2PrivateKey, Sm2PublicKey, sm3
from certlib.errors import ConfigurationError, VerificationError

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | Sm2PrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | Sm2PublicKey

SHA256 = "2.16.840.1.101.3.4.2.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One row. Sizes are in bytes; `short` names files and folders.

    `digest` is the name in `DIGESTS`, empty where the algorithm takes the message itself; `digest_algorithm` and
    `signature_algorithm` are DER AlgorithmIdentifiers for CMS. `seals` says whether PDFs may be sealed with it,
    `international` whether readers of PDF outside China know it; `missing` why this machine cannot sign with it.
    """

    name: str
    short: str
    digest: str
    digest_algorithm: bytes
    signature_algorithm: bytes
    signature_size: int
    seals: bool
    international: bool = True
    missing: Callable[[], str | None] = lambda: None
    generate: Callable[[], PrivateKey]
    owns: Callable[[object], bool]
    sign: Callable[[PrivateKey, bytes], bytes]
    check: Callable[[PublicKey, bytes, bytes], None]

    def hash(self, message: bytes) -> bytes:
        """The digest of `message` by this suite's algorithm."""
        return DIGESTS[self.digest](message)

    def verify(self, public_key: bytes, signature: bytes, message: bytes) -> None:
        """Check `signature` over `message` under the SubjectPublicKeyInfo.

        Raises `VerificationError` when it does not hold or the key is not of this suite.
        """
        key = load_public_key(public_key)
        if not self.owns(key):
            raise VerificationError(f"公钥不属于密码套件 {self.name}，签名无法核验。")
        try:
            self.check(key, signature, message)
        except InvalidSignature as error:
            raise VerificationError("签名与所签内容不符。") from error


@lru_cache(maxsize=256)
def load_public_key(public_key: bytes) -> PublicKey:
    """The key object of a SubjectPublicKeyInfo. Raises `VerificationError` for what no row can hold."""
    try:
        return Sm2PublicKey.from_spki(public_key)
    except ValueError:
        pass  # of another algorithm
    try:
        key = load_der_public_key(public_key)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise VerificationError("公钥无法读取，或其算法不受支持。") from error
    if not isinstance(key, PublicKey):
        raise VerificationError("公钥的算法不受支持。")
    return key


def spki_of(key: PrivateKey) -> bytes:
    """The SubjectPublicKeyInfo of a private key."""
    if isinstance(key, Sm2PrivateKey):
        return key.public.spki
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def private_pem(key: PrivateKey) -> bytes:
    """A private key as PKCS #8 in PEM, without passphrase."""
    if isinstance(key, Sm2PrivateKey):
        return key.pem
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def suite_named(name: str) -> Suite:
    """The row called `name`. Raises `ConfigurationError` naming the rows there are."""
    try:
        return SUITES[name]
    except KeyError as error:
        raise ConfigurationError(f"没有密码套件 {name}；可用的有 {'、'.join(SUITES)}。") from error


def suite_of(public_key: bytes) -> Suite:
    """The row a SubjectPublicKeyInfo belongs to. Raises `VerificationError` when there is none."""
    key = load_public_key(public_key)
    for suite in SUITES.values():
        if suite.owns(key):
            return suite
    raise VerificationError("公钥的算法或长度不在允许的密码套件之内。")


def _is_rsa3072(key: object) -> bool:
    return isinstance(key, rsa.RSAPublicKey | rsa.RSAPrivateKey) and key.key_size == 3072


def _is_p256(key: object) -> bool:
    return isinstance(key, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1"


def _is_sm2(key: object) -> bool:
    return isinstance(key, Sm2PublicKey | Sm2PrivateKey)


def _check_sm2(key: PublicKey, signature: bytes, message: bytes) -> None:
    if not (isinstance(key, Sm2PublicKey) and key.verify(signature, message)):
        raise InvalidSignature


def _is_ed25519(key: object) -> bool:
    return isinstance(key, ed25519.Ed25519PublicKey | ed25519.Ed25519PrivateKey)


# By hashlib's names; SM3 from `cryptography`, because hashlib has it only where the system's OpenSSL does.
DIGESTS: dict[str, Callable[[bytes], bytes]] = {
    "sha256": lambda message: hashlib.sha256(message).digest(),
    "sm3": sm3,
}

_PKCS1 = padding.PKCS1v15()
_ECDSA = ec.ECDSA(hashes.SHA256())

SUITES: dict[str, Suite] = {
    suite.name: suite
    for suite in (
        Suite(
            name="rsa3072-sha256",
            short="rsa",
            digest="sha256",
            digest_algorithm=der.algorithm(SHA256),
            signature_algorithm=der.algorithm("1.2.840.113549.1.1.11", null=True),  # RFC 4055 §5: NULL is required
            signature_size=384,
            seals=True,
            generate=lambda: rsa.generate_private_key(65537, 3072),
            owns=_is_rsa3072,
            sign=lambda key, message: key.sign(message, _PKCS1, hashes.SHA256()),  # type: ignore[call-arg, arg-type]
            check=lambda key, signature, message: key.verify(signature, message, _PKCS1, hashes.SHA256()),  # type: ignore[call-arg, arg-type]
        ),
        Suite(
            name="p256-sha256",
            short="p256",
            digest="sha256",
            digest_algorithm=der.algorithm(SHA256),
            signature_algorithm=der.algorithm("1.2.840.10045.4.3.2"),  # RFC 5758 §3.2: parameters absent
            signature_size=72,
            seals=True,
            generate=lambda: ec.generate_private_key(ec.SECP256R1()),
            owns=_is_p256,
            sign=lambda key, message: key.sign(message, _ECDSA),  # type: ignore[call-arg, arg-type]
            check=lambda key, signature, message: key.verify(signature, message, _ECDSA),  # type: ignore[call-arg, arg-type]
        ),
        Suite(
            name="sm2-sm3",
            short="sm2",
            digest="sm3",
            digest_algorithm=der.algorithm(SM3),
            signature_algorithm=der.algorithm(SM2_SM3),
            signature_size=72,
            seals=True,
            international=False,
            missing=libcrypto.unavailable,
            generate=Sm2PrivateKey.generate,
            owns=_is_sm2,
            sign=lambda key, message: key.sign(message),  # type: ignore[call-arg]
            check=_check_sm2,
        ),
        Suite(
            name="ed25519",
            short="ed25519",
            digest="",
            digest_algorithm=b"",
            signature_algorithm=der.algorithm("1.3.101.112"),
            signature_size=64,
            seals=False,
            generate=ed25519.Ed25519PrivateKey.generate,
            owns=_is_ed25519,
            sign=lambda key, message: key.sign(message),  # type: ignore[call-arg]
            check=lambda key, signature, message: key.verify(signature, message),  # type: ignore[call-arg, arg-type]
        ),
    )
}
