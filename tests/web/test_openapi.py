"""The interface's description: sound, complete, with examples that the office accepts, and kept under fire."""

import re
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from service.problems import PROBLEMS

BASE = "http://testserver"
SENT = {"method", "url", "headers", "params", "json", "data", "content", "files"}
METHODS = {"get", "post", "put", "patch", "delete"}


def _operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method in METHODS
    ]


@pytest.fixture(scope="module")
def document(web: Any) -> dict[str, Any]:
    """The document as served."""
    return dict(web.http.get("/openapi.json").json())


def test_the_document_is_sound(document: dict[str, Any]) -> None:
    """Version 3.1, every reference resolves, every schema is one, every operation has an id of its own."""
    assert document["openapi"].startswith("3.1")
    shapes = document["components"]["schemas"]
    references = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert references <= set(shapes)
    for shape in shapes.values():
        jsonschema_rs.meta.validate(shape)
    identities = [operation["operationId"] for _, _, operation in _operations(document)]
    assert len(identities) == len(set(identities))


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    """Summary, description, a good answer, and the problems it can meet; FastAPI's own 422 nowhere."""
    for path, method, operation in _operations(document):
        assert operation["summary"], (path, method)
        assert operation["description"], (path, method)
        assert any(status.startswith("2") for status in operation["responses"]), (path, method)
        assert "HTTPValidationError" not in str(operation)
        if path.startswith("/v1/") and path not in {"/v1/items", "/v1/certificate-types"}:
            assert operation["security"], (path, method)
            assert {"401", "403"} <= set(operation["responses"]), (path, method)


def test_requests_have_examples_that_fit_their_shape(document: dict[str, Any]) -> None:
    """Each JSON request body comes with an example, and the example is valid under its schema."""
    seen = 0
    for _, _, operation in _operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            continue
        schema = {**content["schema"], "components": document["components"]}
        for example in content["examples"].values():
            jsonschema_rs.validate(schema, example["value"])
            seen += 1
    assert seen >= 6


def test_the_example_of_issuing_is_issued(web: Any, document: dict[str, Any]) -> None:
    """What the description shows is what the office takes."""
    content = document["paths"]["/v1/certificates"]["post"]["requestBody"]["content"]["application/json"]
    example = next(iter(content["examples"].values()))["value"]
    assert web.post(example).status_code in {201, 409}


def test_the_pages_for_developers(web: Any, document: dict[str, Any]) -> None:
    """Every operation and every kind of problem has its place; no script, nothing from elsewhere."""
    docs, problems = web.http.get("/docs").text, web.http.get("/problems").text
    assert all(f'id="{operation["operationId"]}"' in docs for _, _, operation in _operations(document))
    assert all(f'id="{code}"' in problems for code in PROBLEMS)
    assert "<script" not in docs + problems
    assert not re.search(r'(?:src|href)="(?:https?:)?//', docs + problems)


def test_under_fire_nothing_breaks(web_alone: Any, document: dict[str, Any]) -> None:
    """Generated requests, good and bad: no 5xx, and every answer is one that the description names."""
    schema = schemathesis.openapi.from_dict(document)
    failures: list[str] = []

    def check(case: Any) -> None:
        headers = web_alone.headers(**{"Idempotency-Key": web_alone.key(), "If-Match": '"1"'})
        kept = {name: value for name, value in (case.headers or {}).items() if name.lower() != "authorization"}
        case.headers = {**kept, **headers} if case.operation.path.startswith("/v1") else kept
        sent = case.as_transport_kwargs(base_url=BASE)
        response = web_alone.http.request(**{name: value for name, value in sent.items() if name in SENT})
        known = {str(status) for status in case.operation.definition.raw["responses"]}
        if response.status_code >= 500 or (str(response.status_code) not in known and response.status_code != 405):
            failures.append(f"{case.operation.label}: {response.status_code} {response.text[:200]}")

    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path.endswith(("/progress", "/oauth/token")):
            continue
        settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))(
            given(case=operation.as_strategy())(check)
        )()
    assert failures == []
