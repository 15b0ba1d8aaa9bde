"""What each kind of certificate of the development PKI contains.

The profile of a seal is the one that poppler, NSS, OpenSSL and pyHanko all accept: key usage digitalSignature and
nonRepudiation critical, extended usage emailProtection beside documentSigning, a CRL pointer. An OCSP pointer only
where the description asks for it: while nothing answers at its address, NSS reports an unknown problem with the
certificate instead of trusting it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from certlib.crypto.certificates import DOCUMENT_SIGNING
from certlib.crypto.issuing import Extension, key_identifier

_KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a kind of certificate contains, and in which folder it stands."""

    folder: str
    usage: tuple[str, ...]
    extended: tuple[ObjectIdentifier, ...] = ()
    extended_critical: bool = False
    path_length: int | None = None  # of a CA; None for an end entity
    no_check: bool = False  # RFC 6960 §4.2.2.2.1


PROFILES: dict[str, Profile] = {
    "root": Profile("ca", ("key_cert_sign", "crl_sign"), path_length=1),
    "issuing": Profile("ca", ("key_cert_sign", "crl_sign"), path_length=0),
    "seal": Profile(
        "seals",
        ("digital_signature", "content_commitment"),
        (ExtendedKeyUsageOID.EMAIL_PROTECTION, ObjectIdentifier(DOCUMENT_SIGNING)),
    ),
    "timestamping": Profile(
        "tsa",
        ("digital_signature", "content_commitment"),
        (ExtendedKeyUsageOID.TIME_STAMPING,),  # critical and alone: RFC 3161 §2.3
        extended_critical=True,
    ),
    "ocsp": Profile("ocsp", ("digital_signature",), (ExtendedKeyUsageOID.OCSP_SIGNING,), no_check=True),
    "client": Profile("seals", ("key_encipherment",), (ExtendedKeyUsageOID.CLIENT_AUTH,)),  # of no use for a seal
}


def extensions(profile: Profile, *, spki: bytes, issuer_spki: bytes, crl: str, ocsp: str) -> Iterator[Extension]:
    """The extensions of a certificate of this profile; empty addresses for no pointer (a root has neither)."""
    if profile.path_length is not None:
        yield x509.BasicConstraints(ca=True, path_length=profile.path_length), True
    yield x509.KeyUsage(**{usage: usage in profile.usage for usage in _KEY_USAGES}), True
    if profile.extended:
        yield x509.ExtendedKeyUsage(profile.extended), profile.extended_critical
    if profile.no_check:
        yield x509.OCSPNoCheck(), False
    yield x509.SubjectKeyIdentifier(key_identifier(spki)), False
    yield _authority(issuer_spki)
    if crl:
        name = x509.UniformResourceIdentifier(crl)
        yield x509.CRLDistributionPoints([x509.DistributionPoint([name], None, None, None)]), False
    if ocsp:
        place = x509.UniformResourceIdentifier(ocsp)
        yield x509.AuthorityInformationAccess([x509.AccessDescription(x509.OID_OCSP, place)]), False


def list_extensions(number: int, issuer_spki: bytes) -> tuple[Extension, ...]:
    """The extensions of a revocation list (RFC 5280 §5.2)."""
    return (x509.CRLNumber(number), False), _authority(issuer_spki)


def _authority(spki: bytes) -> Extension:
    return x509.AuthorityKeyIdentifier(key_identifier(spki), None, None), False
