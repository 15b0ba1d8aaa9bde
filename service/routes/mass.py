"""`/v1/mass-actions`: an action on many certificates, with dry run, a second person and a window to call it off."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import Response

from certlib.errors import Fault, RequestError
from service import schemas
from service.answers import send_json
from service.asking import CertificateActor
from service.bodies import RawObject
from service.openapi import body, problems, secured
from service.running import Service
from service.tenancy import require_order

router = APIRouter(prefix="/v1/mass-actions", tags=["批量办理 mass actions"])

Proposal = Annotated[str, Path(max_length=40)]


@router.post(
    "",
    status_code=201,
    summary="提出或试算 · propose, or try",
    operation_id="proposeMass",
    openapi_extra=secured("certificate:act", body(schemas.MassProposal)),
    responses={200: {"description": "试算结果，逐证说明 · the dry run, certificate by certificate"}, **problems(409)},
)
def propose(service: Service, caller: CertificateActor, raw: RawObject) -> Response:
    """With `dry_run` every certificate with what would stop it; without, a proposal that waits for a second person."""
    request, where = _object(raw, "request"), _texts(raw, "where")
    require_order(caller, request)
    if caller.client.tenant:
        where = {**where, "authority": caller.client.tenant}
    action = str(raw.get("action") or "")
    if raw.get("dry_run") is True:
        return send_json({"lines": service.office.try_mass(action, request, where)}, status=200)
    person, reason = str(raw.get("person") or ""), str(raw.get("reason") or "")
    proposal = service.office.propose_mass(
        action, request, where, person=person, reason=reason, client=caller.client.id
    )
    return send_json(proposal, status=201)


@router.post(
    "/{proposal}/approval",
    summary="复核 · a second person approves",
    operation_id="approveMass",
    openapi_extra=secured("certificate:act", body(schemas.Person)),
    responses=problems(404, 409),
)
def approve(service: Service, caller: CertificateActor, proposal: Proposal, raw: RawObject) -> Response:
    """It begins an hour later; until then it can be called off."""
    del caller
    return send_json(service.office.approve_mass(proposal, person=str(raw.get("person") or "")))


@router.delete(
    "/{proposal}",
    summary="取消 · call off",
    operation_id="cancelMass",
    openapi_extra=secured("certificate:act"),
    responses=problems(404, 409),
)
def cancel(service: Service, caller: CertificateActor, proposal: Proposal) -> Response:
    """Nothing has happened to any certificate, and nothing will."""
    del caller
    return send_json(service.office.cancel_mass(proposal))


def _object(raw: dict[str, Any], name: str) -> dict[str, Any]:
    value = raw.get(name)
    if isinstance(value, dict):
        return value
    raise RequestError([Fault(name, "not-an-object", "应为对象。", "", "An object is expected.")])


def _texts(raw: dict[str, Any], name: str) -> dict[str, str]:
    value = _object(raw, name)
    return {str(key): str(text) for key, text in value.items()}
