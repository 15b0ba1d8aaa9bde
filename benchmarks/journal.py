"""What the journal costs: appending, numbering, and the audit of a million events.

    python benchmarks/journal.py [--events 1000000] [--database sqlite:///…|postgresql://…]

Prints CPU time and peak memory; nothing here is asserted.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlmodel import SQLModel

from certlib.crypto.keys import PemKey
from certlib.formats.leaf import Leaf
from certlib.formats.tlog import CompactRange, leaf_hash
from certlib.formats.tlog_chain import next_link
from certlib.formats.tlog_checkpoint import Checkpoint
from certlib.formats.tlog_note import COSIGNATURE, Note, NoteKey
from certlib.formats.tlog_tiles import ENTRIES, WIDTH, TilePlace, join_entries
from certlib.journal.journal import journal_keys
from certlib.journal.tree import grown_tiles
from certlib.register.engine import make_engine, reader, writer
from certlib.register.journal_store import sql_journal
from certlib.register.journal_tables import APPEND_ONLY
from certlib.verify.audit import AuditTrust, audit
from certlib.verify.bundle import open_bundle

ORIGIN = "journal.ganzhou.example/benchmark"
START = datetime(2026, 1, 1, tzinfo=UTC)
SEAL = "36070000000002"
HEAD_EVERY = 256 * 25  # leaves
PER_CERTIFICATE = 3  # leaves


def key(seed: bytes) -> PemKey:
    """A fixed Ed25519 key."""
    private = Ed25519PrivateKey.from_private_bytes(seed * 32)
    return PemKey.load(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), name="benchmark")


KEYS = journal_keys(ORIGIN, key(b"j"))
WITNESSES = tuple(NoteKey.of(f"witness-{name}", key(name.encode()), COSIGNATURE) for name in "ab")


def leaves(count: int) -> Iterator[Leaf]:
    """A year of issuing: each certificate planned, sealed, in force; two indices each."""
    for number in range(count // PER_CERTIFICATE + 1):
        at = START + timedelta(seconds=number)
        chain, n = hashlib.sha256(b"%d" % number).digest()[:16], 2 * number + 1
        commitment = hashlib.sha256(chain).digest()
        file = hashlib.sha256(commitment).digest()
        planned = Leaf(
            kind="certificate:planned",
            at=at,
            chain=chain,
            step=1,
            commitment=commitment,
            statuses=((n, 15), (n + 1, 15)),
        )
        yield planned
        yield Leaf(kind="seal:used", at=at, seal=SEAL, use=number + 1, file=file)
        yield Leaf(
            kind="certificate:in-force",
            at=at,
            chain=chain,
            step=2,
            previous=leaf_hash(planned.encode()),
            statuses=((n, 0), (n + 1, 0)),
            file=file,
        )


def lines(index: int, leaf: Leaf) -> dict[str, object]:
    """The register's rows of a leaf."""
    n = 2 * (index // PER_CERTIFICATE) + 1
    if leaf.kind == "seal:used":
        row = {"seal": leaf.seal, "use": leaf.use, "state": "used", "sha256": leaf.file.hex()}
        return {"seq": index, "use": row}
    if leaf.kind == "certificate:planned":
        row = {"key": f"{n:032x}", "commitment": leaf.commitment.hex(), "indices": [n, n + 1]}
        return {"seq": index, "intent": row}
    commitment = hashlib.sha256(leaf.chain).hexdigest()
    return {
        "seq": index,
        "event": {"key": f"{n}/1", "at": round(leaf.at.timestamp() * 1000)},
        "file": {"sha256": leaf.file.hex(), "n": n},
        "outcome": {"key": f"{n}/1", "n": n, "commitment": commitment},
    }


def write_bundle(folder: Path, count: int) -> None:
    """A bundle of `count` events with a cosigned head every 6,400."""
    tree, tiles, batch, done = CompactRange(), dict[tuple[int, int], bytes](), list[Leaf](), 0
    head, cosigned = None, list[tuple[int, str]]()
    with (folder / "register.jsonl").open("w") as register, (folder / "checkpoints.jsonl").open("w") as heads:
        for leaf in leaves(count):
            batch.append(leaf)
            if len(batch) < WIDTH and done + len(batch) < count:
                continue
            entries = [one.encode() for one in batch]
            hashes = [leaf_hash(entry) for entry in entries]
            place = TilePlace(ENTRIES, done // WIDTH, len(batch))
            _write(folder / place.path, join_entries(entries))
            tiles |= grown_tiles(done, hashes, partial(_tile, tiles))
            register.writelines(json.dumps(lines(done + at, one)) + "\n" for at, one in enumerate(batch))
            tree.extend(hashes)
            done += len(batch)
            batch = []
            if done % HEAD_EVERY == 0 or done == count:
                at = leaf.at + timedelta(seconds=1)
                head = Checkpoint(ORIGIN, done, tree.root(), next_link(head, cosigned).lines)
                signed = Note(head.text).signed(*KEYS, *WITNESSES, at=at)
                cosigned = [(done, str(line)) for line in signed.signatures[-len(WITNESSES) :]]
                note = signed.encode()
                heads.write(json.dumps({"note": note}) + "\n")
            if done == count:
                break
    (folder / "checkpoint").write_text(note)
    for (level, index), data in tiles.items():
        _write(folder / TilePlace(level, index, len(data) // 32).path, data)


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
    trust = AuditTrust(journal=[one.verifier for one in KEYS], witnesses=[one.verifier for one in WITNESSES])
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
