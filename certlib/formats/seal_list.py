"""The seal list: which X.509 certificates are those of the city's seals, and when each seal was in use.

A browser has no X.509; it finds the certificate that signed a file by its SHA-256 in this list, which is signed like
the trust list (`certlib.formats.jws`), and checks one signature. Chain, timestamp and revocation at the moment of
sealing are for `certlib.verify`, which asks this list besides whether the seal was in use then (公布印章状态). Defined
in full in docs/payload.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from certlib.crypto.keys import SigningKey
from certlib.formats.jws import Kind, open_json, seal_json, unreadable

VERSION = 1
KIND = Kind("certlib-seals+json", "印章清单")
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSeal:
    """One certificate of a seal: whose, from when to when, and since when it is revoked.

    `in_use` are the spans in which the seal was enabled with this certificate, the last one open while it still is;
    none when that is not stated. `state` is the seal's of now; from `compromised` on its key is not believed.
    """

    sha256: bytes  # over the certificate's DER
    seal: str  # the seal's id
    name: str  # 赣州市行政审批局行政审批专用章
    english: str  # the owner's name
    since: datetime
    until: datetime
    revoked: datetime | None = None
    edition: int = 0
    state: str = ""
    in_use: tuple[tuple[datetime, datetime | None], ...] | None = None
    compromised: datetime | None = None

    def was_in_use(self, at: datetime, *, give: timedelta) -> bool:
        """Whether the seal was in use at `at`, give or take what clocks may differ."""
        spans = self.in_use or ()
        return any(since - give <= at and (until is None or at < until + give) for since, until in spans)


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


def _entry(seal: ListedSeal) -> dict[str, Any]:
    values: dict[str, Any] = {
        "seal": seal.seal,
        "zh": seal.name,
        "en": seal.english,
        "since": _time(seal.since),
        "until": _time(seal.until),
    }
    if seal.in_use is not None:
        spans = [[_time(since), _time(until) if until else None] for since, until in seal.in_use]
        values |= {"edition": seal.edition, "state": seal.state, "in_use": spans}
    times = (("revoked", seal.revoked), ("compromised", seal.compromised))
    return values | {name: _time(at) for name, at in times if at is not None}


def _seal(sha256: bytes, entry: Mapping[str, Any]) -> ListedSeal:
    revoked, compromised, spans = (entry.get(name) for name in ("revoked", "compromised", "in_use"))
    return ListedSeal(
        sha256=sha256,
        seal=str(entry["seal"]),
        name=str(entry["zh"]),
        english=str(entry["en"]),
        since=_moment(entry["since"]),
        until=_moment(entry["until"]),
        revoked=_moment(revoked) if revoked else None,
        edition=int(entry.get("edition", 0)),
        state=str(entry.get("state", "")),
        in_use=None if spans is None else tuple((_moment(one), _moment(two) if two else None) for one, two in spans),
        compromised=_moment(compromised) if compromised else None,
    )


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime(_TIME)


def _moment(text: str) -> datetime:
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
