"""`/v1/inspections`: an officer with the paper at hand sees all that the register holds of it, for a purpose."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from certlib.errors import Fault, NotFoundError, RequestError
from certlib.issue.inspecting import inspect
from service import schemas
from service.answers import send_json
from service.asking import Address, Inspector
from service.bodies import RawObject
from service.lookups import NOTHING_FOUND, evenly, find, read_proof, verdict_view
from service.openapi import answers, body, problems, secured
from service.running import Service

router = APIRouter(prefix="/v1/inspections", tags=["执法检查 inspections"])

_ASKED = {"officer": ("检查人员", "The officer."), "purpose": ("查询目的", "The purpose.")}
_LONGEST = 200  # characters


@router.post(
    "",
    summary="执法检查 · inspect with the paper at hand",
    operation_id="inspectCertificate",
    openapi_extra=secured("certificate:inspect", body(schemas.InspectionRequest)),
    responses={**answers(200, schemas.InspectionAnswer), **problems(404, 429)},
)
def inspect_certificate(service: Service, caller: Inspector, address: Address, raw: RawObject) -> Response:
    """The whole record, of any authority and of minors too; the view is logged with officer and purpose."""
    asked = _asked(raw)
    with evenly(time.monotonic()):
        proof = read_proof(service, {name: value for name, value in raw.items() if name not in _ASKED}, address)
        now = service.clock()
        state = find(service, proof, at=now, public=False).state
        if state is None:
            raise NotFoundError(NOTHING_FOUND)
        purpose = f"{asked['purpose']}（{asked['officer']}）"
        record = inspect(service.office, state, client=caller.client.id, purpose=purpose)
    return send_json({"carrier": verdict_view(state, now), "record": record})


def _asked(raw: Mapping[str, Any]) -> dict[str, str]:
    """Officer and purpose. Raises `RequestError` naming each that is missing."""
    given = {name: str(raw.get(name, "") or "").strip() for name in _ASKED}
    wrong = [name for name, text in given.items() if not 0 < len(text) <= _LONGEST or not isinstance(raw[name], str)]
    if wrong:
        raise RequestError(
            [Fault(name, "required", f"请填写{_ASKED[name][0]}。", _ASKED[name][0], _ASKED[name][1]) for name in wrong]
        )
    return given
