"""Seals (电子印章) and seal authorisations (用印授权) as values."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class SealKind(StrEnum):
    """Which of an authority's seals (国发〔1999〕25号, 22; domain: the table of allowed kinds)."""

    APPROVAL = "approval"  # 审批专用章
    ORGAN = "organ"  # 机关印章


class SealCentre(StrEnum):
    """What stands in the middle of a seal (国发〔1999〕25号): the emblem on those of people's governments."""

    STAR = "star"  # 五角星
    EMBLEM = "emblem"  # 国徽


@dataclass(frozen=True, slots=True, kw_only=True)
class SealSpec:
    """One seal as data. `id` is the esID: six digits of area and eight of serial (GB/T 38540 practice).

    Numbered duplicates (2号章) are seals of their own: same name, `copy` 2, own id, certificate and keeper.
    """

    id: str
    authority: str  # key of the owner in the catalogue
    kind: SealKind
    name: str  # 赣州市行政审批局行政审批专用章
    arc_text: str  # 赣州市行政审批局
    lines: tuple[str, ...] = ()  # 行政审批专用章, (1)
    copy: int = 1
    centre: str = "star"  # "star" | "emblem"
    emblem: str = field(default="", repr=False)  # the artwork a city supplied, as a data URL: SVG paths or PNG
    diameter: float = 42.0  # millimetres
    keeper: str = ""
    certificate: str = ""  # label of the X.509 certificate and key in the PKI, e.g. "seal-ganzhou-approval-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealAuthorisation:
    """Which seal, for which items, documents and actions, by whom, from–to, how many times, how many approvers.

    Empty tuples mean "any within the seal's own authority" only for `items`, `types`, `actions` and `persons`.
    `since` is inclusive, `until` exclusive; `limit` 0 is without limit.
    """

    id: str
    seal: str
    authority: str  # whose decisions it covers
    since: datetime
    until: datetime
    basis: str
    items: tuple[str, ...] = ()
    types: tuple[str, ...] = ()  # certificate and document type keys
    actions: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    limit: int = 0
    approvers: int = 1

    def digest(self) -> bytes:
        """SHA-256 of the authorisation's canonical JSON; stands in a signed attribute of each signature."""
        return hashlib.sha256(self.canonical()).digest()

    def canonical(self) -> bytes:
        """Canonical JSON (sorted keys, no spaces, UTF-8), the text that is digested and kept."""
        values = {
            "id": self.id,
            "seal": self.seal,
            "authority": self.authority,
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "basis": self.basis,
            "items": sorted(self.items),
            "types": sorted(self.types),
            "actions": sorted(self.actions),
            "persons": sorted(self.persons),
            "limit": self.limit,
            "approvers": self.approvers,
        }
        return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def read(cls, canonical: bytes) -> SealAuthorisation:
        """The authorisation whose canonical text this is. Raises `ValueError` for any other text."""
        try:
            values = json.loads(canonical)
            times = {name: datetime.fromisoformat(values[name]) for name in ("since", "until")}
            lists = {name: tuple(values[name]) for name in ("items", "types", "actions", "persons")}
            found = cls(**{**values, **times, **lists})
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError("not a seal authorisation") from error
        if found.canonical() != canonical:
            raise ValueError("not the canonical text of a seal authorisation")
        return found
