"""Requests and answers of the push and comparison interfaces, for FastAPI and its OpenAPI description."""

# ruff: noqa: N815  the names are the interface's
from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, WithJsonSchema

from city_repository.codes import load_codes


def _record_schema() -> dict[str, Any]:
    """The schema of a pushed record, made from the field table."""
    codes = load_codes()
    kinds: dict[str, dict[str, Any]] = {
        "number": {"type": "integer", "minimum": 1},
        "date": {"type": "string", "format": "date"},
        "moment": {"type": "string", "format": "date-time"},
        "object": {"type": "object", "additionalProperties": {"type": "string"}},
        "base64": {"type": "string", "contentEncoding": "base64"},
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    }
    properties: dict[str, Any] = {}
    for field in codes.fields:
        table, _, name = field.check.partition(":")
        schema = kinds.get(field.check, {"type": "string", "maxLength": field.max})
        if table == "code":
            schema = {"type": "string", "enum": list(codes.tables[name])}
        properties[field.name] = {**schema, "title": field.label}
    required = [field.name for field in codes.fields if field.required]
    return {"type": "object", "title": "归集记录", "properties": properties, "required": required}


PushedRecord = Annotated[dict[str, JsonValue], WithJsonSchema(_record_schema())]


class Closed(BaseModel):
    """A body without unknown members."""

    model_config = ConfigDict(extra="forbid", title="")


class PushBody(Closed):
    """A push: GJ 归集 takes in events, GZ 更正 replaces what this account delivered under the same sequence."""

    MethodName: Literal["GJ", "GZ"]
    AcceptData: list[PushedRecord] = Field(min_length=1, max_length=100)


class PushLine(Closed):
    """What became of one record."""

    guid: str
    code: str = Field(description="S… 成功，W… 警告，E… 错误")
    message: str
    operationSequence: int = Field(description="收到的操作序号，错误时为 0")
    lastSequence: int = Field(description="本库该证照最后的操作序号")
    digest: str = Field(description="记录摘要，SHA-256")
    receivedAt: str


class ReturnData(Closed):
    """The records by outcome."""

    SuccessData: list[PushLine]
    WarnData: list[PushLine]
    ErrorData: list[PushLine]


class PushAnswer(Closed):
    """1 全部成功，2 部分成功或有警告，0 全部失败."""

    ReturnCode: Literal["0", "1", "2"]
    ReturnMsg: str
    ReturnData: ReturnData


class TokenAnswer(Closed):
    """A token (RFC 6749, 5.1)."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int


class Refusal(Closed):
    """Why a call was not served (RFC 6749, 5.2 names for errors of authentication)."""

    error: str
    error_description: str


class RangesBody(Closed):
    """Which part of the tree is asked for: `` the root's 256 ranges, two hexadecimal digits a range's 256 buckets."""

    prefix: str = Field("", pattern=r"^([0-9a-f]{2})?$")


class RangeLine(Closed):
    """One child: its prefix, how many certificates, its digest."""

    prefix: str
    count: int
    digest: str


class RangesAnswer(Closed):
    """The digest of the part asked for and of its children that hold anything."""

    count: int
    digest: str
    children: list[RangeLine]


class LeavesBody(Closed):
    """Buckets by four hexadecimal digits."""

    buckets: list[Annotated[str, Field(pattern=r"^[0-9a-f]{4}$")]] = Field(max_length=256)


class LeafLine(Closed):
    """One certificate and its leaf."""

    base: str
    leaf: str


class LeavesAnswer(Closed):
    """The certificates of the buckets asked for."""

    records: list[LeafLine]


class EventsBody(Closed):
    """Certificates by base (证照标识 without root, edition and check character)."""

    bases: list[Annotated[str, Field(max_length=128)]] = Field(max_length=1000)


class EventLine(Closed):
    """One event held."""

    sequence: int
    digest: str


class EventsAnswer(Closed):
    """The events held of each certificate asked for; a certificate not held is left out."""

    events: dict[str, list[EventLine]]


class DailyBody(Closed):
    """A span of days of operateTime in Asia/Shanghai, both included."""

    first: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    last: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")


class DailyLine(Closed):
    """How many events of one operation on one day."""

    day: str
    operateType: str
    count: int


class DailyAnswer(Closed):
    """The counts of this account."""

    lines: list[DailyLine]
