"""The worker: what time brings about, lines of batches, and deliveries to the city repository and to webhooks.

Inside the serving process it is some threads, one for each target, so that a target that is away holds up no other;
`certctl worker` runs the same by itself. Deliveries, batches, intents and the day's comparison are claimed by lease, so
any number of workers may run beside each other, and one that is killed loses nothing. What only looks (the checker)
each of them does for itself. What any of them finds wrong, its own rounds that fail included, lies in the office's
folder (`service.findings`): metric and page of the serving process show it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from typing import Any

from certlib.city.webhooks import PACE, WebhookClient
from certlib.city.worker import DeliveryWorker
from certlib.domain.delivery import Delivery
from certlib.domain.verdict import Finding
from certlib.issue.check_deliveries import check_deliveries
from certlib.issue.checking import witness_findings
from certlib.issue.hooks import Hook
from certlib.issue.office import Office
from certlib.issue.replaying import hooks_of, queue_of
from service.delivering import Delivering, Watch
from service.rounds import Rounds

_WITNESS_PAUSE = 1.0  # seconds between looks at what is not cosigned yet
_FIRST_CHECK = 60.0  # seconds from the start to the first round of the checker
_WATCH_PAUSE = 3.0  # seconds between looks at how deliveries to the city stand
_COMPARE_PAUSE = 60.0  # seconds between looks whether the day's comparison is due
_LONGEST_PAUSE = 30.0  # seconds between rounds while they fail
_AWAY = "现在不能向市电子证照库推送，事件留在队列中；原因见推送记录。"
WORK = {
    "tending": "办理（到期生效、批量、日志编号）",
    "asking witnesses": "请见证",
    "checking": "自查",
    "watching deliveries": "察看推送",
    "comparing with the city repository": "与市电子证照库对账",
}
"""What the worker does, in the words of its alarms."""


class Worker:
    """Threads that let the office do what is due, until they are stopped."""

    def __init__(
        self,
        office: Office,
        *,
        tick_seconds: float,
        clock: Callable[[], datetime],
        log: Any,
        on_fault: Callable[[], None] = lambda: None,
        rounds: Rounds | None = None,
        on_dead: Callable[[], None] = lambda: None,
        watch: Watch | None = None,
    ) -> None:
        self._office, self._tick, self._clock = office, tick_seconds, clock
        self._log, self._on_fault, self._rounds = log, on_fault, rounds or Rounds(office.settings.home, log)
        self._on_dead, self._watch = on_dead, watch or Watch(office)
        self._failing: dict[str, str] = {}  # what fails, and how
        self._stop = threading.Event()
        self._held = ExitStack()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin; returns at once. Raises `ConfigurationError` for an address or account that cannot be used."""
        self._threads = [threading.Thread(target=self.run, name="certlib-tending", daemon=True)]
        watches: dict[str, Callable[[], None]] = {"certlib-witnesses": self._watch_witnesses}
        if self._office.settings.city_url:
            delivering = self._delivering()
            self._deliver("certlib-city", delivering.worker)
            watches["certlib-comparing"] = partial(self._compare, delivering)
            watches["certlib-deliveries"] = self._watch_deliveries
        for hook in hooks_of(self._office).values():
            self._deliver(f"certlib-hook-{hook.name}", self._webhooks(hook))
        if self._office.settings.check_seconds:
            watches["certlib-checking"] = self._check
        for name, watch in watches.items():
            self._threads.append(threading.Thread(target=watch, name=name, daemon=True))
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether every thread that was started still runs."""
        return all(thread.is_alive() for thread in self._threads)

    def stop(self, *, patience: float = 20.0) -> None:
        """End after the round under way; waits at most `patience` seconds for each thread."""
        self._stop.set()
        for thread in self._threads:
            thread.join(patience)
        self._held.close()
        self._rounds.leave()

    def wait(self) -> None:
        """Block until stopped."""
        self._stop.wait()

    def run(self) -> None:
        """Do rounds until stopped; a round that fails is counted, logged and tried again later."""
        pause = self._tick
        while not self._stop.wait(pause):
            try:
                self._office.tick()
                pause = 0.0 if self._office.work_batch() else self._tick
                self._well("tending")
            except Exception as error:  # noqa: BLE001  a worker that dies in silence delivers nothing
                self._failed("tending", error)
                pause = min(max(pause, self._tick) * 2, _LONGEST_PAUSE)

    def _watch_witnesses(self) -> None:
        """Witnesses are elsewhere and may be slow: they hold up nothing but this thread."""
        while not self._stop.wait(_WITNESS_PAUSE):
            if self._failing:
                self._tell_failing()  # it still stands, though the work that fails may be an hour's away
            self._guarded("asking witnesses", self._ask_witnesses)

    def _ask_witnesses(self) -> None:
        found = witness_findings(self._office) or [Finding("witnesses", "pass", "")]
        self._rounds.watch(found, self._clock())

    def _check(self) -> None:
        """The continuous checker; its findings are alarms in the log, in the metric and on the auditor's page."""
        pause = min(
            self._office.settings.check_seconds, _FIRST_CHECK
        )  # a service started anew each hour is checked too
        while not self._stop.wait(pause):
            self._guarded("checking", lambda: self._rounds.check(self._office, self._clock))
            pause = self._office.settings.check_seconds

    def _guarded(self, what: str, work: Callable[[], object]) -> None:
        try:
            work()
            self._well(what)
        except Exception as error:  # noqa: BLE001  as in `run`
            self._failed(what, error)

    def _failed(self, what: str, error: Exception) -> None:
        """Count it, and let it stand as an alarm until the same work is done again; its words stay in the log."""
        self._on_fault()
        self._log.error("worker round failed", what=what, exc_info=error)
        self._failing[what] = type(error).__name__
        self._tell_failing()

    def _well(self, what: str) -> None:
        if self._failing.pop(what, ""):
            self._tell_failing()

    def _tell_failing(self) -> None:
        found = [
            Finding("worker", "fail", f"后台{WORK[one]}未成（{kind}）。") for one, kind in [*self._failing.items()]
        ]
        self._rounds.watch_own(found or [Finding("worker", "pass")], self._clock())

    def _deliver(self, name: str, worker: DeliveryWorker) -> None:
        told = self._office.register.on_delivery
        told.append(worker.wake)
        self._held.callback(told.remove, worker.wake)
        self._threads.append(threading.Thread(target=worker.run, args=[self._stop], name=name, daemon=True))

    def _webhooks(self, hook: Hook) -> DeliveryWorker:
        private = self._office.settings.webhook_private
        client = WebhookClient(hook.address, hook.secrets(), clock=self._clock, private=private)
        queue, owner = queue_of(self._office, hook), f"{self._office.owner}-{hook.name}"
        laid_aside = partial(self._laid_aside, hook.name)
        return DeliveryWorker(queue, client, name=owner, clock=self._clock, pace=PACE, on_dead=laid_aside)

    def _laid_aside(self, name: str, delivery: Delivery, _reason: str) -> None:
        """An alarm at once, by the event's id; the reason stays in the register: a receiver may say what it likes."""
        self._on_dead()
        words = f"{name} 的事件 {delivery.message['id']} 已搁置，原因见死信。"
        self._rounds.add(Finding("webhooks", "fail", words), self._clock())

    def _delivering(self) -> Delivering:
        made = Delivering(self._office, self._watch, clock=self._clock, log=self._log, on_dead=self._on_dead)
        return self._held.enter_context(made)

    def _watch_deliveries(self) -> None:
        """What was laid aside, waits too long, or cannot be delivered now stands on metric and page within seconds."""
        while not self._stop.wait(_WATCH_PAUSE):
            self._guarded("watching deliveries", self._look_at_deliveries)

    def _look_at_deliveries(self) -> None:
        now = self._clock()
        self._rounds.watch(list(check_deliveries(self._office, now)) or [Finding("deliveries", "pass")], now)
        away = bool(self._watch.trouble())
        self._rounds.watch_own([Finding("city", "fail", _AWAY) if away else Finding("city", "pass")], now)

    def _compare(self, delivering: Delivering) -> None:
        """The day's comparison with the city repository; what cannot be done now is tried again later."""
        while not self._stop.wait(_COMPARE_PAUSE):
            self._guarded("comparing with the city repository", delivering.reconcile_when_due)
