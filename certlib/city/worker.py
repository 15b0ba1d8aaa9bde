"""The delivery worker: claims what is due, delivers certificates side by side and each one's events in order.

Rules:
* The queue gives at most one event of a certificate at a time, so order needs no lock here.
* What is due at once goes in one call, where the counterpart takes several; what has failed before goes alone.
* A delay goes back with growing, jittered waiting; an outage also slows the claims down to a probe at a time.
* While no call at all gets through, that is an outage, whatever the calls die of (`Pace.silence`): it is held against
  no record.
* A refusal is a dead letter with its reason, told to `on_dead` at once.
* A file that cannot be read is told to `on_unread` at once and tried again some minutes (`Pace.unread`), since it may
  come back from a backup; then it is a dead letter. A store of which nothing can be read is an outage.
* What has waited for half its lease before its turn comes is renewed, or left to whoever has taken it over.
* A repository that lacks an event we hold as delivered gets it again, before the one that showed it.
* `stop` ends claiming; what is in the air is finished, and what had only been claimed is given back.

    worker = DeliveryWorker(queue, client, name="worker-1", clock=clock)
    worker.run(stop)          # until the event is set
"""

from __future__ import annotations

import logging
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from traceback import extract_tb
from typing import Protocol, runtime_checkable

from certlib.city.client import Answer
from certlib.city.mapping import Dialect, Line
from certlib.city.queue import DeliveryQueue
from certlib.domain.delivery import STORE_AWAY, Delivery
from certlib.errors import CertlibError, CounterpartError, DeliveryDelayedError, StorageError

log = logging.getLogger(__name__)

_CODE = re.compile("[A-Za-z0-9_-]{1,12}")  # what of a counterpart may be in our log: no words, no number of a holder


class Counterpart(Protocol):
    """Where deliveries go."""

    @property
    def dialect(self) -> Dialect:
        """What its answers mean."""

    def push(self, delivery: Delivery) -> Answer:
        """Bring one delivery there."""


@runtime_checkable
class Bulk(Protocol):
    """A counterpart that takes several deliveries in one call."""

    def push_all(self, deliveries: Sequence[Delivery]) -> list[Answer]:
        """Bring them there; what was said of each. An error is about the call, and names none of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a worker works: calls at once, deliveries a call, lease, idle poll, and waiting after a failure (seconds).

    The n-th failure waits between half and all of `first` · 2^(n-1), at most `longest`. After `give_up` failures for
    its own sake a delivery becomes a dead letter, after `unread` when it is its file that cannot be read (four minutes
    or so). `silence` is the number of calls that failed one after the other from which on it is no longer believed to
    be the records' fault.
    """

    parallel: int = 4
    together: int = 16
    lease: float = 60.0
    idle: float = 0.25
    first: float = 0.5
    longest: float = 20.0
    give_up: int = 200
    unread: int = 20
    silence: float = 10

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
        on_dead: Callable[[Delivery, str], None] = lambda *_: None,
        on_unread: Callable[[Delivery, str], None] = lambda *_: None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._queue, self._counterpart, self._name, self._clock = queue, counterpart, name, clock
        self._pace, self._chance = pace or Pace(), chance
        self._on_dead, self._on_unread = on_dead, on_unread
        self._bulk = counterpart if isinstance(counterpart, Bulk) else None
        self._wake = threading.Event()
        self._outages = 0
        self._failed = 0  # calls in a row
        self._paused_until = 0.0  # monotonic
        self._away, self._unclaimed = "", ""  # why no call gets through; why the register gives out nothing
        self.delivered = 0

    @property
    def trouble(self) -> str:
        """The latest reason why nothing can be delivered; empty while it works."""
        return self._unclaimed or self._away

    def wake(self) -> None:
        """Look for work now; told by `Register.on_delivery` after a commit, it saves the idle wait."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set, then finish what is in the air."""
        flying: set[Future[None]] = set()
        with ThreadPoolExecutor(self._pace.parallel, thread_name_prefix=self._name) as pool:
            while not stop.is_set():
                flying = {future for future in flying if not future.done()}
                claimed = self._claim(self._pace.parallel - len(flying))
                flying |= {pool.submit(self._deliver, part, stop) for part in self._parts(claimed)}
                if not claimed:
                    self._rest(flying)

    def deliver_due(self) -> int:
        """Deliver what may go now, round by round, and return how many were tried; without a loop of its own."""
        tried = 0
        with ThreadPoolExecutor(self._pace.parallel, thread_name_prefix=self._name) as pool:
            while claimed := self._claim(self._pace.parallel):
                list(pool.map(self._deliver, self._parts(claimed)))
                tried += len(claimed)
        return tried

    def _claim(self, free: int) -> list[Delivery]:
        if free <= 0 or time.monotonic() < self._paused_until:
            return []
        calls = free * (self._pace.together if self._bulk else 1)
        limit = 1 if self._outages else calls  # after an outage one probe goes first
        try:
            claimed = self._queue.claim(self._name, self._clock(), limit, self._pace.lease)
        except StorageError as error:
            log.warning("deliveries cannot be claimed: %s", error)
            self._unclaimed = str(error)
            self._pause(0.0)
            return []
        self._unclaimed = ""
        return claimed

    def _rest(self, flying: set[Future[None]]) -> None:
        """Wait for something to do: a slot, a wake-up, or the next look."""
        if len(flying) >= self._pace.parallel:
            wait(flying, timeout=self._pace.idle, return_when=FIRST_COMPLETED)
        elif self._wake.wait(self._pace.idle):
            self._wake.clear()

    def _parts(self, claimed: list[Delivery]) -> Iterator[list[Delivery]]:
        """What goes in one call each."""
        together = [one for one in claimed if self._bulk and not one.failures and not one.repair]
        yield from ([one] for one in claimed if one not in together)
        size = self._pace.together
        yield from (together[start : start + size] for start in range(0, len(together), size))

    def _deliver(self, part: list[Delivery], stop: threading.Event | None = None) -> None:
        """Deliver and report; when the register itself is in trouble the lease brings the rows back."""
        try:
            if stop is not None and stop.is_set():
                for delivery in part:
                    self._queue.retry(delivery, "", self._clock(), outage=True)
            elif held := self._held(part):
                self._attempt(held, stop)
        except StorageError as error:
            log.warning("delivery %s: %s", part[0].id, error)

    def _held(self, part: list[Delivery]) -> list[Delivery]:
        """What of these is still this worker's to send, after they have waited for their turn."""
        late = self._clock() + timedelta(seconds=self._pace.lease / 2)
        if all(one.lease_until is None or one.lease_until > late for one in part):
            return part
        return self._queue.renew(part, self._clock(), self._pace.lease)

    def _attempt(self, part: list[Delivery], stop: threading.Event | None) -> None:
        try:
            pairs = list(zip(part, self._push(part), strict=True))
        except (DeliveryDelayedError, CounterpartError) as error:
            self._delayed(part, error)
        except StorageError as error:  # nothing is written here yet: it is a file that cannot be read
            if error.code == STORE_AWAY:
                self._outage(part, error)
            elif not self._apart(part, stop):
                self._unread(part[0], error)
        except Exception as error:  # noqa: BLE001  one poisoned row must not stop the others
            if not self._apart(part, stop):
                self._failed_alone(part[0], error)
        else:
            self._report(pairs)

    def _apart(self, part: list[Delivery], stop: threading.Event | None) -> bool:
        """Whether there are several; then each goes alone, which shows whose fault it was."""
        for delivery in part if len(part) > 1 else ():
            self._deliver([delivery], stop)
        return len(part) > 1

    def _failed_alone(self, delivery: Delivery, error: Exception) -> None:
        """What we know of ourselves makes a dead letter; anything else is tried again."""
        if isinstance(error, CertlibError):
            self._dead(delivery, error.code, f"[{error.code}] {error}")
        else:
            self._unforeseen(delivery, error)

    def _unread(self, delivery: Delivery, error: StorageError) -> None:
        if not delivery.failures:
            log.error("delivery %s waits for its file: %s", delivery.id, error.code)
            self._on_unread(delivery, error.code)
        self._again(delivery, f"[{error.code}] {error}", most=self._pace.unread)

    def _unforeseen(self, delivery: Delivery, error: Exception) -> None:
        log.error("delivery %s failed unexpectedly: %s", delivery.id, _place(error))
        self._again(delivery, f"{type(error).__name__}: {error}")

    def _push(self, part: list[Delivery]) -> list[Answer]:
        if self._bulk and len(part) > 1:
            return self._bulk.push_all(part)
        return [self._counterpart.push(part[0])]

    def _report(self, pairs: Sequence[tuple[Delivery, Answer]]) -> None:
        """Close what has arrived in one commit, then see to the rest."""
        self._outages, self._failed, self._paused_until, self._away = 0, 0, 0.0, ""
        arrived = [(one, answer.as_json(), answer.digest) for one, answer in pairs if answer.line.kind != "error"]
        if arrived:
            self._queue.done_all(arrived, self._clock())
            self.delivered += len(arrived)
        for delivery, answer in pairs:
            if answer.line.kind == "error":
                self._refused(delivery, answer.line)

    def _refused(self, delivery: Delivery, line: Line) -> None:
        codes = self._counterpart.dialect.answer
        if line.code in codes.get("predecessor_missing", ()):
            self._fill(delivery, line.last_sequence or 0, line.message)
        elif line.code in codes.get("again", ()):
            self._again(delivery, f"[{line.code}] {line.message}")
        else:
            self._dead(
                delivery, line.code if _CODE.fullmatch(line.code) else "refused", f"[{line.code}] {line.message}"
            )

    def _fill(self, delivery: Delivery, last: int, message: str) -> None:
        """The repository lost what it had acknowledged: deliver that again, then this."""
        lost = list(range(max(last, 0) + 1, delivery.sequence))  # whatever number they name, no more than there are
        found = self._queue.reopen(delivery.chain, lost, self._clock())
        log.warning("%s: repository lacks events after %s, %s of them go again", delivery.chain, last, found)
        self._again(delivery, f"{message}；已重新推送 {found} 条", outage=found > 0)

    def _delayed(self, part: list[Delivery], error: DeliveryDelayedError | CounterpartError) -> None:
        self._failed += 1
        after = 0.0 if isinstance(error, CounterpartError) else error.after
        if isinstance(error, CounterpartError) or error.outage or self._failed >= self._pace.silence:
            self._outage(part, error, after)
            return
        for delivery in part:
            self._again(delivery, f"[{error.code}] {error}", after=after)

    def _outage(self, part: list[Delivery], error: CertlibError, after: float = 0.0) -> None:
        """It is the fault of none of them: all go back, and the worker slows down."""
        self._away = str(error)
        self._pause(after)
        for delivery in part:
            self._again(delivery, f"[{error.code}] {error}", outage=True, after=after)

    def _again(
        self, delivery: Delivery, reason: str, *, outage: bool = False, after: float = 0.0, most: int | None = None
    ) -> None:
        failures = delivery.failures + 1
        if not outage and failures >= (most or self._pace.give_up):
            self._dead(delivery, "given-up", f"重试 {failures} 次未成功，最后原因：{reason}")
            return
        seconds = max(self._pace.waiting(failures, self._chance()), after)
        self._queue.retry(delivery, reason, self._clock() + timedelta(seconds=seconds), outage=outage)

    def _dead(self, delivery: Delivery, code: str, reason: str) -> None:
        """Lay it aside; the reason stays in the register, since it may quote what a log must not hold."""
        self._queue.dead(delivery, reason, self._clock())
        log.error("dead letter %s: %s", delivery.id, code)
        self._on_dead(delivery, reason)

    def _pause(self, after: float) -> None:
        self._outages += 1
        self._paused_until = time.monotonic() + max(self._pace.waiting(self._outages, self._chance()), after)


def _place(error: Exception) -> str:
    """The class of an error and the places it passed; its message may quote what a log must not hold."""
    places = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
    return f"{type(error).__name__} ({' > '.join(places)})"
