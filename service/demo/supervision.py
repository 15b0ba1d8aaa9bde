"""The supervising departments' systems: each takes the events of its items, verified by a secret of its own."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response

from certlib.catalogue import Catalogue
from certlib.errors import VerificationError
from certlib.formats.webhook import WebhookEvent, WebhookSecret, verify_webhook


class Supervision:
    """All departments that supervise an item by the catalogue; what each has received, by the event's id."""

    def __init__(self, catalogue: Catalogue) -> None:
        keys = sorted({one.supervises for mandates in catalogue.mandates.values() for one in mandates} - {""})
        self._secrets = {key: WebhookSecret(secrets.token_bytes(32)) for key in keys}
        self.received: dict[str, dict[str, WebhookEvent]] = {key: {} for key in keys}

    def settings(self, url: str, folder: Path) -> tuple[dict[str, Any], list[Mapping[str, Any]]]:
        """The office's settings for telling all of them at `url`: values and `webhooks`; their secrets in `folder`."""
        folder.mkdir(parents=True)
        hooks: list[Mapping[str, Any]] = []
        for key, secret in self._secrets.items():
            (folder / f"{key}.whsec").write_text(secret.text, encoding="ascii")
            reference = f"file:{(folder / key).absolute()}.whsec"
            hooks.append({"name": key, "url": f"{url}/{key}", "secret": reference, "supervises": [key]})
        return {"webhook_hosts": [urlsplit(url).netloc], "webhook_private": True}, hooks

    def app(self) -> FastAPI:
        """Their systems as one application, an address for each."""
        app = FastAPI(openapi_url=None)

        @app.post("/{department}")
        async def receive(department: str, request: Request) -> Response:
            secret = self._secrets.get(department)
            if secret is None:
                return Response(status_code=404)
            try:
                event = verify_webhook(request.headers, await request.body(), [secret], now=datetime.now(UTC))
            except VerificationError as error:
                return Response(error.message, status_code=401)
            self.received[department][event.id] = event
            return Response(status_code=204)

        return app
