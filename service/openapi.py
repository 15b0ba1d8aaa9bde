"""The OpenAPI description: every operation with its request, its answers, its problems and an example."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from service import schemas
from service.clients import SCOPES
from service.problems import MEDIA_TYPE, PROBLEMS

_REF = "#/components/schemas/{model}"
_PROBLEM = {
    "description": "问题文档 · problem document",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_ALWAYS = ("400", "413", "500")
_SECURED = ("401", "403")
_NEEDED = {
    "Idempotency-Key": "同一请求重试时用同一个值 · the same value for each retry of one request",
    "Access-Purpose": "查阅目的，UTF-8 百分号编码；记入查阅日志 · why, percent-encoded; goes to the access log",
    "If-Match": "读到的 ETag · the ETag that was read",
}

Examples = Callable[[], Mapping[str, Any]]


def body(model: type[BaseModel], media: str = "application/json") -> dict[str, Any]:
    """The request body of an operation, for `openapi_extra`."""
    schema = {"$ref": _REF.format(model=model.__name__)}
    return {"requestBody": {"required": True, "content": {media: {"schema": schema}}}}


def secured(scope: str, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """`openapi_extra` of an operation that needs `scope`."""
    return {"security": [{"clientCredentials": [scope]}], **(extra or {})}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem answers of an operation, for `responses`."""
    return {status: dict(_PROBLEM) for status in statuses}


def answers(status: int, model: type[BaseModel], *, etag: bool = False) -> dict[int | str, dict[str, Any]]:
    """The good answer of an operation, for `responses`."""
    headers = {"ETag": {"description": "版本 · the version", "schema": {"type": "string"}}} if etag else {}
    schema = {"$ref": _REF.format(model=model.__name__)}
    content = {"application/json": {"schema": schema}}
    return {status: {"description": (model.__doc__ or "").strip(), "content": content, "headers": headers}}


def describe(app: FastAPI, *, base: str, examples: Examples) -> None:
    """Give `app` its OpenAPI document, built once when first asked for."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, base, examples())
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI, base: str, examples: Mapping[str, Any]) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, summary=app.summary, description=app.description, routes=app.routes
    )
    document["servers"] = [{"url": base}]
    components = document.setdefault("components", {})
    components["schemas"] = {**_shapes(), **_without_fastapis(components.get("schemas", {}))}
    components["securitySchemes"] = {"clientCredentials": _scheme(base)}
    for operation in _operations(document):
        _complete(operation)
        _exemplify(operation, examples)
    return document


def _shapes() -> dict[str, Any]:
    models = [
        value
        for value in vars(schemas).values()
        if isinstance(value, type) and issubclass(value, BaseModel) and value not in {BaseModel, schemas.Shape}
    ]
    _, shapes = models_json_schema([(model, "validation") for model in models], ref_template=_REF)
    return dict(shapes.get("$defs", {}))


def _without_fastapis(shapes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: shape for name, shape in shapes.items() if name not in {"HTTPValidationError", "ValidationError"}}


def _scheme(base: str) -> dict[str, Any]:
    flow = {"tokenUrl": f"{base}/oauth/token", "scopes": dict(SCOPES)}
    text = "private_key_jwt（RFC 7523）换取 ES256 短时令牌 · private_key_jwt in, short ES256 tokens out"
    return {"type": "oauth2", "description": text, "flows": {"clientCredentials": flow}}


def _operations(document: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for path in document["paths"].values():
        yield from (operation for operation in path.values() if isinstance(operation, dict))


def _complete(operation: dict[str, Any]) -> None:
    """Every operation can meet these; FastAPI's own 422 is not what we send."""
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in _NEEDED:
            # optional to FastAPI, so that its absence is answered by our own problem
            parameter |= {"required": True, "description": _NEEDED[parameter["name"]], "schema": {"type": "string"}}
    responses = operation["responses"]
    if "422" in responses or operation.get("requestBody") or operation.get("parameters"):
        responses["422"] = dict(_PROBLEM)
    for status in (*_ALWAYS, *(_SECURED if operation.get("security") else ())):
        responses.setdefault(status, dict(_PROBLEM))


def _exemplify(operation: dict[str, Any], examples: Mapping[str, Any]) -> None:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
    key = f"{name}:{operation['operationId']}"
    found = examples.get(key, examples.get(name))
    if found is not None:
        content["examples"] = found


def problem_table() -> list[tuple[str, int, str, str]]:
    """Code, status, title in Chinese and English of every kind of problem, for the page `/problems`."""
    return [(code, kind.status, kind.title, kind.english) for code, kind in PROBLEMS.items()]
