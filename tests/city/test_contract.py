"""The repository keeps the contract its OpenAPI description states, whatever is sent to it."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from certlib.city.client import DEVELOPMENT_SECRET
from city_repository.app import create_app
from city_repository.settings import RepositorySettings

from .conftest import now, write_types

CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("contract")
    settings = RepositorySettings(home=folder / "city", types=write_types(folder), examine=False)
    return create_app(settings, clock=now)


@pytest.fixture(scope="module")
def token(app):
    desk = app.state.repository.desk
    return desk.issue("rongjiang-certlib", DEVELOPMENT_SECRET, now=now())


@pytest.fixture(scope="module")
def api(app):
    return schemathesis.openapi.from_asgi("/openapi.json", app)


def test_no_request_breaks_the_contract(api, token):
    """No answer is a server error, of an undocumented status, or of another form than described."""
    asked = 0
    for result in api.get_all_operations():

        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=result.ok().as_strategy())
        def operation(case):
            nonlocal asked
            asked += 1
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}
            if isinstance(case.body, dict) and "accessToken" in case.body:
                case.body = {**case.body, "accessId": "rongjiang-certlib", "accessToken": token}
            case.call_and_validate(checks=CHECKS)

        operation()
    assert asked > 15 * 20


def test_every_operation_is_described(api):
    """Each operation has a summary in Chinese and a description, and is grouped."""
    for result in api.get_all_operations():
        raw = result.ok().definition.raw
        assert raw["summary"]
        assert raw["tags"]
        assert raw["description"]
