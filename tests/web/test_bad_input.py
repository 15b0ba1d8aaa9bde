"""Bad input: each a problem document that names field and reason; nothing numbered, nothing sealed, nothing kept."""

import json
from collections.abc import Callable
from typing import Any

import pytest

Bend = Callable[[dict[str, Any]], Any]


def _fact(key: str, value: Any) -> Bend:
    return lambda request: request["facts"].__setitem__(key, value)


def _step(step: str, key: str, value: Any) -> Bend:
    return lambda request: request["decision"][step].__setitem__(key, value)


# what is bent, how, and the path at which a fault must stand
BENT: dict[str, tuple[Bend, str]] = {
    "unknown item": (lambda r: r.update(item="9-99"), "item"),
    "no item": (lambda r: r.pop("item"), "item"),
    "no case": (lambda r: r.pop("case"), "case"),
    "no decision": (lambda r: r.pop("decision"), "decision"),
    "no holder": (lambda r: r.pop("holder"), "holder"),
    "holder is a text": (lambda r: r.update(holder="某公司"), "holder"),
    "wrong check digit": (lambda r: r["holder"].update(code="91360700MA0000000X"), "holder.code"),
    "missing fact": (lambda r: r["facts"].pop("scope"), "facts.scope"),
    "extra fact": (_fact("colour", "red"), "facts.colour"),
    "a fact that is a number": (_fact("scope", 7), "facts.scope"),
    "a choice that is none": (_fact("mode", "网购"), "facts.mode"),
    "bidi override": (_fact("premises", "赣州市\u202e章贡区"), "facts.premises"),
    "zero width": (_fact("premises", "赣州市\u200b章贡区"), "facts.premises"),
    "control character": (_fact("premises", "赣州市\u0007章贡区"), "facts.premises"),
    "private use": (_fact("premises", "赣州市\ue000区"), "facts.premises"),
    "reviewer of another authority": (_step("review", "authority", "ganzhou-education"), "decision.review.authority"),
    "approver of another authority": (
        _step("approval", "authority", "rongjiang-approval"),
        "decision.approval.authority",
    ),
    "unknown authority": (_step("review", "authority", "moon"), "decision.review.authority"),
    "a step without time zone": (_step("approval", "at", "2026-06-01T10:00:00"), "decision.approval.at"),
    "a time that is none": (_step("approval", "at", "yesterday"), "decision.approval.at"),
    "a step in the future": (_step("approval", "at", "2099-01-01T10:00:00+08:00"), "decision.approval.at"),
    "an unexpected member": (lambda r: r.update(surprise=1), "surprise"),
}


@pytest.mark.parametrize(("bend", "path"), BENT.values(), ids=list(BENT))
def test_a_fault_names_its_place(web: Any, bend: Bend, path: str) -> None:
    """422, with path, Chinese label, stable code and a Chinese message; the register is as before."""
    request = web.request()
    bend(request)
    before = web.counts()
    response = web.post(request)
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["code"] == "invalid-request"
    found = [fault for fault in problem["faults"] if fault["path"].startswith(path)]
    assert found, problem["faults"]
    assert all(fault["message"] and fault["code"] for fault in found)
    assert web.counts() == before


def test_every_fault_at_once(web: Any) -> None:
    """Structure, facts, holder and decision: a clerk sees all that is wrong in one answer."""
    request = web.request()
    request["facts"].pop("scope")
    request["facts"]["colour"] = "red"
    request["holder"]["code"] = "91360700MA0000000X"
    request["decision"]["approval"]["at"] = "yesterday"
    request["decision"]["review"]["authority"] = "moon"
    request["surprise"] = True
    faults = web.post(request).json()["faults"]
    paths = {fault["path"] for fault in faults}
    expected = {
        "facts.scope",
        "facts.colour",
        "holder.code",
        "decision.approval.at",
        "decision.review.authority",
        "surprise",
    }
    assert expected <= paths
    labels = {fault["path"]: fault.get("label", "") for fault in faults}
    assert labels["facts.scope"] == "经营范围"


def test_dates_in_the_wrong_order(web: Any) -> None:
    """Approved before it was accepted."""
    request = web.request()
    steps = request["decision"]
    steps["acceptance"]["at"], steps["approval"]["at"] = steps["approval"]["at"], steps["acceptance"]["at"]
    response = web.post(request)
    assert response.status_code == 422
    assert any(fault["path"].startswith("decision") for fault in response.json()["faults"])


def test_a_mandate_before_its_time(web: Any) -> None:
    """Steps dated before any mandate was in force."""
    request = web.request()
    for step in ("acceptance", "review", "approval"):
        request["decision"][step]["at"] = "2019-03-01T10:00:00+08:00"
    response = web.post(request)
    assert response.status_code == 422
    assert any(fault["path"].startswith("decision") for fault in response.json()["faults"])


def test_a_text_too_long_for_its_box(web: Any) -> None:
    """A scope of thousands of characters is refused before anything is numbered."""
    request = web.request()
    request["facts"]["scope"] = "6840体外诊断试剂；" * 2000
    before = web.counts()
    response = web.post(request)
    assert response.status_code == 422
    assert "scope" in response.text
    assert web.counts() == before


def test_a_character_without_glyph(web: Any) -> None:
    """A character that no font of the chain has: its name and the field, nothing numbered."""
    request = web.request()
    request["facts"]["premises"] = "赣州市章贡区\U0001f600路1号"
    before = web.counts()
    response = web.post(request)
    assert response.status_code == 422
    assert "premises" in response.text
    assert web.counts() == before


def test_the_same_case_twice(web: Any) -> None:
    """One case has one outcome: the second request under another key is a conflict."""
    request = web.request()
    assert web.post(request).status_code == 201
    response = web.post(request)
    assert (response.status_code, response.json()["code"]) == (409, "case-already-issued")


def test_the_same_key_with_another_body(web: Any) -> None:
    """422, and the first answer stays what it was."""
    key, first = web.key(), web.request()
    headers = {"Idempotency-Key": key}
    issued = web.post(first, **headers)
    other = web.post(web.request(), **headers)
    again = web.post(first, **headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert again.json() == issued.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in issued.headers


@pytest.mark.parametrize("key", [None, "", "ключ", "a" * 300, 'a"b'], ids=str)
def test_no_usable_key(web: Any, key: str | None) -> None:
    """Without Idempotency-Key nothing is issued: 400."""
    headers = web.headers()
    if key is not None:
        headers["Idempotency-Key"] = key.encode("utf-8")  # type: ignore[assignment]
    response = web.http.post("/v1/certificates", json=web.request(), headers=headers)
    assert (response.status_code, response.json()["code"]) == (400, "idempotency-key-missing")


NOT_JSON = {
    "cut short": b'{"item": "2-25"',
    "not UTF-8": b'{"item": "\xff\xfe"}',
    "a list": b"[]",
    "a number": b"7",
    "nothing": b"",
    "a doubled name": b'{"item": "2-25", "item": "2-26"}',
    "not a number": b'{"item": NaN}',
    "a lone surrogate": b'{"item": "\\ud800"}',
    "too deep": b'{"facts": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "deeper than any request": json.dumps(
        {"a": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}
    ).encode(),
    "beyond all numbers": b'{"item": 1e999}',
    "five thousand digits": b'{"item": ' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("data", NOT_JSON.values(), ids=list(NOT_JSON))
def test_what_is_no_json_object(web: Any, data: bytes) -> None:
    """400 with a fault that says where; never a 500."""
    headers = web.headers(**{"Idempotency-Key": web.key(), "Content-Type": "application/json"})
    response = web.http.post("/v1/certificates", content=data, headers=headers)
    assert (response.status_code, response.json()["code"]) == (400, "malformed-body")
    assert response.json()["faults"][0]["message"]


def test_another_media_type(web: Any) -> None:
    """415 for a form where JSON is expected."""
    response = web.http.post(
        "/v1/certificates", data={"item": "2-25"}, headers=web.headers(**{"Idempotency-Key": web.key()})
    )
    assert (response.status_code, response.json()["code"]) == (415, "unsupported-media-type")


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "streamed"])
def test_a_body_of_fifty_megabytes(web: Any, declared: bool) -> None:
    """413 as a problem document, whether its length was declared or not; the text says the limit."""
    block = b" " * 1_000_000
    content = block * 50 if declared else (block for _ in range(50))
    headers = web.headers(**{"Idempotency-Key": web.key(), "Content-Type": "application/json"})
    response = web.http.post("/v1/certificates", content=content, headers=headers)
    assert (response.status_code, response.json()["code"]) == (413, "body-too-large")
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["limit"] == 1_000_000


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/certificates/nonsense", 404),
        ("/v1/certificates/1.2.156.3005.2.0.0.0.001.0", 404),
        ("/v1/certificates?limit=0", 422),
        ("/v1/certificates?limit=many", 422),
        ("/v1/documents/none", 404),
        ("/v1/batches/0123", 404),
        ("/v1/nothing", 404),
        ("/public/status/-1", 422),
        ("/public/status/999", 404),
        ("/log/tile/0/000", 404),
        ("/log/tile/0/../../etc/passwd", 404),
        ("/v/../settings.py", 404),
        ("/v/nothing.js", 404),
    ],
)
def test_a_wrong_address(web: Any, path: str, status: int) -> None:
    """Unknown things and wrong parameters are problem documents too."""
    response = web.http.get(path, headers=web.headers())
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == status


def test_a_wrong_method(web: Any) -> None:
    """405 with the methods that are allowed."""
    response = web.http.delete("/v1/certificates", headers=web.headers())
    assert (response.status_code, response.json()["code"]) == (405, "method-not-allowed")
    assert "POST" in response.headers["allow"] or "GET" in response.headers["allow"]


def test_a_parameter_s_fault_has_its_label(web: Any) -> None:
    """Query parameters are answered like fields: path, label, message in Chinese."""
    faults = web.http.get("/v1/certificates?limit=0", headers=web.headers()).json()["faults"]
    assert [(fault["path"], fault["label"]) for fault in faults] == [("query.limit", "每页条数")]
