"""Write the repository's shipped type catalogue from the library's: `python tests/city/build_types.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from certlib.catalogue import Catalogue, load_catalogue
from certlib.domain.kinds import CertificateType

TYPES = Path(__file__).parents[2] / "city_repository" / "data" / "types.json"
# The ministries whose type codes the catalogue takes over.
_MINISTRIES = {"11100000MB03271699": "自然资源部"}
# What stands on every face besides the type's own facts.
_SUPPLIED = {
    "number": "证照编号",
    "identifier": "证照标识",
    "edition": "版本号",
    "issuer": "发证机关",
    "issued_on": "发证日期",
    "valid_from": "有效期自",
    "valid_until": "有效期至",
    "check_code": "查验码",
}


def types_json(catalogue: Catalogue) -> str:
    """The text of `types.json`."""
    rows = [_row(catalogue, kind) for kind in sorted(catalogue.certificate_types.values(), key=lambda kind: kind.code)]
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


def _row(catalogue: Catalogue, kind: CertificateType) -> dict[str, Any]:
    code = kind.code[:18]
    names = {authority.uscc: authority.name for authority in catalogue.authorities.values() if not authority.parent}
    return {
        "code": kind.code,
        "name": kind.name,
        "number": kind.code_number,
        "define_authority": _MINISTRIES.get(code) or names[code],
        "define_authority_code": code,
        "define_authority_level": "国家" if code in _MINISTRIES else "地市",
        "holder_category": "自然人^法人^其他组织",
        "validity_range": _validity(kind),
        "issuing_level": "地市",
        "category": kind.category,
        "items": sorted({item.title for item in catalogue.items.values() if _yields(item, kind)}),
        "fields": {spec.key: spec.label for spec in kind.fields} | _SUPPLIED,
    }


def _yields(item: Any, kind: CertificateType) -> bool:
    return any(outcome.type == kind.key for outcome in item.outcomes)


def _validity(kind: CertificateType) -> str:
    years, months = kind.validity.years, kind.validity.months
    return f"{years}年" if years else f"{months}月" if months else "长期"


if __name__ == "__main__":
    TYPES.write_text(types_json(load_catalogue()), encoding="utf-8")
