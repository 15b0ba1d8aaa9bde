"""Bodies of the sharing interface: `{accessId, accessToken, data}` in, `{head, data}` out (GB/T 36906 as deployed)."""

# ruff: noqa: N815  the names are the interface's

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from city_repository.bodies import Closed

Data = TypeVar("Data", bound=BaseModel)
Text = Annotated[str, Field(max_length=300)]
Cause = Annotated[str, Field(description="申请事由，必填，不超过 200 字")]


class Asked(Closed):
    """What every question has."""

    useCause: Cause = ""


class OfIdentifier(Asked):
    """A certificate by its 证照标识."""

    certIdentifier: Text = ""


class OfHolder(Asked):
    """Certificates of one type by their holder."""

    holderCode: Text = ""
    holderTypeCode: Text = ""
    certTypeCode: Text = ""
    certNo: Text = ""


class OfCode(Asked):
    """A certificate by the text of its QR code."""

    qrcode: Annotated[str, Field(max_length=2000)] = ""


class CopyOfIdentifier(OfIdentifier):
    """A copy of one certificate; `expiryTime` in minutes."""

    applicant: Text = ""
    expiryTime: Annotated[int, Field(ge=1, le=10080)] | None = None


class CopiesOfHolder(OfHolder):
    """Copies of a holder's certificates; `expiryTime` in minutes."""

    applicant: Text = ""
    expiryTime: Annotated[int, Field(ge=1, le=10080)] | None = None


class OfCopy(Asked):
    """A copy by the id of its link."""

    id: Text = ""


class OfFile(Asked):
    """A file to be verified, Base64."""

    file: Annotated[Base64Bytes, Field(max_length=48 * 1024 * 1024)] = b""


class OfFacts(OfIdentifier):
    """Face data and metadata to be compared."""

    certificateNumber: Text = ""
    certificateHolderName: Text = ""
    certificateHolderCode: Text = ""
    certificateExpiringDate: Text = ""
    faceData: Annotated[dict[str, Annotated[str, Field(max_length=20_000)]], Field(max_length=200)] = Field(
        default_factory=dict
    )


class OfType(Asked):
    """A certificate type."""

    certTypeCode: Text = ""
    certName: Text = ""


class Head(BaseModel):
    """0 成功，10 未找到，11 身份验证不通过，12 必填为空，13 类型不存在，21 已注销，22 已过期，23 受限，99 其他."""

    model_config = ConfigDict(title="")
    status: str
    message: str


class Question(Closed, Generic[Data]):
    """A question: who asks, and what."""

    accessId: Text
    accessToken: Text
    data: Data


class Shared(BaseModel):
    """An answer. `data` depends on the operation; it is null when nothing may be given."""

    model_config = ConfigDict(title="")
    head: Head
    data: Any = None
