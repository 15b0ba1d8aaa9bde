"""The checker's look at issued files: so many a round, in the order of their digests, until all have come by.

Each is read from the store, examined as a stranger would (every signature, its chain, its timestamp, at that moment),
and asked until when its time is proved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from certlib.crypto import tokens
from certlib.domain.verdict import Finding
from certlib.errors import CertlibError, VerificationError
from certlib.issue.erasing import is_erased
from certlib.issue.office import Office
from certlib.register.tables import FileRow
from certlib.verify.examine import examine
from certlib.verify.form import FormError, read_message
from certlib.verify.span import Guarded, guard


def check_files(office: Office, now: datetime, after: str, soon: timedelta) -> tuple[str, list[Finding]]:
    """The files whose digests come after `after`: the digest to go on from (empty: from the first), and what was found.

    `soon` is how long before the end of its proof of time a file is told of.
    """
    with office.register.reader() as session:
        rows = _next(session, after, office.settings.check_sample)
        succeeded = set(session.exec(select(FileRow.predecessor).where(col(FileRow.predecessor).is_not(None))).all())
    found = [finding for row in rows for finding in _file(office, row, now)]
    ends = [_proved_until(office, row) for row in rows if row.sha256 not in succeeded and row.level not in _UNPROVED]
    ending = [end for end in ends if end is not None and end < now + soon]
    if ending:
        words = f"{len(ending)} 份文件的时间证明即将到期，最早于 {min(ending):%Y-%m-%d}；请及时续期（raise_to）。"
        found.append(Finding("files", "fail" if min(ending) <= now else "warn", words))
    return (rows[-1].sha256 if len(rows) == office.settings.check_sample else ""), found


_UNPROVED = frozenset({"print", "B-B"})


def _next(session: Session, after: str, count: int) -> Sequence[FileRow]:
    query = select(FileRow).where(col(FileRow.sha256) > after).order_by(col(FileRow.sha256)).limit(count)
    return session.exec(query).all()


def _file(office: Office, row: FileRow, now: datetime) -> Iterator[Finding]:
    """The bytes are those registered, and whoever verifies them finds them genuine."""
    name = f"文件 {row.sha256[:12]}…"
    try:
        data = office.register.files.read(row.sha256)
    except CertlibError as error:
        with office.register.reader() as session:
            gone = is_erased(session, row)  # whoever pretends that edits a row, and the journal's check names it
        if not gone:
            yield Finding("files", "fail", error.message)
        return
    if len(data) != row.size:
        yield Finding("files", "fail", f"{name} 的大小与登记不符。")
    if row.level == "print" or not data.startswith(b"%PDF"):
        return
    guarded = guard(data)
    if guarded.faults:
        yield Finding("files", "fail", f"{name}：{guarded.faults[0].detail}")
    elif row.part == "file":
        report = examine(data, trust=office.check.trust, at=now)
        if not report.is_genuine:
            failed = "；".join(one.detail for one in report.findings if one.outcome == "fail")
            yield Finding("files", "fail", f"{name} 核验未通过（{report.words.chinese}）：{failed}")


def _proved_until(office: Office, row: FileRow) -> datetime | None:
    """When the certificate of the last timestamp ends; None when there is none to be read."""
    try:
        data = office.register.files.read(row.sha256)
        token = _last_token(guard(data)) if data.startswith(b"%PDF") else b""
        return tokens.signer(token).not_after if token else None
    except (CertlibError, ValueError):
        return None  # that it cannot be read is told of above


def _last_token(guarded: Guarded) -> bytes:
    contents = guarded.spans[-1].contents if guarded.spans else b""
    try:
        return read_message(contents).token
    except (FormError, VerificationError):
        return contents  # a document timestamp is a token itself
