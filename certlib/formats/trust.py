"""The trust list: which keys sign codes and status lists, for whom, from when to when, and what their numbers mean.

It is JSON in a JWS (RFC 7515 §7.2.1, general serialization), so that a browser reads it with what it has:

    {"payload": base64url(JSON), "signatures": [{"protected": base64url({"alg","kid","typ"}), "signature": base64url}]}

One good signature of a pinned key suffices; a bad signature of a pinned key spoils the list. `seq` only grows: a reader
keeps the highest it has seen and refuses a lower one. A key that was ever listed stays listed, since papers outlive
keys. Defined in full in docs/payload.md.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from certlib.crypto.cose import ALGORITHMS, algorithm_of, key_id
from certlib.crypto.keys import SigningKey
from certlib.crypto.suites import suite_named, suite_of
from certlib.domain.civil import civil_date
from certlib.domain.verdict import Verdict
from certlib.errors import VerificationError
from certlib.formats.facts import canonical

VERSION = 1
TYPE = "certlib-trust+json"
MAX_SIZE = 1 << 20  # bytes
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

    What a retired key signed stays good. From `compromised_since` on nothing it signed is believed on its own.
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
        """The same for a signature of which only the day is known: the key's first and last day count as its own."""
        if self.since is not None and day < civil_date(self.since):
            return _TOO_EARLY
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
    """The list as JWS JSON, one signature for each key. Raises `ConfigurationError`, `KeyUnavailableError`."""
    payload = _base64(canonical(_as_json(content)))
    signatures = [_signature(payload, key) for key in keys]
    return canonical({"payload": payload, "signatures": signatures})


def read_trust_list(data: bytes, roots: Iterable[bytes]) -> TrustList:
    """Check a list against the pinned public keys `roots` (SubjectPublicKeyInfo) and read it.

    Raises `VerificationError`: `unreadable` when it is none, `unknown-issuer` when no pinned key signed it,
    `signature-invalid` when one signed wrongly.
    """
    envelope = _json(data)
    payload, signatures = envelope.get("payload"), envelope.get("signatures")
    if not isinstance(payload, str) or not isinstance(signatures, list) or len(signatures) > 8:
        raise _unreadable("不是签名的 JSON")
    pinned = {key_id(root).hex(): root for root in roots}
    good = [_check(payload, entry, pinned) for entry in signatures]
    if not any(good):
        raise VerificationError("信任清单没有任何已登记密钥的签名，不予采信。", code=Verdict.UNKNOWN_ISSUER)
    try:
        return _from_json(_json(_unbase64(payload)))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unreadable("内容不合格式") from error


def _signature(payload: str, key: SigningKey) -> dict[str, str]:
    algorithm = algorithm_of(key.suite)
    header = {"alg": algorithm.name, "kid": key_id(key.public_key).hex(), "typ": TYPE}
    protected = _base64(canonical(header))
    signed = key.sign(f"{protected}.{payload}".encode())
    return {"protected": protected, "signature": _base64(algorithm.to_cose(signed))}


def _check(payload: str, entry: object, pinned: Mapping[str, bytes]) -> bool:
    if not isinstance(entry, dict):
        raise _unreadable("签名不合格式")
    protected, signature = entry.get("protected"), entry.get("signature")
    if not isinstance(protected, str) or not isinstance(signature, str):
        raise _unreadable("签名不合格式")
    header = _json(_unbase64(protected))
    public_key = pinned.get(str(header.get("kid")))
    if public_key is None:
        return False  # another reader's key
    algorithm = algorithm_of(suite_of(public_key).name)
    raw = _unbase64(signature)
    if header.get("alg") != algorithm.name or header.get("typ") != TYPE or len(raw) != algorithm.size:
        raise VerificationError("信任清单的签名与登记的密钥不符，不予采信。")
    try:
        message = f"{protected}.{payload}".encode()
        suite_named(algorithm.suite).verify(public_key, algorithm.from_cose(raw), message)
    except VerificationError as error:
        raise VerificationError("信任清单的签名无效，不予采信。") from error
    return True


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


def _json(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_SIZE:
        raise _unreadable("过大")
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _unreadable("不是 JSON") from error
    if not isinstance(values, dict):
        raise _unreadable("不是 JSON 对象")
    return values


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise _unreadable("编码有误") from error


def _unreadable(reason: str) -> VerificationError:
    return VerificationError(f"信任清单无法读取：{reason}。", code=Verdict.UNREADABLE)
