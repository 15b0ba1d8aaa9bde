"""The repository's catalogue of certificate types (证照类型目录, GB/T 36902): who defines a type, and its face fields.

A type must be published here before a certificate of it is taken in. The types shipped are in `data/types.json`; others
come by a file of the same form.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from certlib.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeEntry:
    """One certificate type. `fields` are its face fields, key to Chinese label."""

    code: str
    name: str
    number: int = 0  # the type's number inside signed QR codes, 0 when it has none
    define_authority: str = ""
    define_authority_code: str = ""
    define_authority_level: str = ""
    holder_category: str = ""
    validity_range: str = ""
    issuing_level: str = "地市"
    category: str = "1"
    items: tuple[str, ...] = ()
    fields: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """The entry under the names of GB/T 36902."""
        return {
            "CertificateTypeName": self.name,
            "CertificateTypeCode": self.code,
            "CertificateDefineAuthorityName": self.define_authority,
            "CertificateDefineAuthorityCode": self.define_authority_code,
            "CertificateDefineAuthorityLevel": self.define_authority_level,
            "RelatedItemName": "^".join(self.items),
            "CertificateHolderCategory": self.holder_category,
            "ValidityRange": self.validity_range,
            "CertificateIssuingAuthorityLevel": self.issuing_level,
            "CatalogueCategory": self.category,
        }


def load_types(extra: Path | None = None) -> dict[str, TypeEntry]:
    """The types by code: those shipped, then those of `extra` (a JSON file or a folder of them).

    Raises `ConfigurationError` naming the file that is not a list of types.
    """
    shipped = files("city_repository") / "data" / "types.json"
    texts = [("types.json", shipped.read_text(encoding="utf-8"))]
    if extra is not None:
        paths = sorted(extra.glob("*.json")) if extra.is_dir() else [extra]
        texts += [(path.name, path.read_text(encoding="utf-8")) for path in paths]
    return {entry.code: entry for name, text in texts for entry in _entries(name, text)}


def _entries(name: str, text: str) -> list[TypeEntry]:
    try:
        return [TypeEntry(**{**row, "items": tuple(row.get("items", ()))}) for row in json.loads(text)]
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"证照类型目录 {name} 无法识别：{error}。") from error
