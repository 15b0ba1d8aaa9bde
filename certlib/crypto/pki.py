"""The development PKI: keys, certificates and revocation lists from one TOML file, the same bytes each time.

Keys that are in the folder are kept, missing ones are made. Dates stand in the file and serial numbers come from the
labels; a certificate or list that already says what the file asks for is kept with its signature. So making it again
changes nothing but what the file changes, and needs no key where nothing changes.

    keys-dev/
      pki.toml              what follows from what
      fingerprints.txt      SHA-256 of every public key, for `certlib.crypto.development` to refuse
      trust/rsa.pem …       the roots, one file per suite; trust-sm2/sm2.pem apart, for those who must not see it
      ca/issuing.rsa.pem …  key, certificate
      seals/LABEL.rsa.pem … key, certificate, issuing certificate
      tsa/tsa.rsa.pem …     likewise
      crl/issuing.rsa.crl … PEM
      keys/LABEL.pem        keys without a certificate; LABEL.pub.pem beside each
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asn1crypto import pem
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from certlib.crypto.certificates import signed_parts
from certlib.crypto.issuing import CertificateContent, RevocationContent, signed
from certlib.crypto.keys import PemKey
from certlib.crypto.pki_profiles import PROFILES, Profile, extensions, list_extensions
from certlib.crypto.sm2 import public_half
from certlib.crypto.suites import PrivateKey, Suite, private_pem, spki_of, suite_named, suite_of
from certlib.errors import ConfigurationError, VerificationError


@dataclass(frozen=True, slots=True)
class DevelopmentKey:
    """A published key. Its public half is known at once; it is opened when something has to be signed."""

    suite: str
    public_key: bytes
    text: bytes = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`."""
        return PemKey.load(self.text, name="keys-dev").sign(message)


@dataclass(frozen=True, slots=True)
class Entity:
    """One certificate to be made, in one suite."""

    label: str
    suite: Suite
    profile: Profile
    issuer: str
    subject: x509.Name
    row: Mapping[str, Any]

    @property
    def path(self) -> str:
        """Where key and certificates stand, in the folder."""
        return f"{self.profile.folder}/{self.label}.{self.suite.short}.pem"

    @property
    def serial(self) -> int:
        """Nineteen octets of hash with the top bit clear: positive, and known beforehand (RFC 5280 §4.1.2.2)."""
        digest = hashlib.sha256(f"{self.issuer}/{self.label}/{self.suite.name}".encode()).digest()
        return int.from_bytes(digest[:19], "big") >> 1


@dataclass(frozen=True, slots=True)
class Issued:
    """An entity with its key and its certificate in PEM."""

    entity: Entity
    key: DevelopmentKey
    certificate: bytes


def make_development_pki(folder: Path, toml: Path | None = None) -> tuple[Path, ...]:
    """Make the development PKI that `toml` (`folder`/pki.toml) describes; the files written, in order.

    Raises `ConfigurationError` when the description names an unknown profile, suite or issuer.
    """
    source = toml or folder / "pki.toml"
    try:
        plan = tomllib.loads(source.read_text(encoding="utf-8"))
        issued = _issue_all(folder, plan)
        lists, plain = _revocation_files(folder, issued, plan["crl"]), _plain_keys(folder, plan["key"])
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise ConfigurationError(f"开发用 PKI 的描述 {source} 无法使用：{error}。") from error
    files = {**_entity_files(issued), **lists, **{path: key.text for path, key in plain.items()}}
    files |= {path.replace(".pem", ".pub.pem"): _armour("PUBLIC KEY", key.public_key) for path, key in plain.items()}
    keys = {**{one.entity.path: one.key for one in issued.values()}, **plain}
    files["fingerprints.txt"] = "".join(
        f"{hashlib.sha256(key.public_key).hexdigest()}  {path}\n" for path, key in sorted(keys.items())
    ).encode()
    return tuple(_write(folder / path, data) for path, data in sorted(files.items()))


def _entities(plan: Mapping[str, Any]) -> Iterator[Entity]:
    defaults = {key: plan[key] for key in ("since", "until", "suites")}
    for label, given in plan["certificate"].items():
        row = {**defaults, **given}
        for suite in map(suite_named, row["suites"]):
            subject = _name(plan["subject"], row, suite)
            yield Entity(label, suite, PROFILES[row["profile"]], row["issuer"], subject, row)


def _name(place: Mapping[str, str], row: Mapping[str, Any], suite: Suite) -> x509.Name:
    """C, ST, L from the plan; O and CN of the row. Authorities of different suites are different names."""
    common = f"{row['CN']} ({suite.name})" if row["profile"] in {"root", "issuing"} else row["CN"]
    values = {
        NameOID.COUNTRY_NAME: place["C"],
        NameOID.STATE_OR_PROVINCE_NAME: place["ST"],
        NameOID.LOCALITY_NAME: place["L"],
        NameOID.ORGANIZATION_NAME: row["O"],
        NameOID.COMMON_NAME: common,
    }
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in values.items()])


def _issue_all(folder: Path, plan: Mapping[str, Any]) -> dict[tuple[str, str], Issued]:
    issued: dict[tuple[str, str], Issued] = {}
    for entity in _entities(plan):  # issuers stand before what they issue
        path = folder / entity.path
        key = _key(path, entity.suite)
        issuer = issued.get((entity.issuer, entity.suite.name))
        if issuer is None and entity.issuer != entity.label:
            raise ConfigurationError(f"{entity.label} 的签发者 {entity.issuer} 须写在它之前。")
        signer = issuer.key if issuer else key
        pointer = f"{issuer.entity.label}.{entity.suite.short}" if issuer else ""
        content = CertificateContent(
            serial=entity.serial,
            issuer=issuer.entity.subject if issuer else entity.subject,
            subject=entity.subject,
            since=entity.row["since"],
            until=entity.row["until"],
            spki=key.public_key,
            extensions=tuple(
                extensions(
                    entity.profile,
                    spki=key.public_key,
                    issuer_spki=signer.public_key,
                    crl=f"{plan['url']}/crl/{pointer}.crl" if pointer else "",
                    ocsp=f"{plan['url']}/ocsp/{pointer}" if pointer and entity.row.get("ocsp") else "",
                )
            ),
        )
        certificate = _kept_or_signed(path, content.tbs(signer.suite), signer, "CERTIFICATE")
        issued[entity.label, entity.suite.name] = Issued(entity, key, certificate)
    return issued


def _kept_or_signed(path: Path, tbs: bytes, signer: DevelopmentKey, kind: str) -> bytes:
    """What stands in the file when it says exactly this, else the same newly signed; in PEM."""
    if path.exists():
        for found, _, data in pem.unarmor(path.read_bytes(), multiple=True):
            if found == kind and signed_parts(data)[0] == tbs:
                return _armour(kind, data)
    return _armour(kind, signed(tbs, signer))


def _entity_files(issued: Mapping[tuple[str, str], Issued]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for (label, suite), one in issued.items():
        issuer = issued[one.entity.issuer, suite]
        above = b"" if issuer.entity.issuer == issuer.entity.label else issuer.certificate
        files[one.entity.path] = one.key.text + one.certificate + above
        if label == "root":
            folder = "trust" if one.entity.suite.international else f"trust-{one.entity.suite.short}"
            files[f"{folder}/{one.entity.suite.short}.pem"] = one.certificate
    return files


def _revocation_files(
    folder: Path, issued: Mapping[tuple[str, str], Issued], plan: Mapping[str, Any]
) -> dict[str, bytes]:
    files = {}
    for one in issued.values():
        if one.entity.profile.path_length is None:
            continue
        label, suite = one.entity.label, one.entity.suite
        mine = (other.entity for (_, name), other in issued.items() if name == suite.name)
        content = RevocationContent(
            issuer=one.entity.subject,
            since=plan["since"],
            until=plan["until"],
            revoked=tuple(
                (entity.serial, entity.row["revoked"])
                for entity in mine
                if entity.issuer == label and "revoked" in entity.row
            ),
            extensions=list_extensions(plan["number"], one.key.public_key),
        )
        path = f"crl/{label}.{suite.short}.crl"
        files[path] = _kept_or_signed(folder / path, content.tbs(suite.name), one.key, "X509 CRL")
    return files


def _plain_keys(folder: Path, plan: Mapping[str, str]) -> dict[str, DevelopmentKey]:
    paths = {f"keys/{label}.pem": suite for label, suite in plan.items()}
    return {path: _key(folder / path, suite_named(suite)) for path, suite in paths.items()}


def _key(path: Path, suite: Suite) -> DevelopmentKey:
    """The key in the file, or a new one."""
    if not path.exists():
        key = suite.generate()
        return DevelopmentKey(suite.name, spki_of(key), private_pem(key))
    text = path.read_bytes().partition(b"-----BEGIN CERTIFICATE-----")[0]
    public_key = _public_key(text)
    if suite_of(public_key) is not suite:
        raise ConfigurationError(f"{path} 中的密钥不属于密码套件 {suite.name}，请删除后重新生成。")
    return DevelopmentKey(suite.name, public_key, text)


def _public_key(text: bytes) -> bytes:
    if of_sm2 := public_half(text):
        return of_sm2.spki
    try:
        # Ours, from this folder: checking each RSA key fully would take seconds.
        key: PrivateKey = load_pem_private_key(text, None, unsafe_skip_rsa_key_validation=True)  # type: ignore[assignment]
        return spki_of(key)
    except (ValueError, TypeError, VerificationError) as error:
        raise ConfigurationError("开发密钥文件无法读取，请删除后重新生成。") from error


def _armour(kind: str, data: bytes) -> bytes:
    return bytes(pem.armor(kind, data))


def _write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
