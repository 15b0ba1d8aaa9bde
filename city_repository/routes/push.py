"""归集: a token, then the push of events. Answers are per record, as deployed repositories give them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request

from city_repository.bodies import PushAnswer, PushBody, PushLine, Refusal, ReturnData, TokenAnswer
from city_repository.intake import Outcome
from city_repository.record import guid_of
from city_repository.routes.access import CallRefused, Here, Pusher

router = APIRouter(tags=["归集"])
_REFUSALS: dict[int | str, dict[str, object]] = {
    401: {"model": Refusal, "description": "身份验证不通过"},
    403: {"model": Refusal, "description": "没有权限"},
}


@router.post("/token", responses={401: _REFUSALS[401]}, summary="取得令牌")
def token(
    here: Here,
    grant_type: Annotated[Literal["client_credentials"], Form()],
    client_id: Annotated[str, Form(max_length=100)],
    client_secret: Annotated[str, Form(max_length=200)],
) -> TokenAnswer:
    """A token for an account (RFC 6749, 4.4)."""
    _ = grant_type
    given = here.desk.issue(client_id, client_secret, now=here.clock())
    if given is None:
        raise CallRefused(401, "invalid_client", "账户或口令不正确")
    return TokenAnswer(access_token=given, token_type="Bearer", expires_in=int(here.desk.life.total_seconds()))  # noqa: S106


@router.post("/push", responses=_REFUSALS, summary="推送证照事件")
def push(body: PushBody, here: Here, account: Pusher, request: Request) -> PushAnswer:
    """Take in up to 100 events; each is answered as success, warning or error."""
    now, correction = here.clock(), body.MethodName == "GZ"
    if request.scope.get("fault") == "reject":
        outcomes = [_rejected(dict(record), now.isoformat()) for record in body.AcceptData]
    else:
        outcomes = here.intake.receive(body.AcceptData, account, now=now, correction=correction)
    return _answer(outcomes)


def _rejected(record: dict[str, object], now: str) -> Outcome:
    return Outcome(guid=guid_of(record), kind="error", code="E99", message="系统校验异常（模拟故障）", received_at=now)


def _answer(outcomes: list[Outcome]) -> PushAnswer:
    lines = {kind: [_line(o) for o in outcomes if o.kind == kind] for kind in ("success", "warning", "error")}
    failed = len(lines["error"])
    code: Literal["0", "1", "2"] = "0" if failed == len(outcomes) else "2" if failed or lines["warning"] else "1"
    return PushAnswer(
        ReturnCode=code,
        ReturnMsg={"0": "全部失败", "1": "全部成功", "2": "部分成功或有警告"}[code],
        ReturnData=ReturnData(SuccessData=lines["success"], WarnData=lines["warning"], ErrorData=lines["error"]),
    )


def _line(outcome: Outcome) -> PushLine:
    return PushLine(
        guid=outcome.guid,
        code=outcome.code,
        message=outcome.message,
        operationSequence=outcome.sequence,
        lastSequence=outcome.last_sequence,
        digest=outcome.digest,
        receivedAt=outcome.received_at,
    )
