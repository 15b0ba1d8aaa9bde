"""The bundle of an office: journal, register and published lists of one moment, for an auditor elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from certlib.errors import NotFoundError
from certlib.issue.lists import TRUST, published
from certlib.issue.office import Office
from certlib.journal.store import StoredCheckpoint
from certlib.register.bundle_files import bundle_files
from certlib.register.export import export_bundle

Progress = Callable[[int, int], None]


def export_office(office: Office, path: Path, *, progress: Progress | None = None) -> StoredCheckpoint:
    """Number what is due, then write the bundle to `path` (a new folder, or a tar file); gives its head.

    Raises `NotFoundError` when nothing has happened yet, `StorageError` when the disk refuses.
    """
    office.sequence()
    office.ask_witnesses()
    status = _status_lists(office)
    with office.register.reader() as session, bundle_files(path) as files:
        trust = {f"{seq:04}.json": data for seq, data in published(session, TRUST).items()}
        return export_bundle(session, office.journal, files, status=status, trust=trust, progress=progress)


def _status_lists(office: Office) -> dict[str, bytes]:
    lists: dict[str, bytes] = {}
    while True:
        try:
            token, _ = office.status_list(len(lists))
        except NotFoundError:
            return lists
        lists[f"{len(lists)}.cwt"] = token
