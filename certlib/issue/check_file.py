"""The checker's look at one issued file: read once, examined as a stranger would, asked until when its time is proved.

A file of another size than registered is not read at all: whoever put it there must not fill the memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from certlib.crypto import tokens
from certlib.errors import CertlibError, NotFoundError, VerificationError
from certlib.issue.erasing import is_erased
from certlib.issue.office import Office
from certlib.register.tables import FileRow
from certlib.verify.examine import examine
from certlib.verify.form import FormError, read_message
from certlib.verify.span import Guarded, guard


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at a file gave: what is wrong with it, nothing when it is sound, and when its proof of time ends."""

    fault: str = ""
    proved_until: datetime | None = None


@dataclass(slots=True)
class FileLook:
    """Looks at one file after the other, now being `now`."""

    office: Office
    now: datetime

    def look(self, row: FileRow) -> Looked:
        """The bytes are those registered, and whoever verifies them finds them genuine. Never raises."""
        name = f"文件 {row.sha256[:12]}…"
        try:
            if self.office.register.files.size(row.sha256) != row.size:
                return Looked(f"{name} 的大小与登记不符。")
            return self._examined(row, name, self.office.register.files.read(row.sha256))
        except NotFoundError as error:
            return Looked("" if self._is_erased(row) else error.message)
        except CertlibError as error:
            return Looked(error.message)
        except Exception as error:  # noqa: BLE001  one file past all rules must not keep the others from their turn
            return Looked(f"{name} 无法检查（{type(error).__name__}）。")

    def _is_erased(self, row: FileRow) -> bool:
        """Whoever only pretends that edits a row, and the journal's check names it."""
        with self.office.register.reader() as session:
            return is_erased(session, row)

    def _examined(self, row: FileRow, name: str, data: bytes) -> Looked:
        if row.level == "print" or not data.startswith(b"%PDF"):
            return Looked()
        guarded = guard(data)
        if guarded.faults:
            return Looked(f"{name}：{guarded.faults[0].detail}")
        if row.part == "file":
            report = examine(data, trust=self.office.check.trust, at=self.now)
            if not report.is_genuine:
                failed = "；".join(one.detail for one in report.findings if one.outcome == "fail")
                return Looked(f"{name} 核验未通过（{report.words.chinese}）：{failed}", _proved_until(guarded))
        return Looked("", _proved_until(guarded))


def _proved_until(guarded: Guarded) -> datetime | None:
    """When the certificate of the last timestamp ends; None when there is none to be read."""
    try:
        token = last_token(guarded)
        return tokens.signer(token).not_after if token else None
    except (CertlibError, ValueError):
        return None  # that it cannot be read the examination tells


def last_token(guarded: Guarded) -> bytes:
    """The newest timestamp of a file: a document timestamp, or that of the seal; empty when there is none."""
    contents = guarded.spans[-1].contents if guarded.spans else b""
    try:
        return read_message(contents).token
    except (FormError, VerificationError):
        return contents  # a document timestamp is a token itself
