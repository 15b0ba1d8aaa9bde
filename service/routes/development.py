"""`/dev/pki`: the development PKI behind HTTP, so that timestamps, lists and status come as they do in a city.

Only in development: the keys are published. Every suite has a timestamp authority, lists and answers.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from certlib.crypto.authority import DevelopmentAuthority
from certlib.crypto.development import development_folder
from service.bodies import require_media
from service.openapi import problems

router = APIRouter(prefix="/dev/pki", tags=["开发 development"])
Suite = Annotated[str, Path(description="rsa、p256 或 sm2", max_length=20)]
Name = Annotated[str, Path(description="如 issuing.rsa", max_length=60)]


@lru_cache(maxsize=1)
def _authority() -> DevelopmentAuthority:
    return DevelopmentAuthority(development_folder())


def _now() -> datetime:
    return datetime.now(UTC)


@router.post(
    "/tsa/{suite}",
    summary="时间戳（RFC 3161）· a timestamp",
    operation_id="developmentTimestamp",
    responses=problems(404, 415),
    response_class=Response,
)
async def timestamp(request: Request, suite: Suite) -> Response:
    """A TimeStampReq in, a TimeStampResp out."""
    require_media(request, "application/timestamp-query")
    asked = await request.body()
    answer = await run_in_threadpool(lambda: _authority().timestamp(suite, asked, now=_now()))
    return Response(answer, media_type="application/timestamp-reply")


@router.get(
    "/crl/{name}.crl",
    summary="吊销列表 · a revocation list",
    operation_id="developmentRevocationList",
    responses=problems(404),
    response_class=Response,
)
def revocation_list(name: Name) -> Response:
    """The list in DER (RFC 5280, 4.2.1.13)."""
    return Response(_authority().revocation_list(name), media_type="application/pkix-crl")


@router.post(
    "/ocsp/{name}",
    summary="证书状态（RFC 6960）· a certificate's status",
    operation_id="developmentStatus",
    responses=problems(404, 415),
    response_class=Response,
)
async def status(request: Request, name: Name) -> Response:
    """An OCSPRequest in, an OCSPResponse out."""
    require_media(request, "application/ocsp-request")
    asked = await request.body()
    answer = await run_in_threadpool(lambda: _authority().status(name, asked, now=_now()))
    return Response(answer, media_type="application/ocsp-response")
