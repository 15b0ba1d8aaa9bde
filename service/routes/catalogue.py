"""`/v1/items`, `/v1/certificate-types`: what can be asked for, and with which facts. Public knowledge, no login."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from certlib.catalogue import Catalogue
from certlib.domain.civil import civil_date
from certlib.domain.kinds import CertificateType, FieldSpec, Item, Outcome
from service.answers import send_json
from service.running import Service

router = APIRouter(prefix="/v1", tags=["目录 catalogue"])


@router.get("/items", summary="98 个事项 · the items of the notice", operation_id="listItems")
def items(
    service: Service,
    find: Annotated[str, Query(max_length=60, description="编号或名称中的字 · number or part of the name")] = "",
    on: Annotated[date | None, Query(description="权限配置的日期 · day of the mandate")] = None,
) -> Response:
    """Each item with who accepts, reviews, decides and seals on the day, and all its outcomes."""
    catalogue = service.office.catalogue
    day = on or civil_date(service.clock())
    found = (item for item in catalogue.items.values() if find in {"", item.key} or find in item.item + item.sub_item)
    return send_json({"items": [_item(item, catalogue, day) for item in found]})


@router.get(
    "/certificate-types", summary="证照种类与栏目 · types and their fields", operation_id="listCertificateTypes"
)
def certificate_types(service: Service) -> Response:
    """Each type with the fields of its face in their order: keys, labels, kinds, lengths, choices."""
    return send_json({"types": [_type(kind) for kind in service.office.catalogue.certificate_types.values()]})


def _item(item: Item, catalogue: Catalogue, day: date) -> dict[str, Any]:
    mandate = catalogue.mandate_on(item.key, day)
    roles = ("accepts", "reviews", "decides", "seals", "supervises")
    return {
        "key": item.key,
        "annex": item.annex,
        "number": item.number,
        "city_department": item.city_department,
        "item": item.item,
        "sub_item": item.sub_item,
        "power_type": item.power_type,
        "handling": item.handling.value,
        "outcome": _outcome(item.outcome) | {"action": item.outcome.action},
        "outcomes": [_outcome(outcome) for outcome in item.outcomes],
        "mandate": {role: getattr(mandate, role) for role in roles} | {"basis": mandate.basis} if mandate else None,
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {"kind": outcome.kind.value, "type": outcome.type, "actions": list(outcome.actions)}


def _type(kind: CertificateType) -> dict[str, Any]:
    return {
        "key": kind.key,
        "name": kind.name,
        "english": kind.english,
        "code": kind.code,
        "kind": kind.kind,
        "fields": [_field(field) for field in kind.fields],
        "actions": [{"action": action.value, "label": kind.labels.get(action, "")} for action in sorted(kind.actions)],
        "copies": [{"kind": copy.kind, "label": copy.label, "count": copy.count} for copy in kind.copies],
        "number": {"allocator": kind.number.allocator.value, "regex": kind.number.regex},
        "validity": {"years": kind.validity.years, "months": kind.validity.months},
        "assumed": list(kind.assumed),
    }


def _field(field: FieldSpec) -> dict[str, Any]:
    return {
        "key": field.key,
        "label": field.label,
        "english": field.english,
        "kind": field.kind.value,
        "required": field.required,
        "max_length": field.max_length,
        "choices": list(field.choices),
        "changeable": field.changeable,
    }
