"""The worker: what time brings about, lines of batches, and deliveries to the city repository.

Inside the serving process it is two threads; `certctl worker` runs the same by itself. Everything it does is claimed
by lease, so any number of workers may run beside each other, and one that is killed loses nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from certlib.city.client import CityClient
from certlib.city.worker import DeliveryWorker
from certlib.crypto.keys import Secrets
from certlib.errors import ConfigurationError
from certlib.issue.office import Office
from certlib.register.deliveries import SqlDeliveries

_LONGEST_PAUSE = 30.0  # seconds between rounds while they fail
_DEVELOPMENT_SECRET = "development-only-rongjiang-certlib"  # noqa: S105  public, and refused outside development


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
    ) -> None:
        self._office, self._tick, self._clock = office, tick_seconds, clock
        self._log, self._on_fault = log, on_fault
        self._stop = threading.Event()
        self._held = ExitStack()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin; returns at once. Raises `ConfigurationError` for an address or account that cannot be used."""
        self._threads = [threading.Thread(target=self.run, name="certlib-tending", daemon=True)]
        if self._office.settings.city_url:
            deliveries = self._deliveries()
            target = deliveries.run
            self._threads.append(threading.Thread(target=target, args=[self._stop], name="certlib-city", daemon=True))
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
            except Exception as error:  # noqa: BLE001  a worker that dies in silence delivers nothing
                self._on_fault()
                self._log.error("worker round failed", exc_info=error)
                pause = min(max(pause, self._tick) * 2, _LONGEST_PAUSE)

    def _deliveries(self) -> DeliveryWorker:
        settings, register = self._office.settings, self._office.register
        client = CityClient(settings.city_url, account=settings.city_account, secret=self._secret(), clock=self._clock)
        self._held.enter_context(client)
        queue = SqlDeliveries(register.engine, register.files.read)
        return DeliveryWorker(queue, client, name=self._office.owner, clock=self._clock)

    def _secret(self) -> str:
        settings = self._office.settings
        if settings.city_secret:
            return Secrets().resolve(settings.city_secret)
        if settings.in_development:
            return _DEVELOPMENT_SECRET
        raise ConfigurationError("归集账户没有口令：请在设置中写明 city_secret（env:变量名 或 file:文件路径）。")
