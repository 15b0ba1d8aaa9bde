"""共享: the operations of GB/T 36906, one POST each."""

# no postponed annotations: the routes of the table are made with the body model as their annotation

import base64
from collections.abc import Callable

import pypdfium2 as pdfium
from fastapi import APIRouter
from pydantic import BaseModel

from city_repository import questions as q
from city_repository.copies import watermarked
from city_repository.repository import Repository
from city_repository.routes.access import Here
from city_repository.sharing import OK, OTHER, Question, Reply

router = APIRouter(tags=["共享"])

OPERATIONS: tuple[tuple[str, type[BaseModel], str], ...] = (
    ("queryCertInfo", q.OfIdentifier, "按证照标识查询"),
    ("queryCertInfoByHolderCode", q.OfHolder, "按持证主体查询"),
    ("queryCertInfoByQRcode", q.OfCode, "按二维码查询"),
    ("downloadUrl", q.CopyOfIdentifier, "取得加注件链接"),
    ("downloadUrlsByHolderCode", q.CopiesOfHolder, "按持证主体取得加注件链接"),
    ("downloadFile", q.OfCopy, "下载加注件"),
    ("verifyFile", q.OfFile, "文件核验"),
    ("verifyCertInfo", q.OfFacts, "信息核验"),
    ("getCertRemarkInfo", q.OfType, "证照类型的照面项字典"),
    ("queryCertTypes", q.Asked, "证照类型目录"),
)


def _route(operation: str, data: type[BaseModel]) -> Callable[..., q.Shared]:
    def ask(body: q.Question[data], here: Here) -> q.Shared:  # type: ignore[valid-type]
        return _answer(here, operation, body.accessId, body.accessToken, body.data)

    ask.__name__ = operation
    ask.__doc__ = data.__doc__
    return ask


def _answer(here: Repository, operation: str, account_id: str, token: str, data: BaseModel) -> q.Shared:
    now = here.clock()
    account = here.desk.account(token, now=now, account_id=account_id)
    if account is None:
        cause = str(getattr(data, "useCause", ""))
        return _shared(here, here.sharing.deny(operation, account_id, cause, at=now))
    reply = here.sharing.answer(operation, Question(account, dict(data), now))
    if operation == "downloadFile" and reply.status == OK:
        reply = _copy(reply)
    return _shared(here, reply)


def _copy(reply: Reply) -> Reply:
    terms, pdf = reply.data
    try:
        copy = watermarked(pdf, terms)
    except pdfium.PdfiumError:
        return Reply(status=OTHER, message="证照文件无法读取")
    data = {"certIdentifier": terms.identifier, "fileData": base64.b64encode(copy).decode()}
    return Reply(status=OK, data={**data, "expiryTime": terms.expires_at})


def _shared(here: Repository, reply: Reply) -> q.Shared:
    message = reply.message or here.codes.name("status", reply.status)
    return q.Shared(head=q.Head(status=reply.status, message=message), data=reply.data)


for _name, _data, _summary in OPERATIONS:
    router.add_api_route(f"/{_name}", _route(_name, _data), methods=["POST"], summary=_summary)
