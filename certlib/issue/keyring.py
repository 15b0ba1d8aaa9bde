"""The keys behind codes and lists over time: which sign now, which signed before, what is to be believed of each.

`keyring.toml` in the folder of keys says it; without one, the keys `code-2026` and `status-2026` sign.

    signers = ["trust-2026", "trust-p256-2026"]   # sign the lists themselves; readers pin their public keys

    [[key]]
    label = "code-2026"        # keys/code-2026.pem, or .uri (pkcs11:…), or only .pub.pem once it no longer signs
    use = "code"               # code | status
    state = "retired"          # active | retired | compromised; a key that was ever listed stays listed
    since = 2026-01-01T00:00:00Z
    until = 2027-01-01T00:00:00Z

    [[key]]
    label = "code-2027"
    use = "code"
    since = 2027-01-01T00:00:00Z

Of several active keys of one use the one that began last signs, from its first day on, without a restart.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from asn1crypto import pem

from certlib.crypto.keys import SigningKey, open_key
from certlib.domain.civil import civil_date
from certlib.errors import ConfigurationError
from certlib.formats.code import CodePayload, code_text, sign_code
from certlib.formats.trust import ACTIVE, COMPROMISED, STATES, Names, TrustedKey

FILE = "keyring.toml"
USES = ("code", "status")
_DEFAULT: Mapping[str, Any] = {
    "signers": ["trust-2026"],
    "key": [{"label": "code-2026", "use": "code"}, {"label": "status-2026", "use": "status"}],
}
_TIMES = ("since", "until", "compromised_since")
_FIRST = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Listed:
    """One key of the keyring; `key` is held only by those that may sign."""

    label: str
    trusted: TrustedKey
    key: SigningKey | None = None


@dataclass(frozen=True, slots=True)
class Rota:
    """The active keys of one use, in the order in which they begin."""

    use: str
    keys: tuple[Listed, ...]

    def at(self, moment: datetime) -> SigningKey:
        """The key that signs at `moment`. Raises `ConfigurationError` when none is in use then."""
        return self._newest(moment, lambda key: key.fault(moment) == "")

    def on(self, day: date) -> SigningKey:
        """The key that signs what is issued on `day`. Raises `ConfigurationError` when none is in use then."""
        return self._newest(day, lambda key: key.fault_on(day) == "" and civil_date(key.since or _FIRST) <= day)

    def _newest(self, when: object, fits: Callable[[TrustedKey], bool]) -> SigningKey:
        for listed in reversed(self.keys):
            if listed.key is not None and fits(listed.trusted):
                return listed.key
        raise ConfigurationError(f"{when} 没有在用的 {self.use} 签名密钥，请在 {FILE} 中登记新密钥。")


@dataclass(frozen=True, slots=True)
class Keyring:
    """All keys that are published, and those that sign the lists."""

    signers: tuple[SigningKey, ...]
    keys: tuple[Listed, ...]

    @property
    def roots(self) -> tuple[bytes, ...]:
        """The public keys that readers pin."""
        return tuple(signer.public_key for signer in self.signers)

    @property
    def trusted(self) -> tuple[TrustedKey, ...]:
        """The entries of the trust list."""
        return tuple(listed.trusted for listed in self.keys)

    def rota(self, use: str) -> Rota:
        """The keys that may sign for one use."""
        active = (listed for listed in self.keys if use in listed.trusted.uses and listed.key is not None)
        return Rota(use, tuple(sorted(active, key=lambda listed: listed.trusted.since or _FIRST)))


def load_keyring(folder: Path, issuer: Names) -> Keyring:
    """The keyring of a folder laid out like `keys-dev/`; `issuer` owns its keys.

    Raises `ConfigurationError` naming the entry that is wrong, `KeyUnavailableError` for a key that cannot be opened.
    """
    source = folder / FILE
    try:
        plan = tomllib.loads(source.read_text(encoding="utf-8")) if source.exists() else _DEFAULT
        keys = tuple(_listed(folder, entry, issuer) for entry in plan["key"])
        signers = tuple(open_key(_uri(folder, label)) for label in plan["signers"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"密钥表 {source} 无法使用：{error}。") from error
    return Keyring(signers, keys)


def _listed(folder: Path, entry: Mapping[str, Any], issuer: Names) -> Listed:
    unknown = set(entry) - {"label", "use", "state", *_TIMES}
    state, use, label = entry.get("state", ACTIVE), entry["use"], entry["label"]
    if unknown or use not in USES or state not in STATES:
        raise ValueError(f"{label} 的 {'、'.join(sorted(unknown)) or f'use {use} 或 state {state}'} 不认识")
    if (state == COMPROMISED) != ("compromised_since" in entry):
        raise ValueError(f"{label}：{COMPROMISED} 与 compromised_since 须同时写明")
    times = {name: _moment(label, entry[name]) for name in _TIMES if name in entry}
    key = open_key(_uri(folder, label)) if state == ACTIVE else None
    public_key = key.public_key if key else _public_key(folder, label)
    return Listed(label, TrustedKey(public_key=public_key, uses=(use,), issuer=issuer, state=state, **times), key)


def _moment(label: str, value: object) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    raise ValueError(f"{label} 的时间须写明日期、时刻和时区")


def _uri(folder: Path, label: str) -> str:
    elsewhere = folder / "keys" / f"{label}.uri"
    return elsewhere.read_text(encoding="utf-8").strip() if elsewhere.exists() else f"pem:{folder}/keys/{label}.pem"


def _public_key(folder: Path, label: str) -> bytes:
    kind, _, data = pem.unarmor((folder / "keys" / f"{label}.pub.pem").read_bytes())
    if kind != "PUBLIC KEY":
        raise ValueError(f"{label}.pub.pem 不是公钥")
    return bytes(data)


@dataclass(frozen=True, slots=True)
class SignedCoder:
    """Signs codes; `host` is what is printed, `opened` the day on which the office was opened."""

    rota: Rota
    host: str
    opened: date

    def text(self, payload: CodePayload) -> str:
        """The full text of the QR code. A sheet printed later is signed by a later key than its first print was."""
        key = self.rota.on(max(payload.issued, self.opened))
        return code_text(sign_code(payload, key), self.host)
