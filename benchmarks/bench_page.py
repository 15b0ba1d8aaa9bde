"""The page on a slow telephone: when the verdict stands after opening a link, in headless Chromium at a quarter speed.

    python -m benchmarks.bench_page [--runs 20] [--slow 4]

A real office on loopback with a full shard's list; every load is cold, in a browser context of its own. Times are
milliseconds after navigation began, and after the load event. Results also go to `.benchmarks/page.json`.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import statistics
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.table import Table
from sqlmodel import select

from benchmarks.serving import serving
from certlib.catalogue import example
from certlib.formats.status import SHARD_SIZE
from certlib.issue.composition import open_office
from certlib.issue.office import Office
from certlib.issue.settings import Settings
from certlib.register.tables import EditionRow
from service.app import create_app
from service.commands import open_service
from service.logs import configure
from service.settings import load_service_settings

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PHONE = {"width": 390, "height": 844}
STOOD = "body[data-verdict]:not([data-verdict=checking]):not([data-verdict=empty])"
WATCH = """
new MutationObserver(() => {
  const verdict = document.body?.dataset.verdict;
  if (self.stood || !verdict || verdict === 'checking' || verdict === 'empty') return;
  self.stood = [performance.now(), verdict];
}).observe(document, { subtree: true, attributes: true, childList: true });
"""
READ = """() => {
  const [load] = performance.getEntriesByType('navigation'), paint = performance.getEntriesByName('first-contentful-paint')[0];
  const bytes = performance.getEntriesByType('resource').filter((one) => one.startTime < self.stood[0]);
  return { verdict: self.stood[1], stood: self.stood[0], load: load.loadEventEnd, paint: paint?.startTime ?? NaN,
           requests: 1 + bytes.length, bytes: load.transferSize + bytes.reduce((sum, one) => sum + one.transferSize, 0) };
}"""  # noqa: E501


def crowd(office: Office) -> None:
    """Fill the first shard as a city's would be: one entry in thirty no longer valid."""
    chance = random.Random(7)
    states = [1, 2, 3, 3, 3, 3, 12, 13, 14, 14]
    entries = [chance.choice(states) if chance.random() < 0.033 else 0 for _ in range(SHARD_SIZE)]
    packed = bytearray(low | high << 4 for low, high in zip(entries[::2], entries[1::2], strict=True))
    packed[:8] = bytes(8)
    office.board._shards[0], office.board._high_water = packed, SHARD_SIZE - 1
    office.board._size = 10**9  # the journal has nothing to add to what was put here


def issued(office: Office) -> str:
    """The fragment of one certificate."""
    body = office.issue(example("2-25", now=datetime.now(UTC)), client="bench", key="one").body
    office.tick()
    with office.register.reader() as session:
        query = select(EditionRow.code_text).where(EditionRow.identifier == body["identifier"])
        return session.exec(query).one().partition("#")[2]


def loads(address: str, fragment: str, *, runs: int, slow: float) -> list[dict[str, Any]]:
    """Open the link `runs` times, each in a browser context that has never seen it."""
    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for _ in range(runs):
            context = browser.new_context(viewport=PHONE)
            page = context.new_page()
            context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slow})
            page.add_init_script(WATCH)
            page.goto(f"{address}/v#{fragment}")
            page.wait_for_selector(STOOD, timeout=30_000)
            page.wait_for_load_state("load")
            found.append(page.evaluate(READ))
            context.close()
        browser.close()
    return found


def main() -> None:
    """Measure, show and keep."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=20)
    options.add_argument("--slow", type=float, default=4)
    chosen = options.parse_args()
    configure(stream=io.StringIO())
    with tempfile.TemporaryDirectory() as home, open_office(Settings(home=Path(home))) as office:
        fragment = issued(office)
        crowd(office)
        settings = load_service_settings(Path(home), public_url="http://127.0.0.1", worker=False)
        with serving(create_app(open_service(office, settings))) as address:
            found = loads(address, fragment, runs=chosen.runs, slow=chosen.slow)
    rows = {
        "first contentful paint": [one["paint"] for one in found],
        "load event": [one["load"] for one in found],
        "verdict": [one["stood"] for one in found],
        "verdict after load event": [max(0.0, one["stood"] - one["load"]) for one in found],
    }
    table = Table("ms", "median", "90 %", "most", title=f"CPU ÷ {chosen.slow:g}, {chosen.runs} cold loads")
    for name, times in rows.items():
        table.add_row(
            name,
            *(
                f"{value:.0f}"
                for value in (statistics.median(times), sorted(times)[int(0.9 * (len(times) - 1))], max(times))
            ),
        )
    Console().print(table, f"{found[0]['verdict']}, {found[0]['bytes']} bytes in {found[0]['requests']} requests")
    Path(".benchmarks").mkdir(exist_ok=True)
    (Path(".benchmarks") / "page.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
