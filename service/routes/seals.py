"""`/v1/seals`: the seals of the catalogue, as data. No address gives a seal's picture."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from service.answers import send_json
from service.asking import SealReader
from service.openapi import secured
from service.running import Service

router = APIRouter(prefix="/v1/seals", tags=["印章 seals"])


@router.get("", summary="印章 · seals", operation_id="listSeals", openapi_extra=secured("seal:read"))
def seals(service: Service, caller: SealReader) -> Response:
    """Each seal with owner, kind, name and keeper; of the caller's authority, or of all."""
    shown = [
        {
            "id": seal.id,
            "authority": seal.authority,
            "kind": seal.kind.value,
            "name": seal.name,
            "copy": seal.copy,
            "diameter": seal.diameter,
            "keeper": seal.keeper,
        }
        for seal in service.office.catalogue.seals.values()
        if caller.client.acts_for({seal.authority})
    ]
    return send_json({"seals": shown})
