"""Events reach the supervising department of their item, end to end; what was laid aside is seen and sent again."""

from __future__ import annotations

import html
import io
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi.testclient import TestClient
from joserfc.jwk import ECKey
from sqlmodel import select

from certlib.cli.main import main
from certlib.errors import ConfigurationError
from certlib.formats.webhook import WebhookEvent, WebhookSecret, verify_webhook
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings
from certlib.register.tables import AccessRow
from service.app import create_app
from service.background import Worker
from service.clients import SCOPES, read_key
from service.commands import DEVELOPMENT_CLIENT, development_key_file, open_service
from service.running import utc_now
from tests.city.receivers import Receiver, receiving

from .conftest import BASE, Web, client_entry, service_settings

SUPERVISOR, OTHER = "ganzhou-market-regulation", "ganzhou-education"
SECRET, FOREIGN = WebhookSecret(bytes(range(32))), WebhookSecret(bytes(range(1, 33)))
DEPARTMENT, READER, CLERK = "client-supervision", "client-watching", "client-clerk"


@dataclass
class Town:
    """A service with its worker, and three receivers: two supervising departments and the window's system."""

    web: Web
    market: Receiver
    education: Receiver
    window: Receiver
    home: Path

    def view(self, name: str = "market") -> dict[str, Any]:
        """How a target stands."""
        body = self.web.http.get("/v1/webhooks", headers=self.web.headers()).json()
        return next(dict(one) for one in body["webhooks"] if one["name"] == name)

    def replay(self, raw: Any, *, name: str = "market", client: str = DEVELOPMENT_CLIENT) -> Any:
        """Ask for a replay."""
        return self.web.http.post(f"/v1/webhooks/{name}/replays", json=raw, headers=self.web.headers(client))

    def suspended(self) -> dict[str, Any]:
        """A certificate, issued and suspended by another authority's document."""
        body = self.web.issued()
        order = {
            "kind": "other-authority",
            "authority": "赣州市市场监督管理局",
            "document_number": "赣市监罚〔2026〕18号",
            "decided_at": datetime.now(UTC).isoformat(),
            "file_sha256": "ab" * 32,
            "grounds": "责令停业整顿",
        }
        request = {"action": "suspend", "decision": order, "cause": "penalty"}
        path = f"/v1/certificates/{body['identifier']}/actions"
        answer = self.web.post(request, path=path, **{"If-Match": f'"{body["version"]}"'})
        assert answer.status_code == 200, answer.text
        return body


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Everything on real ports; the settings stand in the office's home, as an operator has them."""
    home = tmp_path_factory.mktemp("told")
    with ExitStack() as stack:
        market, education, window = (stack.enter_context(receiving()) for _ in range(3))
        (home / "market.whsec").write_text(SECRET.text, encoding="utf-8")
        targets = {
            "market": (market, "supervises", SUPERVISOR),
            "education": (education, "supervises", OTHER),
            "window": (window, "authorities", "*"),
        }
        lines = [f"webhook_hosts = {json.dumps([f'127.0.0.1:{one.port}' for one, _, _ in targets.values()])}"]
        lines += ["webhook_private = true"]
        for name, (receiver, kind, key) in targets.items():
            lines += ["[[webhooks]]", f'name = "{name}"', f'url = "{receiver.url}"', f'{kind} = ["{key}"]']
            lines += [f'secret = "file:{home / "market.whsec"}"']
        (home / "certlib.toml").write_text("\n".join(lines), encoding="utf-8")
        keys = {client: ECKey.generate_key("P-256") for client in (DEPARTMENT, READER, CLERK)}
        public = {}
        for client, key in keys.items():
            public[client] = home / f"{client}.jwk"
            public[client].write_text(json.dumps(key.as_dict(private=False)), encoding="utf-8")
        keys |= {
            name: ECKey.generate_key("P-256") for name in ("client-education", "client-reader", "client-statistics")
        }
        settings = service_settings(home, keys)
        more = (
            client_entry(DEPARTMENT, SUPERVISOR, tuple(SCOPES), f"file:{public[DEPARTMENT]}"),
            client_entry(READER, "*", ("webhook:read",), f"file:{public[READER]}"),
            client_entry(CLERK, "*", ("delivery:read",), f"file:{public[CLERK]}"),
        )
        settings = settings.model_copy(update={"clients": (*settings.clients, *more)})
        keys[DEVELOPMENT_CLIENT] = read_key(development_key_file(DEVELOPMENT_CLIENT))
        office = stack.enter_context(open_office(Settings.load(home)))
        service = open_service(office, settings)
        log = structlog.get_logger()
        worker = Worker(office, tick_seconds=0.1, clock=utc_now, log=log, rounds=service.rounds)
        worker.start()
        stack.callback(worker.stop)
        http = stack.enter_context(TestClient(create_app(service), base_url=BASE))
        yield Town(Web(http, office, service, keys, io.StringIO()), market, education, window, home)


def _until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "did not come about in time"
        time.sleep(0.05)


def _events(receiver: Receiver, identifier: str) -> list[WebhookEvent]:
    """The verified events of a certificate as they came."""
    events = [verify_webhook(one.headers, one.body, [SECRET], now=utc_now()) for one in list(receiver.came)]
    return [one for one in events if one.data["identifier"] == identifier]


def test_the_supervising_department_of_the_item_is_told(town: Town) -> None:
    """Issue and suspension reach it, in order and signed, and the window's system; another department hears nothing."""
    body = town.suspended()
    _until(lambda: all(len(_events(one, body["identifier"])) == 2 for one in (town.market, town.window)))
    issued, suspended = _events(town.market, body["identifier"])
    assert (issued.type, suspended.type) == ("certificate.issue", "certificate.suspend")
    assert [one.data["sequence"] for one in (issued, suspended)] == [1, 2]
    assert issued.data["supervisor"]["key"] == SUPERVISOR
    assert issued.data["number"] == body["number"]
    assert issued.data["file"]["sha256"] == body["sha256"]
    assert (issued.data["state"], suspended.data["state"]) == ("in-force", "suspended")
    assert [one.id for one in _events(town.window, body["identifier"])] == [issued.id, suspended.id]
    assert town.education.came == []


def test_what_the_receiver_refuses_is_seen_and_sent_again(town: Town) -> None:
    """Gone is gone until a person replays: the reason is shown, then the same message arrives."""
    town.market.answer = 410
    body = town.web.issued()
    _until(lambda: town.view()["dead"] == 1)
    assert town.view()["gone"]
    path = "/v1/webhooks/market/deliveries"
    (letter,) = town.web.http.get(path, headers=town.web.headers()).json()["deliveries"]
    assert (letter["certificate"], letter["event"], letter["state"]) == (
        body["identifier"],
        "certificate.issue",
        "dead",
    )
    assert "410" in letter["reason"]
    (alarm,) = [one for one in town.web.service.rounds.findings() if one.check == "webhooks"]
    assert (alarm.outcome, letter["id"] in alarm.detail) == ("fail", True)
    assert body["number"] not in json.dumps(letter, ensure_ascii=False)
    town.market.answer = 204
    answer = town.replay({"dead": True, "reason": "对方已恢复"})
    assert (answer.status_code, answer.json()) == (200, {"name": "market", "replayed": 1, "gone": False})
    _until(lambda: town.view()["dead"] == 0 and town.view()["waiting"] == 0)
    first, second = [one for one in town.market.came if one.id == letter["id"]]
    assert first.body == second.body
    with town.web.office.register.reader() as session:
        row = session.exec(select(AccessRow).where(AccessRow.outcome == "replayed")).one()
    assert (row.client, row.subject) == (DEVELOPMENT_CLIENT, "webhook market")
    assert "对方已恢复" in row.purpose


def test_the_page_of_dead_letters_has_what_a_target_would_not_take(town: Town) -> None:
    """Its reason, what waits behind it and the command that sends it again; only for who may read webhooks."""
    town.market.answer = 410
    body = town.suspended()
    _until(lambda: (town.view()["dead"], town.view()["waiting"]) == (1, 1))
    (letter,) = town.web.http.get("/v1/webhooks/market/deliveries", headers=town.web.headers()).json()["deliveries"]

    def page(client: str) -> str:
        link = town.web.http.post("/v1/deliveries/links", headers=town.web.headers(client)).json()["link"]
        answer = town.web.http.get(link.removeprefix(BASE))
        assert answer.status_code == 200
        return re.sub("<[^>]*>", "", answer.text)

    seen = page(DEVELOPMENT_CLIENT)
    command = f"certctl webhook replay market --event {letter['id']} --reason"
    for said in (html.escape(letter["reason"]), body["identifier"], "1 个事件，待其送达", command, "不再接收（410）"):
        assert said in seen, said
    assert body["number"] not in seen
    hidden = page(CLERK)
    assert letter["id"] not in hidden
    assert "webhook:read" in hidden
    town.market.answer = 204
    assert town.replay({"ids": [letter["id"]], "reason": "对方已恢复"}).json()["replayed"] == 1  # as the command does
    _until(lambda: (town.view()["dead"], town.view()["waiting"]) == (0, 0))
    assert letter["id"] not in page(DEVELOPMENT_CLIENT)


def test_a_department_replays_what_it_lost_itself(town: Town) -> None:
    """Its own target by id and by time; another's answers as one that does not exist."""
    body = town.web.issued()
    _until(lambda: len(_events(town.market, body["identifier"])) == 1)
    (event,) = _events(town.market, body["identifier"])
    _until(lambda: town.view()["waiting"] == 0)  # it has come, but must stand as delivered too
    assert town.replay({"ids": [event.id], "reason": "丢失"}, client=DEPARTMENT).json()["replayed"] == 1
    _until(lambda: len(_events(town.market, body["identifier"])) == 2)
    span = {"since": event.at.isoformat(), "reason": "丢失"}
    _until(lambda: town.view()["waiting"] == 0)
    assert town.replay(span, client=DEPARTMENT).json()["replayed"] >= 1
    for name in ("education", "window", "nothing"):
        assert town.replay({"dead": True, "reason": "x"}, name=name, client=DEPARTMENT).status_code == 404
    own = town.web.http.get("/v1/webhooks", headers=town.web.headers(DEPARTMENT)).json()["webhooks"]
    assert [one["name"] for one in own] == ["market"]


def test_replaying_needs_its_own_scope(town: Town) -> None:
    """Who may look may not send again; without a token nobody does either."""
    assert town.web.http.get("/v1/webhooks", headers=town.web.headers(READER)).status_code == 200
    assert town.replay({"dead": True, "reason": "x"}, client=READER).status_code == 403
    assert town.web.http.get("/v1/webhooks").status_code == 401


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ({"dead": True}, "missing"),
        ({"dead": True, "reason": " "}, "missing"),
        ({"reason": "x"}, "one-way"),
        ({"dead": False, "reason": "x"}, "one-way"),
        ({"dead": True, "ids": ["evt_1"], "reason": "x"}, "one-way"),
        ({"ids": [], "reason": "x"}, "missing"),
        ({"ids": [1], "reason": "x"}, "not-ids"),
        ({"ids": ["x"] * 1001, "reason": "x"}, "not-ids"),
        ({"since": "yesterday", "reason": "x"}, "not-a-time"),
        ({"since": "2026-01-01T00:00:00", "reason": "x"}, "not-a-time"),
        ({"dead": True, "url": "https://evil.example/", "reason": "x"}, "unknown"),
    ],
)
def test_a_wrong_replay_is_refused_with_its_faults(town: Town, raw: dict[str, Any], code: str) -> None:
    """Nothing goes out by a request that is not clear; nothing in it can name a target."""
    answer = town.replay(raw)
    assert answer.status_code == 422
    assert code in {one["code"] for one in answer.json()["faults"]}


def test_the_command_line_lists_and_replays(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    """`certctl webhook` shows the targets and what was delivered, and replays one event by its id."""
    body = town.web.issued()
    _until(lambda: len(_events(town.market, body["identifier"])) == 1)
    _until(lambda: town.view()["waiting"] == 0)
    home = ["--home", str(town.home), "--json"]
    assert {line["name"] for line in _lines(capsys, "list", *home)} == {"market", "education", "window"}
    delivered = _lines(capsys, "list", "market", "--state", "done", *home)
    (event,) = [line["id"] for line in delivered if line["certificate"] == body["identifier"]]
    (done,) = _lines(capsys, "replay", "market", "--event", event, "--reason", "丢失", *home)
    assert done == {"name": "market", "replayed": 1, "gone": False}
    _until(lambda: len(_events(town.market, body["identifier"])) == 2)
    with pytest.raises(SystemExit) as caught:
        main(["webhook", "replay", "nobody", "--dead", "--reason", "x", *home])
    assert caught.value.code == 1


def test_a_secret_made_by_the_command_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    """32 bytes of chance, as a receiver takes it."""
    with pytest.raises(SystemExit):
        main(["webhook", "secret"])
    assert len(WebhookSecret.parse(capsys.readouterr().out).key) == 32


def test_a_target_without_its_secret_stops_the_worker_by_name(town: Town) -> None:
    """At the start, not at the first event."""
    entry = {**town.web.office.settings.webhooks[0], "secret": "env:CERTLIB_NO_SUCH_SECRET"}
    settings = Settings.load(town.home, webhooks=(entry,))
    with open_office(settings) as office, pytest.raises(ConfigurationError, match="webhook market"):
        Worker(office, tick_seconds=1.0, clock=utc_now, log=structlog.get_logger()).start()


def _lines(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    with pytest.raises(SystemExit) as caught:
        main(["webhook", *words])
    assert caught.value.code in {0, None}
    printed = capsys.readouterr().out.splitlines()  # the service of this test may write its log between
    return [json.loads(line) for line in printed if line.startswith("{")]
