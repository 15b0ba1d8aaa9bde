"""The development keys: where they are, and that they are refused everywhere else.

They are published with the source, so whoever accepts them accepts everybody. Their names and the environment say so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path

from certlib.crypto.certificates import Certificate, load_certificates
from certlib.crypto.cms import Signer
from certlib.crypto.keys import SigningKey, open_key
from certlib.crypto.material import ValidationMaterial
from certlib.crypto.suites import suite_named
from certlib.crypto.timestamps import DevelopmentTimestamps
from certlib.errors import ConfigurationError

ENVIRONMENT = "development"


def development_folder() -> Path:
    """The folder of development keys: inside the package in a wheel, at the top of a checkout.

    Raises `ConfigurationError` when there is none.
    """
    package = Path(str(files("certlib")))
    for folder in (package / "data" / "keys-dev", package.parent / "keys-dev"):
        if (folder / "pki.toml").is_file():
            return folder
    raise ConfigurationError("没有找到开发密钥目录 keys-dev，请在源码目录中运行，或重新安装 certlib。")


def development_key(label: str) -> SigningKey:
    """The development key without certificate called `label`, such as `code-2026` or `journal`."""
    return open_key(f"pem:{development_folder() / 'keys' / label}.pem")


def development_roots() -> tuple[Certificate, ...]:
    """The roots of the development PKI, one per suite."""
    paths = sorted(development_folder().glob("trust*/*.pem"))
    return tuple(root for path in paths for root in load_certificates(path.read_bytes(), name=str(path)))


def development_timestamps(suite: str = "p256-sha256") -> DevelopmentTimestamps:
    """The timestamp authority of the development PKI in one suite, inside this process."""
    path = development_folder() / "tsa" / f"tsa.{suite_named(suite).short}.pem"
    certificate, *chain = load_certificates(path.read_bytes(), name=str(path))
    return DevelopmentTimestamps(Signer(open_key(f"pem:{path}"), certificate, tuple(chain)))


def development_material(suite: str = "p256-sha256") -> ValidationMaterial:
    """The authorities and revocation lists of the development PKI in one suite."""
    return ValidationMaterial.load(development_folder(), suite_named(suite).short)


def refuse_development_keys(environment: str, public_keys: Iterable[bytes] | None = None) -> None:
    """Refuse development keys outside the environment `development`.

    `public_keys` are the SubjectPublicKeyInfos about to be used or trusted; without them any use is meant.
    Raises `ConfigurationError` naming the first development key among them.
    """
    if environment == ENVIRONMENT:
        return
    if public_keys is None:
        raise ConfigurationError(f"环境是 {environment}，开发密钥人人可得，不得使用；请配置正式密钥。")
    known = _fingerprints()
    for public_key in public_keys:
        if name := known.get(hashlib.sha256(public_key).hexdigest()):
            raise ConfigurationError(f"环境是 {environment}，不得使用开发密钥 {name}；请配置正式密钥。")


@cache
def _fingerprints() -> dict[str, str]:
    lines = (development_folder() / "fingerprints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(maxsplit=1) for line in lines)
