"""The checker's look at the journal: the whole of it now and then, and in between what has come since the last look.

Whole: the audit of a bundle made now, with the published lists, against the head seen before. Since: the head is signed
and grown from the one seen before, the new leaves are those that its tiles hash, each follows the step before it, and
the rows written with them are as they were written. What was changed in older rows the next whole round finds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlmodel import Session

from certlib.domain.verdict import Finding
from certlib.errors import VerificationError
from certlib.formats.leaf import Leaf
from certlib.formats.tlog import HASH_SIZE, leaf_hash, verify_consistency
from certlib.formats.tlog_checkpoint import Checkpoint, open_checkpoint
from certlib.formats.tlog_tiles import WIDTH
from certlib.issue.exporting import series_lists, status_lists
from certlib.issue.office import Office
from certlib.journal.journal import Journal
from certlib.register.bundle_files import bundle_files
from certlib.register.claims import stretch_claims
from certlib.register.export import export_bundle
from certlib.verify.audit import AuditTrust, audit
from certlib.verify.audit_events import Breaches, Indices, place_of
from certlib.verify.audit_heads import KEPT
from certlib.verify.audit_register import Register
from certlib.verify.bundle import STATUS, open_bundle

_LAST = "上次自查所见的检查点"
_PORTION = 8 * WIDTH  # leaves read at a time


def check_whole(office: Office, kept: str = "") -> tuple[str, list[Finding]]:
    """The audit of everything, grown from the head `kept` (a signed note): the new head, and what was found."""
    trust = AuditTrust(
        journal=office.journal.verifiers,
        witnesses=[one.verifier for one in office.witnesses],
        trust_roots=office.list_keys,
    )
    status = status_lists(office)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle"
        with office.register.reader() as session, bundle_files(path) as files:
            lists = {**series_lists(session), STATUS: status}
            head = export_bundle(session, office.journal, files, lists=lists)
        with open_bundle(path) as bundle:
            report = audit(bundle, trust, since=[kept] if kept else ())
    return head.text, [
        _finding(_LAST if one.place == KEPT.format(1) else one.place, one.message) for one in report.breaches
    ]


def check_since(office: Office, kept: str, start: int | None = None) -> tuple[str, list[Finding]]:
    """What has come since the head `kept` (a signed note), or from leaf `start` on: the head to go on from, findings.

    A look that begins beyond `kept` passes over leaves that nobody has seen: then it is gone on from `kept`.
    Raises `VerificationError` when a head is not the journal's, the journal did not merely grow, or has no `start`.
    """
    journal = office.journal
    before = open_checkpoint(kept, journal.verifiers).checkpoint if kept else None
    seen = before.size if before is not None else 0
    first = seen if start is None else start
    with office.register.reader() as session:
        text = journal.checkpoint(session)
        head = open_checkpoint(text, journal.verifiers).checkpoint
        if before is not None and before.size:
            _grown(session, journal, before, head)
        if first > head.size:
            raise VerificationError(f"日志只有 {head.size} 条，没有第 {first} 条，未检查日志。")
        found = list(_Stretch(session, journal, head.size).look(first))
    return text if first <= seen else kept, found


def _grown(session: Session, journal: Journal[Session], before: Checkpoint, head: Checkpoint) -> None:
    proof = journal.consistency(session, before.size, head.size) if head.size > before.size else ()
    verify_consistency(before.size, head.size, proof, before.root, head.root)


@dataclass(slots=True)
class _Stretch:
    """The leaves of one look, `size` being the head's; `steps` has the newest leaf of each chain met so far."""

    session: Session
    journal: Journal[Session]
    size: int
    steps: dict[bytes, bytes] = field(default_factory=dict)

    def look(self, start: int) -> Iterator[Finding]:
        """From leaf `start` on."""
        for first in range(start, self.size, _PORTION):
            bodies = self.journal.leaves(self.session, first, min(self.size, first + _PORTION))
            hashes = [leaf_hash(body) for body in bodies]
            yield from self._tiles(first, hashes)
            yield from self._leaves(first, bodies, hashes)

    def _tiles(self, first: int, hashes: Sequence[bytes]) -> Iterator[Finding]:
        """The leaves are those that the tree was made of."""
        end = first + len(hashes)
        for index in range(first // WIDTH, (end - 1) // WIDTH + 1):
            left = index * WIDTH
            tile = self.journal.tile(self.session, 0, index, min(WIDTH, self.size - left))
            for at in range(max(left, first), min(left + WIDTH, end)):
                if tile[(at - left) * HASH_SIZE : (at - left + 1) * HASH_SIZE] != hashes[at - first]:
                    yield _finding(f"日志第 {at} 条", "与日志树中的哈希不符，疑被改动")

    def _leaves(self, first: int, bodies: Sequence[bytes], hashes: Sequence[bytes]) -> Iterator[Finding]:
        """Each follows the step before it, and its rows are as they were written."""
        found = Breaches()
        register = Register(found, stretch_claims(self.session, first, bodies), Indices(found), partial=True)
        for index, (body, digest) in enumerate(zip(bodies, hashes, strict=True), start=first):
            try:
                leaf = Leaf.decode(body)
            except ValueError:
                yield _finding(f"日志第 {index} 条", "不是日志条目的唯一编码")
                continue
            if leaf.chain:
                if not self._follows(leaf, index):
                    yield _finding(place_of(index, leaf), "所指的前一步不在日志中")
                self.steps[leaf.chain] = digest
            register.take(index, leaf, 0)
        yield from (_finding(one.place, one.message) for one in found.kept)

    def _follows(self, leaf: Leaf, index: int) -> bool:
        if leaf.chain in self.steps:
            return leaf.previous == self.steps[leaf.chain]
        if leaf.step == 1:
            return not leaf.previous
        place = self.journal.index_of(self.session, leaf.previous)
        return place is not None and place < index


def _finding(place: str, message: str) -> Finding:
    return Finding("journal", "fail", f"{place}：{message}")
