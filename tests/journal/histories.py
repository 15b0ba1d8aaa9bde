"""A city's journal made in memory, honest or forged, and the bundle an office would export of it.

An attacker here holds the journal's key and the database, and rebuilds everything to fit: chains, tiles, heads,
status lists, register lines. What is out of reach are the witnesses' keys and what the auditor kept from before.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certlib.crypto.keys import PemKey
from certlib.crypto.suites import SUITES
from certlib.formats.leaf import Leaf
from certlib.formats.seal_list import SealList, sign_seal_list
from certlib.formats.status import pack, sign_status_list
from certlib.formats.tlog import leaf_hash, tree_root
from certlib.formats.tlog_chain import next_link
from certlib.formats.tlog_checkpoint import Checkpoint
from certlib.formats.tlog_note import COSIGNATURE, Note, NoteKey
from certlib.formats.tlog_tiles import ENTRIES, join_entries, tiles_of
from certlib.formats.trust import Names, TrustedKey, TrustList, sign_trust_list
from certlib.journal.journal import journal_keys
from certlib.verify.audit import AuditReport, AuditTrust, audit
from certlib.verify.audit_register import rows_of
from certlib.verify.bundle import open_bundle

ORIGIN = "journal.ganzhou.example/certificates"
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
SEAL = "36070000000002"


def ed25519(seed: bytes) -> PemKey:
    key = Ed25519PrivateKey.from_private_bytes(seed * 32)
    return PemKey.load(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), name="test")


def generated(suite: str) -> PemKey:
    key = SUITES[suite].generate()
    return PemKey.load(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), name="test")


JOURNAL = journal_keys(ORIGIN, ed25519(b"j"))
WITNESSES = tuple(
    NoteKey.of(name, ed25519(seed), COSIGNATURE) for name, seed in (("witness-archive", b"w"), ("witness-audit", b"v"))
)
TRUST_KEY, STATUS_KEY = ed25519(b"t"), generated("p256-sha256")
TRUST = AuditTrust(
    journal=[key.verifier for key in JOURNAL],
    witnesses=[key.verifier for key in WITNESSES],
    trust_roots=[TRUST_KEY.public_key],
)


def digest(*parts: object) -> bytes:
    return hashlib.sha256(repr(parts).encode()).digest()


@dataclass
class City:
    """A journal: its leaves in order, and after how many leaves a head was signed, when, by which witnesses."""

    leaves: list[Leaf] = field(default_factory=list)
    heads: list[tuple[int, datetime, bool]] = field(default_factory=list)
    open_uses: list[tuple[str, int]] = field(default_factory=list)

    # --- honest life -----------------------------------------------------------------------------------------------

    def add(self, leaf: Leaf) -> None:
        self.leaves.append(leaf)

    def link(self, chain: str, kind: str, at: datetime, **parts: Any) -> None:
        """The next leaf of a chain."""
        own = [leaf for leaf in self.leaves if leaf.chain == chain_name(chain)]
        previous = leaf_hash(own[-1].encode()) if own else b""
        self.add(Leaf(kind=kind, at=at, chain=chain_name(chain), step=len(own) + 1, previous=previous, **parts))

    def issue(self, number: int, at: datetime) -> None:
        """A certificate with a file and one sheet."""
        chain, n = f"c{number}", 2 * number + 1
        commitment, file = digest("facts", number), digest("file", number)
        self.link(chain, "certificate:planned", at, commitment=commitment, statuses=((n, 15), (n + 1, 15)))
        self.add(Leaf(kind="seal:used", at=at, seal=SEAL, use=self.uses + 1, file=file))
        self.link(chain, "certificate:in-force", at, statuses=((n, 0), (n + 1, 0)), file=file)

    def revoke(self, number: int, at: datetime) -> None:
        n = 2 * number + 1
        self.link(f"c{number}", "certificate:revoked", at, statuses=((n, 1), (n + 1, 1)))

    def head(self, at: datetime, *, witnessed: bool = True) -> None:
        self.heads.append((len(self.leaves), at, witnessed))

    @property
    def uses(self) -> int:
        return sum(1 for leaf in self.leaves if leaf.use)

    # --- forging ---------------------------------------------------------------------------------------------------

    def relink(self) -> None:
        """Make steps and previous hashes of every chain, and what was published, fit again."""
        ends: dict[bytes, tuple[int, bytes]] = {}
        for at, leaf in enumerate(self.leaves):
            if leaf.chain:
                step, previous = ends.get(leaf.chain, (0, b""))
                leaf = self.leaves[at] = leaf._replace(step=step + 1, previous=previous)  # noqa: PLW2901
                ends[leaf.chain] = (step + 1, leaf_hash(leaf.encode()))
            elif leaf.kind == "status:published":
                self.leaves[at] = leaf._replace(commitment=self.packed_digest(at))

    def index(self, kind: str, chain: str = "") -> int:
        """Where the first leaf of a kind (and chain) stands."""
        return next(
            at
            for at, leaf in enumerate(self.leaves)
            if leaf.kind == kind and (not chain or leaf.chain == chain_name(chain))
        )

    # --- publishing ------------------------------------------------------------------------------------------------

    def notes(self) -> list[str]:
        """The heads, each naming the one before and its cosignatures."""
        notes: list[str] = []
        before, cosigned = None, list[tuple[int, str]]()
        for size, at, witnessed in self.heads:
            root = tree_root([leaf_hash(leaf.encode()) for leaf in self.leaves[:size]])
            before = Checkpoint(ORIGIN, size, root, next_link(before, cosigned).lines)
            plain = Note(before.text).signed(*JOURNAL, at=at)
            note = plain.signed(*(WITNESSES if witnessed else ()), at=at + timedelta(seconds=2))
            cosigned = [(size, str(line)) for line in note.signatures[len(plain.signatures) :]]
            notes.append(note.encode())
        return notes

    def export(self, folder: Path) -> Path:
        """Write the bundle an office would export, at the newest head."""
        size, at, _ = self.heads[-1]
        notes = self.notes()
        write(folder / "checkpoint", notes[-1].encode())
        write_lines(folder / "checkpoints.jsonl", [{"note": note} for note in notes])
        entries = [leaf.encode() for leaf in self.leaves[:size]]
        hashes = [leaf_hash(entry) for entry in entries]
        for place in tiles_of(size):
            start, span = place.index * 256, 256 ** max(place.level, 0)
            here = range(start, start + place.width)
            data = (
                join_entries(entries[start : start + place.width])
                if place.level == ENTRIES
                else b"".join(tree_root(hashes[slot * span : (slot + 1) * span]) for slot in here)
            )
            write(folder / place.path, data)
        write_lines(folder / "register.jsonl", self.register(size))
        codes = self.codes(size)
        write_lines(folder / "standing.jsonl", [{"n": n, "code": code} for n, code in sorted(codes.items())])
        write_lines(folder / "published.jsonl", self.publications(size))
        told = {leaf.commitment for leaf in self.leaves[:size] if leaf.kind.endswith(":published")}
        for place, data in (("trust", trust_list()), ("seals", seal_list())):
            if hashlib.sha256(data).digest() in told:
                write(folder / place / "0001.json", data)
        write(folder / "status" / "0.cwt", self.status_list(size, at))
        return folder

    def publish(self, at: datetime) -> None:
        """Tell of the statuses as they are now."""
        self.add(Leaf(kind="status:published", at=at, commitment=self.packed_digest(len(self.leaves))))

    def packed_digest(self, size: int) -> bytes:
        return hashlib.sha256(pack(self.codes(size).items(), shard=0)).digest()

    def publications(self, size: int) -> list[dict[str, Any]]:
        told = [seq for seq, leaf in enumerate(self.leaves[:size]) if leaf.kind == "status:published"]
        return [{"seq": seq, "shard": 0, "size": seq} for seq in told]

    def codes(self, size: int) -> dict[int, int]:
        return {n: code for leaf in self.leaves[:size] for n, code in leaf.statuses}

    def status_list(self, size: int, at: datetime) -> bytes:
        codes = self.codes(size)
        return sign_status_list(
            pack(codes.items(), shard=0),
            shard=0,
            address="https://journal.ganzhou.example/public/status/0",
            journal_size=size,
            high_water=max(codes, default=0),
            key=STATUS_KEY,
            now=at,
        )

    def register(self, size: int) -> list[dict[str, Any]]:
        lines = []
        for seq, leaf in enumerate(self.leaves[:size]):
            rows = {row: self.row(row, leaf) for row in rows_of(leaf)}
            if rows:
                lines.append({"seq": seq, **rows})
        reserved = {"seq": None, "row": "use", "state": "reserved"}
        return lines + [reserved | {"seal": seal, "use": use} for seal, use in self.open_uses]

    def row(self, row: str, leaf: Leaf) -> dict[str, Any]:
        planned = next((own for own in self.leaves if own.chain == leaf.chain and own.kind.endswith(":planned")), leaf)
        n = min((n for n, _ in planned.statuses), default=0)
        return {
            "intent": {
                "key": "i",
                "commitment": leaf.commitment.hex(),
                "indices": [index for index, _ in leaf.statuses],
            },
            "event": {"key": "e", "at": round(leaf.at.timestamp() * 1000)},
            "file": {"sha256": leaf.file.hex(), "n": n},
            "outcome": {"key": "o", "n": n, "commitment": planned.commitment.hex()},
            "use": {
                "seal": leaf.seal,
                "use": leaf.use,
                "state": leaf.kind.removeprefix("seal:"),
                "sha256": leaf.file.hex(),
            },
        }[row]


def chain_name(chain: str) -> bytes:
    return digest("chain", chain)[:16]


def seal_list(seq: int = 1) -> bytes:
    return sign_seal_list(SealList(seq=seq, issued=START, seals=()), [TRUST_KEY])


def trust_list(seq: int = 1) -> bytes:
    issuer = Names("赣州市", "Ganzhou")
    content = TrustList(
        seq=seq,
        issued=START,
        keys=(TrustedKey(public_key=STATUS_KEY.public_key, uses=("status",), issuer=issuer),),
        types={},
        issuers={1: issuer},
        host="journal.ganzhou.example",
    )
    return sign_trust_list(content, [TRUST_KEY])


def a_day() -> City:
    """Thirty certificates in an hour and a half, one revoked and one voided plan, a head every ten minutes."""
    city = City()
    city.head(START)
    for number in range(30):
        at = START + timedelta(minutes=3 * number + 1)
        city.issue(number, at)
        if number == 11:
            city.add(Leaf(kind="seal:released", at=at, seal=SEAL, use=city.uses + 1))
        if number == 20:
            city.revoke(4, at)
        if number % 5 == 4:
            city.head(at + timedelta(seconds=30), witnessed=number % 10 == 9)
    city.link("plan", "certificate:planned", START + timedelta(minutes=90), commitment=digest(0), statuses=((61, 15),))
    city.link("plan", "certificate:plan-voided", START + timedelta(minutes=91))
    at = START + timedelta(minutes=91)
    for kind, data in (("trust:published", trust_list()), ("seals:published", seal_list())):
        city.add(Leaf(kind=kind, at=at, commitment=hashlib.sha256(data).digest()))
    city.publish(at)
    city.head(START + timedelta(minutes=92))
    return city


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    write(path, b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines))


def examine(
    path: Path,
    *,
    since: tuple[str, ...] = (),
    quorum: int = 2,
    trust: AuditTrust = TRUST,
    files: Mapping[str, bytes] = MappingProxyType({}),
) -> AuditReport:
    with open_bundle(path) as bundle:
        return audit(bundle, trust, since=since, quorum=quorum, files=files)


def failed(report: AuditReport) -> set[str]:
    return {finding.check for finding in report.findings if finding.outcome == "fail"}
