"""The bundle of an office: journal, register and published lists of one moment, for an auditor elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from sqlmodel import Session

from certlib.errors import NotFoundError, VerificationError
from certlib.issue import lists as lists_of
from certlib.issue.announcing import announce_status_lists
from certlib.issue.lists import published
from certlib.issue.office import Office
from certlib.journal.store import StoredCheckpoint
from certlib.register.bundle_files import bundle_files
from certlib.register.export import export_bundle
from certlib.verify.bundle import SEALS, STATUS, TRUST

Progress = Callable[[int, int], None]


def export_office(office: Office, path: Path, *, progress: Progress | None = None) -> StoredCheckpoint:
    """Number what is due, then write the bundle to `path` (a new folder, or a tar file); gives its head.

    Raises `NotFoundError` when nothing has happened yet, `StorageError` when the disk refuses.
    """
    office.sequence()
    status = status_lists(office)
    office.ask_witnesses()
    with office.register.reader() as session, bundle_files(path) as files:
        lists = {**series_lists(session), STATUS: status}
        return export_bundle(session, office.journal, files, lists=lists, progress=progress)


def series_lists(session: Session) -> dict[str, dict[str, bytes]]:
    """Every trust list and seal list that was ever published, by folder and file name of the bundle."""
    return {TRUST: _named(published(session, lists_of.TRUST)), SEALS: _named(published(session, lists_of.SEALS))}


def _named(series: Mapping[int, bytes]) -> dict[str, bytes]:
    return {f"{seq:06}.json": data for seq, data in series.items()}


def status_lists(office: Office) -> dict[str, bytes]:
    """The status lists of now by file name, each journalled before it is given.

    None when the journal is such that the office signs none; the audit then says why.
    """
    lists: dict[str, bytes] = {}
    try:
        if announce_status_lists(office.register, office.board, every=timedelta(0)):
            office.sequence()
        while True:
            token, _ = office.status_list(len(lists))
            lists[f"{len(lists)}.cwt"] = token
    except (NotFoundError, VerificationError):
        return lists
