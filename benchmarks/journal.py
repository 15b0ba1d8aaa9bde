"""What the journal costs: appending, numbering, and the audit of a million events.

    python benchmarks/journal.py [--events 1000000] [--database sqlite:///…|postgresql://…]

Prints CPU time and peak memory; nothing here is asserted.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlmodel import SQLModel

from certlib.crypto.development import development_key
from certlib.crypto.keys import PemKey
from certlib.formats.leaf import Leaf
from certlib.formats.seal_list import ListedSeal, SealList, sign_seal_list
from certlib.formats.status import SHARD_SIZE, shard_of, sign_status_list
from certlib.formats.tlog import CompactRange, leaf_hash
from certlib.formats.tlog_chain import next_link
from certlib.formats.tlog_checkpoint import Checkpoint
from certlib.formats.tlog_note import COSIGNATURE, Note, NoteKey
from certlib.formats.tlog_tiles import ENTRIES, WIDTH, TilePlace, join_entries
from certlib.formats.trust import Names, TrustedKey, TrustList, sign_trust_list
from certlib.journal.journal import journal_keys
from certlib.journal.tree import grown_tiles
from certlib.register.engine import make_engine, reader, writer
from certlib.register.journal_store import sql_journal
from certlib.register.journal_tables import APPEND_ONLY
from certlib.verify.audit import AuditTrust, audit
from certlib.verify.audit_events import Breaches, Indices
from certlib.verify.bundle import PUBLISHED, STANDING, open_bundle

ORIGIN = "journal.ganzhou.example/benchmark"
START = datetime(2026, 1, 1, tzinfo=UTC)
SEAL = "36070000000002"
HEAD_EVERY = 256 * 25  # leaves
PUBLISHED_EVERY = 1024  # leaves: some six minutes of this story
SERIES = 12
ROOT, STATUS_KEY = development_key("trust-2026"), development_key("status-2026")


def key(seed: bytes) -> PemKey:
    """A fixed Ed25519 key."""
    private = Ed25519PrivateKey.from_private_bytes(seed * 32)
    return PemKey.load(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), name="benchmark")


KEYS = journal_keys(ORIGIN, key(b"j"))
WITNESSES = tuple(NoteKey.of(f"witness-{name}", key(name.encode()), COSIGNATURE) for name in "ab")


Event = tuple[Leaf, dict[str, object]]
"""A leaf, and the rows of the register that belong to it."""


class Story:
    """Some days of issuing: each certificate planned, sealed, in force, two indices each; and what is published.

    Every `PUBLISHED_EVERY` leaves the status lists that changed are published, `SERIES` times over the whole a trust
    list and a seal list.
    """

    def __init__(self, count: int) -> None:
        self._count, self._number, self._index = count, 0, 0
        self.indices = Indices(Breaches())
        self.lists: dict[str, bytes] = {}  # by place in the bundle
        self.published: list[dict[str, int]] = []
        self._from, self.at = 0, START

    def events(self) -> Iterator[Event]:
        """As many as asked for."""
        made = itertools.chain.from_iterable(self._rounds())
        for leaf, rows in itertools.islice(made, self._count):
            if leaf.statuses:
                self.indices.take(self._index, leaf, self._number)
            self._index, self.at = self._index + 1, leaf.at
            yield leaf, rows

    def _rounds(self) -> Iterator[Iterator[Event]]:
        while True:
            if self._index // PUBLISHED_EVERY > self._from // PUBLISHED_EVERY:
                yield self._statuses()
            if self._index * SERIES // self._count >= len(self.lists) // 2:
                yield self._series()
            self._number += 1
            yield self._certificate(self._number - 1)

    def _certificate(self, number: int) -> Iterator[Event]:
        at = START + timedelta(seconds=number)
        chain, n = hashlib.sha256(b"%d" % number).digest()[:16], 2 * number + 1
        commitment = hashlib.sha256(chain).digest()
        file = hashlib.sha256(commitment).digest()
        statuses = ((n, 15), (n + 1, 15))
        kind = "certificate:planned"
        planned = Leaf(kind=kind, at=at, chain=chain, step=1, commitment=commitment, statuses=statuses)
        yield planned, {"intent": {"key": f"{n:032x}", "commitment": commitment.hex(), "indices": [n, n + 1]}}
        used = Leaf(kind="seal:used", at=at, seal=SEAL, use=number + 1, file=file)
        yield used, {"use": {"seal": SEAL, "use": number + 1, "state": "used", "sha256": file.hex()}}
        yield (
            Leaf(
                kind="certificate:in-force",
                at=at,
                chain=chain,
                step=2,
                previous=leaf_hash(planned.encode()),
                statuses=((n, 0), (n + 1, 0)),
                file=file,
            ),
            {
                "event": {"key": f"{n}/1", "at": round(at.timestamp() * 1000)},
                "file": {"sha256": file.hex(), "n": n},
                "outcome": {"key": f"{n}/1", "n": n, "commitment": commitment.hex()},
            },
        )

    def _statuses(self) -> Iterator[Event]:
        size, last = self._index, shard_of(self.indices.high_water)
        first = min(last, shard_of(max(self.indices.high_water - PUBLISHED_EVERY, 0)))
        self._from = size
        for shard in range(first, last + 1):
            self.published.append({"seq": self._index, "shard": shard, "size": size})
            yield self._leaf("status:published", self.indices.packed(shard, SHARD_SIZE))

    def _series(self) -> Iterator[Event]:
        seq = len(self.lists) // 2 + 1
        key = TrustedKey(public_key=STATUS_KEY.public_key, uses=("status",), issuer=Names("赣州市"))
        trust = TrustList(seq=seq, issued=self.at, host="zwfw.example.gov.cn", keys=(key,))
        self.lists[f"trust/{seq:06}.json"] = sign_trust_list(trust, [ROOT])
        ends = START + timedelta(days=1000)
        seals = tuple(
            ListedSeal(
                sha256=hashlib.sha256(b"%d" % one).digest(), seal=SEAL, name="章", english="", since=START, until=ends
            )
            for one in range(40)
        )
        self.lists[f"seals/{seq:06}.json"] = sign_seal_list(SealList(seq=seq, issued=self.at, seals=seals), [ROOT])
        for kind in ("trust", "seals"):
            yield self._leaf(f"{kind}:published", self.lists[f"{kind}/{seq:06}.json"])

    def _leaf(self, kind: str, data: bytes) -> Event:
        return Leaf(kind=kind, at=self.at, commitment=hashlib.sha256(data).digest()), {}

    def status_lists(self) -> Iterator[tuple[str, bytes]]:
        """Those of the end, by place in the bundle."""
        high_water = self.indices.high_water
        for shard in range(shard_of(high_water) + 1):
            yield (
                f"status/{shard}",
                sign_status_list(
                    self.indices.packed(shard, SHARD_SIZE),
                    shard=shard,
                    address=f"https://zwfw.example.gov.cn/public/status/{shard}",
                    journal_size=self._count,
                    high_water=high_water,
                    key=STATUS_KEY,
                    now=self.at,
                ),
            )


def leaves(count: int) -> Iterator[Leaf]:
    """The leaves alone."""
    return (leaf for leaf, _ in Story(count).events())


def write_bundle(folder: Path, count: int) -> None:
    """A bundle of `count` events with a cosigned head every 6,400, and all that a bundle holds besides."""
    tree, tiles, batch, done = CompactRange(), dict[tuple[int, int], bytes](), list[Event](), 0
    head, cosigned, story = None, list[tuple[int, str]](), Story(count)
    with (folder / "register.jsonl").open("w") as register, (folder / "checkpoints.jsonl").open("w") as heads:
        for event in story.events():
            batch.append(event)
            if len(batch) < WIDTH and done + len(batch) < count:
                continue
            entries = [leaf.encode() for leaf, _ in batch]
            hashes = [leaf_hash(entry) for entry in entries]
            place = TilePlace(ENTRIES, done // WIDTH, len(batch))
            _write(folder / place.path, join_entries(entries))
            tiles |= grown_tiles(done, hashes, partial(_tile, tiles))
            register.writelines(
                json.dumps({"seq": done + at, **rows}) + "\n" for at, (_, rows) in enumerate(batch) if rows
            )
            tree.extend(hashes)
            done += len(batch)
            batch = []
            if done % HEAD_EVERY == 0 or done == count:
                at = story.at + timedelta(seconds=1)
                head = Checkpoint(ORIGIN, done, tree.root(), next_link(head, cosigned).lines)
                signed = Note(head.text).signed(*KEYS, *WITNESSES, at=at)
                cosigned = [(done, str(line)) for line in signed.signatures[-len(WITNESSES) :]]
                note = signed.encode()
                heads.write(json.dumps({"note": note}) + "\n")
    (folder / "checkpoint").write_text(note)
    for (level, index), data in tiles.items():
        _write(folder / TilePlace(level, index, len(data) // 32).path, data)
    for place, data in (*story.lists.items(), *story.status_lists()):
        _write(folder / place, data)
    codes = enumerate(story.indices.codes[: story.indices.high_water + 1])
    _write_lines(folder / STANDING, ({"n": n, "code": code} for n, code in codes if story.indices.owner(n)))
    _write_lines(folder / PUBLISHED, story.published)


def _write_lines(path: Path, lines: Iterable[object]) -> None:
    with path.open("w") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def _tile(tiles: dict[tuple[int, int], bytes], level: int, index: int) -> bytes:
    return tiles.get((level, index), b"")


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def timed(name: str, count: int, work: Callable[[], object]) -> None:
    """Run `work` and print what it cost for each of `count`."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"{name}: {cpu / count * 1e6:.1f} us CPU each, {count / wall:,.0f} a second (wall)")


def database(address: str, count: int) -> None:
    """Append, number and prove in a database."""
    engine = make_engine(address)
    tables = [SQLModel.metadata.tables[name] for name in APPEND_ONLY]
    SQLModel.metadata.drop_all(engine, tables=tables)
    SQLModel.metadata.create_all(engine, tables=tables)
    journal = sql_journal(ORIGIN, KEYS)
    prepared = [leaf for leaf, _ in zip(leaves(count), range(count), strict=False)]

    def append() -> None:
        with writer(engine) as session:
            for leaf in prepared:
                journal.append(session, leaf)

    def sequence() -> None:
        with writer(engine) as session:
            journal.sequence(session, prepared[-1].at, limit=count)

    def prove() -> None:
        with reader(engine) as session:
            for index in range(0, count, count // 200):
                journal.proof_text(session, index)

    timed("append", count, append)
    timed("sequence", count, sequence)
    timed("proof", 200, prove)
    engine.dispose()


def examine(folder: Path) -> None:
    """Audit a bundle; runs in a process of its own, so that the peak memory is the audit's."""
    trust = AuditTrust(
        journal=[one.verifier for one in KEYS],
        witnesses=[one.verifier for one in WITNESSES],
        trust_roots=[ROOT.public_key],
    )
    cpu = time.process_time()
    with open_bundle(folder) as bundle:
        report = audit(bundle, trust, quorum=2)
    cpu = time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"audit of {report.size:,} events: {cpu:.1f} s CPU, {peak:.0f} MB, holds: {report.holds}")
    for finding in report.findings:
        print(f"  {finding.outcome:8} {finding.detail}")


def main() -> None:
    """Run all of it, or only the audit of a bundle made before."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--database", default="")
    parser.add_argument("--bundle", type=Path)
    options = parser.parse_args()
    if options.bundle:
        examine(options.bundle)
        return
    with tempfile.TemporaryDirectory() as folder:
        database(options.database or f"sqlite:///{folder}/journal.db", min(options.events, 100_000))
        bundle = Path(folder) / "bundle"
        bundle.mkdir()
        write_bundle(bundle, options.events)
        command = [sys.executable, __file__, "--bundle", str(bundle)]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})


if __name__ == "__main__":
    main()
