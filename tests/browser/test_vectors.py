"""The page's verifier against the published vectors: the same verdicts as every other reader's."""

import base64
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from certlib.crypto.cose import key_id

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "codes.json").read_text(encoding="utf-8"))
REFUSED = {"unreadable", "unknown-issuer", "signature-invalid"}
# A browser has opened the page by then: what stood before the fragment is not the page's to judge.
BEFORE_THE_PAGE = {"http", "upper case"}
CASES = [case for case in VECTORS["cases"] if case["name"] not in BEFORE_THE_PAGE]
CHECK = """async ([code, roots]) => {
    const { check } = await import('/v/check.js');
    try { return (await check(code, roots)).verdict; } catch (error) { return error.verdict ?? String(error); }
}"""


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return base64.b64decode(text)


@pytest.fixture(scope="module")
def roots() -> dict[str, str]:
    """The key to pin, as the page's configuration has it."""
    spki = _bytes(VECTORS["trust_list_key"])
    return {key_id(spki).hex(): base64.b64encode(spki).decode()}


def test_every_vector(phone: Any, roots: dict[str, str]) -> None:
    """Each case at its moment, with or without the status list."""
    page = phone.page
    page.add_init_script("delete Navigator.prototype.serviceWorker")  # it would answer in the vectors' stead
    page.goto(f"{phone.site}/v")
    phone.verdict()
    listed = {"status": b""}

    def serve(route: Any) -> None:
        if route.request.url.endswith("/public/trust"):
            route.fulfill(body=json.dumps(VECTORS["trust_list"]), content_type="application/json")
        elif route.request.url.endswith("/status/0") and listed["status"]:
            route.fulfill(body=listed["status"], content_type="application/statuslist+cwt")
        else:
            route.fulfill(status=404)

    page.route("**/public/**", serve)
    wrong = []
    for case in CASES:
        given = _bytes(case.get("status_list", VECTORS["status_list"]))
        listed["status"] = given if case.get("with_status", True) else b""
        page.clock.set_fixed_time(datetime.fromisoformat(case.get("at", VECTORS["at"])))
        page.evaluate("localStorage.clear()")
        text = case["text"]
        code = text.partition("#")[2] if "#" in text else text
        found = page.evaluate(CHECK, [code, roots])
        if found != case["expect"] and not (case["expect"] == "*refused*" and found in REFUSED):
            wrong.append(f"{case['name']}: {found} instead of {case['expect']}")
    assert wrong == []
    assert len(CASES) > 50
