"""What it costs to find ten differences among a million records: seconds, bytes exchanged, memory.

    python -m benchmarks.reconcile [--records 1000000]

Both sides are synthetic but real in form: our register's table of deliveries and the mock repository's database.
Prints JSON; nothing here is asserted.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlmodel import SQLModel

from certlib.city.client import DEVELOPMENT_SECRET, CityClient
from certlib.city.reconcile import Kind, reconcile
from certlib.register.deliveries import SqlDeliveries
from certlib.register.delivery_table import DeliveryRow
from certlib.register.engine import make_engine
from city_repository import ranges
from city_repository.app import create_app
from city_repository.serving import served
from city_repository.settings import RepositorySettings

ACCOUNT = "rongjiang-certlib"
MOMENT = "2026-01-05 02:00:00.000000"
DIFFERENCES = {"missing": range(3), "stale": range(3, 6), "changed": range(6, 8), "foreign": range(8, 10)}


def now() -> datetime:
    """The moment."""
    return datetime.now(UTC)


def chain(number: int) -> str:
    """The certificate with that number."""
    return f"11360700MB1A2B3CX8901.11360700MB1A2B3CX8.2026{number:09}"


def digest(number: int, sequence: int) -> str:
    """The digest of an event."""
    return hashlib.sha256(b"%d %d" % (number, sequence)).hexdigest()


def ours(records: int) -> Iterator[tuple[Any, ...]]:
    """Our rows: one event each, two where the second is to be missing there; none for what is foreign."""
    for number in range(records):
        if number in DIFFERENCES["foreign"]:
            continue
        for sequence in (1, 2) if number in DIFFERENCES["stale"] else (1,):
            key = chain(number)
            fixed = ("issue", key, "2026-01-05", "{}", "", 0, 0, "done", MOMENT, "", 1, 0, "", "{}")
            yield ("city", key, sequence, *fixed, digest(number, sequence), MOMENT)


def theirs(records: int) -> Iterator[tuple[str, str]]:
    """Their certificates with the digest of their one event."""
    for number in range(records):
        if number not in DIFFERENCES["missing"]:
            yield chain(number), digest(number, 99 if number in DIFFERENCES["changed"] else 1)


def fill_register(path: Path, records: int) -> SqlDeliveries:
    """Our side."""
    engine = make_engine(f"sqlite:///{path}")
    SQLModel.metadata.create_all(engine, tables=[SQLModel.metadata.tables[DeliveryRow.__tablename__]])
    columns = (
        "target, certificate, sequence, operation, identifier, day, message, file, urgent, repair, state, available_at,"
        " lease_owner, attempts, failures, last_error, answer, digest, created_at"
    )
    with sqlite3.connect(path) as connection:
        connection.executemany(f"INSERT INTO delivery ({columns}) VALUES ({', '.join('?' * 19)})", ours(records))
    return SqlDeliveries(engine, lambda _: b"")


def fill_city(path: Path, records: int) -> None:
    """Their side."""
    buckets: dict[int, list[bytes]] = {}
    connection = sqlite3.connect(path)
    with connection:
        for base, held in theirs(records):
            bucket, leaf = ranges.bucket_of(base), ranges.leaf(base, [(1, held)])
            buckets.setdefault(bucket, []).append(leaf)
            connection.execute(
                "INSERT INTO record VALUES (?, ?, ?, 1, '', '', '', '', '', '01', '', 1, '[]', '{}', '', ?, ?, '')",
                (base, ACCOUNT, base, bucket, leaf),
            )
            connection.execute(
                "INSERT INTO event VALUES (?, 1, ?, ?, '01', '01', '{}', ?, '', '2026-01-05', '', '')",
                (base, ACCOUNT, base, held),
            )
        rows = ((ACCOUNT, number, len(leaves), ranges.node(sorted(leaves))) for number, leaves in buckets.items())
        connection.executemany("INSERT INTO bucket VALUES (?, ?, ?, ?)", rows)
    connection.close()


def measure(records: int) -> dict[str, Any]:
    """Compare both sides once."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        app = create_app(RepositorySettings(home=folder / "city", examine=False))
        fill_city(folder / "city" / "city.db", records)
        queue = fill_register(folder / "register.db", records)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with served(app) as url:
            client = CityClient(url, account=ACCOUNT, secret=DEVELOPMENT_SECRET, clock=now, timeout=60)
            began, used = time.monotonic(), time.process_time()
            found = reconcile(queue, client, now=now())
            took, used = time.monotonic() - began, time.process_time() - used
    return {
        "records": records,
        "seconds": round(took, 1),
        "cpu_seconds": round(used, 1),
        "bytes": client.traffic.sent + client.traffic.received,
        "calls": client.traffic.calls,
        "found": {kind.value: found.count(kind) for kind in Kind},
        "memory_mb": round((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024),
        "load": os.getloadavg()[0],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    print(json.dumps(measure(parser.parse_args().records)))


if __name__ == "__main__":
    main()
