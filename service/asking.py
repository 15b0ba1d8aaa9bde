"""What routes may ask of a request: who calls, under which key, for which version, from which address.

What only reads the request is a coroutine, though it awaits nothing: plain functions would each cost a thread's turn.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Literal
from urllib.parse import unquote

from fastapi import Depends, Header, Query, Request

from certlib.errors import StaleVersionError
from service.refusals import (
    InsufficientScopeError,
    MissingKeyError,
    PreconditionRequiredError,
    PurposeMissingError,
)
from service.running import Service
from service.tokendesk import Principal

_KEY = re.compile(r'"?([\x21\x23-\x7e]{1,255})"?')
_LONGEST_PURPOSE = 200  # characters
_STRONG_TAG = re.compile(r'"([0-9]{1,9})"')


class Needs:
    """A dependency: the caller's token must cover `scope`.

    Raises `UnauthenticatedError`, `InsufficientScopeError`.
    """

    def __init__(self, scope: str) -> None:
        self.scope = scope

    def __call__(self, request: Request, service: Service) -> Principal:
        """The caller."""
        principal = service.desk.principal(request.headers.get("authorization", ""), now=service.clock())
        request.scope["client_id"] = principal.client.id
        if self.scope not in principal.scopes:
            raise InsufficientScopeError(self.scope)
        named = unquote(request.headers.get("access-purpose", ""))[:_LONGEST_PURPOSE]
        return replace(principal, purpose=named or principal.client.purpose)


class NeedsPurpose(Needs):
    """A dependency: as `Needs`, and the request itself says for what; a standing purpose of the client does not do.

    Raises `PurposeMissingError` besides.
    """

    def __call__(
        self,
        request: Request,
        service: Service,
        access_purpose: Annotated[str | None, Header(alias="Access-Purpose")] = None,
    ) -> Principal:
        """The caller, with the purpose of this request."""
        principal = super().__call__(request, service)
        named = "".join(one for one in unquote(access_purpose or "") if one.isprintable()).strip()
        if not named:
            message = "每次查阅都应说明目的：请在请求头 Access-Purpose 中写明（UTF-8，百分号编码）。"
            raise PurposeMissingError(message)
        return replace(principal, purpose=named[:_LONGEST_PURPOSE])


async def idempotency_key(value: Annotated[str | None, Header(alias="Idempotency-Key")] = None) -> str:
    """The request's Idempotency-Key, quoted or bare. Raises `MissingKeyError`."""
    found = _KEY.fullmatch(value or "")
    if found is None:
        raise MissingKeyError("请求应带 Idempotency-Key（1 至 255 个可见 ASCII 字符）；重试同一件请用同一个值。")
    return found[1]


async def expected_version(value: Annotated[str | None, Header(alias="If-Match")] = None) -> int:
    """The version named by If-Match. Raises `PreconditionRequiredError`; `StaleVersionError` for a foreign tag.

    `*` is not taken: it would act on a version that nobody has read.
    """
    if value is None or value.strip() == "*":
        raise PreconditionRequiredError('请求应带 If-Match，其值为读到的 ETag（如 "3"）；先读取证照，再办理。')
    found = _STRONG_TAG.fullmatch(value.strip())
    if found is None:
        raise StaleVersionError("If-Match 不是本证照的版本标识；请重新读取证照后再办理。")
    return int(found[1])


async def wanted_part(
    suite: Annotated[Literal["", "sm2-sm3"], Query(description="密码套件；sm2-sm3：国密版文件 · cipher suite")] = "",
    form: Annotated[Literal["pdf", "ses"], Query(description="pdf，或 GB/T 38540 电子签章 ses")] = "pdf",
) -> str:
    """Which file of a document a download asks for: `file`, `copy` or `ses`."""
    return "ses" if form == "ses" else "copy" if suite else "file"


WantedPart = Annotated[str, Depends(wanted_part)]


async def caller_address(request: Request) -> str:
    """The address the request came from; behind a proxy uvicorn has put the forwarded one here."""
    return request.client.host if request.client else "unknown"


async def issuing_place(service: Service) -> AsyncIterator[None]:
    """Hold a place for work that numbers and seals. Raises `BusyError`."""
    async with service.issuing.place():
        yield


async def checking_place(service: Service) -> AsyncIterator[None]:
    """Hold a place for checking a stranger's file. Raises `BusyError`."""
    async with service.checking.place():
        yield


IdempotencyKey = Annotated[str, Depends(idempotency_key)]
ExpectedVersion = Annotated[int, Depends(expected_version)]
Address = Annotated[str, Depends(caller_address)]
IssuingPlace = Annotated[None, Depends(issuing_place, scope="function")]
CheckingPlace = Annotated[None, Depends(checking_place, scope="function")]

CertificateReader = Annotated[Principal, Depends(Needs("certificate:read"))]
CertificateIssuer = Annotated[Principal, Depends(Needs("certificate:issue"))]
CertificateActor = Annotated[Principal, Depends(Needs("certificate:act"))]
Eraser = Annotated[Principal, Depends(NeedsPurpose("certificate:erase"))]
DocumentReader = Annotated[Principal, Depends(Needs("document:read"))]
DocumentIssuer = Annotated[Principal, Depends(Needs("document:issue"))]
PaperPrinter = Annotated[Principal, Depends(Needs("paper:print"))]
Inspector = Annotated[Principal, Depends(Needs("certificate:inspect"))]
Auditor = Annotated[Principal, Depends(NeedsPurpose("audit:read"))]
StatisticsReader = Annotated[Principal, Depends(Needs("statistics:read"))]
PermitPublisher = Annotated[Principal, Depends(Needs("permit:publish"))]
SealReader = Annotated[Principal, Depends(Needs("seal:read"))]
SealManager = Annotated[Principal, Depends(Needs("seal:manage"))]
SealAuthoriser = Annotated[Principal, Depends(Needs("seal:authorise"))]
SealStamper = Annotated[Principal, Depends(Needs("seal:stamp"))]
SealPictureTaker = Annotated[Principal, Depends(Needs("seal:picture"))]
DeliveryReader = Annotated[Principal, Depends(Needs("delivery:read"))]
DeliveryRepairer = Annotated[Principal, Depends(Needs("delivery:repair"))]
WebhookReader = Annotated[Principal, Depends(Needs("webhook:read"))]
WebhookReplayer = Annotated[Principal, Depends(Needs("webhook:replay"))]
