"""The public addresses under a thousand requests a second, by `wrk`: page, lists, look-ups by code.

    python -m benchmarks.bench_public [--rate 1000] [--seconds 30]

`certctl serve` runs as a process of its own on SQLite with its worker; wrk shares the machine with it. Every connection
waits between its requests so that all together make the rate (open enough: a late answer delays its own connection
only). The mix is that of citizens: lists mostly answered 304, the page's parts, one request in ten a look-up with a
signed code, which is verified and read from the register. `CPU µs` is the service's own processor time for a request,
which says more than the times do where others work on the machine too. Results also go to `.benchmarks/public.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlmodel import select

from certlib.catalogue import example
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings
from certlib.register.tables import EditionRow

CONNECTIONS = 40
LIMITS = "lookups_per_minute = 100000000\nlookups_per_number = 100000000\ndigests_per_minute = 100000000\n"
SCRIPT = """
local tag = { ["If-None-Match"] = '%(tag)s' }
local gzip = { ["Accept-Encoding"] = "gzip" }
local requests = {
  wrk.format("GET", "/public/status/0", tag), wrk.format("GET", "/public/status/0", tag),
  wrk.format("GET", "/public/status/0"), wrk.format("GET", "/public/trust", gzip), wrk.format("GET", "/public/trust", gzip),
  wrk.format("GET", "/v", gzip), wrk.format("GET", "/v/page.js", gzip), wrk.format("GET", "/v/check.js", gzip),
  wrk.format("GET", "/v/page.css", gzip),
  wrk.format("POST", "/public/certificates", { ["Content-Type"] = "application/json" }, '{"code":"%(code)s"}'),
}
local at = math.random(#requests)
function request() at = at %% #requests + 1; return requests[at] end
function delay() return %(wait)d * (0.5 + math.random()) end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('RESULT {"requests": %%d, "seconds": %%f, "p50": %%f, "p99": %%f, "p999": %%f, "most": %%f, "errors": %%d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    latency:percentile(99.9) / 1e3, latency.max / 1e3, e.connect + e.read + e.write + e.status + e.timeout))
end
"""  # noqa: E501


def prepared(home: Path) -> str:
    """An office with one certificate in `home`; its code."""
    with open_office(Settings(home=home)) as office:
        body = office.issue(example("2-25", now=datetime.now(UTC)), client="bench", key="one").body
        office.tick()
        with office.register.reader() as session:
            query = select(EditionRow.code_text).where(EditionRow.identifier == body["identifier"])
            code = session.exec(query).one()
    (home / "service.toml").write_text(LIMITS, encoding="utf-8")
    return code


@contextmanager
def served(home: Path) -> Iterator[tuple[str, int]]:
    """`certctl serve` on a free port; its address and process id."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from certlib.cli.main import main; main()", "serve", "--home", str(home)]
    with (home / "serve.log").open("w") as log:
        process = subprocess.Popen([*command, "--port", str(port)], stdout=log, stderr=log)
        address = f"http://127.0.0.1:{port}"
        try:
            _await(address)
            yield address, process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _await(address: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the service did not start")


def cpu_seconds(process: int) -> float:
    """Processor time that a process has used (Linux)."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(served_at: tuple[str, int], code: str, folder: Path, *, rate: float, seconds: int) -> dict[str, Any]:
    """What wrk says of one run, and what it cost the service."""
    address, process = served_at
    with urllib.request.urlopen(f"{address}/public/status/0", timeout=5) as response:
        tag = response.headers["etag"]
    script = folder / "citizens.lua"
    script.write_text(SCRIPT % {"tag": tag, "code": code, "wait": round(940 * CONNECTIONS / rate)}, encoding="utf-8")
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), address]
    before = cpu_seconds(process)
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = cpu_seconds(process) - before
    found = re.search(r"RESULT (.*)", said)
    if found is None:
        raise SystemExit(said)
    result = dict(json.loads(found[1]))
    return result | {"cpu_us": used * 1e6 / result["requests"]}


def main() -> None:
    """Measure, show and keep."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rate", type=float, default=1000)
    options.add_argument("--seconds", type=int, default=30)
    chosen = options.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not on PATH")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        code = prepared(home)
        with served(home) as service:
            measured(service, code, home, rate=chosen.rate, seconds=3)  # warm
            result = measured(service, code, home, rate=chosen.rate, seconds=chosen.seconds)
    table = Table(
        *("requests/s", "CPU µs", "p50 ms", "p99 ms", "p99.9 ms", "most ms", "errors"),
        title="public addresses, citizens' mix",
    )
    row = [result["requests"] / result["seconds"], *(result[name] for name in ("cpu_us", "p50", "p99", "p999", "most"))]
    table.add_row(*(f"{value:.1f}" for value in row), str(result["errors"]))
    Console().print(table)
    Path(".benchmarks").mkdir(exist_ok=True)
    Path(".benchmarks/public.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
