"""A seal that can be used: its data, its certificate and the key behind it.

Certificates are read at start, so that a wrong file is found then. The key is opened at its first use and held, because
opening all RSA keys of a city takes seconds that a command which seals nothing should not pay.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
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
from certlib.domain.seal import SealSpec
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
    try:
        text = path.read_bytes()
    except OSError as error:
        reason = error.strerror or "读取失败"
        raise ConfigurationError(f"印章 {spec.id}（{spec.name}）的密钥文件 {path} 无法读取（{reason}）。") from error
    return SealIdentity(spec, _key_uri(path), load_certificates(text, name=str(path)), revocation=crls)


def _key_uri(path: Path) -> str:
    elsewhere = path.with_suffix(".uri")
    try:
        return elsewhere.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return f"pem:{path}"
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"印章密钥的位置文件 {elsewhere} 无法读取，请检查权限和编码。") from error
