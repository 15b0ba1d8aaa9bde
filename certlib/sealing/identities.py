"""A seal that can be used: its data, its certificate and the key behind it.

Certificates are read at start, so that a wrong file is found then. The key is opened at its first use and held, because
opening all RSA keys of a city takes seconds that a command which seals nothing should not pay.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from certlib.crypto.certificates import (
    Certificate,
    RevocationList,
    check_signer,
    load_certificates,
    load_revocation_lists,
)
from certlib.crypto.cms import Signer
from certlib.crypto.keys import Secrets, open_key
from certlib.crypto.suites import suite_named, suite_of
from certlib.domain.seal import SealKind, SealSpec
from certlib.errors import ConfigurationError, VerificationError


class SealIdentity:
    """One seal in one cipher suite. Safe for concurrent use; the key never leaves it but as a `Signer`."""

    def __init__(
        self,
        spec: SealSpec,
        key_uri: str,
        certificates: tuple[Certificate, ...],
        *,
        revocation: tuple[RevocationList, ...] = (),
        secrets: Secrets | None = None,
    ) -> None:
        """Take the seal `spec` with its certificate first in `certificates`, then those above it.

        Raises `ConfigurationError` when the certificate is another seal's or of no known suite.
        """
        self.spec, self.certificate, self.chain = spec, certificates[0], certificates[1:]
        self.revocation = revocation
        self._key_uri, self._secrets, self._lock = key_uri, secrets, threading.Lock()
        self._signer: Signer | None = None
        if self.certificate.common_name != spec.id:
            raise ConfigurationError(
                f"印章 {spec.id} 的证书属于 {self.certificate.common_name}，请核对 {spec.certificate} 的证书文件。"
            )
        try:
            self.suite = suite_of(self.certificate.spki).name
        except VerificationError as error:
            raise ConfigurationError(f"印章 {spec.id} 的证书：{error.message}") from error

    def signer(self, *, at: datetime) -> Signer:
        """Key and certificates, after checking that a verifier would accept them at `at`.

        Raises `SealFailedError` naming what is wrong, `KeyUnavailableError` when the key cannot be opened.
        """
        with self._lock:
            if self._signer is None:
                self._signer = Signer(open_key(self._key_uri, self._secrets), self.certificate, self.chain)
        check_signer(self.certificate, self._signer.key.public_key, at=at, revocation=self.revocation)
        return self._signer


class SealKeys(Mapping[str, SealIdentity]):
    """The identities of a folder of keys in one suite, by the SHA-256 of their X.509 certificate (hexadecimal).

    The register says which certificate a seal's edition is bound to and what its picture is drawn from; here is the
    key to it. What is laid into the folder later (a renewed certificate) is found when it is first asked for. Safe for
    concurrent use.
    """

    def __init__(self, folder: Path, suite: str) -> None:
        """Read the certificates of `folder`, laid out like `keys-dev/`.

        Raises `ConfigurationError` naming the file that cannot be read.
        """
        self._folder, self._short = folder, suite_named(suite).short
        self._found: dict[str, SealIdentity] = {}
        self._read: set[tuple[Path, int]] = set()  # with the time of their last change
        self._lock = threading.Lock()
        self._scan()

    def __getitem__(self, sha256: str) -> SealIdentity:
        if sha256 not in self._found:
            self._scan()
        return self._found[sha256]

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._found))

    def __len__(self) -> int:
        return len(self._found)

    def certificates_of(self, seal: str) -> tuple[tuple[Certificate, ...], ...]:
        """The certificates for this seal in the folder, of every suite, each with those above it."""
        paths = sorted((self._folder / "seals").glob("*.pem"))
        chains = (load_certificates(_bytes(path, path.stem), name=str(path)) for path in paths)
        return tuple(chain for chain in chains if chain[0].common_name == seal)

    @property
    def certificates(self) -> Container[bytes]:
        """The X.509 certificates in DER."""
        return _Certificates(self)

    def _scan(self) -> None:
        with self._lock:
            paths = sorted((self._folder / "seals").glob(f"*.{self._short}.pem"))
            states = {path: (path, path.stat().st_mtime_ns) for path in paths}
            new = [path for path, state in states.items() if state not in self._read]
            if not new:
                return
            crls = load_revocation_lists(sorted((self._folder / "crl").glob(f"*.{self._short}.crl")))
            for path in new:
                chain = load_certificates(_bytes(path, path.stem), name=str(path))
                identity = SealIdentity(_nameless(chain[0].common_name), _key_uri(path), chain, revocation=crls)
                self._found[chain[0].sha256.hex()] = identity
                self._read.add(states[path])


def _nameless(seal: str) -> SealSpec:
    """A seal of which only the id is known here; name and picture come with the order."""
    return SealSpec(id=seal, authority="", kind=SealKind.APPROVAL, name=seal, arc_text="")


class _Certificates(Container[bytes]):
    """Whether a certificate (DER) is one of the keys'."""

    def __init__(self, keys: SealKeys) -> None:
        self._keys = keys

    def __contains__(self, der: object) -> bool:
        return isinstance(der, bytes) and hashlib.sha256(der).hexdigest() in self._keys


def load_identities(specs: Iterable[SealSpec], folder: Path, suite: str) -> dict[str, SealIdentity]:
    """The seals `specs` in one suite by seal id, from a folder laid out like `keys-dev/`.

    A seal's file is `seals/<spec.certificate>.<suite's short name>.pem`: key, certificate, issuing certificate. With
    the key elsewhere, a file of that name ending in `.uri` says where: one line, such as `pkcs11:token=…`.
    Raises `ConfigurationError` naming the file that is missing or wrong.
    """
    short = suite_named(suite).short
    crls = load_revocation_lists(sorted((folder / "crl").glob(f"*.{short}.crl")))
    return {spec.id: _identity(spec, folder / "seals" / f"{spec.certificate}.{short}.pem", crls) for spec in specs}


def _identity(spec: SealSpec, path: Path, crls: tuple[RevocationList, ...]) -> SealIdentity:
    text = _bytes(path, f"{spec.id}（{spec.name}）")
    return SealIdentity(spec, _key_uri(path), load_certificates(text, name=str(path)), revocation=crls)


def _bytes(path: Path, seal: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or "读取失败"
        raise ConfigurationError(f"印章 {seal} 的密钥文件 {path} 无法读取（{reason}）。") from error


def _key_uri(path: Path) -> str:
    elsewhere = path.with_suffix(".uri")
    try:
        return elsewhere.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return f"pem:{path}"
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"印章密钥的位置文件 {elsewhere} 无法读取，请检查权限和编码。") from error
