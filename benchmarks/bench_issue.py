"""One issuance, stage by stage: CPU milliseconds, documents a second per process and on every core; beside it, in the
same run, what a naive reportlab + pyHanko script costs.

    make bench            or  python -m benchmarks.bench_issue [--count 40] [--batch 200]

Every issuance is whole: checked, numbered, rendered, linted, sealed with a timestamp, verified, fsynced, committed.
Results also go to `.benchmarks/issue.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import naive
from benchmarks.stopwatch import Stopwatch
from certlib.catalogue import example
from certlib.crypto.development import development_folder
from certlib.issue import finishing
from certlib.issue import office as office_module
from certlib.issue.composition import open_office
from certlib.issue.cores import run_batch
from certlib.issue.office import Office
from certlib.issue.settings import Settings

SUITES = {"rsa3072-sha256": "rsa", "p256-sha256": "p256"}
ITEM = "2-25"
WARM_UP = 3
SEAL = "seals/seal-ganzhou-approval-approval-1"
CODE = "https://zwfw.ganzhou.example/v#1" + "0123456789" * 32


def requests(count: int, series: str) -> Iterator[Mapping[str, Any]]:
    """Requests for the same certificate that differ in their case."""
    for number in range(count):
        request = example(ITEM, now=datetime.now(UTC), variant=number)
        yield {**request, "case": {"number": f"BENCH-{series}-{number:06}"}}


def watch(office: Office, stopwatch: Stopwatch) -> None:
    """Name the stages of an issuance in `office`. The places are where the code looks its parts up."""
    stopwatch.wrap(office_module, "plan_certificate", "check")
    stopwatch.wrap(office_module, "preflight", "check")
    stopwatch.wrap(office_module, "open_intent", "number, sign code")
    stopwatch.wrap(office.renderer, "render", "render")
    stopwatch.wrap(finishing, "lint", "lint")
    stopwatch.wrap(office.sealer, "seal", "seal, timestamp")
    stopwatch.wrap(office, "check", "verify own file")
    stopwatch.wrap(office.register.files, "create", "store")
    stopwatch.wrap(office.register.files, "spool", "store")


def stages(suite: str, count: int) -> dict[str, Any]:
    """Issue `count` certificates in this process and give CPU milliseconds by stage."""
    with tempfile.TemporaryDirectory() as home, open_office(Settings(home=Path(home), suite=suite)) as office:
        for request in requests(WARM_UP, f"WARM-{suite}"):
            office.issue(request, client="bench", key=str(request["case"]))
        stopwatch = Stopwatch()
        with restored():
            watch(office, stopwatch)
            began = time.monotonic()
            for request in requests(count, suite):
                with stopwatch.stage("commit, the rest"):
                    office.issue(request, client="bench", key=str(request["case"]))
            wall = time.monotonic() - began
    each = {stage: 1000 * seconds / count for stage, seconds in stopwatch.seconds.items()}
    return {"stages": each, "cpu": sum(each.values()), "per_second": count / wall}


@contextmanager
def restored() -> Iterator[None]:
    """Put the wrapped functions of modules back afterwards."""
    kept = [(module, dict(vars(module))) for module in (office_module, finishing)]
    try:
        yield
    finally:
        for module, names in kept:
            vars(module).update(names)


def naively(suite: str, count: int) -> dict[str, float]:
    """The naive script's CPU milliseconds and documents a second."""
    folder, short = development_folder(), SUITES[suite]
    key, authority = folder / f"{SEAL}.{short}.pem", folder / "tsa" / "tsa.rsa.pem"  # its dummy TSA knows RSA only
    naive.issue(key, authority, CODE)
    cpu, wall = time.process_time(), time.monotonic()
    for _ in range(count):
        naive.issue(key, authority, CODE)
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    return {"cpu": 1000 * cpu / count, "per_second": count / wall}


def on_every_core(suite: str, count: int) -> float:
    """Documents a second of a batch over all cores, the start of the processes included."""
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), suite=suite)
        with open_office(settings):
            pass
        began = time.monotonic()
        outcomes = run_batch(settings, list(requests(count, f"BATCH-{suite}")), client="bench")
        wall = time.monotonic() - began
    failed = [line for line in outcomes if line["state"] != "done"]
    if failed:
        raise SystemExit(f"{len(failed)} lines failed, the first: {failed[0]}")
    return count / wall


def measure(count: int, batch: int) -> dict[str, Any]:
    """Everything, one suite after the other."""
    made = {}
    for suite in SUITES:
        made[suite] = {
            **stages(suite, count),
            "batch_per_second": on_every_core(suite, batch),
            "naive": naively(suite, max(5, count // 4)),
        }
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
    return {"machine": machine, "count": count, "batch": batch, "suites": made}


def show(result: Mapping[str, Any]) -> None:
    """The numbers as a table."""
    made = Table("stage, CPU ms a document", *result["suites"], title=f"one issuance, n = {result['count']}")
    suites = list(result["suites"].values())
    for stage in suites[0]["stages"]:
        made.add_row(stage, *(f"{suite['stages'].get(stage, 0):.1f}" for suite in suites))
    made.add_section()
    made.add_row("whole issuance", *(f"{suite['cpu']:.1f}" for suite in suites))
    made.add_row("naive reportlab + pyHanko, page and seal only", *(f"{suite['naive']['cpu']:.1f}" for suite in suites))
    made.add_section()
    made.add_row("documents/s, one process", *(f"{suite['per_second']:.1f}" for suite in suites))
    made.add_row(f"documents/s, {result['machine']['cores']} cores", *(f"{s['batch_per_second']:.1f}" for s in suites))
    made.add_row("naive documents/s, one process", *(f"{suite['naive']['per_second']:.1f}" for suite in suites))
    Console().print(made)


def main() -> None:
    """Measure, show and keep."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=40)
    options.add_argument("--batch", type=int, default=200)
    chosen = options.parse_args()
    result = measure(chosen.count, chosen.batch)
    show(result)
    folder = Path(".benchmarks")
    folder.mkdir(exist_ok=True)
    (folder / "issue.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
