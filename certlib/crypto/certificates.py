"""X.509 certificates as the sealing side needs them: read once, raw parts kept, fitness for sealing checked.

The bytes received are the bytes hashed and compared; nothing is encoded again (RFC 5280 names may be spelt in
several string types). The chain is validated by `certlib.verify`; here a signer is kept from using what a verifier
would refuse.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from asn1crypto import core, pem
from asn1crypto import x509 as asn1
from cryptography import x509

from certlib.errors import ConfigurationError, SealFailedError

DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36"  # RFC 9336
EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"  # NSS, and so poppler, will not have a signer without it
_CODE = 18  # characters of a 统一社会信用代码
TIME_STAMPING = "1.3.6.1.5.5.7.3.8"  # RFC 3161 §2.3
_OTHER_FORM = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)  # by asn1crypto


@dataclass(frozen=True, slots=True)
class Certificate:
    """One X.509 certificate. `der` is what was read; names and `spki` are slices of it."""

    der: bytes = field(repr=False)
    subject: str
    common_name: str
    place: str  # province and locality
    subject_name: bytes = field(repr=False)
    issuer: bytes = field(repr=False)
    serial: int
    spki: bytes = field(repr=False)
    not_before: datetime
    not_after: datetime
    key_usage: frozenset[str]
    extended_usage: frozenset[str]
    is_authority: bool = False
    path_length: int | None = None
    organization: str = ""

    @classmethod
    def load(cls, data: bytes) -> Certificate:
        """The certificate in these DER bytes. Raises `ValueError` when they hold none."""
        try:
            return cls._read(data)
        except _OTHER_FORM as error:
            raise ValueError("not a certificate") from error

    @classmethod
    def _read(cls, data: bytes) -> Certificate:
        parsed = asn1.Certificate.load(data, strict=True)
        tbs = parsed["tbs_certificate"]
        name = parsed.subject.native
        usage, extended = parsed.key_usage_value, parsed.extended_key_usage_value
        return cls(
            der=data,
            subject=parsed.subject.human_friendly,
            common_name=str(name.get("common_name", "")),
            place="".join(str(name.get(part, "")) for part in ("state_or_province_name", "locality_name")),
            subject_name=tbs["subject"].dump(),
            issuer=tbs["issuer"].dump(),
            serial=parsed.serial_number,
            spki=tbs["subject_public_key_info"].dump(),
            not_before=parsed.not_valid_before,
            not_after=parsed.not_valid_after,
            key_usage=frozenset(usage.native) if usage else frozenset(),
            extended_usage=frozenset(purpose.dotted for purpose in extended) if extended else frozenset(),
            is_authority=bool(parsed.ca),
            path_length=parsed.max_path_length,
            organization=str(name.get("organization_name", "")),
        )

    @property
    def owner(self) -> str:
        """Whose it is, as people write it: the organisation's name and its code, where that stands before the name."""
        code, name = self.organization[:_CODE], self.organization[_CODE:]
        coded = name and code.isascii() and code.isalnum()
        return f"{name}（{code}）" if coded else self.organization or self.common_name

    @property
    def sha256(self) -> bytes:
        """The fingerprint of the whole certificate."""
        return hashlib.sha256(self.der).digest()

    def valid_at(self, at: datetime) -> bool:
        """Whether `at` lies within the validity period, both ends included (RFC 5280 §4.1.2.5)."""
        return self.not_before <= at <= self.not_after


def signed_parts(whole: bytes) -> tuple[bytes, bytes, bytes]:
    """What was signed, the AlgorithmIdentifier, and the signature of a certificate or revocation list, as received.

    Raises `ValueError` for anything else.
    """
    parts = core.Sequence.load(whole, strict=True)
    if len(parts) != 3 or not isinstance(parts[2], core.BitString):
        raise ValueError("not a signed structure of X.509")
    return parts[0].dump(), parts[1].dump(), parts[2].contents[1:]


def load_certificates(text: bytes, *, name: str) -> tuple[Certificate, ...]:
    """Every certificate of a PEM text, in order; other blocks, such as a key, are passed over.

    Raises `ConfigurationError` naming `name` when there is none or one cannot be read.
    """
    try:
        blocks = pem.unarmor(text, multiple=True)
        certificates = tuple(Certificate.load(data) for kind, _, data in blocks if kind == "CERTIFICATE")
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"证书文件 {name} 无法读取，请更换为 PEM 格式的 X.509 证书。") from error
    if not certificates:
        raise ConfigurationError(f"文件 {name} 中没有 X.509 证书。")
    return certificates


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A CRL (RFC 5280 §5) with what it says of each serial: the moment of revocation."""

    der: bytes = field(repr=False)
    issuer: bytes = field(repr=False)
    this_update: datetime
    next_update: datetime | None
    revoked: dict[int, datetime] = field(repr=False)

    @classmethod
    def load(cls, text: bytes, *, name: str) -> RevocationList:
        """The CRL in a PEM or DER text. Raises `ConfigurationError` naming `name`."""
        try:
            crl = x509.load_pem_x509_crl(text) if b"-----BEGIN" in text else x509.load_der_x509_crl(text)
            revoked = {entry.serial_number: entry.revocation_date_utc for entry in crl}
            from_pem = pem.unarmor(text)[2] if b"-----BEGIN" in text else text
            # the name is parsed only when it is asked for
            return cls(from_pem, crl.issuer.public_bytes(), crl.last_update_utc, crl.next_update_utc, revoked)
        except (ValueError, TypeError, x509.InvalidVersion) as error:
            raise ConfigurationError(f"吊销列表 {name} 无法读取，请更换文件。") from error

    def revoked_at(self, certificate: Certificate) -> datetime | None:
        """When this list's issuer revoked the certificate, or None."""
        return self.revoked.get(certificate.serial) if certificate.issuer == self.issuer else None


def load_revocation_lists(paths: Iterable[Path]) -> tuple[RevocationList, ...]:
    """The CRLs in these files."""
    return tuple(RevocationList.load(path.read_bytes(), name=str(path)) for path in paths)


def check_signer(
    certificate: Certificate, public_key: bytes, *, at: datetime, revocation: Iterable[RevocationList] = ()
) -> None:
    """Refuse to seal with a certificate that a verifier would refuse.

    Raises `SealFailedError` naming the certificate and what is wrong with it: not yet or no longer valid at `at`,
    revoked by `at`, not meant for signing documents (RFC 5280 §4.2.1.3, RFC 9336), or of another key.
    """
    if why := next(_objections(certificate, public_key, at, revocation), None):
        raise SealFailedError(f"印章证书 {certificate.common_name} {why}，未用印。")


def _objections(
    certificate: Certificate, public_key: bytes, at: datetime, revocation: Iterable[RevocationList]
) -> Iterator[str]:
    if at < certificate.not_before:
        yield f"自 {certificate.not_before:%Y-%m-%d} 起才有效"
    if at > certificate.not_after:
        yield f"已于 {certificate.not_after:%Y-%m-%d} 到期，请更换证书"
    for crl in revocation:
        revoked = crl.revoked_at(certificate)
        if revoked is not None and revoked <= at:
            yield f"已于 {revoked:%Y-%m-%d} 被吊销，请更换证书"
    if not {"digital_signature", "non_repudiation"} <= certificate.key_usage:
        yield "的密钥用途不含数字签名和抗抵赖，不能用于电子签章"
    if not certificate.extended_usage & {DOCUMENT_SIGNING, EMAIL_PROTECTION}:
        yield "的扩展密钥用途不含文档签名，不能用于电子签章"
    if certificate.spki != public_key:
        yield "与所配置的密钥不是一对，请核对密钥和证书文件"
