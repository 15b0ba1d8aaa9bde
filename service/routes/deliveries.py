"""`/v1/deliveries`: how deliveries to the city repository stand, what was laid aside and why, and sending it again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from certlib.errors import NotFoundError
from certlib.issue.repairing import dead_letter, dead_letters, repair
from certlib.issue.replaying import hook_letters
from service import schemas
from service.answers import send_json
from service.asking import DeliveryReader, DeliveryRepairer
from service.bodies import RawObject
from service.clients import Client
from service.openapi import answers, body, problems, secured
from service.pages.figures import over_page
from service.pages.letters import SHOWN, letters_page
from service.pages.site import templates
from service.routes.pages import send_link, send_page, visitor
from service.running import Service
from service.tenancy import require_purpose

router = APIRouter(prefix="/v1/deliveries", tags=["归集推送 deliveries"])
pages = APIRouter(include_in_schema=False)

PLACE, SCOPE, HOOK_SCOPE = "/deliveries", "delivery:read", "webhook:read"
_ENVIRONMENT = templates()

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
    _of_the_city(caller.client)
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
    _of_the_city(caller.client)
    purpose = require_purpose(caller, "推送内容含个人信息，")
    return send_json(dead_letter(service.office, delivery, client=caller.client.id, purpose=purpose))


@router.post(
    "/replays",
    summary="改正并重推 · put right and send again",
    operation_id="replayDeadLetters",
    openapi_extra=secured("delivery:repair", body(schemas.DeliveryRepair)),
    responses={**answers(200, schemas.DeliveryRepaired), **problems(404)},
)
def replays(service: Service, caller: DeliveryRepairer, raw: RawObject) -> Response:
    """All dead letters or those named; one alone may come with its message put right. The reason is logged."""
    _of_the_city(caller.client)
    return send_json(repair(service.office, raw, client=caller.client.id))


@router.post(
    "/links",
    status_code=201,
    summary="待处理网页的链接 · a link to the page of dead letters",
    operation_id="linkDeadLetters",
    openapi_extra=secured(SCOPE),
    responses={**answers(201, schemas.PageLink), **problems(404)},
)
def link(service: Service, caller: DeliveryReader) -> Response:
    """Opens the page in a browser for half an hour; it shows what the list shows, and changes nothing.

    Whoever may also read webhooks (`webhook:read`) finds there what could not be sent to their targets.
    """
    _of_the_city(caller.client)
    return send_link(service, caller, PLACE)


@pages.get(f"{PLACE}/{{value}}")
def page(service: Service, value: Annotated[str, Path(max_length=1000)]) -> Response:
    """The dead letters as a page."""
    client = visitor(service, value, PLACE, SCOPE)
    if client is None or client.tenant:
        return send_page(over_page(_ENVIRONMENT), status=401)
    now, watched = service.clock(), service.watch.standing(service.clock())
    trouble = watched.trouble if watched else ""
    hooks = hook_letters(service.office, limit=SHOWN) if HOOK_SCOPE in client.scopes else None
    return send_page(letters_page(_ENVIRONMENT, dead_letters(service.office), hooks, trouble=trouble, now=now))


def _of_the_city(client: Client) -> None:
    """Deliveries are the city's: a client of one authority has none. Raises `NotFoundError`."""
    if client.tenant:
        raise NotFoundError("没有这个地址。")
