"""Where webhooks may go: an https address at a host of the settings' list, never into private address space.

    address = Address.parse("https://supervision.example/certlib")
    refusal(address, {"supervision.example"})     # "" or the sentence that says why not
    is_public("10.0.0.1")                         # False: judged again for what the name resolves to at each delivery

A name is judged by its text here; what it resolves to is judged where the connection is made, and only that is dialled.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from certlib.errors import ConfigurationError

HTTPS, HTTP = 443, 80
_URL = re.compile(
    r"[\x21-\x5b\x5d-\x7e]{1,2000}"
)  # visible ASCII without the backslash, which readers take for a slash
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_LOCAL = ("localhost", "local", "internal", "intranet", "lan", "home.arpa")
# What the register of special addresses holds and Python 3.11 takes for global: RFC 9637.
_DOCUMENTATION = ipaddress.ip_network("3fff::/20")


@dataclass(frozen=True, slots=True)
class Address:
    """An address taken apart; `path` includes the query. `host` is a name, or an IP address without brackets."""

    secure: bool
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """Take `url` apart. Raises `ConfigurationError` for what is no plain http(s) address."""
        try:
            parts = urlsplit(url if _URL.fullmatch(url) else "")
            port, host = parts.port, (parts.hostname or "").lower()
        except ValueError:
            raise ConfigurationError(f"地址 {url[:100]} 无法识别，应为 https://主机/路径。") from None
        if parts.scheme not in {"https", "http"} or not _is_host(host):
            raise ConfigurationError(f"地址 {url[:100]} 无法识别，应为 https://主机/路径。")
        if "@" in parts.netloc or parts.fragment:
            raise ConfigurationError(f"地址 {parts.scheme}://{host} 中不得写账户口令，也不得有 # 片段。")
        secure = parts.scheme == "https"
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(secure, host, port or (HTTPS if secure else HTTP), path)

    @property
    def place(self) -> str:
        """Host and port as in a Host field and in the list of allowed hosts: the usual port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (HTTPS if self.secure else HTTP) else f"{host}:{self.port}"

    @property
    def text(self) -> str:
        """The address as one line, without its query, which may hold what is nobody's business."""
        return f"{'https' if self.secure else 'http'}://{self.place}{self.path.partition('?')[0]}"


def refusal(address: Address, allowed: Collection[str], *, private: bool = False) -> str:
    """Why nothing may be sent to `address`, as one sentence; empty when it may.

    `private` is for development: private addresses and http are then taken; the list of hosts holds all the same.
    """
    if address.place not in allowed:
        return f"目标 {address.place} 不在允许名单 webhook_hosts 中，不予推送；请先由管理员列入。"
    if private:
        return ""
    if not address.secure:
        return f"目标 {address.text} 未加密：只允许 https。"
    literal = _literal(address.host)
    if literal is not None and not is_public(address.host):
        return f"目标 {address.host} 属于本机、内网或保留地址，不予推送。"
    if literal is None and ("." not in address.host or _is_local(address.host)):
        return f"目标 {address.host} 是本机或内网名称，不予推送。"
    return ""


def is_public(address: str) -> bool:
    """Whether an IP address may be dialled: global unicast, neither private, loopback, link-local nor reserved.

    An IPv4 address inside an IPv6 one is judged as what it leads to; 6to4 and Teredo relays are not taken at all.
    """
    found = _literal(address)
    if found is None:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
        if found.sixtofour is not None or found.teredo is not None or found.is_site_local or found in _DOCUMENTATION:
            return False
    return found.is_global and not (found.is_multicast or found.is_reserved)


def _is_host(host: str) -> bool:
    """A name or a canonical IP address; not the other ways of writing one (127.1, 0x7f000001), which resolve too."""
    return _literal(host) is not None or (_NAME.fullmatch(host) is not None and not _ends_in_number(host))


def _ends_in_number(host: str) -> bool:
    """The URL standard's rule by which a host is an IPv4 address, however oddly it is written."""
    return re.fullmatch(r"\d+|0x[0-9a-f]*", host.rpartition(".")[2]) is not None


def _is_local(host: str) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in _LOCAL)


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
