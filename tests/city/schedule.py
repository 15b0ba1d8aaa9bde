"""A run of events against a repository with all its faults, workers dying on the way; returns what came of it.

python -m tests.city.schedule 10000 20                            # events, seeds: the full record
python -m tests.city.schedule 10000 5 --postgresql --workers 4
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from certlib.city.client import CityClient
from certlib.city.reconcile import reconcile
from certlib.city.worker import DeliveryWorker, Pace
from certlib.errors import StorageError
from city_repository.app import create_app
from city_repository.serving import served
from city_repository.settings import RepositorySettings
from tests.databases import new_database, started_postgresql

from .conftest import DEVELOPMENT_SECRET, Certificate, City, Office, now, open_office, write_types

PACE = Pace(parallel=4, lease=2.0, idle=0.02, first=0.05, longest=1.0)
TIMEOUT = 0.6
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "slow", "share": 0.02, "seconds": 0.1},
    {"kind": "timeout", "share": 0.01, "seconds": 0.8},
    {"kind": "error", "share": 0.05},
    {"kind": "reset", "share": 0.05},
    {"kind": "lost-ack", "share": 0.05},
    {"kind": "duplicate", "share": 0.05},
    {"kind": "reorder", "share": 0.03, "seconds": 0.3},
    {"kind": "lose", "share": 0.02},
    {"kind": "reject", "share": 0.01},
)
KILLED = 0.02  # share of claims and of reports at which the worker dies
CODES = {"issue": "01", "change": "09", "suspend": "03", "resume": "06", "revoke": "05", "replace-file": "07"}


@dataclass
class Outcome:
    """What a run gave; seconds are wall clock after the faults ended."""

    seed: int
    events: int
    certificates: int
    seconds: float
    rounds: int
    faults: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


class MortalQueue:
    """A queue whose worker dies now and then: what it claimed or delivered goes unreported."""

    def __init__(self, queue: Any, chance: random.Random) -> None:
        self._queue, self._chance = queue, chance
        self.mortal = True
        self.deaths = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)

    def _dies(self) -> bool:
        dead = self.mortal and self._chance.random() < KILLED
        self.deaths += dead
        return dead

    def claim(self, *words: Any) -> Any:
        claimed = self._queue.claim(*words)
        return [] if claimed and self._dies() else claimed

    def done_all(self, *words: Any) -> None:
        if not self._dies():
            self._queue.done_all(*words)


def lives(chance: random.Random, events: int) -> Iterator[tuple[Certificate, str, dict[str, str]]]:
    """Events of many certificates mixed, each in the legal order of its own."""
    alive: list[tuple[Certificate, str]] = []
    for number in range(events):
        if not alive or chance.random() < 0.35:
            alive.append((Certificate(f"2026{number:08}"), ""))
        place = chance.randrange(len(alive))
        certificate, state = alive[place]
        operation, after = chance.choice(NEXT[state])
        yield certificate, operation, {"state": after, "cause": "revoked" if after == "revoked" else ""}
        alive[place] = (certificate, after)
        if after == "revoked":
            del alive[place]


IN_FORCE = [("change", "in-force")] * 3 + [
    ("suspend", "suspended"),
    ("revoke", "revoked"),
    ("replace-file", "in-force"),
]
NEXT = {
    "": [("issue", "in-force")],
    "in-force": IN_FORCE,
    "suspended": [("resume", "in-force"), ("revoke", "revoked")],
}
STATES = {"in-force": "01", "suspended": "02", "revoked": "03"}


def run(seed: int, events: int, folder: Path, *, database: str = "", workers: int = 2) -> Outcome:
    """Deliver `events` events under faults until both sides are equal, at most 60 s after the faults have ended."""
    chance = random.Random(seed)
    office = open_office(database or f"sqlite:///{folder / 'register.db'}")
    queue = MortalQueue(office.queue, chance)
    expected: dict[str, list[tuple[int, str, str]]] = {}
    with ExitStack() as stack:
        app = create_app(RepositorySettings(home=folder / "city", types=write_types(folder), examine=False))
        city = City(app, stack.enter_context(served(app)))
        for number in range(workers):
            stack.enter_context(_working(city, queue, f"worker-{number}"))
        struck = _produce(office, city, chance, events, expected)
        outcome = Outcome(seed, events, len(expected), 0.0, 0, {**struck, "worker killed": queue.deaths})
        _settle(office, city, queue, outcome)
        outcome.wrong += [
            f"{key}: {city.events(key)} instead of {wanted}"
            for key, wanted in expected.items()
            if city.events(key) != wanted
        ]
    return outcome


@contextmanager
def _working(city: City, queue: Any, name: str) -> Iterator[None]:
    client = CityClient(city.url, account="rongjiang-certlib", secret=DEVELOPMENT_SECRET, clock=now, timeout=TIMEOUT)
    worker = DeliveryWorker(queue, client, name=name, clock=now, pace=PACE)
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        client.close()


def _produce(
    office: Office,
    city: City,
    chance: random.Random,
    events: int,
    expected: dict[str, list[tuple[int, str, str]]],
) -> Counter[str]:
    """Write the events while the faults are on, with the repository down for a while; what struck how often."""
    struck: Counter[str] = Counter()

    def switch(*faults: dict[str, Any]) -> None:
        struck.update(city.app.state.faults.befallen)
        city.faults(*faults, seed=chance.randrange(1 << 30))

    def write(certificate: Certificate, operation: str, options: dict[str, str]) -> None:
        _written(office, certificate, operation, options)
        own = expected.setdefault(certificate.key, [])
        own.append((len(own) + 1, CODES[operation], STATES[options["state"]]))

    switch(*FAULTS)
    for number, life in enumerate(lives(chance, events)):
        write(*life)
        if number == events // 3:
            switch({"kind": "down"})
            time.sleep(1.0)
            switch(*FAULTS)
    ends = time.monotonic() + 600
    while office.queue.backlog().due > min(events // 10, 200) and time.monotonic() < ends:
        time.sleep(0.05)
    switch(*FAULTS)
    missed = [fault for fault in FAULTS if not struck[fault["kind"]]]  # few events make few calls, which chance spares
    for number, fault in enumerate(missed):
        switch({**fault, "share": 1.0})
        write(Certificate(f"2027{number:08}"), "issue", {"state": "in-force", "cause": ""})
        while not city.app.state.faults.befallen and time.monotonic() < ends:
            time.sleep(0.02)
    switch()
    return struck


def _written(office: Office, certificate: Certificate, operation: str, options: dict[str, str]) -> None:
    """Write one event; a database that is busy is asked again, as a client with its idempotency key does."""
    message, data = certificate.message(operation, **options)
    while True:
        try:
            office.write(certificate, message, data)
        except StorageError:
            time.sleep(0.1)
        else:
            return


def _settle(office: Office, city: City, queue: MortalQueue, outcome: Outcome) -> None:
    """End the faults, replay the dead letters as a clerk would, and reconcile until the sides are equal."""
    queue.mortal = False
    began = time.monotonic()
    with city.client() as client:
        while time.monotonic() < began + 60:
            office.queue.replay_all(now())
            backlog = office.queue.backlog()
            if backlog.due or backlog.leased or backlog.dead:
                time.sleep(0.05)
                continue
            time.sleep(0.4)  # what was held back to be reordered has arrived
            outcome.rounds += 1
            if reconcile(office.queue, client, now=now()).equal:
                break
        else:
            outcome.wrong.append(f"not converged: {office.queue.backlog()}")
    outcome.seconds = round(time.monotonic() - began, 2)


def main() -> None:
    """Run the full schedule and print a line of JSON per seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("events", type=int)
    parser.add_argument("seeds", type=int)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--postgresql", action="store_true", help="on a server of its own instead of SQLite")
    words = parser.parse_args()
    total: Counter[str] = Counter()
    with ExitStack() as stack:
        server = stack.enter_context(started_postgresql()) if words.postgresql else ""
        for seed in range(words.first, words.first + words.seeds):
            database = new_database(server) if server else ""
            with tempfile.TemporaryDirectory() as folder:
                began = time.monotonic()
                outcome = run(seed, words.events, Path(folder), database=database, workers=words.workers)
            total.update(outcome.faults)
            whole, load = round(time.monotonic() - began), round(os.getloadavg()[0], 1)
            print(json.dumps({**asdict(outcome), "whole": whole, "load": load}, ensure_ascii=False), flush=True)
    print(json.dumps({"faults": total}), flush=True)


if __name__ == "__main__":
    main()
