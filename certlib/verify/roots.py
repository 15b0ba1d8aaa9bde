"""What a verifier trusts: X.509 roots with their revocation lists, and the signed lists behind the QR codes.

A folder of trust holds any of:

| file | what |
|---|---|
| `*.pem` with certificates | X.509 roots of seals and timestamps |
| `*.pem` with public keys | keys that sign the trust list of codes |
| `*.crl` (also in a folder `crl` beside it) | revocation lists, PEM or DER |
| `*.ocsp` (also in a folder `ocsp` beside it) | status answers (OCSP, RFC 6960), DER |
| `trust.json` | the trust list of codes |
| `seals.json` | the seal list: which seals were in use when |
| `*.cwt` | status lists, one shard each |

The operating system's trust is never consulted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from asn1crypto import pem

from certlib.crypto.certificates import Certificate, RevocationList
from certlib.crypto.ocsp import read_answer
from certlib.errors import ConfigurationError, VerificationError
from certlib.formats.seal_list import SealList, read_seal_list
from certlib.formats.status import StatusList, read_status_list, shard_of
from certlib.formats.trust import TrustList, read_trust_list

TRUST_LIST, SEAL_LIST = "trust.json", "seals.json"


@dataclass(frozen=True, slots=True)
class TrustRoots:
    """The trust of one verifier. Certificates and revocation lists are DER, keys SubjectPublicKeyInfo."""

    certificates: tuple[bytes, ...]
    revocation: tuple[bytes, ...] = ()
    list_keys: tuple[bytes, ...] = ()
    trust_list: TrustList | None = field(default=None, repr=False)
    shards: tuple[StatusList, ...] = field(default=(), repr=False)
    seals: SealList | None = field(default=None, repr=False)
    answers: tuple[bytes, ...] = field(default=(), repr=False)  # OCSP

    @classmethod
    def load(cls, folder: Path | None = None) -> TrustRoots:
        """The trust in `folder`; without one, that of the development keys.

        Raises `ConfigurationError` when the folder holds neither a root nor a key, or a file in it cannot be read or
        believed. For codes a key, the trust list and a status list are enough.
        """
        return _development() if folder is None else _read(folder)

    def shard(self, n: int) -> StatusList | None:
        """The newest status list that has the entry of index `n`, or None."""
        fitting = (shard for shard in self.shards if shard.shard == shard_of(n))
        return max(fitting, key=lambda shard: shard.issued, default=None)


def _development() -> TrustRoots:
    from certlib.crypto.development import development_folder, development_key  # noqa: PLC0415  (only when asked for)

    found = _read(development_folder() / "trust")
    keys = tuple(development_key(label).public_key for label in ("trust-2026", "trust-p256-2026"))
    return TrustRoots(found.certificates, found.revocation, keys, answers=found.answers)


def _read(folder: Path) -> TrustRoots:
    if not folder.is_dir():
        raise ConfigurationError(f"信任目录 {folder} 不存在，请检查路径。")
    certificates: list[bytes] = []
    keys: list[bytes] = []
    for path in sorted(folder.glob("*.pem")):
        for kind, data in _blocks(path):
            if kind == "CERTIFICATE":
                certificates.append(data)
            elif kind == "PUBLIC KEY":
                keys.append(data)
    if not certificates and not keys:
        raise ConfigurationError(f"信任目录 {folder} 中没有 X.509 根证书，也没有清单的公钥（*.pem）。")
    crls = _crls((*sorted(folder.glob("*.crl")), *sorted((folder.parent / "crl").glob("*.crl"))))
    trust_list = _trust_list(folder / TRUST_LIST, keys)
    shards, seals = _shards(folder, trust_list), _seal_list(folder / SEAL_LIST, keys)
    answers = _answers((*sorted(folder.glob("*.ocsp")), *sorted((folder.parent / "ocsp").glob("*.ocsp"))))
    return TrustRoots(tuple(certificates), crls, tuple(keys), trust_list, shards, seals, answers)


def _blocks(path: Path) -> list[tuple[str, bytes]]:
    try:
        blocks = [(kind, data) for kind, _, data in pem.unarmor(path.read_bytes(), multiple=True)]
        for kind, data in blocks:
            if kind == "CERTIFICATE":
                Certificate.load(data)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(f"信任目录中的文件 {path} 无法读取，应为 PEM 格式。") from error
    return blocks


def _crls(paths: Iterable[Path]) -> tuple[bytes, ...]:
    try:
        return tuple(RevocationList.load(path.read_bytes(), name=str(path)).der for path in paths)
    except OSError as error:
        raise ConfigurationError(f"吊销列表无法读取：{error.filename}。") from error


def _answers(paths: Iterable[Path]) -> tuple[bytes, ...]:
    try:
        return tuple(read_answer(path.read_bytes()).der for path in paths)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"信任目录中的证书状态应答（*.ocsp）无法读取：{error}。") from error


def _trust_list(path: Path, keys: list[bytes]) -> TrustList | None:
    if not path.is_file():
        return None
    try:
        return read_trust_list(path.read_bytes(), keys)
    except (OSError, VerificationError) as error:
        raise ConfigurationError(f"信任清单 {path} 不能采信：{error}") from error


def _seal_list(path: Path, keys: list[bytes]) -> SealList | None:
    if not path.is_file():
        return None
    try:
        return read_seal_list(path.read_bytes(), keys)
    except (OSError, VerificationError) as error:
        raise ConfigurationError(f"印章清单 {path} 不能采信：{error}") from error


def _shards(folder: Path, trust_list: TrustList | None) -> tuple[StatusList, ...]:
    paths = sorted(folder.glob("*.cwt"))
    if paths and trust_list is None:
        raise ConfigurationError(f"信任目录 {folder} 有状态清单而没有信任清单 {TRUST_LIST}，无从核验。")
    try:
        return tuple(read_status_list(path.read_bytes(), trust_list) for path in paths if trust_list)
    except (OSError, VerificationError) as error:
        raise ConfigurationError(f"信任目录 {folder} 中的状态清单不能采信：{error}") from error
