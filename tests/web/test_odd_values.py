"""Odd JSON at every address: each member of each body, and each parameter, as something it must not be; never a 500."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
import structlog

ODD: dict[str, Any] = {
    "list": [],
    "list of lists": [[[]]],
    "object": {},
    "object in a list": [{"a": None}],
    "null": None,
    "true": True,
    "huge": 10**40,
    "beyond 64 bits": 2**63,
    "beyond all floats": 10**400,
    "negative": -(2**63) - 1,
    "fraction": 1e308,
    "NUL": "a\x00b",
    "lone surrogate": "\ud800",
    "first year": "0001-01-01",
    "last year": "9999-12-31",
    "first moment": "0001-01-01T00:00:00+14:00",
    "last moment": "9999-12-31T23:59:59-12:00",
    "week": "2026-W01-1",
    "other digits": "٣",
    "empty": "",
}
"""What a member is replaced by, with the name under which a failure tells it."""
ODD_PARAMETERS = ("", "a\x00b", "0001-01-01", "9999-12-31", "9" * 40, "-1", "[]", "٣", "%", "\U0001f600")
FEW = ("list", "beyond all floats", "NUL", "lone surrogate", "first moment")
"""The kinds that broke something once."""
_PATH = re.compile(r"\{([^}]+)\}")


@dataclass(frozen=True)
class Address:
    """One operation of the API: how it is called, a body that fits and its parameters."""

    method: str
    path: str
    body: dict[str, Any] | None
    query: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def addresses(document: dict[str, Any]) -> list[Address]:
    """Every operation of an OpenAPI document, with its first example as the body."""
    found = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            query = tuple(one["name"] for one in operation.get("parameters", ()) if one["in"] == "query")
            found.append(Address(method.upper(), path, _example(document, operation), query))
    return found


def _example(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any] | None:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    schema = content["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    given = [one["value"] for one in content.get("examples", {}).values()]
    given += [content["example"]] if "example" in content else []
    example = (given or schema.get("examples") or [{}])[0]
    return {**dict.fromkeys(schema.get("properties", ()), "x"), **example}


def bent(body: Any, odd: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """The body with one member after the other replaced, and one member of each object within."""
    for name, member in list(body.items())[: 1 if depth else None]:
        yield name, {**body, name: copy.deepcopy(odd)}
        if isinstance(member, dict) and not depth:
            yield from ((f"{name}.{deeper}", {**body, name: one}) for deeper, one in bent(member, odd, depth + 1))


def _call(web: Any, address: Address, *, places: dict[str, str], **more: Any) -> Any:
    path = _PATH.sub(lambda found: quote(places.get(found[1].split(":")[0], "1"), safe=""), address.path)
    headers = web.headers(
        **{"Idempotency-Key": web.key(), "Access-Purpose": quote("测试"), "If-Match": '"1"'},
        **({"Content-Type": "application/json"} if "content" in more else {}),
    )
    return web.http.request(address.method, path, headers=headers, **more)


@pytest.fixture(autouse=True)
def plain_log() -> Iterator[None]:
    """Tracebacks without the values of every variable: those of an application take minutes to draw."""
    if structlog.is_configured():  # as the service does it, for all tests after the first that starts one
        yield
        return
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback, colors=False)
    structlog.configure(processors=[renderer])
    yield
    structlog.reset_defaults()


@pytest.fixture
def places(web_alone: Any) -> dict[str, str]:
    """What the parameters in the paths name."""
    issued = web_alone.issued()
    with web_alone.office.register.reader() as session:
        file = session.connection().exec_driver_sql("SELECT sha256 FROM file").scalar()
    return {"identifier": issued["identifier"], "sha256": file, "seal": "36070000000002", "edition": "1"}


@pytest.mark.parametrize("kinds", [FEW, pytest.param(tuple(ODD), marks=pytest.mark.slow)], ids=["few", "all"])
def test_no_odd_member_of_a_body_ends_in_500(web_alone: Any, places: dict[str, str], kinds: tuple[str, ...]) -> None:
    """A clerk's system that sends a list for a text is told so; the service never breaks over it."""
    web, broken = web_alone, []
    for address in addresses(web.http.get("/openapi.json").json()):
        web.tokens.clear()  # they last for minutes
        if address.body is None or address.path.startswith("/v1/development"):
            continue
        for kind in kinds:
            for member, body in bent(address.body, ODD[kind]):
                response = _call(web, address, places=places, content=json.dumps(body))
                if response.status_code >= 500 and response.status_code != 503:
                    broken.append(f"{address.name} {member} {kind}: {response.status_code}")
    assert broken == []


def test_no_odd_parameter_ends_in_500(web_alone: Any, places: dict[str, str]) -> None:
    """Nor does a parameter of the query or the path."""
    web, broken = web_alone, []
    for address in addresses(web.http.get("/openapi.json").json()):
        for odd in ODD_PARAMETERS:
            asked = [({name: odd}, places) for name in address.query]
            asked += [({}, {**places, name.split(":")[0]: odd}) for name in _PATH.findall(address.path)]
            for query, named in asked:
                response = _call(web, address, places=named, params=query)
                if response.status_code >= 500 and response.status_code != 503:
                    broken.append(f"{address.name} {query or named} {odd!r}: {response.status_code}")
    assert broken == []
