"""The trust list: which keys sign codes and status lists, for whom, from when to when, and what their numbers mean.

It is signed JSON (`certlib.formats.jws`), so that a browser reads it with what it has. `seq` only grows: a reader keeps
the highest it has seen and refuses a lower one. A key that was ever listed stays listed, since papers outlive keys;
what one list may change of the list before, `check_succession` says. Defined in full in docs/payload.md.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from certlib.crypto.cose import ALGORITHMS, algorithm_of, key_id
from certlib.crypto.keys import SigningKey
from certlib.crypto.suites import suite_of
from certlib.domain.civil import civil_date
from certlib.errors import ConfigurationError
from certlib.formats.jws import Kind, open_json, seal_json, unreadable

VERSION = 1
KIND = Kind("certlib-trust+json", "信任清单")
ACTIVE, RETIRED, COMPROMISED = "active", "retired", "compromised"
STATES = (ACTIVE, RETIRED, COMPROMISED)
_TOO_EARLY = "签名时间早于密钥的启用时间。"
_TOO_LATE = "签名时间晚于密钥的停用时间。"
_LEAKED = "签名密钥已泄露，须向签发机关核实。"


@dataclass(frozen=True, slots=True)
class Names:
    """A name in Chinese and English."""

    chinese: str
    english: str = ""

    def as_json(self) -> dict[str, str]:
        """`{"zh": …, "en": …}`."""
        return {"zh": self.chinese, "en": self.english}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """A key of the list. `uses` are `code`, `status`; `since` is inclusive, `until` exclusive, None open.

    What a retired key signed stays good. Nothing that a compromised key signed is believed on its own, whenever it says
    it was signed; `compromised_since` tells people from when on.
    """

    public_key: bytes
    uses: tuple[str, ...]
    issuer: Names
    state: str = ACTIVE
    since: datetime | None = None
    until: datetime | None = None
    compromised_since: datetime | None = None

    @property
    def kid(self) -> bytes:
        """The four bytes that name the key."""
        return key_id(self.public_key)

    def fault(self, signed: datetime) -> str:
        """Why a signature said to be made at `signed` is not to be believed (Chinese); empty when it is."""
        if self.since is not None and signed < self.since:
            return _TOO_EARLY
        if self.until is not None and signed >= self.until:
            return _TOO_LATE
        return _LEAKED if self.state == COMPROMISED else ""

    def fault_on(self, day: date) -> str:
        """Why a code of a certificate issued on `day` is not to be believed; the key's last day counts as its own.

        The day may lie before the key's first: a sheet printed anew keeps its certificate's day of issue.
        """
        if self.until is not None and day > civil_date(self.until):
            return _TOO_LATE
        return _LEAKED if self.state == COMPROMISED else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustList:
    """A trust list. `types` and `issuers` give the names of the numbers in the signed code."""

    seq: int
    issued: datetime
    keys: tuple[TrustedKey, ...]
    types: Mapping[int, Names] = field(default_factory=dict)
    issuers: Mapping[int, Names] = field(default_factory=dict)
    host: str = ""  # the one host printed under the codes

    def key(self, kid: bytes, use: str) -> TrustedKey | None:
        """The key with that name for that use, or None."""
        return next((key for key in self.keys if key.kid == kid and use in key.uses), None)

    def issuer_of(self, number: int, key: TrustedKey) -> Names:
        """The issuer's name by its number in the code, the key's own where the code names none."""
        return self.issuers.get(number, key.issuer)

    def type_of(self, number: int) -> Names:
        """The type's name by its number in the code."""
        return self.types.get(number, Names(f"证照种类 {number}", f"certificate type {number}"))


def sign_trust_list(content: TrustList, keys: Iterable[SigningKey]) -> bytes:
    """The list as signed JSON, one signature for each key. Raises `ConfigurationError`, `KeyUnavailableError`."""
    return seal_json(_as_json(content), KIND, keys)


def read_trust_list(data: bytes, roots: Iterable[bytes]) -> TrustList:
    """Check a list against the pinned public keys `roots` (SubjectPublicKeyInfo) and read it.

    Raises `VerificationError`: `unreadable` when it is none, `unknown-issuer` when no pinned key signed it,
    `signature-invalid` when one signed wrongly.
    """
    values = open_json(data, KIND, roots)
    try:
        return _from_json(values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unreadable(KIND, "内容不合格式") from error


def check_succession(before: TrustList, after: TrustList) -> None:
    """Return when `after` may follow `before`.

    Raises `ConfigurationError` naming everything that would make papers already issued say something else: a key that
    is gone, given back its trust, or was never the same; a number that is gone.
    """
    if faults := tuple(_succession_faults(before, after)):
        raise ConfigurationError(f"信任清单不能接续第 {before.seq} 期：{'；'.join(faults)}。")


def _succession_faults(before: TrustList, after: TrustList) -> Iterator[str]:
    if after.seq <= before.seq:
        yield f"期号 {after.seq} 没有增大"
    kept = {key.kid: key for key in after.keys}
    for old in before.keys:
        new = kept.get(old.kid)
        if new is None:
            yield f"密钥 {old.kid.hex()} 公布过，不能撤下，可改为 {RETIRED} 或 {COMPROMISED}"
        elif new.public_key != old.public_key:
            yield f"两个密钥同名 {old.kid.hex()}"
        elif STATES.index(new.state) < STATES.index(old.state):
            yield f"密钥 {old.kid.hex()} 已是 {old.state}，不能改回 {new.state}"
    for name, earlier, later in (("证照种类", before.types, after.types), ("机关", before.issuers, after.issuers)):
        yield from (f"{name} {number} 的名称公布过，不能撤下" for number in earlier if number not in later)


def _as_json(content: TrustList) -> dict[str, Any]:
    return {
        "version": VERSION,
        "seq": content.seq,
        "issued": _time(content.issued),
        "host": content.host,
        "keys": {key.kid.hex(): _key_json(key) for key in content.keys},
        "types": {str(number): names.as_json() for number, names in content.types.items()},
        "issuers": {str(number): names.as_json() for number, names in content.issuers.items()},
    }


def _key_json(key: TrustedKey) -> dict[str, Any]:
    values = {
        "alg": algorithm_of(suite_of(key.public_key).name).number,
        "spki": base64.b64encode(key.public_key).decode(),
        "uses": list(key.uses),
        "issuer": key.issuer.as_json(),
        "state": key.state,
    }
    times = (("since", key.since), ("until", key.until), ("compromised_since", key.compromised_since))
    return values | {name: _time(at) for name, at in times if at is not None}


def _from_json(values: Mapping[str, Any]) -> TrustList:
    if values["version"] != VERSION or type(values["seq"]) is not int:
        raise ValueError("a version not known here")
    return TrustList(
        seq=values["seq"],
        issued=_moment(values["issued"]),
        host=str(values["host"]),
        keys=tuple(_key(kid, entry) for kid, entry in values["keys"].items()),
        types=_names(values["types"]),
        issuers=_names(values["issuers"]),
    )


def _key(kid: str, entry: Mapping[str, Any]) -> TrustedKey:
    since, until, broken = (entry.get(name) for name in ("since", "until", "compromised_since"))
    key = TrustedKey(
        public_key=base64.b64decode(entry["spki"], validate=True),
        uses=tuple(map(str, entry["uses"])),
        issuer=Names(str(entry["issuer"]["zh"]), str(entry["issuer"].get("en", ""))),
        state=entry["state"],
        since=_moment(since) if since else None,
        until=_moment(until) if until else None,
        compromised_since=_moment(broken) if broken else None,
    )
    stated = ALGORITHMS.get(entry["alg"])
    if key.kid.hex() != kid or key.state not in STATES or stated is None:
        raise ValueError("a key that does not agree with its entry")
    if suite_of(key.public_key).name != stated.suite:
        raise ValueError("a key of another algorithm than stated")
    return key


def _names(values: Mapping[str, Any]) -> dict[int, Names]:
    return {int(number): Names(str(entry["zh"]), str(entry.get("en", ""))) for number, entry in values.items()}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
