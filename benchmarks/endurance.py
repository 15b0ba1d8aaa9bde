"""The long runs of a certificate's life: races on one certificate, and random sequences held against the model.

    python -m benchmarks.endurance races     [--database sqlite|postgresql] [--rounds 1000] [--threads 16]
    python -m benchmarks.endurance sequences [--database sqlite|postgresql] [--count 10000] [--block 100] [--seed 1]
                                             [--workers 1]

Tests run the same with small numbers. A line of JSON tells of each block as soon as it is done, so that a run that is
cut short still says how far it came. A block of sequences has an office and a seed of its own and can be repeated
alone, so blocks may run on several cores; each certificate is held to its promises after each step, the whole register
after each block. Ends with 1 at the first breach.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from certlib.issue.composition import open_office
from certlib.issue.settings import Settings
from tests.databases import new_database, started_postgresql
from tests.issue.conftest import Clock
from tests.issue.invariants import breaches
from tests.issue.test_machine import drive
from tests.issue.test_races import race

REPORT_EVERY = 50  # rounds


class Databases:
    """An empty register for each block; `address` starts a server of its own for PostgreSQL."""

    def __init__(self, kind: str, held: ExitStack) -> None:
        self.server = held.enter_context(started_postgresql()) if kind == "postgresql" else ""

    @contextmanager
    def settings(self) -> Iterator[Settings]:
        """Settings of an office in a folder that is gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="endurance-", ignore_cleanup_errors=True) as home:
            database = new_database(self.server) if self.server else "sqlite:///register.db"
            yield Settings(home=Path(home), suite="p256-sha256", database=database)


def races(databases: Databases, *, rounds: int, threads: int) -> Iterator[dict[str, Any]]:
    """Rounds of change, revoke and reissue at once on one certificate; who won how often."""
    began, winners = time.monotonic(), Counter[str]()
    with databases.settings() as settings, open_office(settings) as office:
        for turn in range(rounds):
            winners[race(office, turn, threads)] += 1
            if (turn + 1) % REPORT_EVERY == 0 or turn + 1 == rounds:
                seconds = round(time.monotonic() - began)
                yield {"rounds": turn + 1, "threads": threads, "winners": dict(winners), "seconds": seconds}
        yield {"breaches": breaches(office, at=datetime.now(UTC))}


def sequences(databases: Databases, *, count: int, block: int, seed: int, workers: int) -> Iterator[dict[str, Any]]:
    """Blocks of random sequences of acts, each block from its seed; `workers` blocks at once, told of as they end."""
    began, done = time.monotonic(), 0
    blocks = [(seed + index, min(block, count - index * block)) for index in range(-(-count // block))]
    # spawn: a forked child would share the parent's renderer
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        tasks = {pool.submit(_block, databases, number, size): number for number, size in blocks}
        for task in as_completed(tasks):
            done += task.result()
            yield {"seed": tasks[task], "sequences": done, "seconds": round(time.monotonic() - began)}


def _block(databases: Databases, seed: int, size: int) -> int:
    with databases.settings() as settings:
        return drive(settings, Clock(), size, seed=seed)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["races", "sequences"])
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--block", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    with ExitStack() as held:
        databases = Databases(asked.database, held)
        if asked.what == "races":
            lines = races(databases, rounds=asked.rounds, threads=asked.threads)
        else:
            lines = sequences(databases, count=asked.count, block=asked.block, seed=asked.seed, workers=asked.workers)
        for line in lines:
            sys.stdout.write(json.dumps({"database": asked.database, **line}, ensure_ascii=False) + "\n")
            sys.stdout.flush()
            if line.get("breaches"):
                sys.exit(1)


if __name__ == "__main__":
    main()
