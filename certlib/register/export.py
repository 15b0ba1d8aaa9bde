"""Export of a bundle from the register's database, for `certlib.verify.audit`; its form is in `verify.bundle`.

One read transaction: journal, register and statuses are of one moment. Events that have no number yet are left out,
and so are the rows that belong to them. The bundle names no holder: rows go by key, contents by commitment.

    with reader(engine) as session, bundle_files(path) as files:
        lists = {STATUS: {"0.cwt": token}, TRUST: {"0001.json": trust_list}}
        export_bundle(session, journal, files, lists=lists)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from certlib.formats.tlog_tiles import ENTRIES, WIDTH, join_entries, tiles_of
from certlib.journal.journal import Journal
from certlib.journal.store import StoredCheckpoint
from certlib.register.bundle_files import BundleFiles
from certlib.register.claims import claims, waiting_indices
from certlib.register.damage import BROKEN, damage
from certlib.register.journal_tables import JournalCheckpoint, JournalCosignature
from certlib.register.published import publications, unnumbered
from certlib.register.standing import standing
from certlib.verify.bundle import ABOUT, CHECKPOINT, CHECKPOINTS, FORMAT, PUBLISHED, REGISTER, STANDING

_NO_LISTS: Mapping[str, Mapping[str, bytes]] = {}
_HEADS = 1000  # checkpoints read at a time


def export_bundle(
    session: Session,
    journal: Journal[Session],
    files: BundleFiles,
    *,
    lists: Mapping[str, Mapping[str, bytes]] = _NO_LISTS,
    progress: Callable[[int, int], None] | None = None,
) -> StoredCheckpoint:
    """Write the bundle under the newest head, and give that head. Sequence, and let witnesses cosign, before.

    `lists` are published lists by folder (status, trust, seals) and file name. Raises `NotFoundError` before the first
    head, `VerificationError` when leaves are missing from the database or rows cannot be read, `StorageError` when the
    disk refuses.
    """
    try:
        return _export(session, journal, files, lists, progress or (lambda _done, _all: None))
    except BROKEN as error:
        raise damage(session, error) from error


def _export(
    session: Session,
    journal: Journal[Session],
    files: BundleFiles,
    lists: Mapping[str, Mapping[str, bytes]],
    progress: Callable[[int, int], None],
) -> StoredCheckpoint:
    head = journal.head(session)
    files.add(CHECKPOINT, head.text.encode())
    files.add_lines(CHECKPOINTS, ({"note": note} for note in _notes(session)))
    _add_lists(session, files, lists)
    files.add_lines(PUBLISHED, publications(session, head.size))
    _add_tiles(session, journal, files, head.size, progress)
    files.add_lines(REGISTER, claims(session, journal, head.size))
    waiting = waiting_indices(session)
    codes = standing(session, at=head.at)
    files.add_lines(STANDING, ({"n": n} | ({"waiting": True} if n in waiting else {"code": code}) for n, code in codes))
    files.add_lines(ABOUT, [_about(journal, head)])
    return head


def _add_lists(session: Session, files: BundleFiles, lists: Mapping[str, Mapping[str, bytes]]) -> None:
    """The published lists, without those that were published a moment ago and have no numbered leaf yet."""
    waiting = unnumbered(session)
    for folder, series in sorted(lists.items()):
        for name, data in sorted(series.items()):
            if hashlib.sha256(data).hexdigest() not in waiting:
                files.add(f"{folder}/{name}", data)


def _about(journal: Journal[Session], head: StoredCheckpoint) -> Mapping[str, Any]:
    return {
        "format": FORMAT,
        "origin": journal.origin,
        "size": head.size,
        "at": head.at.astimezone(UTC).isoformat(),
        "keys": [str(key) for key in journal.verifiers],
    }


def _add_tiles(
    session: Session,
    journal: Journal[Session],
    files: BundleFiles,
    size: int,
    progress: Callable[[int, int], None],
) -> None:
    for place in tiles_of(size):
        if place.level == ENTRIES:
            start = place.index * WIDTH
            files.add(place.path, join_entries(journal.leaves(session, start, start + place.width)))
            progress(start + place.width, size)
        else:
            files.add(place.path, journal.tile(session, place.level, place.index, place.width))


def _notes(session: Session) -> Iterator[str]:
    """Every checkpoint ever signed, in order, with the cosignatures under it."""
    last, number, note = 0, col(JournalCheckpoint.id), col(JournalCheckpoint.note)
    while True:
        query = select(number, note).where(number > last).order_by(number).limit(_HEADS)
        notes = {int(key or 0): text for key, text in session.connection().execute(query)}
        if not notes:
            return
        first, last = min(notes), max(notes)
        below, line = col(JournalCosignature.checkpoint), col(JournalCosignature.line)
        ordered = select(below, line).where(below.between(first, last)).order_by(below, col(JournalCosignature.witness))
        for checkpoint, text in session.connection().execute(ordered):
            if checkpoint in notes:  # or its head was taken away, and stands among the faults (`journal_faults`)
                notes[checkpoint] += text
        yield from notes.values()
