"""What the city repository holds, asked over its own comparison interface with the development account."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

import httpx2

ACCOUNT = "rongjiang-certlib"
_SECRET = "development-only-rongjiang-certlib"  # noqa: S105  public, and refused outside development


def held_events(city: str, bases: Iterable[str]) -> dict[str, int]:
    """How many events the repository at `city` holds of each certificate, by the identifier's common part."""
    with httpx2.Client(base_url=city, timeout=20.0) as http:
        form = {"grant_type": "client_credentials", "client_id": ACCOUNT, "client_secret": _SECRET}
        token = http.post("/token", data=form).raise_for_status().json()["access_token"]
        asked = http.post(
            "/reconcile/events", json={"bases": list(bases)}, headers={"Authorization": f"Bearer {token}"}
        )
        return {base: len(lines) for base, lines in asked.raise_for_status().json()["events"].items()}


def await_events(city: str, expected: Mapping[str, int], *, patience: float = 30.0) -> dict[str, int]:
    """Ask until the repository holds what is expected, or `patience` seconds are over; what it holds then."""
    deadline = time.monotonic() + patience
    while True:
        held = held_events(city, expected)
        if held == dict(expected) or time.monotonic() > deadline:
            return held
        time.sleep(0.2)
