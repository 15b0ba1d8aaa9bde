"""The delivery worker: claims what is due, delivers certificates side by side and each one's events in order.

Rules:
* The queue gives at most one event of a certificate at a time, so order needs no lock here.
* A delay goes back with growing, jittered waiting; an outage also slows the claims down to a probe at a time.
* A refusal is a dead letter with its reason, told to `on_dead` at once.
* A repository that lacks an event we hold as delivered gets it again, before the one that showed it.
* `stop` ends claiming; what is in the air is finished, and what had only been claimed is given back.

    worker = DeliveryWorker(queue, client, name="worker-1", clock=clock)
    worker.run(stop)          # until the event is set
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from certlib.city.client import Answer
from certlib.city.mapping import Dialect
from certlib.city.queue import DeliveryQueue
from certlib.domain.delivery import Delivery
from certlib.errors import CertlibError, CounterpartError, DeliveryDelayedError, StorageError

log = logging.getLogger(__name__)


class Counterpart(Protocol):
    """Where deliveries go."""

    @property
    def dialect(self) -> Dialect:
        """What its answers mean."""

    def push(self, delivery: Delivery) -> Answer:
        """Bring one delivery there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a worker works: how many at once, lease, idle poll, and waiting after a failure (seconds).

    The n-th failure waits between half and all of `first` · 2^(n-1), at most `longest`. After `give_up` failures for
    its own sake a delivery becomes a dead letter.
    """

    parallel: int = 8
    lease: float = 60.0
    idle: float = 0.25
    first: float = 0.5
    longest: float = 20.0
    give_up: int = 200

    def waiting(self, failures: int, chance: float) -> float:
        """Seconds to wait after that many failures; `chance` in 0..1 spreads workers."""
        whole = min(self.longest, self.first * 2.0 ** min(max(failures - 1, 0), 30))
        return whole * (0.5 + chance / 2)


class DeliveryWorker:
    """One worker. `clock` gives aware UTC moments; `chance` is a random source in 0..1."""

    def __init__(
        self,
        queue: DeliveryQueue,
        counterpart: Counterpart,
        *,
        name: str,
        clock: Callable[[], datetime],
        pace: Pace | None = None,
        on_dead: Callable[[Delivery, str], None] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._queue, self._counterpart, self._name, self._clock = queue, counterpart, name, clock
        self._pace, self._on_dead, self._chance = pace or Pace(), on_dead, chance
        self._wake = threading.Event()
        self._outages = 0
        self._paused_until = 0.0  # monotonic
        self.delivered = 0
        self.trouble = ""  # the latest reason why nothing can be delivered; empty while it works

    def wake(self) -> None:
        """Look for work now; called after a commit, it saves the idle wait."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set, then finish what is in the air."""
        flying: set[Future[None]] = set()
        with ThreadPoolExecutor(self._pace.parallel, thread_name_prefix=self._name) as pool:
            while not stop.is_set():
                flying = {future for future in flying if not future.done()}
                claimed = self._claim(self._pace.parallel - len(flying))
                flying |= {pool.submit(self._deliver, delivery, stop) for delivery in claimed}
                if not claimed:
                    self._rest(flying)

    def deliver_due(self) -> int:
        """Deliver what may go now, round by round, and return how many were tried; without a loop of its own."""
        tried = 0
        with ThreadPoolExecutor(self._pace.parallel, thread_name_prefix=self._name) as pool:
            while claimed := self._claim(self._pace.parallel):
                list(pool.map(self._deliver, claimed))
                tried += len(claimed)
        return tried

    def _claim(self, free: int) -> list[Delivery]:
        if free <= 0 or time.monotonic() < self._paused_until:
            return []
        limit = 1 if self._outages else free  # after an outage one probe goes first
        try:
            return self._queue.claim(self._name, self._clock(), limit, self._pace.lease)
        except StorageError as error:
            log.warning("deliveries cannot be claimed: %s", error)
            self._pause(str(error), 0.0)
            return []

    def _rest(self, flying: set[Future[None]]) -> None:
        """Wait for something to do: a slot, a wake-up, or the next look."""
        if len(flying) >= self._pace.parallel:
            wait(flying, timeout=self._pace.idle, return_when=FIRST_COMPLETED)
        elif self._wake.wait(self._pace.idle):
            self._wake.clear()

    def _deliver(self, delivery: Delivery, stop: threading.Event | None = None) -> None:
        """Deliver one and report it; when the register itself is in trouble the lease brings the row back."""
        try:
            if stop is not None and stop.is_set():
                self._queue.retry(delivery, "", self._clock(), outage=True)
            else:
                self._attempt(delivery)
        except StorageError as error:
            log.warning("delivery %s: %s", delivery.id, error)

    def _attempt(self, delivery: Delivery) -> None:
        try:
            self._report(delivery, self._counterpart.push(delivery))
        except DeliveryDelayedError as error:
            self._delayed(delivery, error)
        except CounterpartError as error:
            self._pause(str(error), 0.0)
            self._again(delivery, str(error), outage=True)
        except StorageError:
            raise
        except CertlibError as error:
            self._dead(delivery, f"[{error.code}] {error}")
        except Exception as error:  # one poisoned row must not stop the others
            log.exception("delivery %s failed unexpectedly", delivery.id)
            self._again(delivery, f"{type(error).__name__}: {error}")

    def _report(self, delivery: Delivery, answer: Answer) -> None:
        self._outages, self._paused_until, self.trouble = 0, 0.0, ""
        line, now, dialect = answer.line, self._clock(), self._counterpart.dialect
        if line.kind != "error":
            self._queue.done(delivery, answer.as_json(), now, digest=answer.digest)
            self.delivered += 1
        elif line.code in dialect.answer.get("predecessor_missing", ()):
            self._fill(delivery, line.last_sequence or 0, line.message)
        elif line.code in dialect.answer.get("again", ()):
            self._again(delivery, f"[{line.code}] {line.message}")
        else:
            self._dead(delivery, f"[{line.code}] {line.message}")

    def _fill(self, delivery: Delivery, last: int, message: str) -> None:
        """The repository lost what it had acknowledged: deliver that again, then this."""
        lost = list(range(last + 1, delivery.sequence))
        found = self._queue.reopen(delivery.chain, lost, self._clock())
        log.warning("%s: repository lacks events after %s, %s of them go again", delivery.chain, last, found)
        self._again(delivery, f"{message}；已重新推送 {found} 条", outage=found > 0)

    def _delayed(self, delivery: Delivery, error: DeliveryDelayedError) -> None:
        if error.outage:
            self._pause(str(error), error.after)
        self._again(delivery, f"[{error.code}] {error}", outage=error.outage, after=error.after)

    def _again(self, delivery: Delivery, reason: str, *, outage: bool = False, after: float = 0.0) -> None:
        failures = delivery.failures + 1
        if not outage and failures >= self._pace.give_up:
            self._dead(delivery, f"重试 {failures} 次未成功，最后原因：{reason}")
            return
        seconds = max(self._pace.waiting(failures, self._chance()), after)
        self._queue.retry(delivery, reason, self._clock() + timedelta(seconds=seconds), outage=outage)

    def _dead(self, delivery: Delivery, reason: str) -> None:
        self._queue.dead(delivery, reason, self._clock())
        log.error("dead letter %s, sequence %s: %s", delivery.identifier, delivery.sequence, reason)
        if self._on_dead is not None:
            self._on_dead(delivery, reason)

    def _pause(self, reason: str, after: float) -> None:
        self._outages, self.trouble = self._outages + 1, reason
        self._paused_until = time.monotonic() + max(self._pace.waiting(self._outages, self._chance()), after)
