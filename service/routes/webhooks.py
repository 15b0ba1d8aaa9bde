"""`/v1/webhooks`: where events are told, what was laid aside and why, and sending it again. No route names a target."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from certlib.errors import NotFoundError
from certlib.issue.hooks import Hook
from certlib.issue.replaying import hook_deliveries, hook_view, hooks_of, replay
from service import schemas
from service.answers import send_json
from service.asking import WebhookReader, WebhookReplayer
from service.bodies import RawObject
from service.clients import Client
from service.openapi import answers, body, problems, secured
from service.running import Running, Service
from service.tokendesk import Principal

router = APIRouter(prefix="/v1/webhooks", tags=["事件推送 webhooks"])

Name = Annotated[str, Path(description="设置中的名称 · its name in the settings", max_length=40)]
State = Literal["", "due", "leased", "done", "dead"]
MOST = 200


@router.get(
    "",
    summary="推送目标 · the targets",
    operation_id="listWebhooks",
    openapi_extra=secured("webhook:read"),
    responses=answers(200, schemas.WebhookList),
)
def webhooks(service: Service, caller: WebhookReader) -> Response:
    """Each target with what it is told and how its deliveries stand; those of the caller's authority, or all."""
    own = (hook for hook in hooks_of(service.office).values() if _is_of(hook, caller.client))
    return send_json({"webhooks": [hook_view(service.office, hook) for hook in own]})


@router.get(
    "/{name}/deliveries",
    summary="推送记录与原因 · deliveries with their reasons",
    operation_id="listWebhookDeliveries",
    openapi_extra=secured("webhook:read"),
    responses={**answers(200, schemas.WebhookDeliveryPage), **problems(404)},
)
def deliveries(  # noqa: PLR0917  FastAPI gives parameters by name
    service: Service,
    caller: WebhookReader,
    name: Name,
    state: Annotated[State, Query(description="状态；默认死信 · by default what was laid aside")] = "dead",
    after: Annotated[int, Query(ge=0, lt=2**53, description="上一页的 next")] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> Response:
    """What was laid aside, with the receiver's words; `next` continues, 0 on the last page. No personal data."""
    _own(service, caller, name)
    return send_json(hook_deliveries(service.office, name, state=state, after=after, limit=limit))


@router.post(
    "/{name}/replays",
    summary="重放 · send again",
    operation_id="replayWebhook",
    openapi_extra=secured("webhook:replay", body(schemas.WebhookReplay)),
    responses={**answers(200, schemas.WebhookReplayed), **problems(404)},
)
def replays(service: Service, caller: WebhookReplayer, name: Name, raw: RawObject) -> Response:
    """Every dead letter, events by id, or all of a span of time, under the same ids, with the same bytes, in order."""
    _own(service, caller, name)
    return send_json(replay(service.office, name, raw, client=caller.client.id))


def _is_of(hook: Hook, client: Client) -> bool:
    """Whether a target tells only of the authority that the client acts for."""
    told = hook.subscription.supervises | hook.subscription.authorities
    return not client.tenant or told == {client.tenant}


def _own(service: Running, caller: Principal, name: str) -> None:
    """Refuse a target of others as one that does not exist. Raises `NotFoundError`."""
    found = hooks_of(service.office).get(name)
    if found is None or not _is_of(found, caller.client):
        raise NotFoundError(f"没有名为 {name} 的 webhook。")
