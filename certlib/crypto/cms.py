"""CMS SignedData (RFC 5652) with ESS signing-certificate-v2 (RFC 5035): the form of PAdES signatures and of timestamps.

One signer, signed attributes always, certificates embedded. What is signed is the DER of the attributes as SET OF
(RFC 5652 §5.4); the same bytes go into the message under the tag [0].
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from certlib.crypto import der
from certlib.crypto.certificates import Certificate
from certlib.crypto.keys import SigningKey
from certlib.crypto.suites import SHA256, Suite, suite_named

DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
TST_INFO = "1.2.840.113549.1.9.16.1.4"

CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
ALGORITHM_PROTECTION = "1.2.840.113549.1.9.52"  # RFC 6211
SIGNATURE_TIMESTAMP = "1.2.840.113549.1.9.16.2.14"  # RFC 3161 appendix A


@dataclass(frozen=True, slots=True)
class Signer:
    """A key with its certificate and the certificates above it that verifiers will need (the root not among them)."""

    key: SigningKey
    certificate: Certificate
    chain: tuple[Certificate, ...] = ()

    @property
    def suite(self) -> Suite:
        """The key's row."""
        return suite_named(self.key.suite)


@dataclass(frozen=True, slots=True)
class SignedData:
    """A finished message, `der` a ContentInfo, and its signature value, the thing a timestamp covers."""

    der: bytes
    signature: bytes


def attribute(dotted: str, *values: bytes) -> bytes:
    """One Attribute of a signer (RFC 5652 §5.3)."""
    return der.sequence(der.oid(dotted), der.set_of(values))


def sign(
    signer: Signer,
    digest: bytes,
    *,
    content: bytes | None = None,
    content_type: str = DATA,
    attributes: Iterable[bytes] = (),
    unsigned: Callable[[bytes], Iterable[bytes]] | None = None,
) -> SignedData:
    """SignedData over content whose digest is `digest`; detached when `content` is None.

    `attributes` are signed beside the ones every message has; `unsigned` makes the unsigned attributes from the
    signature value. One use of the key. Raises `KeyUnavailableError` when the key cannot be used.
    """
    suite = signer.suite
    signed = sorted((*_constant(signer, content_type), attribute(MESSAGE_DIGEST, der.octets(digest)), *attributes))
    signature = signer.key.sign(der.tlv(der.SET, *signed))
    added = sorted(unsigned(signature)) if unsigned else []
    info = der.sequence(
        der.integer(1),
        der.sequence(signer.certificate.issuer, der.integer(signer.certificate.serial)),
        suite.digest_algorithm,
        der.tlv(0xA0, *signed),
        suite.signature_algorithm,
        der.octets(signature),
        der.tlv(0xA1, *added) if added else b"",
    )
    encapsulated = der.sequence(der.oid(content_type), b"" if content is None else der.explicit(0, der.octets(content)))
    message = der.sequence(
        der.integer(1 if content_type == DATA else 3),  # RFC 5652 §5.1
        der.set_of([suite.digest_algorithm]),
        encapsulated,
        der.set_of([signer.certificate.der, *(above.der for above in signer.chain)], tag=0xA0),
        der.set_of([info]),
    )
    return SignedData(der.sequence(der.oid(SIGNED_DATA), der.explicit(0, message)), signature)


def size(signer: Signer, *, attributes: int, unsigned: int) -> int:
    """An upper bound, in bytes, of a detached message with so many bytes of further attributes. Uses no key."""
    embedded = sum(len(certificate.der) for certificate in (signer.certificate, *signer.chain))
    identifier = len(signer.certificate.issuer) + 32
    constant = sum(map(len, _constant(signer, DATA))) + 128
    return embedded + identifier + constant + attributes + unsigned + signer.suite.signature_size + 192


def _constant(signer: Signer, content_type: str) -> tuple[bytes, ...]:
    suite = signer.suite
    return (
        attribute(CONTENT_TYPE, der.oid(content_type)),
        attribute(SIGNING_CERTIFICATE_V2, _ess_certificate(signer.certificate, suite)),
        attribute(
            ALGORITHM_PROTECTION,
            der.sequence(suite.digest_algorithm, b"\xa1" + suite.signature_algorithm[1:]),  # [1] IMPLICIT
        ),
    )


def _ess_certificate(certificate: Certificate, suite: Suite) -> bytes:
    """SigningCertificateV2 with one ESSCertIDv2; SHA-256 is the default algorithm and then left out (RFC 5035 §4)."""
    default = suite.digest_algorithm == der.algorithm(SHA256)
    name = der.sequence(der.tlv(0xA4, certificate.issuer))  # GeneralNames of one directoryName
    serial = der.sequence(name, der.integer(certificate.serial))
    hashed = der.octets(suite.hash(certificate.der))
    identifier = der.sequence(b"" if default else suite.digest_algorithm, hashed, serial)
    return der.sequence(der.sequence(identifier))
