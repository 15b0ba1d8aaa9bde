"""A batch on every core of this machine: processes that each open the office and claim lines by lease."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from certlib.issue.batch import batch_lines
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings

# Below this many lines starting a process costs more than it saves: 1.5 s of imports against 0.1 s a line.
_WORTH_A_PROCESS = 30
_CLAIM = 8  # lines a worker takes at a time


def run_batch(settings: Settings, lines: Sequence[Mapping[str, Any]], *, client: str) -> list[dict[str, Any]]:
    """Keep `lines` as a batch, perform them, and return every line with its outcome.

    A line that a killed process held stays `leased`; the office's worker takes it over when the lease ends.
    """
    with open_office(settings) as office:
        batch = office.add_batch(list(lines), client=client)
    processes = max(1, min(os.cpu_count() or 1, len(lines) // _WORTH_A_PROCESS))
    if processes == 1:
        work(settings, batch)
    else:
        # spawn: a forked child would share the parent's database and renderer
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            for task in [pool.submit(work, settings, batch) for _ in range(processes)]:
                task.result()
    with open_office(settings) as office:
        return batch_lines(office.register, batch, limit=len(lines))


def work(settings: Settings, batch: str) -> None:
    """Perform lines of the batch until none is left to claim."""
    with open_office(settings) as office:
        office.renderer.encoder = "zxing"  # a tenth of the time, and decodes to the same
        while office.work_batch(limit=_CLAIM, only=batch):
            pass
