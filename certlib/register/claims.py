"""What the register says of each leaf of the journal: the lines of `register.jsonl` (see `verify.audit_register`).

The leaves are read in portions; for each portion the rows that belong to it are looked up by what the leaves name:
indices, digests of files, counters of seals, and the leaf hash that an event keeps. Whatever row is left over then
has no leaf.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col
from sqlmodel import select as select_rows

from certlib.formats.facts import COMMITMENT_SALT_SIZE, commitment
from certlib.formats.leaf import Leaf
from certlib.formats.tlog import leaf_hash
from certlib.journal.journal import Journal
from certlib.register.access_log import KIND as ACCESS
from certlib.register.access_log import access_claims
from certlib.register.journal_faults import journal_faults
from certlib.register.journal_tables import JournalEvent
from certlib.register.row_claims import changes_without_leaf, row_claims, rows_without_change
from certlib.register.row_log import KIND as ROWS
from certlib.register.seal_tables import SealUseRow
from certlib.register.service_table import ServiceRow, service_facts
from certlib.register.standing import plan_indices
from certlib.register.tables import DocumentRow, EditionRow, EventRow, FileRow, Intent

_PORTION = 2048  # leaves
_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
_CLOSED = ("used", "released")
_IMPORTED = "certificate:imported"
_SERVED = "service:served"

_STREAM = {"yield_per": _PORTION}  # rows in memory at once

Line = dict[str, Any]


def claims(session: Session, journal: Journal[Session], size: int) -> Iterator[Line]:
    """The lines of all rows, in the order of the first `size` leaves, then those of rows without a leaf."""
    seen = _Seen()
    for start in range(0, size, _PORTION):
        bodies = journal.leaves(session, start, min(size, start + _PORTION))
        yield from _portion(session, start, bodies, seen)
    for body, leaf in _waiting(session):
        seen.take(leaf, leaf_hash(body))
        seen.outcomes.update(n for n, _ in leaf.statuses)
        if leaf.kind.endswith(":erased"):
            yield _without("erasing", leaf.chain.hex())
    yield from _left_over(session, seen)
    yield from rows_without_change(session)
    yield from changes_without_leaf(session, seen.hashes)
    yield from journal_faults(session, seen.chains, size)


def stretch_claims(session: Session, start: int, bodies: Sequence[bytes]) -> Iterator[Line]:
    """The lines of the leaves from number `start` on, whose bytes are `bodies`."""
    return _portion(session, start, bodies, _Seen())


def waiting_indices(session: Session) -> set[int]:
    """The indices whose newest leaf has no number yet: of them the numbered journal cannot speak."""
    return {n for _, leaf in _waiting(session) for n, _ in leaf.statuses}


def _waiting(session: Session) -> Iterator[tuple[bytes, Leaf]]:
    query = select(col(JournalEvent.body)).where(col(JournalEvent.seq).is_(None)).order_by(col(JournalEvent.id))
    for body in session.connection().scalars(query):
        leaf = _decoded(body)
        if leaf is not None:
            yield body, leaf


@dataclass(slots=True)
class _Seen:
    """What leaves named, numbered or not."""

    indices: set[int] = field(default_factory=set)  # planned
    outcomes: set[int] = field(default_factory=set)  # indices of the contents that a leaf put in force
    files: set[str] = field(default_factory=set)
    uses: set[tuple[str, int]] = field(default_factory=set)
    hashes: set[bytes] = field(default_factory=set)
    chains: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)  # the last step and its leaf hash

    def take(self, leaf: Leaf, digest: bytes) -> None:
        if leaf.chain:
            self.chains[leaf.chain] = (leaf.step, digest)
        if leaf.kind.endswith(":planned"):
            self.indices.update(n for n, _ in leaf.statuses)
        if leaf.use:
            self.uses.add((leaf.seal, leaf.use))
        elif leaf.file:
            self.files.add(leaf.file.hex())
        self.hashes.add(digest)


def _portion(session: Session, start: int, bodies: Sequence[bytes], seen: _Seen) -> Iterator[Line]:
    leaves = [_decoded(body) for body in bodies]
    hashes = [leaf_hash(body) for body in bodies]
    rows: defaultdict[int, Line] = defaultdict(dict)
    intents: dict[int, int] = {}
    events: dict[bytes, int] = {}
    kinds: dict[int, str] = {}
    files: dict[str, int] = {}
    uses: dict[tuple[str, int], int] = {}
    raised: set[int] = set()
    outcomes: dict[int, int] = {}
    for seq, (leaf, digest) in enumerate(zip(leaves, hashes, strict=True), start=start):
        if leaf is None:
            continue
        seen.take(leaf, digest)
        events[digest] = seq
        kinds[seq] = leaf.kind
        if leaf.kind.endswith(":planned"):
            intents.update(dict.fromkeys((n for n, _ in leaf.statuses), seq))
        elif leaf.kind == _IMPORTED:
            outcomes.update(dict.fromkeys((n for n, _ in leaf.statuses), seq))
        elif leaf.use:
            uses[leaf.seal, leaf.use] = seq
        elif leaf.file:
            files[leaf.file.hex()] = seq
            if leaf.kind.startswith("file:"):
                raised.add(seq)  # another file of a content that a leaf before put in force
    registered = list(_files(session, files))
    outcomes |= {claim["n"]: seq for seq, _, claim in registered if seq not in raised}
    for found, row, claim in (
        *_intents(session, intents),
        *_events(session, events),
        *registered,
        *_outcomes(session, outcomes, seen),
        *_uses(session, uses),
        *_services(session, {digest: seq for digest, seq in events.items() if kinds[seq] == _SERVED}),
        *row_claims(session, {digest: seq for digest, seq in events.items() if kinds[seq] == ROWS}),
        *access_claims(session, {digest: seq for digest, seq in events.items() if kinds[seq] == ACCESS}),
    ):
        rows[found][row] = claim
    yield from ({"seq": seq, **rows[seq]} for seq in sorted(rows))


Claims = Iterator[tuple[int, str, Line]]


def _intents(session: Session, wanted: dict[int, int]) -> Claims:
    columns = (Intent.id, Intent.n, Intent.salt, Intent.plan)
    for key, n, salt, plan in _rows(session, columns, Intent.n, wanted):
        claim = {"key": key, "commitment": _commitment(salt, plan["printed"]), "indices": plan_indices(n, plan)}
        yield wanted[n], "intent", claim


def _events(session: Session, wanted: dict[bytes, int]) -> Claims:
    columns = (EventRow.leaf, EventRow.certificate, EventRow.version, EventRow.at)
    for digest, certificate, version, at in _rows(session, columns, EventRow.leaf, wanted):
        claim = {"key": f"{certificate}/{version}", "at": (at - _EPOCH) // _MILLISECOND}
        yield wanted[digest], "event", claim


def _files(session: Session, wanted: dict[str, int]) -> Claims:
    for sha256, n in _rows(session, (FileRow.sha256, FileRow.n), FileRow.sha256, wanted):
        yield wanted[sha256], "file", {"sha256": sha256, "n": n}


def _outcomes(session: Session, wanted: dict[int, int], seen: _Seen) -> Claims:
    """The contents of editions and documents, by the index of their file."""
    edition = (EditionRow.n, EditionRow.salt, EditionRow.printed, EditionRow.certificate, EditionRow.index)
    document = (DocumentRow.n, DocumentRow.salt, DocumentRow.printed, DocumentRow.number)
    for columns in (edition, document):
        for n, salt, printed, *key in _rows(session, columns, columns[0], wanted):
            seen.outcomes.add(n)
            claim = {"key": "/".join(map(str, key)), "n": n, "commitment": _commitment(salt, printed)}
            yield wanted[n], "outcome", claim


def _uses(session: Session, wanted: dict[tuple[str, int], int]) -> Claims:
    columns = (SealUseRow.seal, SealUseRow.counter, SealUseRow.state, SealUseRow.output_sha256)
    counters = {use: None for _, use in wanted}
    for seal, use, state, sha256 in _rows(session, columns, SealUseRow.counter, counters):
        if (seal, use) in wanted:
            yield wanted[seal, use], "use", {"seal": seal, "use": use, "state": state, "sha256": sha256}


def _services(session: Session, wanted: dict[bytes, int]) -> Claims:
    for start in range(0, len(wanted), _PORTION):
        part = list(wanted)[start : start + _PORTION]
        for row in session.exec(select_rows(ServiceRow).where(col(ServiceRow.leaf).in_(part))):
            claim = {
                "key": _service_key(row.document, row.certificate, row.edition, row.carrier),
                "commitment": _commitment(row.salt, service_facts(row)),
            }
            yield wanted[row.leaf], "service", claim


def _service_key(document: str | None, certificate: str | None, edition: int | None, carrier: str) -> str:
    return f"{document or f'{certificate}/{edition}'} {carrier}"


def _left_over(session: Session, seen: _Seen) -> Iterator[Line]:
    connection = session.connection()
    for key, n in connection.execute(select(col(Intent.id), col(Intent.n))):
        if n not in seen.indices:
            yield _without("intent", key)
    for certificate, index, n in connection.execute(
        select(col(EditionRow.certificate), col(EditionRow.index), col(EditionRow.n))
    ):
        if n not in seen.outcomes:
            yield _without("outcome", f"{certificate}/{index}")
    for number, n in connection.execute(select(col(DocumentRow.number), col(DocumentRow.n))):
        if n not in seen.outcomes:
            yield _without("outcome", number)
    for certificate, version, leaf in connection.execute(
        select(col(EventRow.certificate), col(EventRow.version), col(EventRow.leaf))
    ):
        if leaf not in seen.hashes:
            yield _without("event", f"{certificate}/{version}")
    for sha256 in connection.scalars(select(col(FileRow.sha256))):
        if sha256 not in seen.files:
            yield _without("file", sha256)
    place = (ServiceRow.document, ServiceRow.certificate, ServiceRow.edition, ServiceRow.carrier)
    for leaf, *names in connection.execute(select(col(ServiceRow.leaf), *map(col, place)), execution_options=_STREAM):
        if leaf not in seen.hashes:
            yield _without("service", _service_key(*names))
    yield from _uses_left_over(session, seen)


def _uses_left_over(session: Session, seen: _Seen) -> Iterator[Line]:
    columns = (col(SealUseRow.seal), col(SealUseRow.counter), col(SealUseRow.state))
    for seal, use, state in session.connection().execute(select(*columns).where(col(SealUseRow.counter).is_not(None))):
        if state not in _CLOSED:
            yield {"seq": None, "row": "use", "seal": seal, "use": use, "state": state}
        elif (seal, use) not in seen.uses:
            yield _without("use", f"{seal}/{use}")


def _without(row: str, key: str) -> Line:
    return {"seq": None, "row": row, "key": key}


def _rows(session: Session, columns: Iterable[Any], by: Any, wanted: Iterable[Any]) -> Iterator[Any]:
    values = list(wanted)
    for start in range(0, len(values), _PORTION):
        part = values[start : start + _PORTION]
        yield from session.connection().execute(select(*map(col, columns)).where(col(by).in_(part)))


def _commitment(salt: bytes, facts: Any) -> str:
    """The commitment as it follows from the database now; `erased` when the salt was deleted."""
    return commitment(salt, facts).hex() if len(salt) == COMMITMENT_SALT_SIZE else "erased"


def _decoded(body: bytes) -> Leaf | None:
    """A tampered leaf is the audit's to name, not a reason to stop the export."""
    try:
        return Leaf.decode(body)
    except ValueError:
        return None
