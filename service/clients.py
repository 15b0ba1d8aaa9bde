"""The systems that may call the service (办件系统), each with its key, its scopes and its tenants."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from certlib.errors import ConfigurationError
from service.settings import ClientSettings

EVERY_AUTHORITY = "*"

SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "certificate:read": "查看证照与版本文件",
        "certificate:issue": "签发证照（单件或批量）",
        "certificate:act": "变更、延续、暂扣、注销、撤销等",
        "certificate:erase": "依法删除个人信息（两人办理）",
        "document:read": "查看审批文书",
        "document:issue": "签发审批文书",
        "paper:print": "打印实体证照、管理空白证照",
        "seal:read": "查看印章、用印授权与用印日志",
        "seal:manage": "印章的申请、制作、备案、启用、停用、更新、撤销、注销",
        "seal:authorise": "授权用印、终止授权",
        "seal:stamp": "登记加盖实物印章",
        "seal:picture": "为保管人调取印模（两人办理，记入日志）",
        "audit:read": "审计：查阅登记、用印日志、异常与查阅记录，下载核验报告与审计包",
        "statistics:read": "查看统计分析",
        "permit:publish": "双公示：查看应报记录、导出报送文件",
        "certificate:inspect": "凭证照上的二维码或校验码查看登记全文（执法检查）",
        "delivery:read": "查看归集推送的积压与待处理",
        "delivery:repair": "查看、改正并重推待处理的归集推送",
        "webhook:read": "查看事件推送的目标、积压与死信",
        "webhook:replay": "重放事件推送",
    }
)
"""Every scope and what it opens."""


@dataclass(frozen=True, slots=True)
class Client:
    """One calling system. `authority` is the tenant it acts for, or `*` for every authority of the city."""

    id: str
    name: str
    authority: str
    scopes: frozenset[str]
    key: ECKey
    purpose: str = ""  # for which it sees personal data when a request names no other

    def acts_for(self, authorities: Iterable[str]) -> bool:
        """Whether one of `authorities` is the tenant of this client."""
        return self.authority == EVERY_AUTHORITY or self.authority in authorities

    @property
    def tenant(self) -> str:
        """The authority to which lists are narrowed; empty for every authority."""
        return "" if self.authority == EVERY_AUTHORITY else self.authority


def read_clients(settings: Iterable[ClientSettings]) -> dict[str, Client]:
    """The clients of the settings by id. Raises `ConfigurationError` naming the client whose entry is wrong."""
    return {entry.id: _client(entry) for entry in settings}


def read_key(reference: str) -> ECKey:
    """The P-256 key behind `file:PATH` (JWK or PEM). Raises `ConfigurationError` when it cannot be read."""
    path = reference.removeprefix("file:")
    try:
        return parse_key(Path(path).read_bytes())
    except OSError as error:
        raise ConfigurationError(f"密钥文件 {path} 无法读取。", code="key-file") from error
    except ValueError as error:
        raise ConfigurationError(f"密钥文件 {path} 不是 P-256 密钥（JWK 或 PEM）。", code="key-file") from error


def parse_key(data: bytes) -> ECKey:
    """A P-256 key from JWK (JSON) or PEM. Raises `ValueError` when it is another thing."""
    try:
        key = ECKey.import_key(_jwk(data) if data.lstrip().startswith(b"{") else data)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ValueError("not an elliptic curve key") from error
    if key.curve_name != "P-256":
        raise ValueError("not a key on P-256")
    return key


def _jwk(data: bytes) -> dict[str, str | list[str]]:
    value = json.loads(data)
    return {str(name): member for name, member in value.items() if name in {"kty", "crv", "x", "y", "d", "kid"}}


def _client(entry: ClientSettings) -> Client:
    unknown = set(entry.scopes) - set(SCOPES)
    if unknown:
        raise ConfigurationError(f"客户端 {entry.id} 的权限 {'、'.join(sorted(unknown))} 不存在。")
    return Client(entry.id, entry.name, entry.authority, frozenset(entry.scopes), read_key(entry.key), entry.purpose)
