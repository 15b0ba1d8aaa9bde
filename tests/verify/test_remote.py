"""A register that answers nonsense, or breaks off, leaves the state unknown and nothing else."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from certlib.errors import DeliveryError
from certlib.verify.remote import RemoteRegister
from tests.fuzz.parts import ANSWER
from tests.verify.samples import NOW


@contextmanager
def answering(answer: bytes) -> Iterator[RemoteRegister]:
    """A register that sends these bytes to whoever connects, and hangs up."""

    def serve() -> None:
        with server.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield RemoteRegister(f"http://127.0.0.1:{server.getsockname()[1]}")


def reply(body: bytes, *, length: int | None = None) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (length or len(body)) + body


def changed(**values: object) -> bytes:
    return reply(json.dumps({**ANSWER, **values}).encode())


def test_a_good_answer_is_the_state() -> None:
    """Number, edition, and when the register took it."""
    with answering(changed()) as register:
        state = register.by_sha256("00", at=datetime.now(UTC))
    assert state is not None
    assert (state.n, state.edition, str(state.verdict)) == (7, 1, "valid")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"no HTTP at all\r\n\r\n",
        reply(b"{}", length=500),
        reply(b"[" * 100_000),
        reply(b"7"),
        changed(issued=None),
        changed(n="7"),
        changed(edition=True),
        changed(fields=[7]),
        changed(fields={"english": "Number"}),
        changed(verdict="splendid"),
        changed(registered_at="2026-03-09T02:30:00"),
        changed(registered_at=7),
    ],
)
def test_any_other_answer_is_told_as_none(answer: bytes) -> None:
    """In the one error that leaves the state unknown, so that a broken register ends no verification."""
    with answering(answer) as register, pytest.raises(DeliveryError):
        register.by_sha256("00", at=datetime.now(UTC))


@pytest.mark.parametrize(
    "answer", [b"", b"no HTTP at all\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz"]
)
def test_a_list_that_does_not_arrive_is_none(answer: bytes) -> None:
    """The folder of trust must do without it."""
    for read in (RemoteRegister.trust_list, RemoteRegister.seal_list):
        with answering(answer) as register:
            assert read(register, []) is None


@pytest.mark.parametrize("told", [{}, {"at": None}, {"at": 7}, {"at": "then"}, {"at": "2026-01-01T00:00:00+00:00"}])
def test_the_state_of_now_is_no_answer_to_what_was_then(told: dict[str, object]) -> None:
    """A register that tells another moment's state leaves that of the moment asked unchecked."""
    answer = {key: value for key, value in ANSWER.items() if key != "at"} | told
    with answering(reply(json.dumps(answer).encode())) as register, pytest.raises(DeliveryError, match="所问时刻"):
        register.by_sha256("00", at=NOW)
    with answering(changed(at=NOW.isoformat())) as register:
        assert register.by_sha256("00", at=NOW) is not None
