"""Over a real connection: whatever a repository answers, nothing is lost to it, and nothing taken for delivered.

The event stays due or is laid aside with the reason, and arrives once when the repository is itself again.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

import pytest
import uvicorn

from certlib.city.client import LARGEST_ANSWER
from certlib.city.reconcile import reconcile
from certlib.errors import CounterpartError, DeliveryDelayedError
from city_repository.serving import served

from .conftest import QUICK, City, now, until

PATIENT = 60.0  # seconds: what an answer says is tested here, not how soon a busy machine gives it
Headers = dict[str, str]
Said = tuple[int, Headers, bytes]


class Between:
    """Stands before the repository: passes every call on, or answers those to `path` itself while `said` is set."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.path, self.said = "/push", None
        self.asked = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or self.said is None or scope["path"] != self.path:
            await self._app(scope, receive, send)
            return
        while (await receive()).get("more_body"):
            pass
        self.asked += 1
        status, headers, body = self.said
        fields = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def between(make_city: Callable[..., Any]) -> Between:
    return Between(make_city())


@pytest.fixture
def city(between: Between, monkeypatch: pytest.MonkeyPatch) -> Iterator[City]:
    monkeypatch.setattr(uvicorn, "Config", partial(uvicorn.Config, date_header=False))  # a test says what time it is
    with served(between) as url:
        yield City(between._app, url)


def lines(**changes: Any) -> bytes:
    line = {"guid": "other", "code": "S01", "message": "", "lastSequence": 1, **changes}
    return json.dumps({"ReturnData": {"SuccessData": [line], "WarnData": [], "ErrorData": []}}).encode()


def at(**difference: float) -> Headers:
    return {"Date": format_datetime(now() + timedelta(**difference), usegmt=True)}


DEEP = b"[" * 200_000
BAD: dict[str, tuple[Said, str, str]] = {
    "a page instead of JSON": ((200, {}, "<html>请登录</html>".encode()), "answer-not-json", "不是 JSON"),
    "nothing at all": ((200, {}, b""), "answer-not-json", "不是 JSON"),
    "JSON without end": ((200, {}, DEEP), "answer-not-json", "不是 JSON"),
    "no UTF-8": ((200, {}, b'{"a": "\xff"}'), "answer-not-json", "不是 JSON"),
    "a list": ((200, {}, b"[]"), "answer-schema", "不合约定格式"),
    "another schema": ((200, {}, b'{"ok": true}'), "answer-schema", "不合约定格式"),
    "a number without end": ((200, {}, lines(lastSequence=float("inf"))), "answer-schema", "不合约定格式"),
    "another record's receipt": ((200, {}, lines()), "answer-schema", "未提及"),
    "more than can be meant": ((200, {}, b" " * (LARGEST_ANSWER + 1)), "answer-too-large", "过大"),
    "a redirect": ((307, {"Location": "http://127.0.0.1:9/push"}, b""), "counterpart-redirect", "转向"),
    "a token not taken": ((401, {}, b"{}"), "counterpart-token", "令牌"),
    "no permission": ((403, {}, b"{}"), "counterpart-status", "不予授权"),
    "a clock an hour ahead": ((200, at(hours=1), lines()), "clock-skew", "时钟"),
    "a clock an hour behind": ((200, at(hours=-1), lines()), "clock-skew", "时钟"),
    "maintenance": ((503, {"Retry-After": "0"}, b""), "delivery-delayed", "暂不可用"),
    "an internal error": ((500, {}, b"oops"), "counterpart-error", "内部错误"),
}


@pytest.mark.parametrize("case", BAD)
def test_nothing_is_lost_to_a_bad_answer(between, city, office, certificate, case):
    """The reason stands beside the event, nothing counts as delivered or dead, and it arrives once afterwards."""
    said, code, word = BAD[case]
    one = certificate()
    office.event(one, "issue")
    between.said = said
    with city.client(timeout=PATIENT) as client:
        clock = [now()]
        worker = office.worker(client, clock=lambda: clock[0], pace=replace(QUICK, first=60.0, longest=60.0))
        worker.deliver_due()
        (row,) = office.rows()
        assert (row.state, row.done_at, row.digest) == ("due", None, "")
        assert f"[{code}]" in row.last_error
        assert word in row.last_error
        assert between.asked >= 1
        assert city.events(one.key) == []
        between.said, clock[0] = None, now() + timedelta(minutes=2)
        worker._paused_until = 0.0
        worker.deliver_due()
    assert office.queue.backlog().done == 1
    assert city.events(one.key) == [(1, "01", "01")]


@pytest.mark.parametrize(
    ("status", "code"), [(413, "delivery-too-large"), (400, "delivery-malformed"), (422, "delivery-malformed")]
)
def test_a_call_that_can_never_be_taken_is_a_dead_letter(between, city, office, certificate, status, code):
    """What the repository says of this very record is laid aside with the reason, and goes again when replayed."""
    one = certificate()
    office.event(one, "issue")
    between.said = (status, {}, b"{}")
    with city.client(timeout=PATIENT) as client:
        office.worker(client).deliver_due()
        (letter,) = office.queue.dead_letters()
        assert f"[{code}]" in letter.last_error
        between.said = None
        office.queue.replay(letter.id, now())
        office.worker(client).deliver_due()
    assert city.events(one.key) == [(1, "01", "01")]


def test_a_redirect_leads_nowhere(between, city, office, certificate):
    """Neither record nor token goes to where a repository points; delivery stands still and says why."""
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0.2)
        for path in ("/push", "/token"):
            between.path, between.said = (
                path,
                (308, {"Location": f"http://127.0.0.1:{elsewhere.getsockname()[1]}"}, b""),
            )
            office.event(certificate(), "issue")
            with city.client(timeout=PATIENT) as client:
                worker = office.worker(client)
                worker.deliver_due()
                assert "转向" in worker.trouble
        with pytest.raises(TimeoutError):
            elsewhere.accept()
    assert (office.queue.backlog().done, office.queue.backlog().dead) == (0, 0)


def test_a_token_that_has_run_out_is_renewed(city, office, certificate):
    """A token that ended sooner than its promise is renewed within the call: no event waits for it, none fails."""
    desk = city.app.state.repository.desk
    lives = [certificate(), certificate()]
    with city.client(timeout=PATIENT) as client:
        for one in lives:
            office.event(one, "issue")
            office.worker(client).deliver_due()
            desk._tokens = {token: (account, now()) for token, (account, _) in desk._tokens.items()}
    assert [city.events(one.key) for one in lives] == [[(1, "01", "01")]] * 2
    assert [row.failures for row in office.rows()] == [0, 0]


@pytest.mark.parametrize("last", [-(10**15), 10**15, 0])
def test_a_number_out_of_the_air_costs_nothing(between, city, office, certificate, last):
    """However large the number of its last event that a repository names, only events that there are go again."""
    one = certificate()
    office.event(one, "issue")
    line = {"guid": f"{one.key}#2", "code": "E14", "message": "缺前序", "lastSequence": last}
    with city.client(timeout=PATIENT) as client:
        worker = office.worker(client, pace=replace(QUICK, first=60.0, longest=60.0))
        worker.deliver_due()
        office.event(one, "change")
        between.said = (
            200,
            {},
            json.dumps({"ReturnData": {"SuccessData": [], "WarnData": [], "ErrorData": [line]}}).encode(),
        )
        worker.deliver_due()
    rows = office.rows()
    assert [row.state for row in rows] == ["done" if last > 0 else "due", "due"]
    assert "缺前序" in rows[1].last_error


COMPARED: dict[str, tuple[str, Any]] = {
    "ranges: not JSON": ("/reconcile/ranges", b"<html>"),
    "ranges: another schema": ("/reconcile/ranges", {"children": [{"prefix": "00"}]}),
    "ranges: a part that is none": (
        "/reconcile/ranges",
        {"children": [{"prefix": "zz", "count": 1, "digest": "00" * 32}]},
    ),
    "ranges: a part of a part": (
        "/reconcile/ranges",
        {"children": [{"prefix": "0000", "count": 1, "digest": "00" * 32}]},
    ),
    "ranges: a short digest": ("/reconcile/ranges", {"children": [{"prefix": "00", "count": 1, "digest": "00"}]}),
    "ranges: less than nothing": (
        "/reconcile/ranges",
        {"children": [{"prefix": "00", "count": -1, "digest": "00" * 32}]},
    ),
    "records: another schema": ("/reconcile/records", {"records": {"a": 1}}),
    "events: another schema": ("/reconcile/events", {"events": []}),
    "events: no number": ("/reconcile/events", {"events": {"x": [{"sequence": "one", "digest": ""}]}}),
}


@pytest.mark.parametrize("case", COMPARED)
def test_a_comparison_believes_no_bad_answer(between, city, office, certificate, case):
    """A question of reconciliation answered wrongly ends the comparison; nothing goes out again for it."""
    path, said = COMPARED[case]
    one = certificate()
    office.event(one, "issue")
    with city.client(timeout=PATIENT) as client:
        office.worker(client).deliver_due()
        store = city.app.state.repository.store
        with store.write() as connection:  # so that the comparison goes down to the events
            connection.execute("UPDATE bucket SET digest = ? WHERE count > 0", (b"\1" * 32,))
            connection.execute("UPDATE record SET leaf = ?", (b"\1" * 32,))
        between.path = path
        between.said = (200, {}, said if isinstance(said, bytes) else json.dumps(said).encode())
        with pytest.raises(DeliveryDelayedError) as caught:
            reconcile(office.queue, client, now=now())
    assert caught.value.code in {"answer-not-json", "answer-schema"}
    assert office.queue.backlog().due == 0


def test_a_trickling_repository_ends_in_time(city, office, certificate):
    """A byte now and then keeps no call beyond its time limit: the event goes again later."""
    with socket.create_server(("127.0.0.1", 0)) as slow:
        client = City(city.app, f"http://127.0.0.1:{slow.getsockname()[1]}").client(timeout=0.3)
        office.event(certificate(), "issue")
        with client:
            office.worker(client, pace=replace(QUICK, first=60.0, longest=60.0)).deliver_due()
    (row,) = office.rows()
    assert (row.state, "超时" in row.last_error) == ("due", True)


@pytest.mark.parametrize("zone", ["-0000", ""])
def test_a_date_without_zone_is_universal_time(between, city, office, certificate, zone):
    """A Date header that names no zone is read as UTC: right it is no obstacle, wrong it is named."""
    office.event(certificate(), "issue")
    moment = now().strftime("%a, %d %b %Y %H:%M:%S ") + zone
    between.said = (200, {"Date": moment.strip()}, lines())
    with city.client(timeout=PATIENT) as client, pytest.raises(DeliveryDelayedError) as caught:
        client.push(office.queue.claim("w", now(), 1, 60)[0])
    assert caught.value.code == "answer-schema"


def test_an_untrusted_certificate_is_named(office, certificate, tmp_path):
    """A repository whose TLS certificate nobody vouches for gets nothing; with its authority given it does."""
    from .test_webhooks import _authority, receiving  # noqa: PLC0415

    server, trusted = _authority(tmp_path, "localhost")
    office.event(certificate(), "issue")
    with receiving(tls=server) as receiver:
        city = City(None, f"https://localhost:{receiver.port}")  # type: ignore[arg-type]
        delivery = office.queue.claim("w", now(), 1, 60)[0]
        with city.client(timeout=PATIENT) as client, pytest.raises(CounterpartError) as caught:
            client.push(delivery)
        assert (caught.value.code, receiver.came) == ("counterpart-certificate", [])
        assert "证书不可信" in caught.value.message
        with city.client(trust=trusted, timeout=PATIENT) as client, pytest.raises(CounterpartError) as caught:
            client.push(delivery)
        assert caught.value.code == "counterpart-status"  # it is no repository, but it was asked
        assert receiver.came[0].path == "/token"


def test_a_repository_that_comes_back_after_its_worst_day(between, city, office, certificate):
    """One bad answer after the other, of every kind: in the end each life arrives once, in order."""
    lives = [certificate() for _ in range(3)]
    for one in lives:
        for operation in ("issue", "change", "change"):
            office.event(one, operation)
    with city.client(timeout=PATIENT) as client:
        worker = office.worker(client)
        for said, _, _ in BAD.values():
            between.said = said
            worker._paused_until = 0.0
            worker.deliver_due()
        between.said = None

        def arrived() -> bool:
            worker._paused_until = 0.0
            worker.deliver_due()
            return office.queue.backlog().done == 9

        until(arrived)
    assert [city.events(one.key) for one in lives] == [[(1, "01", "01"), (2, "09", "01"), (3, "09", "01")]] * 3
