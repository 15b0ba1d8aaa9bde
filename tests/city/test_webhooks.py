"""Webhooks reach their receiver signed, in order, byte for byte the same, and nobody else."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlmodel import col, select

from certlib.city import webhooks
from certlib.city.webhooks import WebhookClient
from certlib.city.worker import DeliveryWorker
from certlib.domain.delivery import Delivery
from certlib.domain.targets import Address
from certlib.errors import CounterpartError, DeliveryDelayedError, VerificationError
from certlib.formats.webhook import WebhookSecret, verify_webhook
from certlib.register.deliveries import enqueue
from certlib.register.delivery_table import DeliveryRow
from certlib.register.engine import reader, writer
from certlib.register.hook_deliveries import Choice, HookDeliveries

from .conftest import QUICK, now, running, until
from .receivers import Came, Receiver, receiving

TARGET = "hook:market"
SECRET = WebhookSecret(bytes(range(32)))
OTHER = WebhookSecret(bytes(range(1, 33)))
PACE = replace(QUICK, first=0.01, longest=0.02)


class Hooks:
    """A register with events for one target, and workers that send them."""

    def __init__(self, office: Any) -> None:
        self.office = office
        self.queue = HookDeliveries(office.engine, lambda _: b"", target=TARGET)

    def event(self, chain: str, operation: str, *, at: datetime | None = None) -> str:
        moment = at or now()
        id_ = f"evt_{chain}_{operation}"
        message = {
            "id": id_,
            "event": f"certificate.{operation}",
            "operation": operation,
            "identifier": chain,
            "at": moment.isoformat(),
            "holder": {"name": "赣州试验有限公司"},
            "state": "in-force",
        }
        with writer(self.office.engine) as session:
            enqueue(session, certificate=chain, message=message, now=moment, target=TARGET)
        return id_

    def deliver(self, receiver: Receiver, *, until: Callable[[], datetime] = now, **options: Any) -> DeliveryWorker:
        worker = DeliveryWorker(self.queue, client_of(receiver, **options), name="w", clock=until, pace=PACE)
        worker.deliver_due()
        return worker

    def rows(self) -> list[DeliveryRow]:
        with reader(self.office.engine) as session:
            return list(session.exec(select(DeliveryRow).order_by(col(DeliveryRow.id))))


def client_of(receiver: Receiver, **options: Any) -> WebhookClient:
    settings = {"clock": now, "private": True, "timeout": 5.0, "secrets": [SECRET], **options}
    return WebhookClient(Address.parse(receiver.url), settings.pop("secrets"), **settings)


@pytest.fixture
def hooks(office: Any) -> Hooks:
    return Hooks(office)


@pytest.fixture
def each_hooks(each_office: Any) -> Hooks:
    return Hooks(each_office)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def test_a_receiver_gets_a_signed_event(hooks, receiver):
    """It verifies by the receiver's own function, tells what happened, and is counted as delivered."""
    id_ = hooks.event("a", "issue")
    hooks.deliver(receiver)
    (came,) = receiver.came
    event = verify_webhook(came.headers, came.body, [SECRET], now=now())
    assert (event.id, event.type, event.data["sequence"]) == (id_, "certificate.issue", 1)
    assert event.data["holder"] == {"name": "赣州试验有限公司"}
    assert (came.path, came.headers["content-type"]) == ("/hook", "application/json")
    assert came.headers["host"] == f"127.0.0.1:{receiver.port}"
    (row,) = hooks.rows()
    assert (row.state, row.answer["code"]) == ("done", "204")


def test_events_of_one_certificate_arrive_in_order(hooks, receiver):
    """However many certificates go side by side, and although each answer takes its time."""
    receiver.answer = lambda *_: time.sleep(0.005) or 200
    chains = [f"c{number}" for number in range(6)]
    expected = {
        chain: [hooks.event(chain, step) for step in ("issue", "change", "renew", "suspend")] for chain in chains
    }
    hooks.deliver(receiver)
    for chain, ids in expected.items():
        assert [one for one in receiver.ids() if one.startswith(f"evt_{chain}_")] == ids


def test_order_holds_whatever_fails(hooks, receiver):
    """Errors, hang-ups and answers that come too late, at random: what is taken is each certificate's life in order."""
    chance, taken = random.Random(11), []

    def answer(handler: Any, came: Came) -> int | None:
        fate = chance.random()
        if fate < 0.2:
            return 500
        if fate < 0.3:
            handler.close_connection = True
            return None
        if came.id not in taken:  # as a receiver does: the id tells a repetition
            taken.append(came.id)
        return time.sleep(0.3) or 204 if fate < 0.35 else 204

    receiver.answer = answer
    steps = ("issue", "change", "renew", "suspend", "resume")
    lives = {chain: [hooks.event(chain, step) for step in steps] for chain in ("a", "b", "c", "d")}
    worker = DeliveryWorker(hooks.queue, client_of(receiver, timeout=0.2), name="w", clock=now, pace=PACE)
    with running(worker):
        until(lambda: hooks.queue.backlog().done == 20)
    assert {chain: [one for one in taken if one.startswith(f"evt_{chain}_")] for chain in lives} == lives
    bodies: dict[str, set[bytes]] = {}
    for came in receiver.came:
        bodies.setdefault(came.id, set()).add(came.body)
    assert len(receiver.came) > 20
    assert all(len(one) == 1 for one in bodies.values())


def test_a_retry_is_the_same_message(hooks, receiver):
    """After a failure the same id and the same bytes come again; only second and signature are of the new attempt."""
    moments = iter([datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n) for n in range(9)])
    answers = iter([500, 204])
    receiver.answer = lambda *_: next(answers)
    hooks.event("a", "issue")
    client = client_of(receiver, clock=lambda: next(moments))
    clock = iter(now() + timedelta(minutes=10 * n) for n in range(20))
    worker = DeliveryWorker(hooks.queue, client, name="w", clock=lambda: next(clock), pace=PACE)
    worker.deliver_due()
    first, second = receiver.came
    assert (first.id, first.body) == (second.id, second.body)
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 60
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


def test_a_turning_secret_leaves_no_gap(hooks, receiver):
    """While two secrets are in use each message bears both signatures, and a receiver with either verifies it."""
    hooks.event("a", "issue")
    hooks.deliver(receiver, secrets=[SECRET, OTHER])
    (came,) = receiver.came
    assert came.headers["webhook-signature"].count("v1,") == 2
    for held in (SECRET, OTHER):
        verify_webhook(came.headers, came.body, [held], now=now())


def test_a_receiver_with_another_secret_refuses_and_gets_it_later(hooks, receiver):
    """Its refusal stands with its words as the reason; once the secrets agree again, the event arrives."""

    def check(handler: Any, came: Came) -> int | None:
        try:
            verify_webhook(came.headers, came.body, [OTHER], now=now())
        except VerificationError as error:
            handler.reply(401, error.message)
            return None
        return 204

    receiver.answer = check
    hooks.event("a", "issue")
    DeliveryWorker(
        hooks.queue, client_of(receiver), name="w", clock=now, pace=replace(PACE, first=5.0, longest=5.0)
    ).deliver_due()
    (row,) = hooks.rows()
    assert (row.state, row.failures) == ("due", 1)
    assert "401" in row.last_error
    assert "签名与密钥不符" in row.last_error
    hooks.deliver(receiver, secrets=[OTHER], until=lambda: now() + timedelta(seconds=10))
    assert hooks.queue.backlog().done == 1


def test_a_redirect_is_not_followed(hooks, receiver):
    """Nothing goes to the other address; the event stays due, with the reason, and no failure is held against it."""
    with receiving() as elsewhere:
        receiver.answer = lambda handler, _: handler.reply(307, Location=elsewhere.url)
        hooks.event("a", "issue")
        worker = hooks.deliver(receiver)
        assert elsewhere.came == []
    (row,) = hooks.rows()
    assert (row.state, row.failures) == ("due", 0)
    assert "转向" in row.last_error
    assert worker.trouble in row.last_error
    assert hooks.queue.trouble == row.last_error


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_receiver_slows_the_worker_down(receiver, status):
    """Retry-After is heeded, and it counts as an outage."""
    receiver.answer = lambda handler, _: handler.reply(status, Retry_After="7")
    with pytest.raises(DeliveryDelayedError) as caught:
        client_of(receiver).push(_delivery())
    assert (caught.value.outage, caught.value.after) == (True, 7.0)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 500, 501])
def test_any_other_status_is_tried_again(receiver, status):
    """A receiver may be put right; its words are in the reason, made printable and short."""
    receiver.answer = lambda handler, _: handler.reply(status, "\x1b[31mno\r\n" + "x" * 9000)
    with pytest.raises(DeliveryDelayedError) as caught:
        client_of(receiver).push(_delivery())
    assert not caught.value.outage
    assert f"（{status}）：[31mno x" in caught.value.message
    assert len(caught.value.message) < 300


def test_an_event_that_a_quiet_receiver_never_takes_is_laid_aside_at_last(hooks, receiver):
    """It is the only event, every call fails, and still it is a dead letter after its last try."""
    receiver.answer = 500
    hooks.event("a", "issue")
    pace = replace(webhooks.PACE, first=0.0, longest=0.0, give_up=30)
    DeliveryWorker(hooks.queue, client_of(receiver), name="w", clock=now, pace=pace).deliver_due()
    (row,) = hooks.rows()
    assert (row.state, len(receiver.came)) == ("dead", 30)
    assert "counterpart-status" in row.last_error


def test_a_receiver_that_is_gone_gets_nothing_more(each_hooks, receiver):
    """410 lays the event aside and stops the target, for every worker; a replay opens it again."""
    receiver.answer = 410
    first = each_hooks.event("a", "issue")
    each_hooks.deliver(receiver)
    other = each_hooks.event("b", "issue")
    each_hooks.deliver(receiver)
    assert receiver.ids() == [first]
    assert each_hooks.queue.is_gone
    (letter,) = each_hooks.queue.dead_letters()
    assert "410" in letter.last_error
    receiver.answer = 204
    assert each_hooks.queue.replay_chosen(Choice(), now()) == 1
    each_hooks.deliver(receiver)
    assert sorted(receiver.ids()[1:]) == sorted([first, other])
    assert not each_hooks.queue.is_gone


def test_a_revocation_passes_a_dead_letter(hooks, receiver):
    """What cannot be delivered holds back its certificate's other events, not its revocation."""
    receiver.answer = lambda _, came: 500 if came.id.endswith("issue") else 204
    hooks.event("a", "issue")
    hooks.event("a", "change")
    revoked = hooks.event("a", "revoke")
    ahead = iter(now() + timedelta(hours=n) for n in range(100))
    worker = DeliveryWorker(
        hooks.queue, client_of(receiver), name="w", clock=lambda: next(ahead), pace=replace(PACE, give_up=3)
    )
    worker.deliver_due()
    assert [row.state for row in hooks.rows()] == ["dead", "due", "done"]
    assert receiver.ids()[-1] == revoked
    receiver.answer = 204
    hooks.queue.replay_chosen(Choice(), now())
    hooks.deliver(receiver)
    assert [row.state for row in hooks.rows()] == ["done", "done", "done"]


def test_a_replay_brings_the_same_message_again(each_hooks, receiver):
    """By id, and by a span of time: id and bytes are those of the first time, in their order, and no others go."""
    start = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
    steps = ("issue", "change", "suspend", "resume")
    ids = [each_hooks.event("a", step, at=start + timedelta(hours=n)) for n, step in enumerate(steps)]
    each_hooks.deliver(receiver)
    once = {one.id: one.body for one in receiver.came}
    assert each_hooks.queue.replay_chosen(Choice(ids=[ids[1]]), now()) == 1
    each_hooks.deliver(receiver)
    span = Choice(since=start + timedelta(hours=2), until=start + timedelta(hours=4))
    assert each_hooks.queue.replay_chosen(span, now()) == 2
    each_hooks.deliver(receiver)
    assert receiver.ids() == [*ids, ids[1], ids[2], ids[3]]
    assert all(one.body == once[one.id] for one in receiver.came)
    assert each_hooks.queue.replay_chosen(Choice(ids=["evt_none"]), now()) == 0


def test_what_is_on_its_way_is_not_replayed(hooks):
    """A row that a worker holds is left to it."""
    id_ = hooks.event("a", "issue")
    hooks.queue.claim("w", now(), 1, 60)
    assert hooks.queue.replay_chosen(Choice(ids=[id_]), now()) == 0


SENDER = """
import sys
from tests.city.test_webhooks import Hooks, client_of, PACE, now
from tests.city.conftest import open_office
from tests.city.receivers import Receiver
from certlib.city.worker import DeliveryWorker
address, url = sys.argv[1:]
hooks = Hooks(open_office(address))
DeliveryWorker(hooks.queue, client_of(Receiver(url), timeout=60.0), name="killed", clock=now, pace=PACE).deliver_due()
"""


def test_what_a_killed_worker_held_goes_again(hooks, receiver, tmp_path):
    """A process killed while the receiver had not answered: another sends the same message when the lease has ended."""
    hooks.event("a", "issue")
    receiver.answer = lambda *_: time.sleep(60) or 204
    words = [sys.executable, "-c", SENDER, f"sqlite:///{tmp_path / 'register.db'}", receiver.url]
    process = subprocess.Popen(words, cwd=Path(__file__).parents[2])
    until(lambda: len(receiver.came) == 1)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    receiver.answer = 204
    assert hooks.deliver(receiver).delivered == 0
    hooks.deliver(receiver, until=lambda: now() + timedelta(seconds=PACE.lease + 1))
    first, second = receiver.came
    assert (first.id, first.body) == (second.id, second.body)
    assert hooks.queue.backlog().done == 1


def test_a_name_that_leads_inside_is_not_dialled(receiver):
    """A name that resolves to a private address, alone or beside a public one, gets no connection."""
    for found in (["127.0.0.1"], ["8.8.8.8", "10.0.0.8"], ["::ffff:127.0.0.1"], ["169.254.169.254"], ["fe80::1%lo"]):
        client = _at_name(receiver, lambda *_, found=found: found)
        with pytest.raises(CounterpartError) as caught:
            client.push(_delivery())
        assert caught.value.code == "target-private"
    assert receiver.came == []


def test_an_event_for_a_private_address_waits_with_the_reason(hooks, receiver):
    """Nothing is sent, lost or held against it: the worker says why; it goes once the name leads outside again."""
    hooks.event("a", "issue")
    inside = _at_name(receiver, lambda *_: ["10.0.0.8"])
    worker = DeliveryWorker(hooks.queue, inside, name="w", clock=now, pace=PACE)
    worker.deliver_due()
    (row,) = hooks.rows()
    assert (row.state, row.failures, receiver.came) == ("due", 0, [])
    assert "[target-private]" in row.last_error
    assert "内网" in worker.trouble
    hooks.deliver(receiver, until=lambda: now() + timedelta(minutes=1))
    assert [came.id for came in receiver.came] == [row.message["id"]]


def test_a_name_of_this_machine_is_not_dialled(receiver):
    """The system's own resolver asked for localhost gives loopback, which is refused."""
    client = WebhookClient(Address(False, "localhost", receiver.port, "/hook"), [SECRET], clock=now)
    with pytest.raises(CounterpartError) as caught:
        client.push(_delivery())
    assert caught.value.code == "target-private"
    assert receiver.came == []


def test_a_name_that_turns_is_asked_once(receiver, monkeypatch):
    """Public at the first look and loopback at the second: there is no second look, and only the first is dialled."""
    answers = iter([["203.0.114.7"], ["127.0.0.1"]])
    dialled = []

    def dial(place: tuple[str, int], timeout: float) -> socket.socket:
        dialled.append(place[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", dial)
    with pytest.raises(DeliveryDelayedError) as caught:
        _at_name(receiver, lambda *_: next(answers)).push(_delivery())
    assert (caught.value.code, dialled) == ("counterpart-away", ["203.0.114.7"])
    assert next(answers) == ["127.0.0.1"]


def test_a_name_nobody_knows_is_an_outage(receiver):
    """Nothing was sent; it is tried again, and nothing is held against the event."""

    def unknown(*_: Any) -> list[str]:
        raise socket.gaierror("unknown")

    with pytest.raises(DeliveryDelayedError) as caught:
        _at_name(receiver, unknown).push(_delivery())
    assert caught.value.outage


def test_tls_is_that_of_the_name(tmp_path):
    """Connected to an address, the handshake names the host, its certificate is checked, and Host says the same."""
    server, trusted = _authority(tmp_path, "hooks.example")
    names = []
    server.sni_callback = lambda _socket, name, _context: names.append(name)
    with receiving(tls=server) as receiver:
        address = Address(True, "hooks.example", receiver.port, "/hook")
        options = {"clock": now, "private": True, "resolve": lambda *_: ["127.0.0.1"]}
        WebhookClient(address, [SECRET], trust=trusted, **options).push(_delivery())
        assert names == ["hooks.example"]
        assert receiver.came[0].headers["host"] == f"hooks.example:{receiver.port}"
        for wrong in (replace(address, host="other.example"), address):
            trust = trusted if wrong is not address else ssl.create_default_context()
            with pytest.raises(CounterpartError) as caught:
                WebhookClient(wrong, [SECRET], trust=trust, **options).push(_delivery())
            assert caught.value.code == "target-certificate"
        assert len(receiver.came) == 1


def test_an_endless_answer_ends(receiver):
    """A 2xx is taken as soon as it is said; of a refusal a little is read, however much there is."""

    def pour(status: int) -> Callable[..., None]:
        def answer(handler: Any, _: Came) -> None:
            handler.send_response(status)
            handler.end_headers()
            while True:
                handler.wfile.write(b"x" * 65536)

        return answer

    receiver.answer = pour(200)
    assert client_of(receiver).push(_delivery()).line.code == "200"
    receiver.answer = pour(500)
    with pytest.raises(DeliveryDelayedError) as caught:
        client_of(receiver).push(_delivery())
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("trickle", [b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200, b"HTTP/1.1 100 Continue\r\n\r\n" * 99])
def test_a_trickling_answer_ends_in_time(receiver, trickle):
    """A byte every 20 ms keeps no connection beyond the limit of the whole exchange."""

    def answer(handler: Any, _: Came) -> None:
        for byte in trickle:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(0.02)

    receiver.answer = answer
    began = time.monotonic()
    with pytest.raises(DeliveryDelayedError) as caught:
        client_of(receiver, timeout=0.4).push(_delivery())
    assert caught.value.code == "answer-late"
    assert time.monotonic() - began < 2.0


@pytest.mark.parametrize("said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"])
def test_an_answer_that_is_none_is_no_delivery(receiver, said):
    """Closed without a word, no HTTP, more header than anybody needs: tried again."""

    def answer(handler: Any, _: Came) -> None:
        handler.wfile.write(said)
        handler.close_connection = True

    receiver.answer = answer
    with pytest.raises(DeliveryDelayedError) as caught:
        client_of(receiver).push(_delivery())
    assert caught.value.code == "connection-lost"


def test_a_proxy_of_the_environment_is_not_used(hooks, receiver, monkeypatch):
    """The connection goes where it was checked to go."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    hooks.event("a", "issue")
    hooks.deliver(receiver)
    assert len(receiver.came) == 1


def test_the_body_does_not_depend_on_how_the_message_was_kept(each_hooks, receiver):
    """SQLite keeps the order of members, PostgreSQL does not: the bytes are canonical on both."""
    each_hooks.event("a", "issue", at=datetime(2026, 1, 5, 2, 0, tzinfo=UTC))
    each_hooks.deliver(receiver)
    body = receiver.came[0].body
    assert body == json.dumps(json.loads(body), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    assert list(json.loads(body)["data"]) == ["holder", "identifier", "operation", "sequence", "state"]


def _delivery() -> Delivery:
    message = {"id": "evt_1", "event": "certificate.issue", "operation": "issue", "at": now().isoformat()}
    return Delivery(id=1, chain="a", identifier="a", sequence=1, operation="issue", message=message)


def _at_name(receiver: Receiver, resolve: Callable[..., list[str]]) -> WebhookClient:
    address = Address(False, "hooks.example", receiver.port, "/hook")
    return WebhookClient(address, [SECRET], clock=now, resolve=resolve, timeout=5.0)


def _authority(folder: Path, host: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for `host`, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    day = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(day - timedelta(days=1))
        .not_valid_after(day + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(secret + certificate.public_bytes(Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    client = ssl.create_default_context()
    client.load_verify_locations(cadata=certificate.public_bytes(Encoding.PEM).decode())
    return server, client
