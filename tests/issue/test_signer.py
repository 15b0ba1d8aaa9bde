"""The signer process: it alone holds the seals' keys, and seals what the register planned and nothing else."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import cbor2
import pytest
from sqlmodel import select

from certlib.crypto.development import development_folder
from certlib.domain.verdict import Verdict
from certlib.errors import ConfigurationError, KeyUnavailableError, NotFoundError, SealDeniedError, SealFailedError
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings
from certlib.register.tables import SealUseRow
from certlib.sealing.signer import RemoteSealer, SignerServer
from certlib.verify.examine import examine
from certlib.verify.roots import TrustRoots
from tests.issue.conftest import Clock, Desk

SUITE = "p256-sha256"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An office that asks a signer; its folder of keys has the seals' certificates and none of their keys."""
    keys = copytree(development_folder(), tmp_path / "keys")
    for path in (keys / "seals").glob("*.pem"):
        pem = path.read_text(encoding="ascii")
        path.write_text(pem[pem.index("-----BEGIN CERTIFICATE-----") :], encoding="ascii")
    return Settings(home=tmp_path / "home", suite=SUITE, keys=str(keys), signer=str(tmp_path / "signer.sock"))


@contextmanager
def signing(settings: Settings, clock: Clock) -> Iterator[SignerServer]:
    """The signer of that office, with the keys, for as long as it is wanted."""
    own = replace(settings, keys="", signer="")
    with (
        open_office(own, clock=clock) as office,
        SignerServer(Path(settings.signer), office.sealer, office.register.now) as server,
    ):
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def signer(settings: Settings, desk: Desk) -> Iterator[SignerServer]:
    """A signer that is running."""
    with signing(settings, desk.clock) as server:
        yield server


def uses(desk: Desk) -> list[tuple[str, str]]:
    """State and reason of every use in the ledger."""
    with desk.office.register.reader() as session:
        return [(row.state, row.why) for row in session.exec(select(SealUseRow)).all()]


def said(path: str, message: bytes) -> dict[str, object]:
    """What the signer answers to raw bytes."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.connect(path)
        line.sendall(message)
        line.shutdown(socket.SHUT_WR)
        data = b"".join(iter(lambda: line.recv(65536), b""))
    return dict(cbor2.loads(data[4:])) if data else {}


@pytest.mark.usefixtures("signer")
def test_an_office_without_a_seals_key_issues_through_the_signer(desk: Desk) -> None:
    """The file is valid, and the ledger has the use, as if the key had been at hand."""
    body = desk.issue("2-25")
    pdf = desk.office.file(body["identifier"])
    report = examine(pdf, trust=TrustRoots.load(), at=desk.clock.at, lookup=desk.office.lookup)
    assert report.verdict is Verdict.VALID
    assert uses(desk) == [("used", "")]


@pytest.mark.usefixtures("signer")
def test_the_signer_reads_the_register_itself(desk: Desk) -> None:
    """A seal suspended meanwhile is not used: the denial is the signer's, told to whoever asked and recorded."""
    person = {"person": "王素珍", "document_number": "赣市行审印〔2026〕1号", "cause": "inspection"}
    for seal in desk.office.seals.seals():
        if seal["state"] == "enabled":
            desk.office.seals.act(seal["id"], {"act": "suspend", **person}, client="certctl")
    with pytest.raises(SealDeniedError, match="停用"):
        desk.issue("2-25")
    assert [state for state, _ in uses(desk)] == ["denied"]


def test_without_a_signer_nothing_is_used_and_the_matter_waits(desk: Desk, settings: Settings) -> None:
    """The same request under the same key is finished when the signer is back."""
    request = desk.request("2-25")
    with pytest.raises(KeyUnavailableError, match="certctl signer"):
        desk.office.issue(request, client="platform", key="waits")
    assert uses(desk) == []
    with signing(settings, desk.clock):
        answer = desk.office.issue(request, client="platform", key="waits")
    assert answer.status == 201
    assert not Path(settings.signer).exists()


def test_no_other_intent_and_no_nonsense_reaches_a_key(desk: Desk, settings: Settings, signer: SignerServer) -> None:
    """Intents that are not on record, digests, long and broken messages are refused; the signer goes on answering."""
    remote = RemoteSealer(Path(settings.signer))
    with pytest.raises(NotFoundError):
        remote.seal("0" * 32, now=desk.clock.at)
    for message in ({"seal": "x", "digest": b"0" * 32}, {"sign": b"0" * 32}, {"seal": 7}, [], None):
        data = cbor2.dumps(message)
        answer = said(settings.signer, struct.pack(">I", len(data)) + data)
        assert answer["error"] == SealFailedError.__name__
    for raw in (b"", b"\x00", struct.pack(">I", 2**31), struct.pack(">I", 3) + b"\xff\xff\xff"):
        assert "order" not in said(settings.signer, raw)
    assert uses(desk) == []
    assert desk.issue("2-25")["number"]


def test_only_the_users_named_may_ask(desk: Desk, settings: Settings, signer: SignerServer) -> None:
    """The kernel says who asks and who answers; the socket is its owner's alone."""
    assert Path(settings.signer).stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeyUnavailableError, match="用户"):
        RemoteSealer(Path(settings.signer), user=os.getuid() + 1).seal("intent", now=desk.clock.at)
    signer.users = frozenset()
    with pytest.raises(SealFailedError, match="无权"):
        desk.issue("2-25")
    assert uses(desk) == []


def test_one_socket_has_one_signer(settings: Settings, signer: SignerServer) -> None:
    """A second signer for the same token is refused; the socket of one that died is taken over."""
    with pytest.raises(ConfigurationError, match="已有签名进程"):
        SignerServer(Path(settings.signer), signer.sealer, signer.clock)
    left = Path(settings.signer).with_name("left.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(left))
    SignerServer(left, signer.sealer, signer.clock).server_close()
    assert not left.exists()


@pytest.mark.usefixtures("signer")
def test_eight_threads_ask_at_once(desk: Desk) -> None:
    """Each gets its own file; the counter is dense."""
    requests = [desk.request("2-25") for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        done = pool.map(lambda k: desk.office.issue(requests[k], client="platform", key=f"k{k}"), range(8))
        numbers = {answer.body["number"] for answer in done}
    assert len(numbers) == 8
    with desk.office.register.reader() as session:
        counters = sorted(row.counter or 0 for row in session.exec(select(SealUseRow)).all())
    assert counters == list(range(1, 9))
