"""The webhooks of the settings: who is told of what, and where; nothing in a request can name a target.

webhook_hosts = ["supervision.example"]                # the only hosts, with port where it is not 443

[[webhooks]]
name = "market-regulation"
url = "https://supervision.example/certlib"
secret = "file:/etc/certlib/market-regulation.whsec"   # whsec_…, by reference; a list while one turns
supervises = ["ganzhou-market-regulation"]             # the events of the items it supervises, "*" for all
authorities = []                                       # the events of these authorities, for approval systems
items = []                                             # only these items; empty: all
content = "events"                                     # or "publicity": the 双公示 record of each permit

Two lists must agree before anything goes out: a line added to one of them by mistake, or by somebody who may write
only one, sends nothing. What a host's name resolves to is judged again at every delivery.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from certlib.catalogue import Catalogue
from certlib.crypto.keys import Secrets
from certlib.domain.subscription import EVERYONE, Content, Subscription
from certlib.domain.targets import Address, refusal
from certlib.errors import ConfigurationError
from certlib.formats.webhook import WebhookSecret
from certlib.issue.settings import Settings

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LISTS = ("supervises", "authorities", "items")
_KNOWN = frozenset({"name", "url", "secret", "content", *_LISTS})


@dataclass(frozen=True, slots=True)
class Hook:
    """One target of the settings. `references` name its secrets; they are read only where messages are signed."""

    subscription: Subscription
    address: Address
    references: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name in the settings."""
        return self.subscription.name

    def secrets(self, resolver: Secrets | None = None) -> tuple[WebhookSecret, ...]:
        """Its secrets. Raises `ConfigurationError` naming the target, never a secret."""
        source = resolver or Secrets()
        try:
            return tuple(WebhookSecret.parse(source.resolve(reference)) for reference in self.references)
        except ConfigurationError as error:
            raise ConfigurationError(f"webhook {self.name}：{error.message}") from error


def read_hooks(settings: Settings, catalogue: Catalogue) -> tuple[Hook, ...]:
    """The targets. Raises `ConfigurationError` naming the entry and what is wrong with it."""
    private = settings.webhook_private
    if private and not settings.in_development:
        raise ConfigurationError("设置 webhook_private 允许向内网地址和不加密地址推送，只能用于开发环境。")
    hosts = frozenset(settings.webhook_hosts)
    found = [_hook(entry, catalogue, hosts, private=private) for entry in settings.webhooks]
    names = [one.name for one in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConfigurationError(f"设置 webhooks 中名称重复：{'、'.join(sorted(twice))}。")
    return tuple(found)


def _hook(entry: object, catalogue: Catalogue, hosts: Collection[str], *, private: bool) -> Hook:
    if not isinstance(entry, Mapping):
        raise ConfigurationError("设置 webhooks 应为若干 [[webhooks]] 表。")
    name = entry.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigurationError("设置 webhooks 中每项须有名称 name：小写字母、数字和连字符。")
    if unknown := set(entry) - _KNOWN:
        raise ConfigurationError(f"webhook {name} 有未知的项：{'、'.join(sorted(map(str, unknown)))}。")
    subscription = _subscription(name, entry, catalogue)
    return Hook(subscription, _address(name, entry, hosts, private=private), _references(name, entry))


def _subscription(name: str, entry: Mapping[str, Any], catalogue: Catalogue) -> Subscription:
    lists = {key: _words(entry, key, name) for key in _LISTS}
    _require_known(name, lists["supervises"] | lists["authorities"], catalogue.authorities, "机关")
    _require_known(name, lists["items"], catalogue.items, "事项")
    if not lists["supervises"] and not lists["authorities"]:
        raise ConfigurationError(f"webhook {name} 没有写明告知谁的事项：supervises 或 authorities。")
    content = entry.get("content", Content.EVENTS.value)
    if content not in list(Content):
        raise ConfigurationError(f"webhook {name} 的 content 只能是 {'、'.join(map(repr, map(str, Content)))}。")
    return Subscription(name=name, content=Content(content), **lists)


def _address(name: str, entry: Mapping[str, Any], hosts: Collection[str], *, private: bool) -> Address:
    url = entry.get("url")
    if not isinstance(url, str) or not url:
        raise ConfigurationError(f"webhook {name} 须有地址 url。")
    try:
        address = Address.parse(url)
    except ConfigurationError as error:
        raise ConfigurationError(f"webhook {name}：{error.message}") from error
    if why := refusal(address, hosts, private=private):
        raise ConfigurationError(f"webhook {name}：{why}")
    return address


def _references(name: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    value = entry.get("secret")
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list | tuple) or not given or not all(isinstance(one, str) and one for one in given):
        raise ConfigurationError(f"webhook {name} 须有密钥引用 secret（env:变量名 或 file:文件路径），轮换时为列表。")
    return tuple(given)


def _words(entry: Mapping[str, Any], key: str, name: str) -> frozenset[str]:
    value = entry.get(key, ())
    if not isinstance(value, list | tuple) or not all(isinstance(word, str) for word in value):
        raise ConfigurationError(f"webhook {name} 的 {key} 应为文字的列表。")
    return frozenset(value)


def _require_known(name: str, words: frozenset[str], known: Iterable[str], what: str) -> None:
    if strange := words - {EVERYONE, *known}:
        raise ConfigurationError(f"webhook {name} 中没有这样的{what}：{'、'.join(sorted(strange))}。")
