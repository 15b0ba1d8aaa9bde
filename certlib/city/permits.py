"""Handing 双公示 records over as a file: chosen, written, marked and journalled in one transaction.

    desk = PermitDesk(register, catalogue, load_template())
    export = desk.export(client="certctl", purpose="报送双公示")
    desk.file(export.number, "csv", client="certctl", purpose="报送双公示")

The digests of both forms of the file are leaves of the journal (`permits:exported`), so that a file kept can be shown
to be the one that was handed over. The file itself is not kept: it is made anew from its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from certlib.catalogue import Catalogue
from certlib.city.publicity import Row, Template
from certlib.domain.publicity import ROW_WORDS
from certlib.errors import NotFoundError
from certlib.register.bearers import note_access
from certlib.register.publicity import LIMIT, Pending, filed, note_filed, pending
from certlib.register.published import record_published
from certlib.register.row_tables import PublishedRow
from certlib.register.store import Register

EXPORTED = "permits:exported"
FORMS: Mapping[str, Callable[[Template, Sequence[Row]], bytes]] = {"csv": Template.csv, "json": Template.json}
"""The forms of a file, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What one export handed over: how many rows of each kind, the digest of each form; and what could not be written.

    `number` is 0 when there was nothing to hand over, and then nothing was recorded.
    """

    number: int
    at: datetime
    rows: Mapping[str, int]
    sha256: Mapping[str, str]
    faults: Sequence[Mapping[str, str]] = field(default_factory=tuple)

    def as_json(self) -> dict[str, Any]:
        """The export as the API and the command line show it."""
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "count": sum(self.rows.values()),
            "rows": dict(self.rows),
            "sha256": dict(self.sha256),
            "faults": [dict(fault) for fault in self.faults],
        }


@dataclass(frozen=True, slots=True)
class PermitDesk:
    """Where 双公示 records are listed, handed over as files, and those files given out again."""

    register: Register
    catalogue: Catalogue
    template: Template

    def due(self, *, authority: str = "", within: int | None = None) -> list[dict[str, Any]]:
        """The rows to be sent, the earliest term first; only those with at most `within` working days left."""
        with self.register.reader() as session:
            rows = pending(session, self.catalogue, self.register.moment(session), authority=authority)
        return [row.as_json() for row in rows if within is None or row.left <= within]

    def export(self, *, client: str, purpose: str, authority: str = "", limit: int = LIMIT) -> Export:
        """Hand over every row that is due and can be written, `limit` at most; the rest is named in `faults`."""
        with self.register.writer() as session:
            # one export after another: the next must see what this one has marked
            self.register.next(session, EXPORTED, 0)  # takes no number, but the row of the series, also the first time
            now = self.register.moment(session)
            found = pending(session, self.catalogue, now, authority=authority, limit=limit)
            whole, faults = self._written(found)
            if not whole:
                return Export(number=0, at=now, rows={}, sha256={}, faults=faults)
            number = self.register.next(session, EXPORTED)
            note_filed(session, [row for row, _ in whole], number, now)
            made = [row for _, rows in whole for row in rows]
            digests = {form: self._journal(session, form, number, made, authority, now) for form in FORMS}
            note_access(session, now, client=client, subject=f"双公示第{number}批", purpose=purpose, outcome="exported")
        return Export(number=number, at=now, rows=_counted(whole), sha256=digests, faults=faults)

    def exports(self, *, authority: str = "") -> list[dict[str, Any]]:
        """The exports made, the newest first, `LIMIT` at most; only those of one authority when it is given."""
        return self._exports(authority, PublishedRow.kind == EXPORTED)

    def file(self, number: int, form: str, *, client: str, purpose: str, authority: str = "") -> bytes:
        """The file of an export once more; the view is logged.

        Raises `NotFoundError` for a number that is not there or is another authority's. After an erasure the file is
        another than the one whose digest was journalled.
        """
        if not self._exports(authority, PublishedRow.kind == EXPORTED, PublishedRow.number == number):
            raise NotFoundError(f"没有第 {number} 批双公示导出。")
        with self.register.writer() as session:
            records = [record for record in filed(session, number) if record["holder"]]
            now = self.register.moment(session)
            note_access(session, now, client=client, subject=f"双公示第{number}批", purpose=purpose, outcome="shown")
        return FORMS[form](self.template, [row for record in records for row in self.template.rows(record)])

    def _exports(self, authority: str, *conditions: Any) -> list[dict[str, Any]]:
        with self.register.reader() as session:
            query = select(PublishedRow).where(*conditions).order_by(col(PublishedRow.id).desc())
            rows = session.exec(query.limit(len(FORMS) * LIMIT)).all()
        found: dict[int, dict[str, Any]] = {}
        for row in rows:
            form, _, of = row.about.partition(":")
            if authority in ("", of):
                place = found.setdefault(row.number, {"number": row.number, "at": row.at.isoformat(), "sha256": {}})
                place["authority"], place["sha256"][form] = of, row.sha256
        return list(found.values())

    def _written(self, found: Sequence[Pending]) -> tuple[list[tuple[Pending, list[Row]]], list[dict[str, str]]]:
        whole, faults = [], []
        for entry in found:
            try:
                whole.append((entry, self.template.rows({**entry.record, "row": entry.row.value})))
            except ValueError as error:
                faults.append({"identifier": str(entry.record["identifier"]), "message": f"{error}，未导出。"})
        return whole, faults

    def _journal(  # noqa: PLR0917  as few as a leaf has
        self, session: Session, form: str, number: int, rows: Sequence[Row], authority: str, now: datetime
    ) -> str:
        data, about = FORMS[form](self.template, rows), f"{form}:{authority}"
        return record_published(session, self.register, EXPORTED, data, at=now, about=about, number=number).sha256


def _counted(whole: Sequence[tuple[Pending, list[Row]]]) -> dict[str, int]:
    counts = {kind.value: 0 for kind in ROW_WORDS}
    for entry, rows in whole:
        counts[entry.row.value] += len(rows)
    return counts
