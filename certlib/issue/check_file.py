"""The checker's look at one issued file: read once, examined as a stranger would, asked until when its time is proved.

Copies under SM2 and signatures beside a file (`.ses`) are examined against the national roots, `trust-sm2` beside the
other trust; where those are missing they are counted as not examined. A file of another size than registered is not
read at all: whoever put it there must not fill the memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlmodel import col, select

from certlib.crypto import tokens
from certlib.crypto.development import development_folder
from certlib.errors import CertlibError, ConfigurationError, NotFoundError, VerificationError
from certlib.issue.erasing import is_erased
from certlib.issue.office import Office
from certlib.register.tables import FileRow
from certlib.sealing.national import COPY, SES
from certlib.verify.chain import Authorities
from certlib.verify.examine import examine
from certlib.verify.form import FormError, read_message
from certlib.verify.report import Report
from certlib.verify.roots import TrustRoots
from certlib.verify.ses_file import examine_ses_file, national_authorities
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
    unexamined: int = 0  # that want roots which are not there
    _national: tuple[TrustRoots, Authorities] | None = None

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
        if row.level == "print":
            return Looked()
        if row.part == SES:
            return Looked(self._fault(name, lambda: self._beside(row, data)))
        guarded = guard(data)
        fault = f"{name}：{guarded.faults[0].detail}" if guarded.faults else ""
        return Looked(fault or self._fault(name, lambda: self._sealed(row, data)), _proved_until(guarded))

    def _fault(self, name: str, examined: Callable[[], Report]) -> str:
        try:
            report = examined()
        except ConfigurationError:
            self.unexamined += 1
            return ""
        failed = "；".join(one.detail for one in report.findings if one.outcome == "fail")
        return "" if report.is_genuine else f"{name} 核验未通过（{report.words.chinese}）：{failed}"

    def _sealed(self, row: FileRow, data: bytes) -> Report:
        """Raises `ConfigurationError` without the roots for it."""
        trust = self._nation()[0] if row.part == COPY else self.office.check.trust
        return examine(data, trust=trust, at=self.now)

    def _beside(self, row: FileRow, data: bytes) -> Report:
        """Over the file as it was issued. Raises `ConfigurationError` as `_sealed` does."""
        return examine_ses_file(data, self._original(row), self._nation()[1], at=self.now, name="file.ses")

    def _nation(self) -> tuple[TrustRoots, Authorities]:
        if self._national is None:
            keys = self.office.settings.keys
            folder = Path(keys) if keys else development_folder()
            trust = folder / "trust-sm2"
            self._national = TrustRoots.load(trust), national_authorities(trust)
        return self._national

    def _original(self, row: FileRow) -> bytes | None:
        """The first file that the same use of a seal made; None when it cannot be read, which its own turn tells."""
        query = select(FileRow.sha256).where(
            FileRow.certificate == row.certificate,
            FileRow.edition == row.edition,
            FileRow.document == row.document,
            FileRow.part == "file",
            FileRow.level != "print",
            col(FileRow.predecessor).is_(None),
        )
        with self.office.register.reader() as session:
            sha256 = session.exec(query).first()
        try:
            return self.office.register.files.read(sha256) if sha256 else None
        except CertlibError:
            return None


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
