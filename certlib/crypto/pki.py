"""The development PKI: keys, certificates and revocation lists from one TOML file, the same bytes each time.

Keys that are in the folder are kept, missing ones are made. Dates stand in the file, serial numbers come from the
labels, and ECDSA nonces from RFC 6979, so that making it again changes nothing but what the file changes.

    keys-dev/
      pki.toml              what follows from what
      fingerprints.txt      SHA-256 of every public key, for `certlib.crypto.development` to refuse
      trust/rsa.pem …       the roots, one file per suite
      ca/issuing.rsa.pem …  key, certificate
      seals/LABEL.rsa.pem … key, certificate, issuing certificate
      tsa/tsa.rsa.pem …     likewise
      crl/issuing.rsa.crl … PEM
      keys/LABEL.pem        keys without a certificate; LABEL.pub.pem beside each

The certificate profile is the one that poppler, NSS, OpenSSL and pyHanko all accept: key usage digitalSignature and
nonRepudiation critical, extended usage emailProtection beside documentSigning, a CRL pointer. An OCSP pointer only
where the file asks for it: while nothing answers at its address, NSS reports an unknown problem with the certificate
instead of trusting it.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from certlib.crypto.certificates import DOCUMENT_SIGNING
from certlib.crypto.suites import PrivateKey, Suite, suite_named
from certlib.errors import ConfigurationError

CertificateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

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


@dataclass(frozen=True, slots=True)
class Entity:
    """One certificate to be made, in one suite."""

    label: str
    suite: Suite
    profile: Profile
    issuer: str
    subject: x509.Name
    since: datetime
    until: datetime
    revoked: datetime | None
    ocsp: bool

    @property
    def path(self) -> str:
        """Where key and certificates stand, in the folder."""
        return f"{self.profile.folder}/{self.label}.{self.suite.short}.pem"


@dataclass(frozen=True, slots=True)
class Issued:
    """An entity with its key and certificate."""

    entity: Entity
    key: CertificateKey
    certificate: x509.Certificate


def make_development_pki(folder: Path, toml: Path | None = None) -> tuple[Path, ...]:
    """Make the development PKI that `toml` (`folder`/pki.toml) describes; the files written, in order.

    Raises `ConfigurationError` when the description names an unknown profile, suite or issuer.
    """
    source = toml or folder / "pki.toml"
    try:
        plan = tomllib.loads(source.read_text(encoding="utf-8"))
        issued = _issue_all(folder, plan)
        files = {**_entity_files(issued), **_revocation_files(issued, plan), **_plain_keys(folder, plan)}
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise ConfigurationError(f"开发用 PKI 的描述 {source} 无法使用：{error}。") from error
    files["fingerprints.txt"] = _fingerprints(files)
    return tuple(_write(folder / path, data) for path, data in sorted(files.items()))


def _entities(plan: Mapping[str, Any]) -> Iterator[Entity]:
    for label, row in plan["certificate"].items():
        for suite in map(suite_named, row.get("suites", plan["suites"])):
            yield Entity(
                label=label,
                suite=suite,
                profile=PROFILES[row["profile"]],
                issuer=row["issuer"],
                subject=_name(plan["subject"], row, suite),
                since=row.get("since", plan["since"]),
                until=row.get("until", plan["until"]),
                revoked=row.get("revoked"),
                ocsp=row.get("ocsp", False),
            )


def _name(place: Mapping[str, str], row: Mapping[str, Any], suite: Suite) -> x509.Name:
    """C, ST, L from the plan; O and CN of the row. Authorities of different suites are different names."""
    common = f"{row['CN']} ({suite.name})" if row["profile"] in {"root", "issuing"} else row["CN"]
    values = ((NameOID.COUNTRY_NAME, place["C"]), (NameOID.STATE_OR_PROVINCE_NAME, place["ST"]))
    named = ((NameOID.LOCALITY_NAME, place["L"]), (NameOID.ORGANIZATION_NAME, row["O"]), (NameOID.COMMON_NAME, common))
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in (*values, *named)])


def _issue_all(folder: Path, plan: Mapping[str, Any]) -> dict[tuple[str, str], Issued]:
    issued: dict[tuple[str, str], Issued] = {}
    for entity in _entities(plan):  # issuers stand before what they issue
        key = _certificate_key(folder / entity.path, entity.suite)
        issuer = issued.get((entity.issuer, entity.suite.name))
        if issuer is None and entity.issuer != entity.label:
            raise ConfigurationError(f"{entity.label} 的签发者 {entity.issuer} 须写在它之前。")
        certificate = _certificate(entity, key, issuer, plan["url"])
        issued[entity.label, entity.suite.name] = Issued(entity, key, certificate)
    return issued


def _certificate(entity: Entity, key: CertificateKey, issuer: Issued | None, url: str) -> x509.Certificate:
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(entity.subject)
        .issuer_name(issuer.entity.subject if issuer else entity.subject)
        .public_key(key.public_key())
        .serial_number(_serial(entity))
        .not_valid_before(entity.since)
        .not_valid_after(entity.until)
    )
    for extension, critical in _extensions(entity, key, signer, issuer, url):
        builder = builder.add_extension(extension, critical=critical)
    deterministic = True if isinstance(signer, ec.EllipticCurvePrivateKey) else None
    return builder.sign(signer, hashes.SHA256(), ecdsa_deterministic=deterministic)


def _extensions(
    entity: Entity, key: CertificateKey, signer: CertificateKey, issuer: Issued | None, url: str
) -> Iterator[tuple[x509.ExtensionType, bool]]:
    profile = entity.profile
    if profile.path_length is not None:
        yield x509.BasicConstraints(ca=True, path_length=profile.path_length), True
    yield x509.KeyUsage(**{usage: usage in profile.usage for usage in _KEY_USAGES}), True
    if profile.extended:
        yield x509.ExtendedKeyUsage(profile.extended), profile.extended_critical
    if profile.no_check:
        yield x509.OCSPNoCheck(), False
    yield x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False
    yield x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False
    if issuer is None:
        return
    where = f"{issuer.entity.label}.{entity.suite.short}"
    name = x509.UniformResourceIdentifier(f"{url}/crl/{where}.crl")
    yield x509.CRLDistributionPoints([x509.DistributionPoint([name], None, None, None)]), False
    if entity.ocsp:
        ocsp = x509.UniformResourceIdentifier(f"{url}/ocsp/{where}")
        yield x509.AuthorityInformationAccess([x509.AccessDescription(x509.OID_OCSP, ocsp)]), False


def _serial(entity: Entity) -> int:
    """Nineteen octets of hash with the top bit clear: positive, and known beforehand (RFC 5280 §4.1.2.2)."""
    digest = hashlib.sha256(f"{entity.issuer}/{entity.label}/{entity.suite.name}".encode()).digest()
    return int.from_bytes(digest[:19], "big") >> 1


def _entity_files(issued: Mapping[tuple[str, str], Issued]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for (_, suite), one in issued.items():
        parts = [_private_pem(one.key), _pem(one.certificate)]
        issuer = issued[one.entity.issuer, suite]
        if issuer.entity.issuer != issuer.entity.label:
            parts.append(_pem(issuer.certificate))
        files[one.entity.path] = b"".join(parts)
    roots = ((one.entity, _pem(one.certificate)) for one in issued.values() if one.entity.label == "root")
    return files | {f"trust/{entity.suite.short}.pem": text for entity, text in roots}


def _revocation_files(issued: Mapping[tuple[str, str], Issued], plan: Mapping[str, Any]) -> dict[str, bytes]:
    authorities = [one for one in issued.values() if one.entity.profile.path_length is not None]
    return {
        f"crl/{one.entity.label}.{one.entity.suite.short}.crl": _revocation_list(one, issued.values(), plan["crl"])
        for one in authorities
    }


def _revocation_list(authority: Issued, issued: Iterable[Issued], plan: Mapping[str, Any]) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.entity.subject)
        .last_update(plan["since"])
        .next_update(plan["until"])
        .add_extension(x509.CRLNumber(plan["number"]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    for one in issued:
        entity = one.entity
        if (entity.issuer, entity.suite) == (authority.entity.label, authority.entity.suite) and entity.revoked:
            row = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number)
            row = row.revocation_date(entity.revoked)
            reason = x509.CRLReason(x509.ReasonFlags.key_compromise)
            builder = builder.add_revoked_certificate(row.add_extension(reason, critical=False).build())
    deterministic = True if isinstance(authority.key, ec.EllipticCurvePrivateKey) else None
    crl = builder.sign(authority.key, hashes.SHA256(), ecdsa_deterministic=deterministic)
    return crl.public_bytes(Encoding.PEM)


def _plain_keys(folder: Path, plan: Mapping[str, Any]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for label, suite in plan["key"].items():
        path = f"keys/{label}.pem"
        key = _key(folder / path, suite_named(suite))
        files[path] = _private_pem(key)
        files[f"keys/{label}.pub.pem"] = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return files


def _fingerprints(files: Mapping[str, bytes]) -> bytes:
    lines = []
    for path, data in sorted(files.items()):
        if b"PRIVATE KEY" in data:
            key = load_pem_private_key(data, None, unsafe_skip_rsa_key_validation=True)
            spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            lines.append(f"{hashlib.sha256(spki).hexdigest()}  {path}\n")
    return "".join(lines).encode()


def _certificate_key(path: Path, suite: Suite) -> CertificateKey:
    key = _key(path, suite)
    if not isinstance(key, CertificateKey):
        raise ConfigurationError(f"密码套件 {suite.name} 不能用于开发证书。")
    return key


def _key(path: Path, suite: Suite) -> PrivateKey:
    if not path.exists():
        return suite.generate()
    # Ours, from this folder: checking each RSA key fully would take seconds.
    key = load_pem_private_key(path.read_bytes(), None, unsafe_skip_rsa_key_validation=True)
    if not suite.owns(key):
        raise ConfigurationError(f"{path} 中的密钥不属于密码套件 {suite.name}，请删除后重新生成。")
    return key  # type: ignore[return-value]


def _private_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def _write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
