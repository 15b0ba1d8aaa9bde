"""The process in which files from strangers are read: started by `certlib.verify.sandbox`, never by hand.

It imports everything once, examines a file of its own, and then waits. For each connection it is handed it forks; the
fork puts limits on itself, reads its requests, examines, answers each as soon as it can, and is gone. Whatever a file
does to a parser, it does to that fork.
"""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import resource
import select
import signal
import socket
import sys
import time
from datetime import UTC, datetime
from importlib.resources import as_file, files

from certlib.verify import examine as examination
from certlib.verify import pictures, ses_file
from certlib.verify.report import Report
from certlib.verify.request import Limits, Request, frame
from certlib.verify.roots import TrustRoots

WARM_UP_AT = datetime(2026, 4, 8, tzinfo=UTC)
"""A moment at which the file of the warm-up stands in full validity."""

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def main() -> None:
    """Serve the control socket whose descriptor is the first argument, within the limits of the others."""
    control = socket.socket(fileno=int(sys.argv[1]))
    limits = Limits(*(int(word) for word in sys.argv[2:]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to end
    warm_up()
    _go_offline()  # once, for all forks: a namespace of its own costs each a millisecond
    gc.collect()
    gc.freeze()  # so that a fork copies no page for the collector's sake
    serve(control, limits)


def warm_up() -> Report:
    """Examine a file of our own once, so that no fork has to do again what the first examination of a process does.

    Half of a fork's time went into late imports, ASN.1 classes and algorithm tables that it threw away with itself.
    """
    with as_file(files("certlib.verify") / "data" / "warm-up") as folder:
        pdf, trust = (folder / "sealed.pdf").read_bytes(), TrustRoots.load(folder)
    request = pickle.dumps(Request(pdf, trust, WARM_UP_AT, None, "sealed.pdf"))
    return Report.load(_carry_out(pickle.loads(request)))  # noqa: S301  (our own words)


def serve(control: socket.socket, limits: Limits) -> None:
    """Fork for each descriptor that arrives, until the other end is closed; end what overruns its time."""
    running: dict[int, float] = {}
    while True:
        ready, _, _ = select.select([control], [], [], 0.5 if running else None)
        _reap(running, limits)
        if not ready:
            continue
        try:
            data, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        except OSError:
            data, descriptors = b"", []
        if not data:
            break
        for descriptor in descriptors:
            pid = os.fork()
            if pid == 0:
                control.close()
                _answer(socket.socket(fileno=descriptor), limits)
            os.close(descriptor)
            running[pid] = time.monotonic()
    for pid in running:
        _kill(pid)


def _reap(running: dict[int, float], limits: Limits) -> None:
    while running:
        pid, _ = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            break
        running.pop(pid, None)
    for pid, since in running.items():
        if time.monotonic() - since > limits.wall + 1:
            _kill(pid)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _answer(connection: socket.socket, limits: Limits) -> None:
    """In the fork: limits, requests, an examination and an answer for each, end."""
    try:
        _restrict(limits)
        with connection.makefile("rb") as stream:
            requests: tuple[Request, ...] = pickle.load(stream)  # noqa: S301  (from our parent, who is trusted)
        for request in requests:
            connection.sendall(frame(_carry_out(request)))
    finally:
        os._exit(0)


def _carry_out(request: Request) -> bytes:
    if request.draw:
        return pictures.draw(request.pdf).dump()
    if beside := request.beside:
        found = ses_file.examine_ses_file(
            request.pdf, beside.original, beside.authorities, at=request.at, name=request.name
        )
        return found.dump()
    report = examination.examine(
        request.pdf, trust=request.trust, at=request.at, lookup=request.answer, name=request.name
    )
    return report.dump()


def _restrict(limits: Limits) -> None:
    """Kernel limits, which hold inside C code too: the default action of each signal ends the process."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(limits.wall)
    _limit(resource.RLIMIT_CPU, limits.cpu)
    _limit(resource.RLIMIT_AS, limits.memory)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)


def _go_offline() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).unshare(_CLONE_NEWUSER | _CLONE_NEWNET)  # no network; where refused, nothing here uses any


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard),) * 2)


if __name__ == "__main__":
    main()
