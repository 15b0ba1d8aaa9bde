"""The status list: how long a shard of a million certificates takes and how large it is, and how soon a change shows.

    python -m benchmarks.bench_status [--changes 200] [--rate 500]

Building: eight shards of 131,072 entries, from pairs and from the journal's leaves as they come (two for each
certificate: planned, in force); sizes for several mixes. Showing: `certctl serve` with its worker, under citizens' load
by wrk and while certificates are issued; certificates are suspended and resumed by the service's own interface, and the
time runs from the answer to the change until a list that shows it comes back from `/public/status/0`. Results also go
to `.benchmarks/status.json`.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from benchmarks.bench_public import measured, prepared, served
from certlib.catalogue import example
from certlib.crypto.development import development_key
from certlib.formats.leaf import Leaf, statuses_of
from certlib.formats.status import SHARD_SIZE, pack, read_status_list, repack, sign_status_list
from certlib.formats.trust import TrustList, read_trust_list
from service.clients import read_key
from service.commands import DEVELOPMENT_CLIENT, development_key_file
from service.demo.caller import ApprovalSystem

SHARDS = 8
NOW = datetime(2026, 4, 1, tzinfo=UTC)
MIXES = {
    "all valid": (0.0, [0]),
    "1 % revoked": (0.01, [1]),
    "1 % in any state": (0.01, [1, 2, 3, 12, 13, 14, 15]),
    "3.3 %, mostly superseded": (0.033, [1, 2, 3, 3, 3, 3, 12, 13, 14, 14]),
    "10 %, mostly superseded": (0.1, [1, 2, 3, 3, 3, 3, 12, 13, 14, 14]),
    "30 %, mostly superseded": (0.3, [1, 2, 3, 3, 3, 3, 12, 13, 14, 14]),
}


# --- building -----------------------------------------------------------------------------------------------------


def signed(packed: bytes, shard: int) -> bytes:
    """The token of a shard."""
    return sign_status_list(
        packed,
        shard=shard,
        address=f"https://zwfw.ganzhou.example/public/status/{shard}",
        journal_size=2_000_000,
        high_water=SHARDS * SHARD_SIZE - 1,
        key=development_key("status-2026"),
        now=NOW,
    )


def entries(share: float, states: list[int], shard: int) -> Iterator[tuple[int, int]]:
    """Index and code of every certificate of a shard."""
    chance = random.Random(shard)
    for n in range(shard * SHARD_SIZE, (shard + 1) * SHARD_SIZE):
        yield n, chance.choice(states) if chance.random() < share else 0


def leaves() -> Iterator[bytes]:
    """The journal of a shard: each certificate planned, then in force."""
    for n in range(SHARD_SIZE):
        planned = Leaf(
            kind="certificate:planned", at=NOW, chain=bytes(16), step=1, commitment=bytes(32), statuses=((n, 15),)
        )
        made = Leaf(
            kind="certificate:in-force",
            at=NOW,
            chain=bytes(16),
            step=2,
            previous=bytes(32),
            statuses=((n, 0),),
            file=bytes(32),
        )
        yield planned.encode()
        yield made.encode()


def built() -> dict[str, Any]:
    """CPU seconds for each shard, from pairs and from leaves; bytes for each mix."""
    usual = MIXES["3.3 %, mostly superseded"]
    pairs = [list(entries(*usual, shard)) for shard in range(SHARDS)]
    bodies, packed = list(leaves()), pack(pairs[0], shard=0)

    def from_leaves() -> None:
        rebuilt = bytearray(pack([], shard=0))
        for body in bodies:
            repack(rebuilt, statuses_of(body), shard=0)
        signed(bytes(rebuilt), 0)

    return {
        "seconds_a_shard": [
            _timed(partial(lambda given, shard: signed(pack(given, shard=shard), shard), given, shard))
            for shard, given in enumerate(pairs)
        ],
        "seconds_from_leaves": _timed(from_leaves),
        "milliseconds_to_sign": 1000 * _timed(lambda: signed(packed, 0)),
        "bytes": {name: len(signed(pack(entries(*mix, 0), shard=0), 0)) for name, mix in MIXES.items()},
    }


def _timed(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


# --- showing ------------------------------------------------------------------------------------------------------


class Reader:
    """Asks for the first shard on one connection, with its tag, as a page does."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        self._tag = ""

    def get(self, path: str = "/public/status/0") -> bytes | None:
        """The list when it is another than before."""
        self._connection.request("GET", path, headers={"If-None-Match": self._tag})
        response = self._connection.getresponse()
        data = response.read()
        if response.status != 200:
            return None
        self._tag = response.headers["etag"]
        return data


def order(number: int) -> dict[str, Any]:
    """Another authority's document, by which a licence is taken and given back."""
    return {
        "kind": "other-authority",
        "authority": "赣州市市场监督管理局",
        "document_number": f"赣市监罚〔2026〕{number}号",
        "decided_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
        "file_sha256": "0" * 64,
        "grounds": "责令停业整顿",
    }


@contextmanager
def issuing(system: ApprovalSystem) -> Iterator[None]:
    """Issue certificates one after the other in the background."""
    ended = threading.Event()

    def run() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            request = {**example("2-25", now=datetime.now(UTC), variant=number), "case": {"number": f"LOAD-{number}"}}
            system.issue(request, key=f"load-{number}")

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    ended.set()
    thread.join(30)


def shown(address: str, trust: TrustList, changes: int) -> list[float]:
    """Milliseconds from the answer to each change until the list shows it."""
    key = read_key(development_key_file(DEVELOPMENT_CLIENT))
    times = []
    with (
        ApprovalSystem(address, DEVELOPMENT_CLIENT, key) as system,
        ApprovalSystem(address, DEVELOPMENT_CLIENT, key) as other,
    ):
        request = {**example("2-25", now=datetime.now(UTC), variant=7), "case": {"number": "CHANGED-1"}}
        certificate = system.issue(request, key="changed")
        reader = Reader(address)
        with issuing(other):
            for number in range(changes):
                action, cause, code = (("suspend", "penalty", 2), ("resume", "lifted", 0))[number % 2]
                body = {"decision": order(number), "cause": cause}
                system.act(certificate["identifier"], action, body, key=f"act-{number}")
                began = time.perf_counter()
                while _code(reader, trust, certificate["n"]) != code:
                    time.sleep(0.005)
                times.append(1000 * (time.perf_counter() - began))
                time.sleep(random.uniform(0, 0.3))
    return times


_LAST: dict[int, int | None] = {}


def _code(reader: Reader, trust: TrustList, n: int) -> int | None:
    data = reader.get()
    if data is not None:
        _LAST[n] = read_status_list(data, trust).status(n)
    return _LAST.get(n)


def watched(changes: int, rate: float) -> dict[str, Any]:
    """The service under load, and the times of the changes."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        code = prepared(home)
        roots = [development_key(label).public_key for label in ("trust-2026", "trust-p256-2026")]
        with served(home) as address:
            trust = read_trust_list(Reader(address).get("/public/trust") or b"", roots)
            found: dict[str, Any] = {}
            load = threading.Thread(
                target=lambda: found.update(measured(address, code, home, rate=rate, seconds=max(30, changes // 2)))
            )
            load.start()
            time.sleep(2)
            times = sorted(shown(address, trust, changes))
            load.join()
    shares = {"p50": 0.5, "p99": 0.99, "most": 1.0}
    at = {name: times[min(len(times) - 1, int(share * len(times)))] for name, share in shares.items()}
    return {"changes": changes, "milliseconds": at, "load": found}


def show(result: Mapping[str, Any]) -> None:
    """Both parts as tables."""
    made, seen = result["built"], result["shown"]
    table = Table("mix of a shard", "bytes of its token", title="131,072 entries")
    for name, size in made["bytes"].items():
        table.add_row(name, f"{size:,}")
    each, times, load = made["seconds_a_shard"], seen["milliseconds"], seen["load"]
    Console(width=110).print(
        table,
        f"a shard from pairs: {max(each):.2f} s CPU at most, 1,048,576 entries {sum(each):.2f} s",
        f"a shard from its 262,144 leaves: {made['seconds_from_leaves']:.2f} s",
        f"signed anew after a change: {made['milliseconds_to_sign']:.0f} ms",
        f"a change shows after: p50 {times['p50']:.0f} ms, p99 {times['p99']:.0f} ms, most {times['most']:.0f} ms",
        f"({seen['changes']} changes beside {load['requests'] / load['seconds']:.0f} requests/s and issuing)",
        sep="\n",
    )


def main() -> None:
    """Measure, show and keep."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--changes", type=int, default=200)
    options.add_argument("--rate", type=float, default=500)
    chosen = options.parse_args()
    result = {"built": built(), "shown": watched(chosen.changes, chosen.rate)}
    show(result)
    Path(".benchmarks").mkdir(exist_ok=True)
    Path(".benchmarks/status.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
