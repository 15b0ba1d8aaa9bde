"""Does the time of a failed look-up tell whether the number exists? An unknown number against a known one with a wrong
check code, by HTTP on one connection, in random order.

    python -m benchmarks.bench_lookup [--samples 10000]

`certctl serve` runs as a process of its own. The difference of the medians comes with its 99 % confidence interval
(standard errors of the medians after McKean and Schrader, from order statistics); the answers are compared by bytes.
Takes half a minute for each thousand samples. Results also go to `.benchmarks/lookup.json`.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from benchmarks.bench_public import prepared, served
from certlib.formats.code import read_code

Z99 = 2.5758
HEADERS = {"Content-Type": "application/json"}


@contextmanager
def asking(address: str) -> Iterator[Any]:
    """A function that asks once and gives microseconds, status and body; one connection for all."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    connection.connect()

    def ask(body: bytes) -> tuple[float, int, bytes]:
        began = time.perf_counter_ns()
        connection.request("POST", "/public/certificates", body, HEADERS)
        response = connection.getresponse()
        data = response.read()
        return (time.perf_counter_ns() - began) / 1000, response.status, data

    yield ask
    connection.close()


def median_error(values: Sequence[float]) -> float:
    """The standard error of the median (McKean and Schrader 1984)."""
    ordered, count = sorted(values), len(values)
    away = round((count + 1) / 2 - Z99 * math.sqrt(count / 4))
    return (ordered[count - away] - ordered[away - 1]) / (2 * Z99)


def measured(address: str, number: str, samples: int) -> dict[str, Any]:
    """Both kinds `samples` times, each pair in random order, with fresh wrong check codes."""
    chance = random.Random(1)
    times: dict[str, list[float]] = {"unknown number": [], "known number, wrong check code": []}
    answers = set()
    with asking(address) as ask:
        for sample in range(-20, samples):
            check = "".join(chance.choice("0123456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(8))
            serial = f"{chance.randrange(10**4):04}"
            unknown = (
                number[:-5] + serial + number[-1] if number[-5:-1] != serial else number[:-5] + "0000" + number[-1]
            )
            pair = [("unknown number", unknown), ("known number, wrong check code", number)]
            chance.shuffle(pair)
            for name, asked in pair:
                took, status, data = ask(json.dumps({"number": asked, "check": check}, ensure_ascii=False).encode())
                answers.add((status, data))
                if sample >= 0:
                    times[name].append(took)
    one, other = times.values()
    difference = statistics.median(other) - statistics.median(one)
    error = Z99 * math.hypot(median_error(one), median_error(other))
    return {
        "samples": samples,
        "medians": {name: statistics.median(values) for name, values in times.items()},
        "p99": {name: sorted(values)[int(0.99 * len(values))] for name, values in times.items()},
        "difference": difference,
        "interval": [difference - error, difference + error],
        "answers": len(answers),
        "status": sorted(status for status, _ in answers),
    }


def main() -> None:
    """Measure, show and keep."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--samples", type=int, default=10_000)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        number = read_code(prepared(home)).payload.number
        with served(home) as address:
            result = measured(address, number, chosen.samples)
    table = Table("failed look-up", "median µs", "99 % µs", title=f"{chosen.samples} samples each")
    for name, median in result["medians"].items():
        table.add_row(name, f"{median:.1f}", f"{result['p99'][name]:.1f}")
    low, high = result["interval"]
    Console().print(
        table, f"difference of the medians {result['difference']:+.1f} µs, 99 % interval [{low:.1f}, {high:.1f}] µs"
    )
    Console().print(f"different answers: {result['answers']} (status {result['status']})")
    Path(".benchmarks").mkdir(exist_ok=True)
    Path(".benchmarks/lookup.json").write_text(
        json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
