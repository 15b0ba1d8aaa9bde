"""Hostile files sent to the service while others ask it: how long each takes, how large it grows, who has to wait.

    python -m benchmarks.bench_hostile [--seconds 20]

`certctl serve` runs as a process of its own. First others ask alone for some seconds, then each hostile file of the
tests is posted, one after the other, while the same others go on: they look up a code, fetch the status list, and send
a genuine file. Times are milliseconds of the wall; `MB` is the largest resident size of a process of the sandbox while
that file was at work. Results also go to `.benchmarks/hostile.json`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from rich.console import Console
from rich.table import Table

from benchmarks.bench_public import prepared, served
from tests.verify.hostile import HOSTILE

PDF = {"Content-Type": "application/pdf"}
LIMITS = "uploads_per_minute = 1000000\nlookups_per_minute = 1000000\nlookups_per_number = 1000000\n"
PAUSE = 0.02  # seconds between one caller's requests


@dataclass(slots=True)
class Others:
    """What others asked, by kind: times in milliseconds, and answers that were not 200."""

    times: dict[str, list[float]] = field(default_factory=dict)
    errors: int = 0


@contextmanager
def asking(requests: Mapping[str, Callable[[], httpx2.Response]]) -> Iterator[Others]:
    """Others who ask, each kind in a thread of its own, for the length of the block."""
    others, stop = Others({kind: [] for kind in requests}), threading.Event()

    def ask(kind: str, request: Callable[[], httpx2.Response]) -> None:
        while not stop.wait(PAUSE):
            started = time.monotonic()
            others.errors += request().status_code != 200
            others.times[kind].append((time.monotonic() - started) * 1000)

    threads = [threading.Thread(target=ask, args=one) for one in requests.items()]
    for thread in threads:
        thread.start()
    yield others
    stop.set()
    for thread in threads:
        thread.join()


@contextmanager
def watching() -> Iterator[list[float]]:
    """Megabytes of the largest process of the sandbox, looked at twenty times a second; the last value is the most."""
    seen, stop = [0.0], threading.Event()

    def look() -> None:
        while not stop.wait(0.05):
            seen.append(max(seen[-1], *map(_resident, _children()), 0.0))

    thread = threading.Thread(target=look)
    thread.start()
    yield seen
    stop.set()
    thread.join()


def _children() -> list[Path]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if b"certlib.verify.child" in (path / "cmdline").read_bytes():
                found.append(path)
    return found or [Path("/proc/self/none")]


def _resident(process: Path) -> float:
    with suppress(OSError):
        for line in (process / "status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
    return 0.0


def send(http: httpx2.Client, name: str) -> dict[str, Any]:
    """One hostile file and what became of it."""
    pdf = HOSTILE[name]()
    with watching() as seen:
        started = time.monotonic()
        answer = http.post("/public/files", content=pdf, headers=PDF)
        taken = time.monotonic() - started
    said = answer.json()
    return {
        "file": name,
        "kilobytes": len(pdf) / 1024,
        "seconds": taken,
        "megabytes": seen[-1],
        "answer": said.get("verdict", said.get("code")),
    }


def measure(seconds: float) -> dict[str, Any]:
    """Alone, then beside every hostile file."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        code = prepared(home)
        with (home / "service.toml").open("w", encoding="utf-8") as file:
            file.write(LIMITS)
        genuine = next(home.glob("**/store/??/*.pdf")).read_bytes()
        with served(home) as (address, _), httpx2.Client(base_url=address, timeout=60) as http:
            requests = {
                "look-up": lambda: http.post("/public/certificates", json={"code": code}),
                "status list": lambda: http.get("/public/status/0"),
                "genuine file": lambda: http.post("/public/files", content=genuine, headers=PDF),
            }
            with asking(requests) as alone:
                time.sleep(seconds)
            with asking(requests) as beside:
                sent = [send(http, name) for name in HOSTILE]
    return {"sent": sent, "alone": _summary(alone), "beside": _summary(beside), "errors": alone.errors + beside.errors}


def _summary(others: Others) -> dict[str, dict[str, float]]:
    return {
        kind: {
            "requests": len(times),
            "p50": statistics.median(times),
            "p99": sorted(times)[int(len(times) * 0.99)],
            "most": max(times),
        }
        for kind, times in others.times.items()
    }


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=20.0)
    found = measure(parser.parse_args().seconds)
    console, table = Console(), Table("file", "KB", "s", "MB", "answer", title="hostile files")
    for one in found["sent"]:
        table.add_row(
            one["file"], f"{one['kilobytes']:,.0f}", f"{one['seconds']:.2f}", f"{one['megabytes']:.0f}", one["answer"]
        )
    console.print(table)
    others = Table("others, ms", "requests", "p50", "p99", "most", title=f"{found['errors']} answers were not 200")
    for when in ("alone", "beside"):
        for kind, row in found[when].items():
            others.add_row(f"{kind}, {when}", *(f"{row[name]:,.0f}" for name in ("requests", "p50", "p99", "most")))
    console.print(others)
    path = Path(".benchmarks/hostile.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
