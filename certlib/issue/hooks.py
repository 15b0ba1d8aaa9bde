"""The webhooks of the settings: an allow-list; nothing in a request can name a target.

[[webhooks]]
name = "market-regulation"
url = "https://supervision.example/certlib"
secret = "file:/etc/certlib/market-regulation.whsec"   # whsec_… (HMAC) or whsk_… (Ed25519); a list while one turns
supervises = ["ganzhou-market-regulation"]             # the events of the items it supervises, "*" for all
authorities = []                                       # the events of these authorities, for approval systems
items = []                                             # only these items; empty: all
content = "events"                                     # or "publicity": the 双公示 record of each permit
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from certlib.catalogue import Catalogue
from certlib.domain.subscription import EVERYONE, Content, Subscription
from certlib.errors import ConfigurationError

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LISTS = ("supervises", "authorities", "items")
_KNOWN = frozenset({"name", "url", "secret", "content", *_LISTS})


def read_subscriptions(entries: Iterable[Mapping[str, Any]], catalogue: Catalogue) -> tuple[Subscription, ...]:
    """Who is told of what. Raises `ConfigurationError` naming the entry and what is wrong with it."""
    found = [_subscription(entry, catalogue) for entry in entries]
    names = [one.name for one in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConfigurationError(f"设置 webhooks 中名称重复：{'、'.join(sorted(twice))}。")
    return tuple(found)


def _subscription(entry: object, catalogue: Catalogue) -> Subscription:
    if not isinstance(entry, Mapping):
        raise ConfigurationError("设置 webhooks 应为若干 [[webhooks]] 表。")
    name = entry.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigurationError("设置 webhooks 中每项须有名称 name：小写字母、数字和连字符。")
    if unknown := set(entry) - _KNOWN:
        raise ConfigurationError(f"webhook {name} 有未知的项：{'、'.join(sorted(map(str, unknown)))}。")
    if not entry.get("url") or not entry.get("secret"):
        raise ConfigurationError(f"webhook {name} 须有地址 url 和密钥引用 secret（env:变量名 或 file:文件路径）。")
    lists = {key: _words(entry, key, name) for key in _LISTS}
    _require_known(name, lists["supervises"] | lists["authorities"], catalogue.authorities, "机关")
    _require_known(name, lists["items"], catalogue.items, "事项")
    if not lists["supervises"] and not lists["authorities"]:
        raise ConfigurationError(f"webhook {name} 没有写明告知谁的事项：supervises 或 authorities。")
    content = entry.get("content", Content.EVENTS.value)
    if content not in list(Content):
        raise ConfigurationError(f"webhook {name} 的 content 只能是 {'、'.join(map(repr, map(str, Content)))}。")
    return Subscription(name=name, content=Content(content), **lists)


def _words(entry: Mapping[str, Any], key: str, name: str) -> frozenset[str]:
    value = entry.get(key, ())
    if not isinstance(value, list | tuple) or not all(isinstance(word, str) for word in value):
        raise ConfigurationError(f"webhook {name} 的 {key} 应为文字的列表。")
    return frozenset(value)


def _require_known(name: str, words: frozenset[str], known: Iterable[str], what: str) -> None:
    if strange := words - {EVERYONE, *known}:
        raise ConfigurationError(f"webhook {name} 中没有这样的{what}：{'、'.join(sorted(strange))}。")
