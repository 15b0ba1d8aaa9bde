"""Makes webhooks.json: webhook messages, good and bad, with what each must give.

Run `python tests/vectors/build_webhooks.py`. HMAC has no chance in it: a second run gives the same bytes.
"""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from certlib.formats.facts import canonical
from certlib.formats.webhook import ID, SIGNATURE, TIMESTAMP, WebhookSecret, webhook_headers

AT = datetime(2026, 4, 1, 4, 0, tzinfo=UTC)
SECRET, OLD, FOREIGN = (WebhookSecret(bytes(range(first, first + 32))) for first in (0, 32, 64))
EVENT = "evt_6f1d0c3e9a5b4d2c8e7f0a1b2c3d4e5f"
BODY = canonical(
    {
        "type": "certificate.suspend",
        "timestamp": "2026-04-01T11:59:58+08:00",
        "data": {
            "identifier": "1.2.156.3005.2.11100000MB0341032Y001.11360700MB0000027R.2026000001.001.X",
            "sequence": 2,
            "operation": "suspend",
            "label": "暂扣",
            "state": "suspended",
            "supervisor": {"key": "ganzhou-market-regulation", "name": "赣州市市场监督管理局"},
        },
    }
)


def case(
    name: str, comment: str, headers: dict[str, str], body: bytes = BODY, *, expect: str = "ok", **more: Any
) -> dict[str, Any]:
    secrets = more.pop("secrets", [SECRET])
    return {
        "name": name,
        "comment": comment,
        "secrets": [secret.text for secret in secrets],
        "now": more.pop("now", AT).isoformat(),
        "headers": headers,
        "body": base64.b64encode(body).decode(),
        "expect": expect,
    }


def cases() -> Iterator[dict[str, Any]]:
    good = webhook_headers(EVENT, BODY, [SECRET], at=AT)
    signature, bad = good[SIGNATURE], {"expect": "signature-invalid"}
    yield case("good", "one secret, one signature", good)
    yield case("turning, sent", "the sender signs with the new secret and the old", both := _signed(SECRET, OLD))
    yield case("turning, held by the old", "who has only the old secret verifies it too", both, secrets=[OLD])
    yield case("turning, held", "the receiver takes either of two secrets", good, secrets=[OLD, SECRET])
    yield case("other letters", "names of headers are the same in capitals", {k.title(): v for k, v in good.items()})
    yield case("further version", "an unknown version beside ours is passed over", _with(good, f"v2,xyz {signature}"))
    yield case("four minutes late", "within five minutes", good, now=AT + timedelta(minutes=4))
    late = {"expect": "timestamp-outside"}
    yield case("six minutes late", "older than five minutes", good, now=AT + timedelta(minutes=6), **late)
    yield case("six minutes early", "from the future", good, now=AT - timedelta(minutes=6), **late)
    yield case("wrong secret", "signed by somebody else", _signed(FOREIGN), **bad)
    yield case("changed body", "a byte of the body", good, BODY.replace(b"suspended", b"suspendeD"), **bad)
    yield case("rewritten body", "the same JSON with spaces", good, json.dumps(json.loads(BODY)).encode(), **bad)
    yield case("another id", "the id is signed", {**good, ID: "evt_0"}, **bad)
    yield case("another time", "the time is signed", {**good, TIMESTAMP: str(int(AT.timestamp()) + 1)}, **bad)
    yield case("cut signature", "its beginning only", _with(good, signature[:20]), **bad)
    yield case("empty signature", "v1 and nothing", _with(good, "v1,"), **bad)
    yield case("other version", "the right digest under another version", _with(good, "v2" + signature[2:]), **bad)
    for name in (ID, TIMESTAMP, SIGNATURE):
        rest = {key: value for key, value in good.items() if key != name}
        yield case(f"no {name}", "a header is missing", rest, expect="unreadable")
    yield case("a time that is none", "words", {**good, TIMESTAMP: "hello"}, expect="unreadable")
    yield case("an id with a full stop", "it would shift what is signed", {**good, ID: "evt.0"}, expect="unreadable")
    yield case("no event", "signed, but another form", _signed(SECRET, body=b"[]"), b"[]", expect="unreadable")
    yield case("no JSON", "signed, but no JSON", _signed(SECRET, body=b"{"), b"{", expect="unreadable")


def _signed(*secrets: WebhookSecret, body: bytes = BODY) -> dict[str, str]:
    return webhook_headers(EVENT, body, secrets, at=AT)


def _with(headers: dict[str, str], signature: str) -> dict[str, str]:
    return {**headers, SIGNATURE: signature}


def text() -> str:
    """The file's text."""
    return json.dumps(list(cases()), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("webhooks.json").write_text(text(), encoding="utf-8")
