"""Signing keys by URI: `pem:/etc/certlib/seal.pem?passphrase=env:SEAL_PASSPHRASE`.

A key is opened once and then held. Opening checks it fully, which for RSA-3072 takes a tenth of a second and must
not be paid per signature. Schemes are rows of `OPENERS`; secrets come by reference and are never part of a URI.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, unquote

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from certlib.crypto.libcrypto import LibcryptoError
from certlib.crypto.sm2 import Sm2PrivateKey
from certlib.crypto.suites import SUITES, PrivateKey, Suite, spki_of
from certlib.errors import ConfigurationError, KeyUnavailableError


class SigningKey(Protocol):
    """A private key that can be used and not seen.

    `suite` is the name of its row in `SUITES`; `public_key` its SubjectPublicKeyInfo in DER.
    """

    @property
    def suite(self) -> str:
        """The name of the key's row in `SUITES`."""

    @property
    def public_key(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""

    def sign(self, message: bytes) -> bytes:
        """The signature over `message` in the form of the suite (ECDSA: DER; RSA, Ed25519: raw).

        Raises `KeyUnavailableError` when the key or its token is gone.
        """


@dataclass(frozen=True, slots=True)
class Secrets:
    """Secrets by reference: `env:NAME` or `file:/run/secrets/name` (trailing line break not part of it)."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def resolve(self, reference: str) -> str:
        """The secret's text. Raises `ConfigurationError` naming the reference, never the secret."""
        scheme, _, rest = reference.partition(":")
        if scheme == "env" and rest in self.environ:
            return self.environ[rest]
        if scheme == "env":
            raise ConfigurationError(f"环境变量 {rest} 没有设置，密钥口令无从取得。")
        if scheme != "file":
            raise ConfigurationError("口令须以引用给出，写作 env:变量名 或 file:文件路径。")
        try:
            return Path(rest).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"口令文件 {rest} 无法读取，请检查路径和权限。") from error


@dataclass(frozen=True, slots=True)
class PemKey:
    """A key held in the memory of this process, from a PEM file. Safe for concurrent use."""

    suite: str
    public_key: bytes = field(repr=False)
    _key: PrivateKey = field(repr=False)

    @classmethod
    def load(cls, pem: bytes, *, name: str, passphrase: bytes | None = None) -> PemKey:
        """The key in the PEM text (PKCS #8, or the older forms); `name` stands for it in messages.

        Raises `KeyUnavailableError` when the text holds no usable key.
        """
        key: object
        try:
            key = load_pem_private_key(pem, passphrase)
        except UnsupportedAlgorithm:
            key = _load_sm2(pem, name, passphrase)
        except TypeError as error:
            verb = "不需要" if passphrase else "需要"
            raise KeyUnavailableError(f"密钥文件 {name} {verb}口令，请改正密钥 URI 的 passphrase。") from error
        except ValueError as error:
            raise KeyUnavailableError(f"密钥文件 {name} 不是可用的 PEM 私钥，或口令不对，请更换文件。") from error
        suite = _suite_of(key, name)
        return cls(suite.name, spki_of(key), key)  # type: ignore[arg-type]

    def sign(self, message: bytes) -> bytes:
        """The signature over `message` in the form of the suite."""
        return SUITES[self.suite].sign(self._key, message)


def open_key(uri: str, secrets: Secrets | None = None) -> SigningKey:
    """The key that `uri` names, opened and checked once.

    Raises `ConfigurationError` for a URI of no known form, `KeyUnavailableError` when the key cannot be used.
    """
    scheme, colon, rest = uri.partition(":")
    opener = OPENERS.get(scheme) if colon else None
    if opener is None:
        raise ConfigurationError(f"密钥 URI 须以 {'、'.join(f'{name}:' for name in OPENERS)} 开头，而不是 {scheme}。")
    return opener(rest, secrets or Secrets())


def read_key_file(path: Path) -> bytes:
    """The bytes of a key file. Raises `KeyUnavailableError` naming the file and what to do."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise KeyUnavailableError(f"密钥文件 {path} 不存在，请检查设置中的路径。") from error
    except OSError as error:
        reason = error.strerror or "读取失败"
        raise KeyUnavailableError(f"密钥文件 {path} 无法读取（{reason}），请检查文件权限。") from error


def _suite_of(key: object, name: str) -> Suite:
    for suite in SUITES.values():
        if suite.owns(key):
            return suite
    raise KeyUnavailableError(f"密钥文件 {name} 的算法或长度不受支持；可用的有 {'、'.join(SUITES)}。")


def _load_sm2(pem: bytes, name: str, passphrase: bytes | None) -> Sm2PrivateKey:
    """The key of a curve that `cryptography` does not know, if it is SM2's."""
    try:
        return Sm2PrivateKey.from_pem(pem, passphrase)
    except LibcryptoError as error:
        raise KeyUnavailableError(f"密钥文件 {name} 的算法不受支持：{error.message}") from error


def _open_pem(rest: str, secrets: Secrets) -> SigningKey:
    path, _, query = rest.partition("?")
    options = dict(parse_qsl(query))
    if unknown := set(options) - {"passphrase"}:
        raise ConfigurationError(f"密钥 URI pem:{path} 有不认识的参数 {'、'.join(sorted(unknown))}。")
    file = Path(unquote(path))
    reference = options.get("passphrase")
    passphrase = secrets.resolve(reference).encode() if reference else None
    return PemKey.load(read_key_file(file), name=str(file), passphrase=passphrase)


def _open_token(rest: str, secrets: Secrets) -> SigningKey:
    from certlib.crypto.hardware import open_token_key  # noqa: PLC0415  (it builds on this module)

    return open_token_key(rest, secrets)


OPENERS: dict[str, Callable[[str, Secrets], SigningKey]] = {"pem": _open_pem, "pkcs11": _open_token}
