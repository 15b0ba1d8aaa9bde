"""Whoever runs the service is told of what cannot be delivered and of what differs, and can put it right."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event
from sqlmodel import col, select

from certlib.catalogue import example
from certlib.city.statement import Statement, read_statement
from certlib.cli.main import main
from certlib.errors import StorageError
from certlib.issue import repairing
from certlib.issue.composition import open_office
from certlib.issue.office import Office
from certlib.issue.settings import Settings
from certlib.issue.views import key_of
from certlib.register.deliveries import SqlDeliveries
from certlib.register.delivery_table import DeliveryRow
from certlib.register.published import STATEMENT, last_published
from certlib.register.tables import AccessRow
from city_repository.app import create_app as create_city
from city_repository.serving import served
from city_repository.settings import RepositorySettings
from city_repository.store import lose_event
from service.app import create_app
from service.clients import read_key
from service.commands import DEVELOPMENT_CLIENT, development_key_file, open_service
from service.delivering import Delivering, Watch, is_due, last_statement
from service.running import Running
from service.settings import load_service_settings
from service.tokens import token_request

from .conftest import City, now, running, until

WRONG_CODE = "91350100M000100Y44"


class Log:
    """A log that remembers its alarms."""

    def __init__(self) -> None:
        self.alarms: list[dict[str, Any]] = []

    def error(self, event: str, **values: Any) -> None:
        if event == "alarm":
            self.alarms.append(values)


@dataclass
class Town:
    """An office with its service, and the city repository it delivers to."""

    home: Path
    office: Office
    service: Running
    http: TestClient
    city: City
    log: Log = field(default_factory=Log)
    counted: list[int] = field(default_factory=list)
    made: int = 0

    def issue(self) -> dict[str, Any]:
        self.made += 1
        request = dict(example("2-25", now=now(), variant=self.made))
        request["case"] = {"number": f"360700-2026-{self.made:06}"}
        return dict(self.office.issue(request, client="platform", key=str(self.made)).body)

    def delivering(self, clock: Callable[[], datetime] = now) -> Delivering:
        watch = self.service.watch
        return Delivering(self.office, watch, clock=clock, log=self.log, on_dead=lambda: self.counted.append(1))

    def spoil(self, code: str) -> str:
        """Put another holder code into the newest delivery; the one that stood there."""
        with self.office.register.writer() as session:
            row = session.exec(select(DeliveryRow).order_by(col(DeliveryRow.id).desc())).first()
            old = str(row.message["holder"]["code"])
            row.message = {**row.message, "holder": {**row.message["holder"], "code": code}}
            session.add(row)
        return old

    def headers(self) -> dict[str, str]:
        """With a token of the development client."""
        key = read_key(development_key_file(DEVELOPMENT_CLIENT))
        audience = f"{self.service.base}/oauth/token"
        form = token_request(DEVELOPMENT_CLIENT, key, audience=audience, now=now())
        token = self.http.post("/oauth/token", data=form).json()["access_token"]
        return {"Authorization": f"Bearer {token}"}

    def ready(self) -> dict[str, Any]:
        self.service.watch._seen = None
        answer = self.http.get("/readyz")
        assert answer.status_code == 200
        return dict(answer.json()["deliveries"])

    def metrics(self) -> str:
        self.service.watch._seen = None
        return self.http.get("/metrics").text


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with ExitStack() as stack:
        app = create_city(RepositorySettings(home=tmp_path / "city", examine=False))
        city = City(app, stack.enter_context(served(app)))
        home = tmp_path / "office"
        home.mkdir()
        text = f'suite = "p256-sha256"\ncity_url = "{city.url}"\nreconcile_hour = 0\n'
        (home / "certlib.toml").write_text(text, encoding="utf-8")
        office = stack.enter_context(open_office(Settings.load(home)))
        settings = load_service_settings(home, worker=False, metrics_for=("127.0.0.0/8",))
        service = open_service(office, settings)
        client = TestClient(create_app(service), base_url="http://testserver", client=("127.0.0.1", 50000))
        yield Town(home, office, service, stack.enter_context(client), city)


@dataclass
class Done:
    """What a command printed, and the code it ended with."""

    code: int
    stdout: str


Command = Callable[..., Done]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """`certctl` within this process."""

    def run(*words: str) -> Done:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(words)
        return Done(int(ended.value.code or 0), capsys.readouterr().out)

    return run


def test_a_dead_letter_alarms_at_once(town: Town) -> None:
    """It is in the log under its code and without names, counted, in the metrics and in the readiness."""
    body = town.issue()
    town.spoil(WRONG_CODE)
    assert town.ready()["alarms"] == []
    with town.delivering() as delivering:
        delivering.worker.deliver_due()
    (alarm,) = town.log.alarms
    assert alarm["code"] == "delivery-dead"
    assert body["identifier"] not in str(alarm)
    assert town.counted == [1]
    ready = town.ready()
    assert (ready["alarms"], ready["dead"]) == (["delivery-dead"], 1)
    assert 'certlib_delivery_backlog{state="dead"} 1.0' in town.metrics()


def test_a_dead_letter_is_seen_put_right_and_delivered(town: Town, command: Command, tmp_path: Path) -> None:
    """From the command line: its reason, its message, the message put right, and nothing left to see to."""
    town.issue()
    right = town.spoil(WRONG_CODE)
    with town.delivering() as delivering:
        delivering.worker.deliver_due()
        home = ("--home", str(town.home))
        listed = command("deliveries", "list", "--json", *home)
        (letter,) = json.loads(listed.stdout)["dead_letters"]
        assert (listed.code, "持证主体代码" in letter["reason"]) == (1, True)
        number = str(letter["id"])
        message = json.loads(command("deliveries", "show", number, "--reason", "改正", *home).stdout)
        message["holder"]["code"] = right
        file = tmp_path / "message.json"
        file.write_text(json.dumps(message), encoding="utf-8")
        command("deliveries", "replay", number, "--reason", "代码已改正", "--message", str(file), *home)
        delivering.worker.deliver_due()
    with town.office.register.reader() as session:
        looks = [(row.subject, row.purpose) for row in session.exec(select(AccessRow).order_by(col(AccessRow.id)))]
    key = key_of(letter["identifier"])  # under it an auditor finds who looked
    assert looks == [(key, "改正"), (key, "代码已改正")]
    assert command("deliveries", "list", *home).code == 0
    assert command("deliveries", "show", number, "--reason", "改正", *home).code == 1


def test_a_file_that_is_missing_alarms_at_once(town: Town) -> None:
    """Long before it is a dead letter: in the log, in readiness and metrics; silent again once the file is back."""
    town.issue()
    with town.office.register.reader() as session:
        sha256 = session.exec(select(DeliveryRow.file)).one()
    path = town.home / "store" / sha256[:2] / f"{sha256}.pdf"
    path.rename(town.home / "kept.pdf")
    with town.delivering() as delivering:
        delivering.worker.deliver_due()
        assert [(alarm["code"], alarm["detail"]) for alarm in town.log.alarms] == [("delivery-unread", "file-missing")]
        ready = town.ready()
        assert (ready["alarms"], ready["unread"], ready["dead"]) == (["delivery-unread"], 1, 0)
        assert 'certlib_delivery_backlog{state="unread"} 1.0' in town.metrics()
        (town.home / "kept.pdf").rename(path)
        until(lambda: bool(delivering.worker.deliver_due()))
        assert town.ready()["alarms"] == []
    assert len(town.log.alarms) == 1


def test_a_dead_letter_is_put_right_over_http(town: Town) -> None:
    """Listed without personal data, read for a purpose, replayed for a reason; what happened cannot be rewritten."""
    body = town.issue()
    right = town.spoil(WRONG_CODE)
    headers = town.headers()
    with town.delivering() as delivering:
        delivering.worker.deliver_due()
        page = town.http.get("/v1/deliveries", headers=headers).json()
        (letter,) = page["dead_letters"]
        assert (page["dead"], letter["identifier"]) == (1, body["identifier"])
        assert WRONG_CODE not in str(page)
        path = f"/v1/deliveries/{letter['id']}"
        read = town.http.get(path, headers={**headers, "Access-Purpose": "gaizheng"}).json()
        message = {**read["message"], "holder": {**read["message"]["holder"], "code": right}}
        ask = {"ids": [letter["id"]], "reason": "代码已改正"}
        other = {**ask, "message": {**message, "state": "revoked"}}
        refused = [
            other,
            {**ask, "reason": ""},
            {**ask, "ids": []},
            {**ask, "ids": [2**70]},
            {**ask, "ids": [-1]},
            {**ask, "ids": [letter["id"], letter["id"]]},
            {"reason": "x", "message": message},
            {**ask, "x": 1},
        ]
        for raw in refused:
            assert town.http.post("/v1/deliveries/replays", json=raw, headers=headers).status_code == 422
        missing = {**ask, "ids": [letter["id"], letter["id"] + 1]}
        assert town.http.post("/v1/deliveries/replays", json=missing, headers=headers).status_code == 404
        assert town.ready()["dead"] == 1
        with town.office.register.reader() as session:  # of a replay that is refused nothing is done, nor written down
            assert [row.outcome for row in session.exec(select(AccessRow))] == ["dead letter shown"]
        answer = town.http.post("/v1/deliveries/replays", json={**ask, "message": message}, headers=headers)
        assert answer.json() == {"replayed": 1}
        delivering.worker.deliver_due()
    assert town.ready()["alarms"] == []
    assert town.http.get(path, headers={**headers, "Access-Purpose": "x"}).status_code == 404


def test_a_replay_that_the_register_refuses_midway_replays_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two dead letters go again together and are written down together, or neither."""
    for _ in range(2):
        town.issue()
        town.spoil(WRONG_CODE)
    with town.delivering() as delivering:
        delivering.worker.deliver_due()
    note, calls = repairing.note_access, count()

    def full(*words: Any, **named: Any) -> None:
        if next(calls) == 1:
            raise StorageError("磁盘已满")
        note(*words, **named)

    monkeypatch.setattr(repairing, "note_access", full)
    with pytest.raises(StorageError):
        repairing.repair(town.office, {"reason": "代码已改正"}, client="x")
    monkeypatch.undo()
    assert repairing.dead_letters(town.office)["dead"] == 2
    with town.office.register.reader() as session:
        assert session.exec(select(AccessRow)).all() == []
    assert repairing.repair(town.office, {"reason": "代码已改正"}, client="x") == {"replayed": 2}
    with town.office.register.reader() as session:
        assert [row.outcome for row in session.exec(select(AccessRow))] == ["replayed", "replayed"]


def test_what_waits_has_an_age_and_a_reason(town: Town) -> None:
    """While the repository takes nothing, readiness and metrics say since when and why; the service stays ready."""
    town.issue()
    accounts = town.city.app.state.repository.accounts
    ours = accounts.pop("rongjiang-certlib")
    with town.delivering() as delivering:
        delivering.worker.deliver_due()
        ready, text = town.ready(), town.metrics()
        assert ready["alarms"] == ["delivery-trouble"]
        assert ready["trouble"]
        assert ready["waiting"] == 1
        assert "certlib_delivery_trouble 1.0" in text
        age = next(line for line in text.splitlines() if line.startswith("certlib_delivery_oldest_seconds "))
        assert float(age.split()[1]) > 0
        accounts["rongjiang-certlib"] = ours
        until(lambda: bool(delivering.worker.deliver_due()))
        assert town.ready()["alarms"] == []


def test_a_worker_of_its_own_tells_the_serving_process(town: Town) -> None:
    """`certctl worker` delivers; what it cannot deliver, or laid aside, stands in the service's metric and page."""
    town.issue()
    town.spoil(WRONG_CODE)
    accounts = town.city.app.state.repository.accounts
    ours = accounts.pop("rongjiang-certlib")
    words = [Path(sys.executable).with_name("certctl"), "worker", "--home", str(town.home), "--tick-seconds", "0.2"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as worker:
        try:
            until(lambda: "certlib_delivery_trouble 1.0" in town.metrics(), 60)
            assert 'certlib_check_alarms{check="city"} 1.0' in town.metrics()
            assert town.ready()["alarms"] == ["delivery-trouble"]
            assert town.service.rounds.detail("city").startswith("现在不能向市电子证照库推送")
            accounts["rongjiang-certlib"] = ours
            until(lambda: 'certlib_check_alarms{check="deliveries"} 1.0' in town.metrics(), 60)
            until(lambda: "certlib_delivery_trouble 0.0" in town.metrics(), 60)
            assert town.http.get("/healthz").json()["alarms"] >= 1
        finally:
            worker.terminate()
    assert "1 个死信" in town.service.rounds.detail("deliveries")


def test_whoever_watches_has_nothing_counted_that_has_arrived(town: Town) -> None:
    """Readiness and metrics are asked every few seconds: no statement of theirs reads the delivered rows."""
    town.issue()
    with town.delivering() as delivering:
        delivering.worker.deliver_due()
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "FROM delivery" in statement:
            said.append(f"{statement} {parameters}")

    event.listen(town.office.register.engine, "before_cursor_execute", note)
    assert town.ready()["waiting"] == 0
    assert "certlib_delivery_backlog" in town.metrics()
    event.remove(town.office.register.engine, "before_cursor_execute", note)
    assert len(said) >= 4
    assert all("'due', 'leased'" in one or "'dead'" in one for one in said), said


def test_the_day_s_comparison_is_kept(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a day: a signed statement, archived under the digest that the journal commits to; an alarm when it differs.

    What the repository had lost goes out again, and an hour later the sides are compared once more.
    """
    monkeypatch.setattr("certlib.city.client.CLOCK_TOLERANCE", timedelta(days=7))  # a day passes on our side only
    town.issue()
    at = [now() + timedelta(seconds=1)]
    with town.delivering(lambda: at[0]) as delivering:
        delivering.worker.deliver_due()
        assert delivering.reconcile_when_due()
        assert not delivering.reconcile_when_due()
        assert _kept(town.office).equal
        with town.office.register.reader() as session:
            row = last_published(session, STATEMENT, "city")
            assert row is not None
        key = town.office.board.keys.at(row.at).public_key
        assert read_statement(town.office.register.files.read(row.sha256), key).equal
        with town.office.register.reader() as session:
            (chain,) = session.exec(select(DeliveryRow.certificate)).all()
        assert lose_event(town.city.app.state.repository.store, chain, 1, now=now().isoformat())
        at[0] += timedelta(days=1)
        assert delivering.reconcile_when_due()
        assert town.log.alarms == [
            {"code": "delivery-drift", "repaired": 1, "missing": 1, "stale": 0, "changed": 0, "foreign": 0}
        ]
        assert town.ready()["alarms"] == ["delivery-drift"]
        assert 'certlib_delivery_drift{kind="missing"} 1.0' in town.metrics()
        delivering.worker.deliver_due()
        assert not delivering.reconcile_when_due()
        at[0] += timedelta(hours=1)
        assert delivering.reconcile_when_due()
    assert _kept(town.office).equal
    assert town.ready()["alarms"] == []
    assert town.city.events(chain) == [(1, "01", "01")]


def test_a_repository_that_cannot_be_compared_is_an_alarm(town: Town) -> None:
    """The comparison that is due and cannot be made is told, and stays due."""
    town.city.faults({"kind": "down"})
    with town.delivering() as delivering:
        with pytest.raises(Exception, match="证照库"):
            delivering.reconcile_when_due()
        assert [alarm["code"] for alarm in town.log.alarms] == ["reconciliation-failed"]
        town.city.faults()
        assert delivering.reconcile_when_due()


def test_the_command_compares_repairs_and_signs(town: Town, command: Command, tmp_path: Path) -> None:
    """`certctl reconcile` ends with 0 when both sides are equal; with 1, naming the certificate, when not."""
    town.issue()
    home = ("--home", str(town.home))
    with town.delivering() as delivering:
        delivering.worker.deliver_due()
        signed = tmp_path / "statement.cose"
        done = command("reconcile", *home, "--out", str(signed), "--json")
        assert (done.code, json.loads(done.stdout)["equal"]) == (0, True)
        key = town.office.board.keys.at(now()).public_key
        assert read_statement(signed.read_bytes(), key) == _kept(town.office)
        with town.office.register.reader() as session:
            (chain,) = session.exec(select(DeliveryRow.certificate)).all()
        lose_event(town.city.app.state.repository.store, chain, 1, now=now().isoformat())
        found = json.loads(command("reconcile", *home, "--json").stdout)
        assert (found["chains"][0]["chain"], found["repaired"]) == (chain, 0)
        done = command("reconcile", "--repair", *home)
        assert (done.code, chain in done.stdout) == (1, True)
        delivering.worker.deliver_due()
    assert command("reconcile", *home).code == 0


def test_a_statement_that_cannot_be_written_is_misuse(town: Town, command: Command, tmp_path: Path) -> None:
    """The command says so by name and ends with 2, without a traceback; the statement is kept all the same."""
    done = command("reconcile", "--out", str(tmp_path / "nowhere" / "statement.json"), "--home", str(town.home))
    assert done.code == 2
    assert _kept(town.office).equal


def test_the_worker_is_told_after_the_commit(town: Town) -> None:
    """A commit with a delivery wakes whoever listens, once and only when it can be seen; one that fails does not."""
    queue = SqlDeliveries(town.office.register.engine, town.office.register.files.read)
    seen: list[int] = []
    town.office.register.on_delivery.append(lambda: seen.append(queue.backlog().due))
    town.issue()
    assert seen == [1]
    with pytest.raises(ZeroDivisionError):
        _fail(town.office)
    with town.office.register.writer():
        pass
    assert seen == [1]


def test_a_woken_worker_does_not_wait(city: City, office: Any, certificate: Any) -> None:
    """With an idle wait of a minute an event goes out as soon as the worker is told."""
    from certlib.city.worker import Pace  # noqa: PLC0415

    with city.client() as client:
        worker = office.worker(client, pace=Pace(idle=60.0))
        with running(worker):
            office.event(certificate(), "issue")
            worker.wake()
            until(lambda: office.queue.backlog().done == 1, 30)
            worker.wake()


DAY = datetime(2026, 3, 9, 3, 0, tzinfo=UTC)  # 11:00 in Ganzhou


@pytest.mark.parametrize(
    ("last", "differing", "at", "hour", "due"),
    [
        (None, 0, DAY, 2, True),
        (None, 0, DAY, -1, False),
        (None, 0, DAY.replace(hour=17), 2, False),  # 01:00 of the next day
        (DAY, 0, DAY + timedelta(hours=10), 2, False),
        (DAY, 0, DAY.replace(hour=19), 2, True),  # 03:00 of the next day
        (DAY, 1, DAY + timedelta(minutes=59), 2, False),
        (DAY, 1, DAY + timedelta(minutes=60), 2, True),
    ],
)
def test_when_a_comparison_is_due(last: datetime | None, differing: int, at: datetime, hour: int, *, due: bool) -> None:
    """Daily from its hour on, by the city's calendar; hourly while sides differ; never with a negative hour."""
    statement = last and Statement(
        target="city", at=last, ours=1, theirs=1, our_root=b"a", their_root=b"b", differences={"missing": differing}
    )
    assert is_due(statement, at, hour=hour) == due


def test_an_office_without_repository_has_nothing_to_watch(tmp_path: Path) -> None:
    """Nothing is delivered and nothing said of it."""
    with open_office(Settings(home=tmp_path / "alone", suite="p256-sha256")) as office:
        assert Watch(office).standing(now()) is None


def _fail(office: Office) -> None:
    with office.register.writer() as session:
        session.info["enqueued"] = True
        raise ZeroDivisionError


def _kept(office: Office) -> Statement:
    found = last_statement(office)
    assert found is not None
    return found


def test_the_page_of_dead_letters_tells_what_to_do(town: Town) -> None:
    """Reason, age, what waits behind each, and the command; it needs a link, which ends and is for this page only."""
    body = town.issue()
    town.spoil(WRONG_CODE)
    order = {
        "kind": "other-authority",
        "authority": "赣州市市场监督管理局",
        "document_number": "赣市监罚〔2026〕12号",
        "decided_at": now().isoformat(),
        "grounds": "责令停业整顿",
        "file_sha256": "ab" * 32,
    }
    identifier = body["identifier"]
    town.office.act(identifier, "suspend", {"decision": order, "cause": "penalty"}, version=1, client="x", key="s")
    with town.delivering() as delivering:
        delivering.worker.deliver_due()
    (letter,) = town.http.get("/v1/deliveries", headers=town.headers()).json()["dead_letters"]
    assert letter["behind"] == 1
    made = town.http.post("/v1/deliveries/links", headers=town.headers())
    assert made.status_code == 201
    path = made.json()["link"].removeprefix(town.service.base)
    answer = town.http.get(path)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert "script" not in answer.text
    shown = re.sub("<[^>]*>", "", answer.text)
    for said in (letter["reason"], identifier, "1 个事件", f"certctl deliveries replay {letter['id']} --reason"):
        assert said in shown, said
    assert WRONG_CODE not in answer.text
    assert town.http.get(path.replace("/deliveries/", "/statistics/")).status_code == 401
    assert town.http.get(f"{path[:-4]}AAAA").status_code == 401
    repairing.repair(town.office, {"reason": "代码已改正"}, client="x")
    assert "没有待处理的推送" in town.http.get(path).text
