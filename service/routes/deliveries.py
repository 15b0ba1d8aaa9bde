"""`/v1/deliveries`: how deliveries to the city repository stand, what was laid aside and why, and sending it again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from certlib.errors import Fault, NotFoundError, RequestError
from certlib.issue.repairing import dead_letter, dead_letters, repair
from service import schemas
from service.answers import send_json
from service.asking import DeliveryReader, DeliveryRepairer
from service.bodies import RawObject
from service.openapi import answers, body, problems, secured
from service.running import Service
from service.tokendesk import Principal

router = APIRouter(prefix="/v1/deliveries", tags=["归集推送 deliveries"])

Id = Annotated[int, Path(description="待处理编号 · id of the dead letter", ge=1, lt=2**53)]


@router.get(
    "",
    summary="归集推送：积压与待处理 · the backlog and what was laid aside",
    operation_id="listDeadLetters",
    openapi_extra=secured("delivery:read"),
    responses={**answers(200, schemas.DeliveryStanding), **problems(404)},
)
def standing(service: Service, caller: DeliveryReader) -> Response:
    """Counts, the age of the oldest undelivered event, and each dead letter with its reason; no personal data."""
    _of_the_city(caller)
    return send_json(dead_letters(service.office))


@router.get(
    "/{delivery}",
    summary="一条待处理的推送 · one that was laid aside",
    operation_id="readDeadLetter",
    openapi_extra=secured("delivery:repair"),
    responses={**answers(200, schemas.DeadLetterMessage), **problems(404)},
)
def letter(service: Service, caller: DeliveryRepairer, delivery: Id) -> Response:
    """With the message that goes to the repository, to be put right. It holds personal data: the look is logged."""
    _of_the_city(caller)
    if not caller.purpose:
        message = "请在 Access-Purpose 中写明查看目的。"
        raise RequestError([Fault("Access-Purpose", "missing", message, "查看目的", "Name the purpose.")])
    return send_json(dead_letter(service.office, delivery, client=caller.client.id, purpose=caller.purpose))


@router.post(
    "/replays",
    summary="改正并重推 · put right and send again",
    operation_id="replayDeadLetters",
    openapi_extra=secured("delivery:repair", body(schemas.DeliveryRepair)),
    responses={**answers(200, schemas.DeliveryRepaired), **problems(404)},
)
def replays(service: Service, caller: DeliveryRepairer, raw: RawObject) -> Response:
    """All dead letters or those named; one alone may come with its message put right. The reason is logged."""
    _of_the_city(caller)
    return send_json(repair(service.office, raw, client=caller.client.id))


def _of_the_city(caller: Principal) -> None:
    """Deliveries are the city's: a client of one authority has none. Raises `NotFoundError`."""
    if caller.client.tenant:
        raise NotFoundError("没有这个地址。")
