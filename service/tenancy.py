"""Tenants: a client sees and changes only what belongs to an authority it acts for, and sees it for a purpose.

A stranger's certificate answers as one that does not exist (404, not 403): whether it exists is not theirs to know.
Every view goes to the access log, with the purpose that the request or the client's entry names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from certlib.errors import Fault, NotFoundError, RequestError
from certlib.issue.inspecting import note_view
from certlib.issue.views import key_of
from service.refusals import PurposeMissingError
from service.running import Running
from service.tokendesk import Principal

_STEPS = ("acceptance", "review", "approval")


def authorities_of(view: Mapping[str, Any]) -> frozenset[str]:
    """Whose certificate or document it is: the deciding authority and those that accepted and reviewed."""
    return frozenset({str(view.get("authority", "")), *_steps(view.get("decision"))}) - {""}


def own_certificate(
    service: Running, caller: Principal, identifier: str, at: datetime | None = None
) -> Mapping[str, Any]:
    """The certificate, if the caller may know of it. Raises `NotFoundError`."""
    view = service.office.certificate(identifier, at)
    if not caller.client.acts_for(authorities_of(view)):
        raise NotFoundError(f"没有证照标识为 {identifier} 的证照。")
    return view


def own_document(service: Running, caller: Principal, number: str) -> Mapping[str, Any]:
    """The document, if the caller may know of it. Raises `NotFoundError`."""
    view = service.office.document(number)
    if not caller.client.acts_for(authorities_of(view)):
        raise NotFoundError(f"没有编号为 {number} 的文书。")
    return view


def seen_certificate(
    service: Running, caller: Principal, identifier: str, at: datetime | None = None
) -> Mapping[str, Any]:
    """The caller's own certificate, to be shown: the view is logged. Raises `NotFoundError`, `PurposeMissingError`."""
    view = own_certificate(service, caller, identifier, at)
    log_view(service, caller, key_of(str(view["identifier"])))
    return view


def seen_document(service: Running, caller: Principal, number: str) -> Mapping[str, Any]:
    """The caller's own document, to be shown: the view is logged. Raises `NotFoundError`, `PurposeMissingError`."""
    view = own_document(service, caller, number)
    log_view(service, caller, str(view["id"]))
    return view


def log_view(service: Running, caller: Principal, subject: str) -> None:
    """Write down that the caller sees `subject`. Raises `PurposeMissingError` when it has no purpose."""
    purpose = require_purpose(caller, "查看个人信息")
    note_view(service.office, subject, client=caller.client.id, purpose=purpose)


def require_purpose(caller: Principal, what: str) -> str:
    """For what the caller asks. Raises `PurposeMissingError`: `what` (Chinese) is why it must say so."""
    if not caller.purpose:
        message = f"{what}应说明目的：请在请求头 Access-Purpose 中写明（UTF-8，百分号编码），或在客户端登记中写明。"
        raise PurposeMissingError(message)
    return caller.purpose


def require_authority(caller: Principal, raw: Mapping[str, Any]) -> None:
    """Refuse a request whose case belongs to others. Raises `RequestError`; a case that names nobody goes on.

    The office tells what is missing in such a case; here it only must not become somebody else's.
    """
    named = frozenset(_steps(raw.get("decision")))
    if named and not caller.client.acts_for(named):
        message = "本客户端不代表决定中的任何一个机关，不能代其办理。"
        english = "This client acts for none of the authorities in the decision."
        raise RequestError([Fault("decision", "not-your-authority", message, "决定", english)])


def require_order(caller: Principal, raw: Mapping[str, Any]) -> None:
    """Refuse a decision that another authority orders. Raises `RequestError`; one that names nobody goes on."""
    decision = raw.get("decision")
    ordering = decision.get("authority") if isinstance(decision, Mapping) else None
    if isinstance(ordering, str) and ordering and not caller.client.acts_for(frozenset({ordering})):
        message = "本客户端不代表作出决定的机关，不能代其办理。"
        english = "This client does not act for the ordering authority."
        raise RequestError([Fault("decision.authority", "not-your-authority", message, "作出机关", english)])


def _steps(decision: object) -> Iterator[str]:
    if not isinstance(decision, Mapping):
        return
    for name in _STEPS:
        step = decision.get(name)
        if isinstance(step, Mapping) and isinstance(step.get("authority"), str):
            yield step["authority"]
