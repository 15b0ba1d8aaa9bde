"""The machine-readable facts of a sealed file: their one text, the hashes over it, and the attached `facts.json`.

The text of facts is canonical JSON: keys sorted, no spaces, UTF-8, strings escaped as little as JSON allows. With
string values only, as here, that is RFC 8785 and what `JSON.stringify` gives for sorted keys. Defined in full in
docs/payload.md.

    facts_digest(salt, facts)   # 16 bytes, in the signed code:  SHA-256(16-byte salt ‖ text)[:16]
    commitment(salt, facts)     # 32 bytes, in the journal:      SHA-256(32-byte salt ‖ text)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

VERSION = 1
FILE_NAME = "facts.json"
MAX_SIZE = 1 << 20  # bytes
CODE_SALT_SIZE, COMMITMENT_SALT_SIZE = 16, 32
KINDS = ("certificate", "document")


def canonical(value: object) -> bytes:
    """The one text of a JSON value. Raises `ValueError` for what JSON or UTF-8 cannot hold."""
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return text.encode("utf-8")
    except TypeError as error:
        raise ValueError(str(error)) from error


def facts_digest(salt: bytes, facts: Mapping[str, str]) -> bytes:
    """The 16 bytes that stand for the printed facts in the signed code. Raises `ValueError` for a salt of other size.

    Salted, since an identity number with few unknown digits would fall to a search within seconds.
    """
    if len(salt) != CODE_SALT_SIZE:
        raise ValueError(f"the code's salt has {CODE_SALT_SIZE} bytes")
    return hashlib.sha256(salt + canonical(dict(facts))).digest()[:16]


def commitment(salt: bytes, facts: Mapping[str, str]) -> bytes:
    """The 32 bytes by which the journal is bound to the facts. Raises `ValueError` for a salt of other size."""
    if len(salt) != COMMITMENT_SALT_SIZE:
        raise ValueError(f"the journal's salt has {COMMITMENT_SALT_SIZE} bytes")
    return hashlib.sha256(salt + canonical(dict(facts))).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A file's attached facts as read. `printed` are the texts on its face; `valid_until` is None without end."""

    kind: str  # certificate | document
    type: str
    title: str
    identifier: str
    number: str
    edition: int
    n: int
    salt: bytes
    printed: Mapping[str, str]
    holder: Mapping[str, Any] = field(default_factory=dict)  # name, code, code_type; of several also `others`
    issuer: Mapping[str, str] = field(default_factory=dict)  # name, code
    issued_on: date
    valid_from: date | None = None
    valid_until: date | None = None
    decision: Mapping[str, Any] = field(default_factory=dict)
    silent: frozenset[str] | None = None  # keys of `printed` that the face does not show; None: not stated

    @property
    def digest(self) -> bytes:
        """The 16 bytes that must stand in the file's code."""
        return facts_digest(self.salt, self.printed)


def facts_attachment(
    *,
    kind: str,
    type_key: str,
    title: str,
    identifier: str,
    number: str,
    edition: int,
    n: int,
    salt: bytes,
    facts: Mapping[str, str],
    holder: Mapping[str, Any],
    issuer: Mapping[str, str],
    issued_on: str,
    valid_from: str = "",
    valid_until: str = "",
    decision: Mapping[str, Any] | None = None,
    silent: Iterable[str] | None = None,
) -> bytes:
    """The bytes of `facts.json`; days are ISO 8601, empty for none; `silent` names facts that are not on the face.

    Raises `ValueError` when what is given could not be read back: the attachment is sealed and cannot be mended.
    """
    values: dict[str, Any] = {
        "version": VERSION,
        "kind": kind,
        "type": type_key,
        "title": title,
        "identifier": identifier,
        "number": number,
        "edition": edition,
        "n": n,
        "salt": salt.hex(),
        "facts": dict(facts),
        "holder": dict(holder),
        "issuer": dict(issuer),
        "issued_on": issued_on,
        "valid_from": valid_from,
        "valid_until": valid_until,
        "decision": dict(decision or {}),
    }
    data = canonical(values if silent is None else {**values, "silent": sorted(silent)})
    read_facts(data)
    return data


def read_facts(data: bytes) -> Facts:
    """Read the bytes of `facts.json`. Raises `ValueError` when they are not facts in their one text."""
    if len(data) > MAX_SIZE:
        raise ValueError("facts.json is too large")
    try:
        values = json.loads(data)
        again = canonical(values)
    except RecursionError as error:
        raise ValueError("facts.json is nested too deeply") from error
    if not isinstance(values, dict) or values.get("version") != VERSION:
        raise ValueError("facts.json has no version known here")
    if again != data:  # a key given twice, spaces, another escape: two readers might differ
        raise ValueError("facts.json is not in its canonical form")
    return _facts(values)


def _facts(values: Mapping[str, Any]) -> Facts:
    salt = bytes.fromhex(_text(values, "salt"))
    kind, edition, n = _text(values, "kind"), values.get("edition"), values.get("n")
    if kind not in KINDS or len(salt) != CODE_SALT_SIZE:
        raise ValueError("kind or salt of facts.json is wrong")
    if type(edition) is not int or type(n) is not int or edition < 0 or n < 0:
        raise ValueError("edition or n of facts.json is not a number")
    return Facts(
        kind=kind,
        type=_text(values, "type"),
        title=_text(values, "title"),
        identifier=_text(values, "identifier"),
        number=_text(values, "number"),
        edition=edition,
        n=n,
        salt=salt,
        printed=_texts(values, "facts"),
        holder=_holder(values),
        issuer=_texts(values, "issuer"),
        issued_on=date.fromisoformat(_text(values, "issued_on")),
        valid_from=_day(values, "valid_from"),
        valid_until=_day(values, "valid_until"),
        decision=_object(values, "decision"),
        silent=_silent(values.get("silent")),
    )


def _text(values: Mapping[str, Any], key: str) -> str:
    text = values.get(key)
    if isinstance(text, str):
        return text
    raise ValueError(f"{key} of facts.json is not a text")


def _object(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    entries = values.get(key)
    if isinstance(entries, dict):
        return entries
    raise ValueError(f"{key} of facts.json is not an object")


def _texts(values: Mapping[str, Any], key: str) -> dict[str, str]:
    texts = _object(values, key)
    if all(isinstance(text, str) for text in texts.values()):
        return texts
    raise ValueError(f"{key} of facts.json is not an object of texts")


def _holder(values: Mapping[str, Any]) -> dict[str, Any]:
    """The holder, and in `others` who holds with it, each an object of texts."""
    holder = dict(_object(values, "holder"))
    others = holder.pop("others", None)
    first = _texts({"holder": holder}, "holder")
    if others is None:
        return dict(first)
    if not isinstance(others, list) or not others:
        raise ValueError("others of facts.json is not a list of holders")
    return {**first, "others": [_texts({"holder": other}, "holder") for other in others]}


def _silent(keys: object) -> frozenset[str] | None:
    if keys is None:
        return None
    if isinstance(keys, list) and all(isinstance(key, str) for key in keys):
        return frozenset(keys)
    raise ValueError("silent of facts.json is not a list of keys")


def _day(values: Mapping[str, Any], key: str) -> date | None:
    text = _text(values, key)
    return date.fromisoformat(text) if text else None
