"""Deliveries reach the repository once and in order, whatever happens on the way."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from datetime import timedelta
from functools import partial
from types import SimpleNamespace

import pytest

from certlib.city.client import Answer
from certlib.city.mapping import Line, load_dialect
from certlib.city.worker import Pace
from certlib.errors import DeliveryDelayedError, DeliveryRefusedError, NotFoundError, StorageError
from certlib.register.deliveries import SqlDeliveries
from certlib.register.files import FileStore
from city_repository.serving import served

from .conftest import QUICK, City, now, running, until

WHOLE_LIFE = [(1, "01", "01"), (2, "09", "01"), (3, "03", "02"), (4, "06", "01"), (5, "05", "03")]


def live(office, certificate) -> None:
    office.event(certificate, "issue")
    office.event(certificate, "change")
    office.event(certificate, "suspend", state="suspended", cause="penalty")
    office.event(certificate, "resume")
    office.event(certificate, "revoke", state="revoked", cause="revoked")


def test_a_life_arrives_in_order(city, office, certificate):
    """Issue, change, suspension, resumption and revocation of one certificate arrive as five events in that order."""
    one = certificate()
    live(office, one)
    with city.client() as client:
        office.worker(client).deliver_due()
    assert city.events(one.key) == WHOLE_LIFE
    record = city.record(one.key)
    assert (record["state"], record["edition"], record["missing"]) == ("03", 2, "[]")
    assert office.queue.backlog().done == 5


def test_order_survives_an_outage(make_city, office, certificate, tmp_path):
    """Events of several certificates pile up while the repository is away and then arrive in order, none lost."""
    certificates = [certificate() for _ in range(5)]
    for one in certificates:
        live(office, one)
    app = make_city()
    with served(app) as url:
        pass  # the address is known, nobody answers there now
    city = City(app, url)
    with city.client() as client:
        worker = office.worker(client)
        worker.deliver_due()
        assert office.queue.backlog().done == 0
        assert worker.trouble
        with running(worker), served(make_city(), port=int(url.rpartition(":")[2])):
            until(lambda: office.queue.backlog().done == 25)
    assert [city.events(one.key) for one in certificates] == [WHOLE_LIFE] * 5
    assert worker.trouble == ""


def test_a_repeated_delivery_changes_nothing(city, office, certificate):
    """The same event delivered twice is one event in the repository, and both times answered as success."""
    one = certificate()
    office.event(one, "issue")
    (delivery,) = office.queue.claim("first", now(), 1, 60)
    with city.client() as client:
        first, second = client.push(delivery), client.push(delivery)
    assert (first.line.kind, first.line.code, second.line.kind, second.line.code) == (
        "success",
        "S01",
        "success",
        "S02",
    )
    assert city.events(one.key) == [(1, "01", "01")]


def test_a_dead_workers_lease_is_taken_over(city, office, certificate):
    """What a killed worker had claimed is delivered by another once its lease has ended, and not before."""
    one = certificate()
    office.event(one, "issue")
    assert len(office.queue.claim("killed", now(), 8, lease_seconds=600)) == 1
    with city.client() as client:
        assert office.worker(client, name="other").deliver_due() == 0
        later = office.worker(client, name="later", clock=lambda: now() + timedelta(seconds=601))
        assert later.deliver_due() == 1
    assert city.events(one.key) == [(1, "01", "01")]


def test_a_refused_record_holds_back_its_own_certificate_only(city, office, certificate):
    """A dead letter carries the repository's reason, stops later events of its certificate, and no other's."""
    bad, good = certificate(), certificate()
    office.event(good, "issue")
    office.event(bad, "issue")
    office.event(bad, "change")
    (row,) = [row for row in office.rows() if row.certificate == bad.key and row.sequence == 1]
    office.edit(row.id, {**row.message, "holder": {**row.message["holder"], "code": "91350100M000100Y44"}})
    told = []
    with city.client() as client:
        worker = office.worker(client, on_dead=lambda delivery, reason: told.append((delivery.chain, reason)))
        worker.deliver_due()
    assert city.events(good.key) == [(1, "01", "01")]
    assert city.events(bad.key) == []
    assert [chain for chain, _ in told] == [bad.key]
    assert "持证主体代码" in told[0][1]
    backlog = office.queue.backlog()
    assert (backlog.dead, backlog.blocked) == (1, 1)


def test_a_dead_letter_put_right_goes_out_and_frees_what_waits(city, office, certificate):
    """Replaying a corrected dead letter delivers it and then the events behind it."""
    one = certificate()
    office.event(one, "issue")
    office.event(one, "change")
    first = office.rows()[0]
    right = first.message
    office.edit(first.id, {**right, "name": "别的证"})
    with city.client() as client:
        office.worker(client).deliver_due()
        (letter,) = office.queue.dead_letters()
        assert "证照名称" in letter.last_error
        office.queue.replay(letter.id, now(), message=right)
        office.worker(client).deliver_due()
    assert city.events(one.key) == WHOLE_LIFE[:2]


def test_a_revocation_passes_what_is_stuck(city, office, certificate):
    """With the first event dead, the revocation still goes out, marked; the rest follows when it is put right."""
    one = certificate()
    live(office, one)
    first = office.rows()[0]
    office.edit(first.id, {**first.message, "number": ""})
    with city.client() as client:
        office.worker(client).deliver_due()
        assert city.events(one.key) == [(5, "05", "03")]
        assert city.record(one.key)["missing"] == "[1, 2, 3, 4]"
        office.queue.replay(first.id, now(), message=first.message)
        office.worker(client).deliver_due()
    assert city.events(one.key) == WHOLE_LIFE
    record = city.record(one.key)
    assert (record["state"], record["missing"]) == ("03", "[]")


def test_an_acknowledged_then_lost_event_goes_again(city, office, certificate):
    """When the repository forgot an event, the next one shows it: both arrive, in order."""
    one = certificate()
    office.event(one, "issue")
    with city.client() as client:
        worker = office.worker(client)
        city.faults({"kind": "lose"})
        worker.deliver_due()
        until(lambda: city.events(one.key) == [])  # it is forgotten just after the acknowledgement
        city.faults()
        office.event(one, "change")
        with running(worker):
            until(lambda: office.queue.backlog().done == 2)
    assert city.events(one.key) == WHOLE_LIFE[:2]


def test_replacing_a_file_is_an_event(city, office, certificate):
    """An upgraded file of the same edition arrives as an event of its own and becomes the certificate's file."""
    one = certificate()
    office.event(one, "issue")
    office.event(one, "replace-file")
    with city.client() as client:
        office.worker(client).deliver_due()
    assert city.events(one.key) == [(1, "01", "01"), (2, "07", "01")]
    assert city.record(one.key)["edition"] == 1


def test_stopping_finishes_what_is_in_the_air(city, office, certificate):
    """On shutdown the push under way is finished and reported; what was only claimed is given back at once."""
    for _ in range(8):
        office.event(certificate(), "issue")
    city.faults({"kind": "slow", "seconds": 0.3})
    with city.client() as client:
        worker = office.worker(client)
        with running(worker):
            until(lambda: city.struck() > 0)
    backlog = office.queue.backlog()
    assert backlog.leased == 0
    assert 0 < backlog.done == worker.delivered
    assert backlog.due == 8 - backlog.done


def test_a_missing_file_is_waited_for(city, office, certificate):
    """Told at once, tried again for some minutes, and delivered when its file comes back; nothing goes without."""
    one = certificate()
    office.event(one, "issue")
    (sha256,) = office.files
    kept, told, at = office.files.pop(sha256), [], [now()]
    office.queue = SqlDeliveries(office.engine, partial(stored, office.files))
    with city.client() as client:
        worker = office.worker(
            client, clock=lambda: at[0], on_unread=lambda delivery, code: told.append((delivery.chain, code))
        )
        for _ in range(5):
            worker.deliver_due()
            at[0] += timedelta(seconds=20)
        (row,) = office.rows()
        assert (row.state, row.failures, office.queue.undelivered().unread) == ("due", 5, 1)
        assert row.last_error == "[file-missing] 文件库中没有这一文件。"
        assert told == [(one.key, "file-missing")]
        office.files[sha256] = kept
        worker.deliver_due()
    assert city.events(one.key) == [(1, "01", "01")]
    assert office.queue.undelivered().unread == 0


def test_a_file_that_stays_away_is_a_dead_letter(city, office, certificate):
    """After its tries it is laid aside with the reason, some minutes later and not at once; replayed, it arrives."""
    one, began, at = certificate(), now(), [now()]
    office.event(one, "issue")
    (sha256,) = office.files
    kept = office.files.pop(sha256)
    office.queue = SqlDeliveries(office.engine, partial(stored, office.files))
    with city.client() as client:
        worker = office.worker(client, clock=lambda: at[0], pace=Pace(), chance=lambda: 1.0)
        while not office.queue.dead_letters():
            worker.deliver_due()
            at[0] += timedelta(seconds=1)
        (letter,) = office.queue.dead_letters()
        assert "[file-missing]" in letter.last_error
        assert timedelta(minutes=3) < at[0] - began < timedelta(minutes=10)
        office.files[sha256] = kept
        office.queue.replay(letter.id, at[0])
        worker.deliver_due()
    assert city.events(one.key) == [(1, "01", "01")]


def test_a_store_that_is_away_is_held_against_no_record(city, office, certificate, tmp_path):
    """While no file at all can be read nothing is a dead letter, however often it is tried; then all arrives."""
    lives = [certificate() for _ in range(3)]
    store, at = FileStore(tmp_path / "files"), [now()]
    for one in lives:
        office.event(one, "issue")
    for data in office.files.values():
        store.create(data)
    (tmp_path / "files" / "store").rename(tmp_path / "elsewhere")
    office.queue = SqlDeliveries(office.engine, store.read)
    with city.client() as client:
        worker = office.worker(client, clock=lambda: at[0], pace=replace(QUICK, longest=0.02, give_up=3, unread=2))
        for _ in range(8):
            worker._paused_until = 0.0
            worker.deliver_due()
            at[0] += timedelta(seconds=1)
        assert [(row.state, row.failures) for row in office.rows()] == [("due", 0)] * 3
        assert "文件库现在无法读取" in worker.trouble
        (tmp_path / "elsewhere").rename(tmp_path / "files" / "store")
        until(lambda: bool(worker.deliver_due()) and office.queue.backlog().done == 3)
    assert [city.events(one.key) for one in lives] == [[(1, "01", "01")]] * 3
    assert worker.trouble == ""


def test_one_file_that_cannot_be_read_holds_up_only_its_own_record(city, office, certificate, tmp_path):
    """A bad block under one file is no outage of the store: the others go, and it is tried again like a missing one."""
    lives = [certificate() for _ in range(3)]
    store = FileStore(tmp_path / "files")
    for one in lives:
        office.event(one, "issue")
    bad, *_ = [store.create(data) for data in office.files.values()]
    path = tmp_path / "files" / "store" / bad[:2] / f"{bad}.pdf"
    path.rename(tmp_path / "aside")
    path.mkdir()  # read, it answers with an error that is not "no such file", to the superuser too
    office.queue = SqlDeliveries(office.engine, store.read)
    with city.client() as client:
        worker = office.worker(client)
        worker.deliver_due()
        assert [row.state for row in office.rows()].count("done") == 2
        assert [row.last_error[:17] for row in office.rows() if row.state == "due"] == ["[file-unreadable]"]
        assert worker.trouble == ""
        path.rmdir()
        (tmp_path / "aside").rename(path)
        until(lambda: bool(worker.deliver_due()) and office.queue.backlog().done == 3)
    assert [city.events(one.key) for one in lives] == [[(1, "01", "01")]] * 3


def stored(files, sha256):
    if sha256 not in files:
        raise NotFoundError("文件库中没有这一文件。")
    return files[sha256]


def test_a_damaged_file_holds_up_no_other_record(city, office, certificate):
    """Of five in one call four arrive; the one whose file is damaged is tried again, and is a dead letter at last."""
    for _ in range(5):
        office.event(certificate(), "issue")
    damaged = office.rows()[2]

    def read(sha256: str) -> bytes:
        if sha256 == damaged.file:
            raise StorageError("文件在磁盘上已被改动，停止使用；请从备份恢复。", code="file-damaged")
        return office.files[sha256]

    office.queue = SqlDeliveries(office.engine, read)
    with city.client() as client:
        office.worker(client, pace=QUICK.__class__(first=0.0, longest=0.0, unread=3)).deliver_due()
    (letter,) = office.queue.dead_letters()
    assert (letter.id, letter.failures, office.queue.backlog().done) == (damaged.id, 2, 4)
    assert "[file-damaged]" in letter.last_error


def test_a_call_taken_apart_ends_when_told_to_stop(city, office, certificate):
    """What was to go alone after a refused call is given back once the worker is stopped."""
    for _ in range(5):
        office.event(certificate(), "issue")
    stop = threading.Event()

    class Stopped(Calls):
        def push_all(self, deliveries):
            if len(deliveries) > 1:
                stop.set()
            return super().push_all(deliveries)

    with city.client() as client:
        calls = Stopped(client, DeliveryRefusedError("过大", code="delivery-too-large"))
        office.worker(calls).run(stop)
    assert [len(call) for call in calls.calls] == [5]
    backlog = office.queue.backlog()
    assert (backlog.due, backlog.leased) == (5, 0)


def test_a_database_in_trouble_does_not_end_the_worker(city, office, certificate):
    """When the register refuses for a moment, the worker waits and goes on."""
    office.event(certificate(), "issue")
    troubles = iter([True, True, False])

    class Troubled(SqlDeliveries):
        def claim(self, *args):
            if next(troubles, False):
                raise StorageError("数据库正忙")
            return super().claim(*args)

    office.queue = Troubled(office.engine, office.files.__getitem__)
    with city.client() as client:
        worker = office.worker(client)
        with running(worker):
            until(lambda: office.queue.backlog().done == 1)
    assert worker.delivered == 1


def test_a_database_that_is_back_is_no_trouble(office):
    """What is said while the register gives out nothing is no longer said once it does, also with nothing to send."""
    troubles = iter([True, False])

    class Troubled(SqlDeliveries):
        def claim(self, *args):
            if next(troubles):
                raise StorageError("数据库正忙")
            return super().claim(*args)

    office.queue = Troubled(office.engine, office.files.__getitem__)
    worker = office.worker(None, pace=QUICK.__class__(first=0.0, longest=0.0))
    worker.deliver_due()
    assert worker.trouble == "数据库正忙"
    worker.deliver_due()
    assert worker.trouble == ""


def test_an_unexpected_error_comes_back_with_its_reason(office, certificate):
    """A failure nobody foresaw returns the delivery with the reason; after the last try it is a dead letter."""

    class Broken:
        dialect = None

        def push(self, delivery):
            raise ZeroDivisionError("odd")

    office.event(certificate(), "issue")
    worker = office.worker(Broken(), pace=QUICK.__class__(first=0.0, longest=0.0, give_up=3))
    worker.deliver_due()
    (letter,) = office.queue.dead_letters()
    assert "ZeroDivisionError: odd" in letter.last_error
    assert letter.attempts == 3


@pytest.mark.parametrize("code", ["E03", "李文静 11010519491231002X"])
def test_what_a_counterpart_says_is_kept_out_of_the_log(office, certificate, caplog, code):
    """The reason stands in the register with every word; the log has the code alone, and only if it is one."""

    class Refusing:
        dialect = load_dialect()

        def push(self, delivery):
            if delivery.sequence == 2:
                raise ValueError("李文静 is odd")
            line = Line(kind="error", guid="", code=code, message="持证主体李文静 11010519491231002X 有误")
            return Answer(line=line, digest="")

    one = certificate()
    office.event(one, "issue")
    caplog.set_level(logging.DEBUG, "certlib.city.worker")
    worker = office.worker(Refusing(), pace=QUICK.__class__(first=0.0, longest=0.0, give_up=1))
    worker.deliver_due()
    office.queue.done(*_claimed_again(office))
    office.event(one, "change")
    worker.deliver_due()
    assert "李文静" in office.rows()[1].last_error
    assert "dead letter" in caplog.text
    assert ("E03" in caplog.text, "ValueError" in caplog.text) == (code == "E03", True)
    assert "李文静" not in caplog.text
    assert "1101" not in caplog.text


def _claimed_again(office):
    """The one dead letter, replayed and claimed, and an answer to close it with."""
    (letter,) = office.queue.dead_letters()
    assert "李文静 11010519491231002X 有误" in letter.last_error
    office.queue.replay(letter.id, now())
    (delivery,) = office.queue.claim("other", now(), 1, 60)
    return delivery, {}, now()


def test_an_outage_is_not_held_against_the_record(office, certificate):
    """However long the repository is away, no delivery becomes a dead letter for it."""

    class Away:
        dialect = None

        def push(self, delivery):
            raise DeliveryDelayedError("无法连接", outage=True)

    office.event(certificate(), "issue")
    pace = QUICK.__class__(first=0.5, longest=0.5, give_up=3)
    moments = [now() + timedelta(seconds=n) for n in range(10)]
    for moment in moments:
        assert office.worker(Away(), pace=pace, clock=lambda at=moment: at).deliver_due() == 1
    (row,) = office.rows()
    assert (row.state, row.failures, row.attempts) == ("due", 0, 10)


class Calls:
    """A counterpart that takes everything and remembers which deliveries came in which call.

    `trouble` is raised when several come together, with `every` also when one comes alone.
    """

    every = False

    def __init__(self, client, trouble=None):
        self.dialect, self._client, self._trouble, self.calls = client.dialect, client, trouble, []

    def push(self, delivery):
        return self.push_all([delivery])[0]

    def push_all(self, deliveries):
        self.calls.append(sorted(delivery.chain for delivery in deliveries))
        if self._trouble and (self.every or len(deliveries) > 1):
            raise self._trouble
        return self._client.push_all(deliveries)


def test_what_is_due_at_once_goes_in_one_call(city, office, certificate):
    """Twenty certificates need two calls, and each certificate's second event waits for its first."""
    certificates = [certificate() for _ in range(20)]
    for one in certificates:
        live(office, one)
    with city.client() as client:
        calls = Calls(client)
        office.worker(calls).deliver_due()
    assert [len(call) for call in calls.calls] == [16, 4] * 5
    assert all(len(set(call)) == len(call) for call in calls.calls)
    assert [city.events(one.key) for one in certificates] == [WHOLE_LIFE] * 20


@pytest.mark.parametrize(
    "trouble", [DeliveryRefusedError("过大", code="delivery-too-large"), ZeroDivisionError("odd")], ids=str
)
def test_a_call_refused_as_a_whole_is_taken_apart(city, office, certificate, trouble):
    """When the repository refuses the call and not a record, every record goes alone and none is a dead letter."""
    for _ in range(5):
        office.event(certificate(), "issue")
    with city.client() as client:
        calls = Calls(client, trouble)
        office.worker(calls).deliver_due()
    assert [len(call) for call in calls.calls] == [5, 1, 1, 1, 1, 1]
    assert (office.queue.backlog().done, office.queue.backlog().dead) == (5, 0)


def test_a_record_that_cannot_be_written_spoils_no_other(city, office, certificate):
    """Of five in one call the one whose message has a hole becomes a dead letter, the others arrive."""
    for _ in range(5):
        office.event(certificate(), "issue")
    row = office.rows()[2]
    office.edit(row.id, {**row.message, "number": ""})
    with city.client() as client:
        office.worker(client).deliver_due()
    (letter,) = office.queue.dead_letters()
    assert (letter.id, office.queue.backlog().done) == (row.id, 4)
    assert "delivery-unmappable" in letter.last_error


def test_a_long_call_taken_apart_is_sent_once(city, office, certificate):
    """Sixteen go alone, longer than a lease, while another worker looks for work: each goes once, by one of them."""
    certificates = [certificate() for _ in range(16)]
    for one in certificates:
        office.event(one, "issue")
    at, taken = [now()], []

    class Slow(Calls):
        def push_all(self, deliveries):
            at[0] += timedelta(seconds=10)
            taken.extend(one.chain for one in office.queue.claim("other", at[0], 16, 600))
            return super().push_all(deliveries)

    with city.client() as client:
        calls = Slow(client, DeliveryRefusedError("过大", code="delivery-too-large"))
        office.worker(calls, clock=lambda: at[0], pace=replace(QUICK, lease=60.0)).deliver_due()
    alone = [chain for call in calls.calls[1:] for chain in call]
    assert sorted(alone + taken) == sorted(one.key for one in certificates)
    assert len(alone) > 2
    assert office.queue.backlog().done == len(alone)


def test_what_another_worker_has_taken_over_is_left_to_it(city, office, certificate):
    """When a worker was stopped for longer than its leases, it sends nothing of what is another's by then."""
    for _ in range(4):
        office.event(certificate(), "issue")
    at = [now()]
    other = []

    class Stopped(Calls):
        def push_all(self, deliveries):
            if not other:  # the machine stands still, and another worker looks for work
                at[0] += timedelta(seconds=61)
                other.extend(office.queue.claim("other", at[0], 16, 60))
            return super().push_all(deliveries)

    with city.client() as client:
        calls = Stopped(client, DeliveryRefusedError("过大", code="delivery-too-large"))
        office.worker(calls, clock=lambda: at[0], pace=replace(QUICK, lease=60.0)).deliver_due()
    assert [len(call) for call in calls.calls] == [4]
    assert (len(other), office.queue.backlog().leased) == (4, 4)


def test_a_slow_repository_holds_few_and_issuing_not_at_all(city, office, certificate):
    """With hundreds waiting a worker claims no more than its calls carry, and writing an event waits for no push."""
    go_on = threading.Event()

    class Slow(Calls):
        def push_all(self, deliveries):
            assert go_on.wait(60)
            return super().push_all(deliveries)

    for _ in range(100):
        office.event(certificate(), "issue")
    with city.client() as client:
        calls = Slow(client)
        with running(office.worker(calls, pace=replace(QUICK, parallel=2, together=8))):
            until(lambda: office.queue.backlog().leased == 16)
            for _ in range(50):
                office.event(certificate(), "issue")  # it would stand still here
            assert office.queue.backlog().leased == 16
            go_on.set()
            until(lambda: office.queue.backlog().done == 150)


def test_what_has_failed_goes_alone(city, office, certificate):
    """A call that came back with an error of the repository's own is not repeated together."""
    for _ in range(4):
        office.event(certificate(), "issue")
    with city.client() as client:
        calls = Calls(client, DeliveryDelayedError("内部错误"))
        with running(office.worker(calls)):
            until(lambda: office.queue.backlog().done == 4)
    assert [len(call) for call in calls.calls] == [4, 1, 1, 1, 1]


def test_one_outage_is_counted_once_however_many_were_on_their_way(office, certificate):
    """A call of many that meets an outage slows the worker as one failure does, not as many."""

    class Away:
        dialect = None

        def push(self, delivery):
            raise DeliveryDelayedError("无法连接", outage=True)

        def push_all(self, deliveries):
            raise DeliveryDelayedError("无法连接", outage=True)

    for _ in range(16):
        office.event(certificate(), "issue")
    worker = office.worker(Away(), pace=QUICK.__class__(first=0.05, longest=60.0))
    began = time.monotonic()
    worker.deliver_due()
    until(lambda: worker.deliver_due() == 1)  # the probe
    assert time.monotonic() - began < 5


def test_a_repository_that_lets_nothing_through_is_away(city, office, certificate):
    """Calls that all fail make no dead letter, however many, and are the worker's trouble until one gets through."""
    for _ in range(3):
        office.event(certificate(), "issue")
    with city.client() as client:
        calls, at = Calls(client, DeliveryDelayedError("连接中断", code="connection-lost")), [now()]
        calls.every = True
        worker = office.worker(calls, pace=QUICK.__class__(first=0.0, longest=0.0, give_up=20), clock=lambda: at[0])
        with running(worker):
            until(lambda: len(calls.calls) > 60)
            assert worker.trouble == "连接中断"
            assert office.queue.backlog().dead == 0
            calls.every = False
            until(lambda: office.queue.backlog().done == 3)
    assert worker.trouble == ""


def test_an_hour_down_costs_nothing(city, office, certificate, monkeypatch):
    """Away for a whole hour: nothing is dead, few calls probe it, and within a minute all is there, in order."""
    lives = [certificate() for _ in range(5)]
    for one in lives:
        live(office, one)
    began, gone = now(), [0.0]
    monkeypatch.setattr("certlib.city.worker.time", SimpleNamespace(monotonic=lambda: gone[0]))
    city.app.state.faults.clock = lambda: gone[0]
    city.faults({"kind": "down", "lasts": 3600})
    with city.client() as client:
        worker = office.worker(client, pace=Pace(), clock=lambda: began + timedelta(seconds=gone[0]))
        while gone[0] < 3600:
            worker.deliver_due()
            gone[0] += 5
        assert worker.trouble
        assert 100 < city.struck() < 400
        assert {row.state for row in office.rows()} == {"due"}
        assert max(row.failures for row in office.rows()) < Pace().silence  # what fell before it was seen as an outage
        while office.queue.backlog().done < 25:
            worker.deliver_due()
            gone[0] += 1
    assert gone[0] < 3660
    assert [city.events(one.key) for one in lives] == [WHOLE_LIFE] * 5
    assert worker.trouble == ""


@pytest.mark.parametrize("failures", [1, 3, 50])
def test_waiting_grows_within_its_bounds(failures):
    """Waiting doubles from failure to failure, never beyond the longest, and is spread by chance."""
    pace = QUICK.__class__(first=1.0, longest=20.0)
    most = min(20.0, 2.0 ** (failures - 1))
    assert pace.waiting(failures, 1.0) == most
    assert pace.waiting(failures, 0.0) == most / 2
