"""The seal list: which X.509 certificates are those of the city's seals, for readers that build no chain.

A browser has no X.509; it finds the certificate that signed a file by its SHA-256 in this list, which is signed like
the trust list (`certlib.formats.jws`), and checks one signature. Chain, timestamp and revocation at the moment of
sealing are for `certlib.verify`. Defined in full in docs/payload.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from certlib.crypto.keys import SigningKey
from certlib.formats.jws import Kind, open_json, seal_json, unreadable

VERSION = 1
KIND = Kind("certlib-seals+json", "印章清单")
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSeal:
    """One certificate of a seal: whose, from when to when, and since when it is revoked."""

    sha256: bytes  # over the certificate's DER
    seal: str  # the seal's id
    name: str  # 赣州市行政审批局行政审批专用章
    english: str  # the owner's name
    since: datetime
    until: datetime
    revoked: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealList:
    """A seal list; `seq` only grows."""

    seq: int
    issued: datetime
    seals: tuple[ListedSeal, ...]

    def seal(self, sha256: bytes) -> ListedSeal | None:
        """The entry of the certificate with this SHA-256, or None."""
        return next((seal for seal in self.seals if seal.sha256 == sha256), None)


def sign_seal_list(content: SealList, keys: Iterable[SigningKey]) -> bytes:
    """The list as signed JSON, one signature for each key. Raises `ConfigurationError`, `KeyUnavailableError`."""
    seals = {seal.sha256.hex(): _entry(seal) for seal in content.seals}
    values = {"version": VERSION, "seq": content.seq, "issued": content.issued.strftime(_TIME), "seals": seals}
    return seal_json(values, KIND, keys)


def read_seal_list(data: bytes, roots: Iterable[bytes]) -> SealList:
    """Check a list against the pinned public keys `roots` and read it. Raises `VerificationError`."""
    values = open_json(data, KIND, roots)
    try:
        return _list(values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unreadable(KIND, "内容不合格式") from error


def _list(values: Mapping[str, Any]) -> SealList:
    if values["version"] != VERSION or type(values["seq"]) is not int:
        raise ValueError("a version not known here")
    seals = tuple(_seal(bytes.fromhex(name), entry) for name, entry in values["seals"].items())
    return SealList(seq=values["seq"], issued=_moment(values["issued"]), seals=seals)


def _entry(seal: ListedSeal) -> dict[str, str]:
    values = {
        "seal": seal.seal,
        "zh": seal.name,
        "en": seal.english,
        "since": seal.since.astimezone(UTC).strftime(_TIME),
        "until": seal.until.astimezone(UTC).strftime(_TIME),
    }
    return values if seal.revoked is None else {**values, "revoked": seal.revoked.astimezone(UTC).strftime(_TIME)}


def _seal(sha256: bytes, entry: Mapping[str, Any]) -> ListedSeal:
    revoked = entry.get("revoked")
    return ListedSeal(
        sha256=sha256,
        seal=str(entry["seal"]),
        name=str(entry["zh"]),
        english=str(entry["en"]),
        since=_moment(entry["since"]),
        until=_moment(entry["until"]),
        revoked=_moment(revoked) if revoked else None,
    )


def _moment(text: str) -> datetime:
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
