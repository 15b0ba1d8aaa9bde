"""SM2 with SM3 (GB/T 32918, GB/T 32905): keys as values, Z and e, verification also where libcrypto lacks SM2.

Signing is left to libcrypto or a device. Verifying handles no secret, so plain integers will do when there is no
libcrypto with SM2: an auditor can read a city's SM2 signatures on any machine, forty times slower.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from asn1crypto import keys, pem
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from certlib.crypto import der, libcrypto

CURVE = "1.2.156.10197.1.301"
SM3 = "1.2.156.10197.1.401"
SM2_SM3 = "1.2.156.10197.1.501"
DEFAULT_IDENTITY = b"1234567812345678"  # GB/T 35276: for want of an agreed one

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)

Point = tuple[int, int] | None  # None is the point at infinity

_SPKI_HEAD = der.sequence(der.oid("1.2.840.10045.2.1"), der.oid(CURVE))


def sm3(message: bytes) -> bytes:
    """The SM3 digest."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(message)
    return digest.finalize()


@dataclass(frozen=True)
class Sm2PublicKey:
    """A public key, checked to be a point of the curve."""

    point: tuple[int, int]

    @classmethod
    def from_spki(cls, spki: bytes) -> Sm2PublicKey:
        """The key of a SubjectPublicKeyInfo. Raises `ValueError` when it is none of SM2."""
        if len(spki) != 91 or _SPKI_HEAD not in spki[:30] or spki[26] != 0x04:
            raise ValueError("not an uncompressed SM2 public key")
        x, y = int.from_bytes(spki[27:59], "big"), int.from_bytes(spki[59:], "big")
        if not (x < P and y < P and (y * y - x * x * x - A * x - B) % P == 0):
            raise ValueError("not a point of the SM2 curve")
        return cls((x, y))

    @cached_property
    def spki(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""
        x, y = self.point
        return der.sequence(_SPKI_HEAD, der.bits(b"\x04" + _word(x) + _word(y)))

    def digest(self, message: bytes, identity: bytes = DEFAULT_IDENTITY) -> bytes:
        """e = SM3(Z ‖ message), Z of this key and `identity` (GB/T 32918.2 §5.5, §6.1)."""
        length = (8 * len(identity)).to_bytes(2, "big")
        z = sm3(length + identity + b"".join(map(_word, (A, B, *G, *self.point))))
        return sm3(z + message)

    def verify(self, signature: bytes, message: bytes, identity: bytes = DEFAULT_IDENTITY) -> bool:
        """Whether the DER signature over `message` holds."""
        try:
            r, s = decode_dss_signature(signature)
        except ValueError:
            return False
        if not (0 < r < N and 0 < s < N):
            return False
        if libcrypto.unavailable() is None:
            return _pkey(self.spki).verify(signature, message, identity)
        return verify_plainly(self, r, s, int.from_bytes(self.digest(message, identity), "big"))


@dataclass(frozen=True)
class Sm2PrivateKey:
    """A private key in this process's memory."""

    public: Sm2PublicKey
    _pkey: libcrypto.Sm2Pkey = field(repr=False)

    @classmethod
    def generate(cls) -> Sm2PrivateKey:
        """A new key. Raises `LibcryptoError` where there is no SM2."""
        return cls._of(libcrypto.Sm2Pkey.generate())

    @classmethod
    def from_pem(cls, text: bytes, passphrase: bytes | None = None) -> Sm2PrivateKey:
        """The first private key of a PEM text. Raises `LibcryptoError` when it is none of SM2."""
        return cls._of(libcrypto.Sm2Pkey.from_pem(text, passphrase))

    @classmethod
    def _of(cls, pkey: libcrypto.Sm2Pkey) -> Sm2PrivateKey:
        return cls(Sm2PublicKey.from_spki(pkey.spki), pkey)

    @property
    def pem(self) -> bytes:
        """PKCS #8 without passphrase, PEM."""
        return bytes(pem.armor("PRIVATE KEY", self._pkey.pkcs8))

    def sign(self, message: bytes, identity: bytes = DEFAULT_IDENTITY) -> bytes:
        """SEQUENCE{ r, s } in DER (GB/T 35276)."""
        return self._pkey.sign(message, identity)


def as_der(signature: bytes) -> bytes:
    """A signature as SEQUENCE{ r, s }, also when it came as the 64 bytes r ‖ s, which seals in use do."""
    if len(signature) != 64:
        return signature
    try:
        decode_dss_signature(signature)
    except ValueError:
        return der.sequence(*(der.integer(int.from_bytes(half, "big")) for half in (signature[:32], signature[32:])))
    return signature


def public_half(private_pem: bytes) -> Sm2PublicKey | None:
    """The public key written beside the private one in a PEM text, without libcrypto; None when it is not of SM2."""
    try:
        info = keys.PrivateKeyInfo.load(pem.unarmor(private_pem)[2])
        if info["private_key_algorithm"]["parameters"].chosen.dotted != CURVE:
            return None
        point = bytes(info["private_key"].parsed["public_key"])
        return Sm2PublicKey((int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def verify_plainly(key: Sm2PublicKey, r: int, s: int, e: int) -> bool:
    """GB/T 32918.2 §7.1 on plain integers: R = (e + x(sG + tP)) mod n equals r."""
    t = (r + s) % N
    if t == 0:
        return False
    sum_ = _add(_times(s, G), _times(t, key.point))
    return sum_ is not None and (e + sum_[0]) % N == r


@lru_cache(maxsize=256)
def _pkey(spki: bytes) -> libcrypto.Sm2Pkey:
    return libcrypto.Sm2Pkey.from_spki(spki)


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _times(k: int, point: Point) -> Point:
    result: Point = None
    for bit in f"{k:b}":
        result = _add(result, result)
        if bit == "1":
            result = _add(result, point)
    return result


def _add(one: Point, other: Point) -> Point:
    """The sum of two points in affine coordinates."""
    if one is None:
        return other
    if other is None:
        return one
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    slope = (3 * x1 * x1 + A) * pow(2 * y1, -1, P) if one == other else (y2 - y1) * pow(x2 - x1, -1, P)
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P
