"""The service before a real office on SQLite, with two callers: the city's window system and a stranger's."""

from __future__ import annotations

import io
import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi.testclient import TestClient
from joserfc.jwk import ECKey

from certlib.catalogue import example
from certlib.issue.composition import open_office
from certlib.issue.office import Office
from certlib.issue.settings import Settings
from service.app import create_app
from service.clients import SCOPES, read_key
from service.commands import DEVELOPMENT_CLIENT, development_key_file, open_service
from service.logs import configure
from service.running import Running
from service.settings import ClientSettings, ServiceSettings, load_service_settings
from service.tokens import token_request

BASE = "http://testserver"
ITEM = "2-25"
STRANGER = "client-education"
READER = "client-reader"
STATISTICS = "client-statistics"  # reads for no standing purpose


@dataclass
class Web:
    """A service under test, its office, and the callers' keys."""

    http: TestClient
    office: Office
    service: Running
    keys: dict[str, ECKey]
    log: io.StringIO
    tokens: dict[str, tuple[float, str]] = field(default_factory=dict)
    _serial: Any = field(default_factory=lambda: itertools.count(1))

    def headers(self, client: str = DEVELOPMENT_CLIENT, **more: str) -> dict[str, str]:
        """Headers with this client's token, which is asked for anew before it ends."""
        asked, token = self.tokens.get(client, (0.0, ""))
        if not token or time.monotonic() - asked > self.service.settings.token_seconds / 2:
            form = token_request(client, self.keys[client], audience=f"{BASE}/oauth/token", now=datetime.now(UTC))
            token = self.http.post("/oauth/token", data=form).json()["access_token"]
            self.tokens[client] = (time.monotonic(), token)
        return {"Authorization": f"Bearer {token}", **more}

    def request(self, item: str = ITEM) -> dict[str, Any]:
        """A complete request of a case of its own."""
        request = example(item, now=datetime.now(UTC))
        case = f"TEST-{next(self._serial):06}"
        if "case" in request["facts"]:
            request["facts"]["case"] = case
        return {**request, "case": {"number": case}}

    def key(self) -> str:
        """An idempotency key of its own."""
        return f"key-{next(self._serial)}"

    def post(self, body: Any, *, path: str = "/v1/certificates", client: str = DEVELOPMENT_CLIENT, **more: str) -> Any:
        """POST a request under a key of its own."""
        headers = self.headers(client, **{"Idempotency-Key": self.key(), **more})
        return self.http.post(path, json=body, headers=headers)

    def issued(self) -> dict[str, Any]:
        """A certificate of its own."""
        response = self.post(self.request())
        assert response.status_code == 201, response.text
        self.office.tick()
        return dict(response.json())

    def counts(self) -> dict[str, int]:
        """What the register holds; a refused request changes none of it."""
        with self.office.register.reader() as session:
            tables = ("intent", "certificate", "edition", "file", "seal_use", "idempotency", "document", "delivery")
            connection = session.connection()
            return {table: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() for table in tables}


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """One service for the session: opening an office loads fonts and keys."""
    log = io.StringIO()
    configure(stream=log)
    yield from _served(tmp_path_factory.mktemp("office"), log)
    structlog.reset_defaults()


@pytest.fixture
def web_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A service that no other test sees: for what is sent at random."""
    yield from _served(tmp_path_factory.mktemp("office-alone"), io.StringIO())


def _served(home: Path, log: io.StringIO) -> Iterator[Web]:
    keys = {client: ECKey.generate_key("P-256") for client in (STRANGER, READER, STATISTICS)}
    settings = service_settings(home, keys)
    keys[DEVELOPMENT_CLIENT] = read_key(development_key_file(DEVELOPMENT_CLIENT))
    with open_office(Settings(home=home)) as office:
        service = open_service(office, settings)
        with TestClient(
            create_app(service), base_url=BASE, raise_server_exceptions=False, client=("127.0.0.1", 50000)
        ) as http:
            yield Web(http, office, service, keys, log)


def service_settings(home: Path, keys: dict[str, ECKey], **more: Any) -> ServiceSettings:
    """Settings with the window system, a system of the education bureau, and one that may only read."""
    entries = [
        client_entry(DEVELOPMENT_CLIENT, "*", tuple(SCOPES), development_key_file(DEVELOPMENT_CLIENT, public=True)),
        client_entry(STRANGER, "ganzhou-education", tuple(SCOPES), _public(home, STRANGER, keys)),
        client_entry(READER, "*", ("certificate:read",), _public(home, READER, keys)),
        client_entry(STATISTICS, "*", ("certificate:read",), _public(home, STATISTICS, keys), purpose=""),
    ]
    more = {"uploads_per_minute": 1000, "lookups_per_minute": 1000, **more}
    return load_service_settings(home, public_url=BASE, worker=False, clients=entries, **more)


def client_entry(
    client: str, authority: str, scopes: tuple[str, ...], key: str, *, purpose: str = "测试"
) -> ClientSettings:
    """One client of the settings."""
    return ClientSettings(id=client, name=client, authority=authority, scopes=scopes, key=key, purpose=purpose)


def _public(home: Path, client: str, keys: dict[str, ECKey]) -> str:
    path = home / f"{client}.jwk"
    path.write_text(json.dumps(keys[client].as_dict(private=False)), encoding="utf-8")
    return f"file:{path}"


def faults_of(response: Any) -> dict[str, str]:
    """The faults of a problem document: path to code."""
    return {fault["path"]: fault["code"] for fault in response.json().get("faults", [])}


Changer = Callable[[dict[str, Any]], None]
