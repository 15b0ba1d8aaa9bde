"""Files from strangers are examined in a process that may die: `Sandbox.examine` where `examine` would be too bold.

    with Sandbox(trust) as sandbox:
        report = sandbox.examine(upload, at=now, lookup=register, name="upload.pdf")

One child process is started, imports everything once, and forks for every file (about ten milliseconds). A fork has
5 s of processor, 10 s of wall clock and 1 GB of address space, enforced by the kernel; at most two run at once, a few
may wait, and more are refused. Whatever happens in there, the answer is a report: a fork that dies says `unreadable`.
Files that come together from one sender share a fork (`examine_all`), which builds the chain of their seals once.
"""

from __future__ import annotations

import hashlib
import pickle
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType

from certlib.domain.verdict import Verdict
from certlib.errors import CertlibError
from certlib.verify.chain import Authorities
from certlib.verify.examine import MAX_SIZE, examine
from certlib.verify.lookup import RegisterLookup
from certlib.verify.pictures import Pictures
from certlib.verify.report import Notes, Report
from certlib.verify.request import Beside, Limits, RegisterAnswer, Request, framed
from certlib.verify.roots import TrustRoots
from certlib.verify.ses_file import MAX_SIZE as MAX_SES
from certlib.verify.ses_file import examine_ses_file

_TOGETHER = 16  # files a fork examines at most; its limits are those of one file
MAX_ANSWER = 16 << 20  # bytes: a report is small, pictures of eight pages are not
_OVERRUN = "解析此文件超出时间或内存限制，已中止，无法读取。"


class SandboxBusyError(CertlibError):
    """All places are taken and enough files are waiting; try again in a moment."""

    code = "busy"


class Sandbox:
    """Examines files in forks of one warm child. Safe for concurrent use; closed at the end of a `with` block."""

    def __init__(self, trust: TrustRoots, *, limits: Limits | None = None, places: int = 2, waiting: int = 8) -> None:
        """`places` examinations run at once, `waiting` more may wait; the child is started at the first file."""
        self._trust, self._limits = trust, limits or Limits()
        self._places = threading.BoundedSemaphore(places)
        self._admitted = threading.BoundedSemaphore(places + waiting)
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    @property
    def trust(self) -> TrustRoots:
        """What files are examined against unless the call says otherwise."""
        return self._trust

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def examine(
        self,
        pdf: bytes,
        *,
        at: datetime,
        lookup: RegisterLookup | None = None,
        name: str = "",
        trust: TrustRoots | None = None,
    ) -> Report:
        """Examine a file as `certlib.verify.examine.examine` does, in a fork.

        `trust` stands for this file in place of the sandbox's own (newer status lists). The register is asked here.
        Raises `SandboxBusyError` when too many files are waiting.
        """
        trusted = trust or self._trust
        if len(pdf) > MAX_SIZE:
            return examine(pdf, trust=trusted, at=at, name=name)  # refused before anything is parsed
        sha256 = hashlib.sha256(pdf).hexdigest()
        answer = RegisterAnswer.of(lookup, sha256, at) if lookup is not None else None
        return self._examined(Request(pdf, trusted, at, answer, name), sha256)

    def examine_ses(
        self, data: bytes, original: bytes | None, authorities: Authorities, *, at: datetime, name: str = ""
    ) -> Report:
        """Examine a `.ses` or `.esl` as `certlib.verify.ses_file.examine_ses_file` does, in a fork.

        Raises `SandboxBusyError` when too many files are waiting.
        """
        if len(data) > MAX_SES:
            return examine_ses_file(data, None, authorities, at=at, name=name)  # refused before anything is parsed
        beside = Beside(authorities, original)
        return self._examined(
            Request(data, self._trust, at, None, name, beside=beside), hashlib.sha256(data).hexdigest()
        )

    def _examined(self, request: Request, sha256: str) -> Report:
        with self._place():
            answered = self._ask(request)
        report = _report(answered[0]) if answered else None
        return report or _overrun(request.name, sha256, request.at)

    def examine_all(self, pdfs: Sequence[bytes], *, at: datetime) -> list[Report]:
        """Examine files of one sender, a fork for several; what a fork left without answer is examined by itself.

        Raises `SandboxBusyError` when too many files are waiting.
        """
        found: list[Report | None] = []
        for start in range(0, len(pdfs), _TOGETHER):
            part = pdfs[start : start + _TOGETHER]
            together = len(part) > 1 and sum(map(len, part)) <= MAX_SIZE
            found += self._together(part, at) if together else [None] * len(part)
        return [one or self.examine(pdf, at=at) for one, pdf in zip(found, pdfs, strict=True)]

    def _together(self, pdfs: Sequence[bytes], at: datetime) -> list[Report | None]:
        with self._place():
            answered = self._ask(*(Request(pdf, self._trust, at, None, "") for pdf in pdfs))
        known = {hashlib.sha256(pdf).hexdigest() for pdf in pdfs}
        reports = {one.sha256: one for data in answered if (one := _report(data)) and one.sha256 in known}
        return [reports.get(hashlib.sha256(pdf).hexdigest()) for pdf in pdfs]

    def pictures(self, pdf: bytes, *, at: datetime) -> Pictures:
        """The file's first pages as pictures, before and after changes; none when it cannot be drawn.

        Raises `SandboxBusyError` when too many files are waiting.
        """
        if len(pdf) > MAX_SIZE:
            return Pictures()
        with self._place():
            answered = self._ask(Request(pdf, self._trust, at, None, "", draw=True))
        try:
            return Pictures.load(answered[0] if answered else b"")
        except ValueError:
            return Pictures()

    def start(self) -> None:
        """Start the child now instead of at the first file; returns at once, the child gets ready meanwhile.

        Raises `OSError` when the system starts no process.
        """
        with self._lock:
            self._started()

    def close(self) -> None:
        """End the child and with it whatever still runs."""
        with self._lock:
            self._end()

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._admitted.acquire(blocking=False):
            raise SandboxBusyError("正在核验的文件较多，请稍后再试。")
        try:
            with self._places:
                yield
        finally:
            self._admitted.release()

    def _ask(self, *requests: Request) -> list[bytes]:
        """The fork's answers to one request after the other, as far as it came in time."""
        words = pickle.dumps(requests)
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                self._hand_over(theirs)
            ours.settimeout(self._limits.wall + 2)
            try:
                ours.sendall(words)
                ours.shutdown(socket.SHUT_WR)
            except OSError:
                return []
            return list(framed(_read_all(ours)))

    def _hand_over(self, connection: socket.socket) -> None:
        with self._lock:
            for _ in range(2):
                try:
                    socket.send_fds(self._started(), [b"\x01"], [connection.fileno()])
                except OSError:
                    self._end()  # the child is gone, or did not start: another, once
                else:
                    return
        raise SandboxBusyError("核验进程无法启动，请稍后再试。")

    def _started(self) -> socket.socket:
        if self._control is not None and self._child is not None and self._child.poll() is None:
            return self._control
        self._end()
        ours, theirs = socket.socketpair()
        limits = (self._limits.cpu, self._limits.wall, self._limits.memory)
        with theirs:
            command = [sys.executable, "-P", "-m", "certlib.verify.child", str(theirs.fileno()), *map(str, limits)]
            self._child = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)  # noqa: S603  (our own words)
        self._control = ours
        return ours

    def _end(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._child is not None:
            try:
                self._child.wait(timeout=2)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        self._control = self._child = None


def _report(data: bytes) -> Report | None:
    try:
        return Report.load(data)
    except ValueError:
        return None


def _overrun(name: str, sha256: str, at: datetime) -> Report:
    notes = Notes()
    notes.failed("readable", _OVERRUN, Verdict.UNREADABLE)
    findings = tuple(notes.findings)
    return Report(file=name, verdict=Verdict.UNREADABLE, findings=findings, sha256=sha256, at=at)


def _read_all(connection: socket.socket) -> bytes:
    """What comes until the end or the time limit; nothing when it is too much."""
    parts, size = [], 0
    try:
        while part := connection.recv(1 << 16):
            parts.append(part)
            size += len(part)
            if size > MAX_ANSWER:
                return b""
    except OSError:
        pass  # the answers that came before still count
    return b"".join(parts)
