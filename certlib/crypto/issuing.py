"""Writing X.509 certificates and revocation lists (RFC 5280) for any suite: the signing half of a small authority.

`cryptography` builds them too, but only for keys it knows, and SM2's are not among them. Names and extensions are its
values; the frame around them is written here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from asn1crypto import keys
from cryptography import x509

from certlib.crypto import der
from certlib.crypto.keys import SigningKey
from certlib.crypto.suites import suite_named

Extension = tuple[x509.ExtensionType, bool]  # value, critical


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateContent:
    """What a certificate says (RFC 5280 §4.1.2)."""

    serial: int
    issuer: x509.Name
    subject: x509.Name
    since: datetime
    until: datetime
    spki: bytes = field(repr=False)
    extensions: tuple[Extension, ...] = ()

    def tbs(self, suite: str) -> bytes:
        """TBSCertificate for an issuer's key of this suite."""
        return der.sequence(
            der.explicit(0, der.integer(2)),  # version 3
            der.integer(self.serial),
            suite_named(suite).signature_algorithm,
            self.issuer.public_bytes(),
            der.sequence(_time(self.since), _time(self.until)),
            self.subject.public_bytes(),
            self.spki,
            der.explicit(3, _extensions(self.extensions)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationContent:
    """What a revocation list says (RFC 5280 §5.1.2): serials with the moment of revocation, all for key compromise."""

    issuer: x509.Name
    since: datetime
    until: datetime
    revoked: tuple[tuple[int, datetime], ...] = ()
    extensions: tuple[Extension, ...] = ()

    def tbs(self, suite: str) -> bytes:
        """TBSCertList for an issuer's key of this suite."""
        reason = _extensions([(x509.CRLReason(x509.ReasonFlags.key_compromise), False)])
        rows = [der.sequence(der.integer(serial), _time(at), reason) for serial, at in self.revoked]
        return der.sequence(
            der.integer(1),  # version 2
            suite_named(suite).signature_algorithm,
            self.issuer.public_bytes(),
            _time(self.since),
            _time(self.until),
            der.sequence(*rows) if rows else b"",  # absent when empty: §5.1.2.6
            der.explicit(0, _extensions(self.extensions)),
        )


def signed(tbs: bytes, key: SigningKey) -> bytes:
    """The whole of a certificate or list: SEQUENCE{ tbs, algorithm, signature }."""
    return der.sequence(tbs, suite_named(key.suite).signature_algorithm, der.bits(key.sign(tbs)))


def key_identifier(spki: bytes) -> bytes:
    """SHA-1 of the public key's bits (RFC 5280 §4.2.1.2, method 1): a name, not a protection."""
    public = keys.PublicKeyInfo.load(spki)["public_key"]
    return hashlib.sha1(public.contents[1:], usedforsecurity=False).digest()


def _extensions(extensions: Iterable[Extension]) -> bytes:
    return der.sequence(
        *(
            der.sequence(
                der.oid(value.oid.dotted_string),
                der.boolean(True) if critical else b"",
                der.octets(value.public_bytes()),
            )
            for value, critical in extensions
        )
    )


def _time(at: datetime) -> bytes:
    """UTCTime until 2049, GeneralizedTime after (RFC 5280 §4.1.2.5)."""
    if at.year >= 2050:
        return der.generalized_time(at)
    return der.tlv(0x17, at.astimezone(UTC).strftime("%y%m%d%H%M%SZ").encode())
