"""Health, readiness, metrics and tokens."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response

from certlib.errors import NotFoundError
from service import schemas
from service.answers import send_json
from service.asking import Address
from service.openapi import answers, problems
from service.refusals import BusyError, OAuthError
from service.running import Service

router = APIRouter(tags=["运行 operations"])
METRICS_MEDIA = "text/plain; version=0.0.4; charset=utf-8"


@router.post(
    "/oauth/token",
    summary="申请访问令牌 · a token for a system",
    operation_id="grantToken",
    responses={
        **answers(200, schemas.TokenAnswer),
        400: {"description": "RFC 6749, 5.2"},
        401: {"description": "RFC 6749, 5.2"},
    },
)
def token(
    service: Service,
    grant_type: Annotated[str, Form(max_length=100)] = "",
    client_assertion_type: Annotated[str, Form(max_length=200)] = "",
    client_assertion: Annotated[str, Form(max_length=4000)] = "",
    scope: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Client credentials with `private_key_jwt` (RFC 7523); an assertion is good once."""
    form = {
        "grant_type": grant_type,
        "client_assertion_type": client_assertion_type,
        "client_assertion": client_assertion,
        "scope": scope,
    }
    try:
        return send_json(service.desk.grant(form, now=service.clock()))
    except OAuthError as error:
        status = 401 if error.code == "invalid_client" else 400
        return send_json({"error": error.code, "error_description": error.message}, status=status)


@router.get("/healthz", summary="进程在运行 · the process is alive", operation_id="health")
def health(service: Service) -> Response:
    """Says that the process answers, and how many alarms of checker and worker stand, whichever process runs them."""
    alarms = sum(finding.outcome == "fail" for finding in service.rounds.findings())
    return send_json({"status": "ok", "alarms": alarms})


@router.get("/readyz", summary="可以受理 · ready for work", operation_id="ready", responses=problems(503))
def ready(service: Service) -> Response:
    """Whether the register can be read and the service is not about to stop; and how deliveries to the city stand.

    Deliveries in trouble are an alarm, and no reason to take the service away from those it serves.
    """
    if service.draining.is_set():
        raise BusyError
    service.office.certificates(limit=1)
    standing = service.watch.standing(service.clock())
    return send_json({"status": "ready", **({"deliveries": standing.as_json()} if standing else {})})


@router.get("/metrics", summary="Prometheus 指标 · metrics", operation_id="metrics", responses=problems(404))
def metrics(service: Service, address: Address) -> Response:
    """Counts and times by route; only for the networks of the settings."""
    if not _within(address, service.settings.metrics_for):
        raise NotFoundError("没有这个地址。")
    service.metrics.waiting.set(service.issuing.waiting)
    service.metrics.findings(service.rounds.last())
    if (standing := service.watch.standing(service.clock())) is not None:
        service.metrics.deliveries(standing)
    return Response(service.metrics.text(), media_type=METRICS_MEDIA)


def _within(address: str, networks: tuple[str, ...]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in ipaddress.ip_network(network) for network in networks)
