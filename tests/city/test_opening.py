"""A city's own dialect, client and certificates come by settings; the worker and the core stay as they are."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest

from certlib.city import opening
from certlib.city.client import Answer, CityClient
from certlib.city.opening import open_city
from certlib.domain.delivery import Delivery
from certlib.errors import ConfigurationError
from certlib.issue.settings import Settings

from .conftest import now
from .receivers import Came, receiving
from .test_client import OTHER
from .test_webhooks import _authority


class CourierClient(CityClient):
    """A city that takes records by another way."""

    carried: list[str] = []  # noqa: RUF012  what the test looks at

    def push_all(self, deliveries: Any) -> list[Answer]:
        """As the courier answers: everything arrived."""
        records = [self.dialect.record(one) for one in deliveries]
        self.carried.extend(self.dialect.guid(one) for one in records)
        body = {"ok": [{"no": self.dialect.guid(one), "c": "0", "m": ""} for one in records], "warn": [], "bad": []}
        return [Answer(line=line, digest="00" * 32) for line in self.dialect.lines(body)]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that declares two clients, one of which cannot be imported."""
    found = EntryPoints(
        [
            EntryPoint("courier", f"{__name__}:CourierClient", opening.CLIENTS),
            EntryPoint("broken", "certlib.no_such_module:Client", opening.CLIENTS),
        ]
    )
    monkeypatch.setattr(opening, "entry_points", lambda group: found.select(group=group))


def settings(home: Path, **changes: Any) -> Settings:
    return Settings.load(home, city_url="http://127.0.0.1:9", **changes)


def test_another_city_is_a_mapping_file_and_a_client(office, certificate, tmp_path, installed):
    """Named in the settings, both are used by the same worker: a record in that city's names goes that city's way."""
    (tmp_path / "other.toml").write_text(OTHER, encoding="utf-8")
    one = certificate()
    office.event(one, "issue")
    with open_city(settings(tmp_path, city_dialect="other.toml", city_client="courier"), clock=now) as client:
        assert isinstance(client, CourierClient)
        office.worker(client).deliver_due()
    assert CourierClient.carried == [f"{one.key}#1"]
    (row,) = office.rows()
    assert (row.state, row.answer["code"]) == ("done", "0")


def test_a_mapping_file_alone_speaks_through_our_client(certificate, tmp_path):
    """Where the transport is the same, the file is all: its endpoint, envelope and names are on the wire."""
    (tmp_path / "other.toml").write_text(OTHER, encoding="utf-8")
    message, data = certificate().message("issue")
    delivery = Delivery(
        id=1, chain="a", identifier="a", sequence=1, operation="issue", message=message, file=lambda: data or b""
    )

    def answer(handler: Any, came: Came) -> None:
        token = {"access_token": "t", "expires_in": 600}
        taken = {"ok": [{"no": "a#1", "c": "0", "m": ""}], "warn": [], "bad": []}
        handler.reply(200, json.dumps(token if came.path == "/token" else taken))

    with receiving(answer) as city:
        asked = Settings.load(tmp_path, city_url=city.url.removesuffix("/hook"), city_dialect="other.toml")
        with open_city(asked, clock=now) as client:
            assert client.push(delivery).line.code == "0"
    sent = json.loads(city.came[1].body)
    assert (city.came[1].path, sent["kind"], sent["rows"][0]["CZLX"]) == ("/gather", "new", "XB")


def test_a_city_with_its_own_authority_is_trusted_by_its_file(certificate, tmp_path):
    """The certificates in `city_trust` vouch for the repository, whatever the machine trusts."""
    server, _ = _authority(tmp_path, "localhost")
    (tmp_path / "city.pem").write_text(
        (tmp_path / "server.pem").read_text("ascii").partition("-----END PRIVATE KEY-----")[2], encoding="ascii"
    )

    with receiving(lambda handler, _: handler.reply(200, '{"children": []}'), tls=server) as city:
        asked = Settings.load(tmp_path, city_url=f"https://localhost:{city.port}", city_trust="city.pem")
        with open_city(asked, clock=now) as client:
            client._token.value, client._token.until = "t", float("inf")
            assert client.ranges("") == {}


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"city_url": ""}, "city_url"),
        ({"city_url": "http://city.example"}, "https"),
        ({"environment": "production"}, "city_secret"),
        ({"city_dialect": "nowhere.toml"}, "nowhere.toml"),
        ({"city_trust": "nowhere.pem"}, "city_trust"),
        ({"city_trust": "no.pem"}, "city_trust"),
        ({"city_client": "unknown"}, "unknown"),
        ({"city_client": "broken"}, "broken"),
    ],
)
def test_what_the_settings_say_wrongly_is_named(tmp_path, installed, changes, word):
    """Nothing is opened, and the message names the setting or the file."""
    (tmp_path / "no.pem").write_text("no certificate", encoding="ascii")
    asked = Settings.load(tmp_path, **{"city_url": "http://127.0.0.1:9", **changes})
    with pytest.raises(ConfigurationError) as caught:
        open_city(asked, clock=now)
    assert word in caught.value.message
