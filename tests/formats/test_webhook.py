"""Webhooks are signed as the standard says; what is not, a receiver refuses."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from certlib.errors import ConfigurationError, VerificationError
from certlib.formats.webhook import WebhookSecret, verify_webhook, webhook_headers

VECTORS = Path(__file__).parents[1] / "vectors"
CASES = json.loads((VECTORS / "webhooks.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_vectors(case: dict[str, Any]) -> None:
    """Each vector gives what it expects: the event, or an error of that code."""
    secrets = [WebhookSecret.parse(text) for text in case["secrets"]]
    now, body = datetime.fromisoformat(case["now"]), base64.b64decode(case["body"])
    if case["expect"] != "ok":
        with pytest.raises(VerificationError) as caught:
            verify_webhook(case["headers"], body, secrets, now=now)
        assert caught.value.code == case["expect"]
        return
    event = verify_webhook(case["headers"], body, secrets, now=now)
    assert (event.type, event.data["state"]) == ("certificate.suspend", "suspended")
    assert event.at == datetime(2026, 4, 1, 3, 59, 58, tzinfo=UTC)


def test_the_committed_vectors_are_those_of_the_script() -> None:
    """Made anew they are the same bytes."""
    spec = spec_from_file_location("build_webhooks", VECTORS / "build_webhooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.text() == (VECTORS / "webhooks.json").read_text(encoding="utf-8")


def test_signatures_are_those_of_the_standard() -> None:
    """The vector that the libraries of standard-webhooks share."""
    secret = WebhookSecret.parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    assert webhook_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', [secret], at=at) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_AAAA", "whsec_!!!!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + "A" * 120]
)
def test_a_weak_secret_is_refused_and_not_shown(text: str) -> None:
    """Too short, too long, no base64, no prefix; the message does not repeat it."""
    with pytest.raises(ConfigurationError) as caught:
        WebhookSecret.parse(text)
    assert not text.removeprefix("whsec_") or text not in caught.value.message


def test_a_body_nested_without_end_is_unreadable() -> None:
    """Though it is signed: a sender's program may be broken too."""
    at, body, secret = datetime(2026, 4, 1, tzinfo=UTC), b"[" * 200_000, WebhookSecret(bytes(32))
    with pytest.raises(VerificationError) as caught:
        verify_webhook(webhook_headers("evt-1", body, [secret], at=at), body, [secret], now=at)
    assert caught.value.code == "unreadable"


def test_a_secret_does_not_show_itself() -> None:
    """Neither in a log nor in a traceback."""
    assert "AAAA" not in repr(WebhookSecret.parse("whsec_" + "A" * 40))


def test_an_id_that_would_shift_the_signed_text_is_refused() -> None:
    """A full stop in the id would let a body pass for part of it."""
    with pytest.raises(ValueError, match="full stop"):
        webhook_headers("a.b", b"", [WebhookSecret(bytes(32))], at=datetime.now(UTC))
