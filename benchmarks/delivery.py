"""How long an event takes to the city repository: certificates sealed for real, at a steady rate, seals examined there.

    python -m benchmarks.delivery [--events 500] [--rate 50] [--unexamined]

The repository is a process of its own, as in production; the time runs from the event's commit to the repository's
receipt. Prints JSON; nothing here is asserted.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from sqlmodel import SQLModel, col, select

from certlib.catalogue import example
from certlib.city.client import DEVELOPMENT_SECRET, CityClient
from certlib.city.worker import DeliveryWorker
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings
from certlib.register.deliveries import SqlDeliveries, enqueue
from certlib.register.delivery_table import DeliveryRow
from certlib.register.engine import make_engine, reader, writer

ITEM = "2-25"


def now() -> datetime:
    """The moment."""
    return datetime.now(UTC)


def issued(folder: Path, count: int) -> tuple[list[DeliveryRow], SqlDeliveries]:
    """Issue certificates for real and give the deliveries that were written with them."""
    with open_office(Settings(home=folder, suite="p256-sha256")) as office:
        for number in range(count):
            request = dict(example(ITEM, now=now(), variant=number))
            office.issue(request, client="platform", key=str(number))
        with reader(office.register.engine) as session:
            rows = list(session.exec(select(DeliveryRow).order_by(col(DeliveryRow.id))))
        files = office.register.files
    return rows, files.read


@contextmanager
def city(folder: Path, *, examined: bool) -> Iterator[tuple[str, int]]:
    """The mock repository as a process: its address and the process's number."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.delivery", "--serve", str(port), "--home", str(folder)]
    process = subprocess.Popen(command if examined else [*command, "--unexamined"])
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                httpx2.get(f"{url}/healthz").raise_for_status()
                break
            except httpx2.HTTPError:
                time.sleep(0.05)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


def serve(port: int, home: Path, *, examined: bool) -> None:
    """Run the repository until told to stop."""
    import uvicorn  # noqa: PLC0415  only the serving process needs it

    from city_repository.app import create_app  # noqa: PLC0415
    from city_repository.settings import RepositorySettings  # noqa: PLC0415

    app = create_app(RepositorySettings(home=home, examine=examined))
    uvicorn.run(app, port=port, log_level="warning", access_log=False)


def cpu_of(pid: int) -> float:
    """Seconds of processor used by a process and what it started, ended or not (Linux)."""
    words = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    own = sum(int(word) for word in words[11:15]) / os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{pid}/task").glob("*/children")
    return own + sum(cpu_of(int(child)) for path in children for child in path.read_text(encoding="ascii").split())


def measure(events: int, rate: float, *, examined: bool) -> dict[str, Any]:
    """Deliver `events` at `rate` a second and say how long each took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, read = issued(folder / "office", events)
        engine = make_engine(f"sqlite:///{folder / 'register.db'}")
        SQLModel.metadata.create_all(engine, tables=[SQLModel.metadata.tables[DeliveryRow.__tablename__]])
        queue = SqlDeliveries(engine, read)
        with city(folder / "city", examined=examined) as (url, pid):
            client = CityClient(url, account="rongjiang-certlib", secret=DEVELOPMENT_SECRET, clock=now)
            worker, stop = DeliveryWorker(queue, client, name="worker", clock=now), threading.Event()
            thread = threading.Thread(target=worker.run, args=(stop,))
            thread.start()
            began, used, theirs = time.monotonic(), time.process_time(), cpu_of(pid)
            for number, row in enumerate(rows):
                time.sleep(max(0.0, began + number / rate - time.monotonic()))
                with writer(engine) as session:
                    enqueue(session, certificate=row.certificate, message=row.message, now=now(), file=row.file)
                worker.wake()  # as the register does after its commit
            while queue.backlog().done < events and not queue.backlog().dead:
                time.sleep(0.05)
            took, used = time.monotonic() - began, time.process_time() - used
            theirs = cpu_of(pid) - theirs
            stop.set()
            thread.join()
        with reader(engine) as session:
            done = session.exec(select(DeliveryRow)).all()
        waits = sorted((row.done_at - row.created_at).total_seconds() for row in done if row.done_at)
    return {
        "events": events,
        "rate": rate,
        "examined": examined,
        "seconds": round(took, 1),
        "cpu_ms_per_event": round(used * 1000 / events, 2),
        "repository_cpu_ms_per_event": round(theirs * 1000 / events, 2),  # its start of the sandbox included
        "dead": queue.backlog().dead,
        **{f"p{share}": round(waits[min(len(waits) - 1, len(waits) * share // 100)], 3) for share in (50, 95, 99)},
        "load": os.getloadavg()[0],
        "cores": os.cpu_count(),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=500)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--unexamined", action="store_true")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.serve:
        serve(words.serve, words.home, examined=not words.unexamined)
    else:
        print(json.dumps(measure(words.events, words.rate, examined=not words.unexamined)))


if __name__ == "__main__":
    main()
