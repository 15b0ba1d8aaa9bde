"""The queue of deliveries gives each event to one worker at a time, and each certificate's events in order."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import event

from certlib.errors import NotFoundError
from certlib.register.deliveries import STUCK_AFTER, enqueue
from certlib.register.engine import writer
from certlib.register.hook_deliveries import HookDeliveries

from .conftest import now


def live(office, certificate) -> None:
    office.event(certificate, "issue")
    office.event(certificate, "change")
    office.event(certificate, "revoke", state="revoked", cause="revoked")


def test_a_late_report_of_a_lost_lease_is_not_taken(each_office, certificate):
    """A worker whose lease another has taken over can neither close nor return the delivery."""
    each_office.event(certificate(), "issue")
    (old,) = each_office.queue.claim("slow", now(), 1, lease_seconds=1)
    later = now() + timedelta(seconds=2)
    (new,) = each_office.queue.claim("other", later, 1, lease_seconds=60)
    each_office.queue.dead(old, "too late", later)
    each_office.queue.done(old, {}, later)
    assert each_office.queue.backlog().leased == 1
    each_office.queue.done(new, {}, later, digest="00")
    assert each_office.queue.backlog().done == 1


def test_asking_while_nothing_is_due_takes_no_lock(each_office, certificate):
    """Idle workers ask some times a second: whoever issues meanwhile does not wait for them, nor they for him."""
    each_office.event(certificate(), "issue")
    (one,) = each_office.queue.claim("w", now(), 9, 60)
    each_office.queue.done(one, {}, now())
    changes = []
    event.listen(each_office.engine, "before_cursor_execute", lambda *said: changes.append(said[2]))
    with writer(each_office.engine):
        begun = len(changes)
        assert each_office.queue.claim("w", now(), 9, 60) == []
    assert not [text for text in changes[begun:] if "IMMEDIATE" in text or "UPDATE" in text]


def test_a_claim_is_renewed_by_who_has_it(each_office, certificate):
    """Renewed it lasts longer, for the same claim; what another has taken over meanwhile is not renewed."""
    one, two = certificate(), certificate()
    each_office.event(one, "issue")
    each_office.event(two, "issue")
    at = now()
    first, second = each_office.queue.claim("w", at, 2, lease_seconds=10)
    (kept,) = each_office.queue.renew([first], at + timedelta(seconds=9), 10)
    assert (kept.attempts, kept.lease_until) == (first.attempts, at + timedelta(seconds=19))
    (taken,) = each_office.queue.claim("other", at + timedelta(seconds=11), 9, 60)
    assert taken.id == second.id
    assert each_office.queue.renew([first, second], at + timedelta(seconds=12), 10)[0].id == first.id
    assert each_office.queue.renew([second], at + timedelta(seconds=12), 10) == []
    each_office.queue.done(first, {}, at)
    assert each_office.queue.renew([first], at + timedelta(seconds=13), 10) == []


def test_a_revocation_waits_for_what_can_still_go(each_office, certificate):
    """While its predecessors are merely due, a revocation keeps its place."""
    one = certificate()
    live(each_office, one)
    assert [delivery.sequence for delivery in each_office.queue.claim("w", now(), 10, 60)] == [1]


def test_two_revocations_keep_their_order(each_office, certificate):
    """Behind a dead letter a revocation goes first, and the cancellation that closes the number after it."""
    one = certificate()
    each_office.event(one, "issue")
    each_office.event(one, "revoke", state="revoked", cause="revoked")
    each_office.event(one, "cancel", state="cancelled", cause="revoked")
    (issue,) = each_office.queue.claim("w", now(), 10, 60)
    each_office.queue.dead(issue, "refused", now())
    (revocation,) = each_office.queue.claim("w", now(), 10, 60)
    assert (revocation.operation, revocation.predecessor_unknown) == ("revoke", True)
    assert each_office.queue.claim("w", now(), 10, 60) == []
    each_office.queue.done(revocation, {}, now(), digest="00")
    assert [d.operation for d in each_office.queue.claim("w", now(), 10, 60)] == ["cancel"]


def test_workers_side_by_side_never_share_an_event(each_office, certificate):
    """Six workers claiming at once get every event exactly once, and never a later one before an earlier is done."""
    certificates = [certificate() for _ in range(10)]
    for one in certificates:
        live(each_office, one)
    claimed, order = Counter(), {one.key: [] for one in certificates}
    lock = threading.Lock()

    def work(name):
        while each_office.queue.backlog().done < 30:
            for delivery in each_office.queue.claim(name, now(), 3, 60):
                with lock:
                    claimed[delivery.id] += 1
                    order[delivery.chain].append(delivery.sequence)
                each_office.queue.done(delivery, {}, now(), digest="00")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, (f"worker-{n}" for n in range(6))))
    assert set(claimed.values()) == {1}
    assert all(sequences == [1, 2, 3] for sequences in order.values())


def test_a_limit_is_a_limit(each_office, certificate):
    """No claim gives more than was asked for."""
    for _ in range(5):
        each_office.event(certificate(), "issue")
    assert len(each_office.queue.claim("w", now(), 2, 60)) == 2
    assert len(each_office.queue.claim("w", now(), 9, 60)) == 3


def test_the_longest_waiting_goes_first(each_office, certificate):
    """What became due first is claimed first."""
    certificates = [certificate() for _ in range(3)]
    for one in certificates:
        each_office.event(one, "issue")
    claimed = each_office.queue.claim("w", now(), 2, 60)
    assert [delivery.chain for delivery in claimed] == [certificates[0].key, certificates[1].key]


def test_what_is_put_off_waits_its_time(each_office, certificate):
    """A delivery given back for later is not claimed before."""
    each_office.event(certificate(), "issue")
    (delivery,) = each_office.queue.claim("w", now(), 1, 60)
    each_office.queue.retry(delivery, "later", now() + timedelta(hours=1))
    assert each_office.queue.claim("w", now() + timedelta(minutes=59), 1, 60) == []
    (again,) = each_office.queue.claim("w", now() + timedelta(minutes=61), 1, 60)
    assert (again.attempts, again.failures) == (2, 1)


def test_a_revocation_does_not_wait_for_what_keeps_failing(each_office, certificate):
    """After so many failures of its predecessor a revocation goes ahead of it."""
    one = certificate()
    live(each_office, one)
    at = now()
    for round_ in range(STUCK_AFTER):
        (first,) = each_office.queue.claim("w", at + timedelta(hours=round_), 9, 60)
        assert first.operation == "issue"
        each_office.queue.retry(first, "refuses to work", at + timedelta(hours=round_ + 1))
    claimed = each_office.queue.claim("w", at + timedelta(hours=STUCK_AFTER), 9, 60)
    assert {(d.operation, d.predecessor_unknown) for d in claimed} == {("issue", False), ("revoke", True)}


def test_an_event_and_its_delivery_are_one_commit(each_office, certificate):
    """When the transaction of the event fails, nothing is delivered."""
    message, _ = certificate().message("issue")

    class Refused(Exception):
        pass

    def fail():
        with writer(each_office.engine) as session:
            enqueue(session, certificate="c", message=message, now=now())
            raise Refused

    with pytest.raises(Refused):
        fail()
    assert each_office.queue.backlog().due == 0


def test_events_are_numbered_without_gaps(each_office, certificate):
    """Each certificate's events count 1, 2, 3, whatever number the message came with."""
    message, _ = certificate().message("issue")
    with writer(each_office.engine) as session:
        rows = [
            enqueue(session, certificate=key, message={**message, "sequence": 7}, now=now()) for key in ("a", "b", "a")
        ]
        assert [(row.certificate, row.sequence, row.message["sequence"]) for row in rows] == [
            ("a", 1, 1),
            ("b", 1, 1),
            ("a", 2, 2),
        ]


def test_reopening_takes_only_what_was_delivered(each_office, certificate):
    """Only delivered events become due again."""
    one = certificate()
    live(each_office, one)
    (first,) = each_office.queue.claim("w", now(), 1, 60)
    each_office.queue.done(first, {}, now(), digest="00")
    assert each_office.queue.reopen(one.key, [1, 2, 3], now(), repair=True) == 1
    (again,) = each_office.queue.claim("w", now(), 1, 60)
    assert (again.sequence, again.repair) == (1, True)


def test_only_dead_letters_are_replayed(each_office, certificate):
    """Replaying something that is not a dead letter is refused."""
    each_office.event(certificate(), "issue")
    with pytest.raises(NotFoundError):
        each_office.queue.replay(1, now())
    (delivery,) = each_office.queue.claim("w", now(), 1, 60)
    each_office.queue.dead(delivery, "refused", now())
    assert each_office.queue.replay_all(now()) == 1
    assert len(each_office.queue.claim("w", now(), 1, 60)) == 1


def test_the_backlog_tells_how_long_the_oldest_waits(each_office, certificate):
    """The age of the oldest undelivered event is that of the queue; an empty queue has none."""
    assert each_office.queue.backlog().age(now()) == timedelta()
    each_office.event(certificate(), "issue")
    assert each_office.queue.backlog().age(now() + timedelta(minutes=5)) >= timedelta(minutes=5)


def test_the_first_arrival_is_the_arrival(each_office, certificate):
    """An event that goes out once more, as a repair or a replay, arrived when it first did."""
    each_office.event(certificate(), "issue")
    queue, first = each_office.queue, now()
    for moment in (first, first + timedelta(days=3)):
        (delivery,) = queue.claim("w", moment, 1, 60)
        queue.done(delivery, {}, moment)
        queue.reopen(delivery.chain, [1], moment, repair=True)
        (row,) = each_office.rows()
        assert (row.state, row.done_at) == ("due", first)


LOOKS = {
    "claim": lambda queue: queue.claim("w", now(), 8, 60),
    "undelivered": lambda queue: queue.undelivered(),
    "count of the arrived": lambda queue: queue.backlog(),
    "dead letters": lambda queue: queue.dead_letters(),
    "is due": lambda queue: HookDeliveries(queue._engine, lambda _: b"").claim("w", now(), 8, 60),
    "trouble": lambda queue: HookDeliveries(queue._engine, lambda _: b"").trouble,
    "is gone": lambda queue: HookDeliveries(queue._engine, lambda _: b"").is_gone,
}


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_no_look_at_the_queue_reads_what_has_long_arrived(office, certificate, look):
    """On SQLite each statement that looks for open or dead rows goes by the partial index of just those."""
    for number in range(3):
        office.event(certificate(), "issue")
        if number < 2:
            (one,) = office.queue.claim("w", now(), 1, 60)
            (office.queue.done, office.queue.dead)[number](one, ({}, "")[number], now())
    plans = []

    def explain(connection, cursor, statement, parameters, *_):
        if statement.lstrip().startswith(("SELECT", "UPDATE", "WITH")) and "FROM delivery" in statement:
            rows = connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            plans.extend(row[3] for row in rows if "USING" in row[3] and "SUBQUERY" not in row[3])

    event.listen(office.engine, "before_cursor_execute", explain)
    LOOKS[look](office.queue)
    event.remove(office.engine, "before_cursor_execute", explain)
    assert plans
    partial = ("ix_delivery_open", "ix_delivery_dead", "ix_delivery_done", "rowid=", "certificate=")
    assert all(any(index in plan for index in partial) for plan in plans), plans
