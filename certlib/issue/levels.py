"""Raising registered files to their level, and renewing their proof before anything in it ends.

    Levels(register, catalogue, timestamper, material, contract).raise_due() -> how many files were raised

A file gets one revision more: the validation material and our own document timestamp over all of it (B-LTA). What
comes of it is a file of its own, whose bytes begin with its predecessor's: row, journal leaf `file:upgraded` and, for
the edition that the city repository holds, a `replace-file` delivery, in one transaction. No seal is used.

Which file is due stands in its row: a file issued without its timestamp at once, one below the target level when it is
registered, an archived one before its timestamp's certificate ends. Two workers may raise the same file; the second
finds the predecessor taken and its work is dropped.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from certlib.catalogue import Catalogue
from certlib.crypto import tokens
from certlib.crypto.material import ValidationMaterial
from certlib.crypto.timestamps import Timestamper
from certlib.domain.delivery import REPLACE_FILE
from certlib.errors import CertlibError, TimestampUnavailableError
from certlib.formats.leaf import Leaf
from certlib.register.certificates import load_certificate
from certlib.register.deliveries import enqueue
from certlib.register.messages import message_of
from certlib.register.store import Register
from certlib.register.subscriptions import tell
from certlib.register.tables import CertificateRow, DocumentRow, EventRow, FileRow
from certlib.sealing.archive import archive_pdf
from certlib.sealing.pades import Embedded

ARCHIVED = "B-LTA"
LEAF = "file:upgraded"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """To which level files are raised, "" for none but those that wait for a timestamp; how, and how many at a time."""

    target: str = ""
    margin: timedelta = timedelta(days=180)  # before the end of what proves the time
    batch: int = 8
    rest: timedelta = timedelta(seconds=10)  # after an authority failed
    retry: timedelta = timedelta(hours=1)  # for a file that cannot be raised


@dataclass(slots=True, kw_only=True)
class Levels:
    """The worker's part of the levels. `material` is asked anew each time, since revocation lists grow old."""

    register: Register
    catalogue: Catalogue
    timestampers: Callable[[str], Timestamper]  # by the suite of a file
    material: Callable[[str], ValidationMaterial]
    contract: Contract
    _resting: datetime | None = field(default=None)

    def raise_due(self) -> int:
        """Raise the files that are due, those without a timestamp first; returns how many were raised.

        An authority that does not answer ends the round; a file that cannot be raised is tried again later.
        """
        now, raised = self.register.now(), 0
        if self._resting is not None and now < self._resting:
            return 0
        for sha256 in self._due(now):
            try:
                raised += self._raise(sha256)
            except TimestampUnavailableError as error:
                self._resting = now + self.contract.rest
                log.warning("no timestamp for %s: %s", sha256[:12], error.message)
                break
            except CertlibError as error:
                log.warning("file %s cannot be raised: %s", sha256[:12], error.message)
                self._postpone(sha256, now + self.contract.retry)
        return raised

    def _due(self, now: datetime) -> list[str]:
        below = ("B-T", "B-LT") if self.contract.target == ARCHIVED else ()
        with self.register.reader() as session:
            query = select(FileRow.sha256).where(
                col(FileRow.raise_at) <= now, col(FileRow.level).in_(("B-B", ARCHIVED, *below))
            )
            return list(
                session.exec(query.order_by(col(FileRow.level), col(FileRow.raise_at)).limit(self.contract.batch))
            )

    def _raise(self, sha256: str) -> bool:
        """Raise one file; False when somebody else was quicker."""
        with self.register.reader() as session:
            file = session.get_one(FileRow, sha256)
        base, at = self.register.files.read(sha256), self.register.now()
        done = archive_pdf(base, self.material(file.suite), self.timestampers(file.suite), at=at)
        raised = self.register.files.create(done.pdf)
        try:
            with self.register.writer() as session:
                return self._commit(session, sha256, raised, done)
        except IntegrityError:
            return False

    def _commit(self, session: Session, sha256: str, raised: str, done: Embedded) -> bool:
        before = session.exec(select(FileRow).where(FileRow.sha256 == sha256).with_for_update()).one()
        if before.raise_at is None:
            return False
        row = _owner(session, before)
        at = self.register.moment(session, before.created_at)
        after = FileRow(**{**before.model_dump(), "sha256": raised, "level": ARCHIVED, "predecessor": sha256})
        after.size, after.created_at, after.raise_at = len(done.pdf), at, renewal(done, self.contract.margin, at)
        before.raise_at = None
        session.add_all([before, after])
        session.flush()
        self.register.link(session, row.chain, Leaf(kind=LEAF, at=at, file=bytes.fromhex(raised)))
        if isinstance(row, CertificateRow) and before.edition == row.edition and before.part == "file":
            message = message_of(session, self.catalogue, row, _as_event(row, before.edition, at), sha256=raised)
            enqueue(session, certificate=row.key, message=message, now=at, file=raised)
            tell(session, self.register.subscriptions, self.catalogue, row, message, now=at)
        return True

    def _postpone(self, sha256: str, until: datetime) -> None:
        with self.register.writer() as session:
            row = session.get_one(FileRow, sha256)
            if row.raise_at is not None:
                row.raise_at = until
                session.add(row)


def renewal(done: Embedded, margin: timedelta, at: datetime) -> datetime:
    """When a document timestamp has to be renewed: `margin` before the first of its certificates ends.

    Of one that lives less than twice as long, half its life is waited.
    """
    assert done.timestamp is not None  # noqa: S101  `archive_pdf` has stamped it
    ends = min(one.not_after for one in tokens.certificates(done.timestamp.token))
    return ends - min(margin, (ends - at) / 2)


def _owner(session: Session, file: FileRow) -> CertificateRow | DocumentRow:
    if file.certificate is not None:
        return load_certificate(session, file.certificate, lock=True)[0]
    return session.get_one(DocumentRow, file.document)


def _as_event(row: CertificateRow, edition: int, at: datetime) -> EventRow:
    """What the message of an exchanged file says of the event, which is not one: the certificate stands as it stood."""
    return EventRow(
        certificate=row.key,
        version=row.version,
        action=REPLACE_FILE,
        origin=row.state,
        target=row.state,
        cause=row.cause,
        edition=edition,
        at=at,
    )
