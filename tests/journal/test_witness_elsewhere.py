"""A witness on another machine: `certctl witness` cosigns over HTTP, and an office asks it by its settings."""

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from certlib.crypto.development import development_folder
from certlib.errors import ConfigurationError
from certlib.formats.tlog_note import VerifierKey
from certlib.issue.checking import witness_findings
from certlib.issue.composition import open_office
from certlib.issue.exporting import export_office
from certlib.issue.office import Office
from certlib.issue.settings import Settings
from certlib.issue.witnesses import development_witness, open_witnesses
from certlib.journal.witness_client import HttpWitness
from certlib.verify.audit import AuditTrust, audit
from certlib.verify.bundle import open_bundle
from tests.issue.conftest import Clock

NAME = "witness-archive"
KEY = f"pem:{development_folder() / 'keys' / NAME}.pem"


@contextmanager
def running(folder: Path, journals: Path) -> Iterator[str]:
    """The witness program as a process of its own; gives its address."""
    program = Path(sys.executable).with_name("certctl")
    words = [
        "witness",
        "--name",
        NAME,
        "--key",
        KEY,
        "--journals",
        str(journals),
        "--store",
        str(folder),
        "--port",
        "0",
    ]
    environment = {"COLUMNS": "200", "NO_COLOR": "1", "PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen([program, *words], stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        try:
            while not (found := re.search(r"http://\S+(?=/add-checkpoint)", line := process.stderr.readline())):
                assert line, "the witness ended"
            yield found[0]
        finally:
            process.terminate()


def test_an_office_is_witnessed_by_a_program_elsewhere(tmp_path: Path) -> None:
    """Its cosignature is kept; a register put back to before is told so, and the witness signs nothing."""
    home = tmp_path / "office"
    settings = Settings(home=home, suite="p256-sha256")
    journals = tmp_path / "journals"
    with open_office(settings) as office:
        office.sequence()
        journals.write_text("\n".join(map(str, office.journal.verifiers)), encoding="utf-8")
    copy = (home / "register.db").read_bytes()
    with running(tmp_path / "heads", journals) as url:
        entry = {"name": NAME, "url": url, "key": str(development_witness(NAME).verifier)}
        witnessed = replace(settings, witnesses=(entry,))
        with open_office(witnessed) as office:
            office.keep_statement(b"one", target="city")
            office.sequence()
            assert [one.outcome for one in office.ask_witnesses()] == ["pass"]
            with office.register.reader() as session:
                assert NAME in office.journal.checkpoint(session)
        for leftover in home.glob("register.db-*"):
            leftover.unlink()
        (home / "register.db").write_bytes(copy)
        with open_office(witnessed) as office:
            assert [one.outcome for one in office.ask_witnesses()] == ["fail"]


def test_the_program_prints_the_key_that_the_settings_want(certctl: object) -> None:
    """Nothing has to be computed by hand."""
    shown = certctl("witness", "--name", NAME, "--key", KEY, "--show").stdout.strip()  # type: ignore[operator]
    assert VerifierKey.parse(shown) == development_witness(NAME).verifier


def test_a_witness_that_is_away_holds_up_nothing(tmp_path: Path) -> None:
    """It is a finding, and the journal goes on without its line."""
    key = str(development_witness(NAME).verifier)
    entry = {"name": NAME, "url": "http://127.0.0.1:9", "key": key}
    with open_office(Settings(home=tmp_path, suite="p256-sha256", witnesses=(entry,))) as office:
        office.sequence()
        (found,) = office.ask_witnesses()
        assert (found.outcome, "联系不上" in found.detail) == ("unknown", True)


def test_a_witness_that_stays_away_becomes_an_alarm(tmp_path: Path) -> None:
    """When an audit would call it a breach: after a day; until then it is a doubt, and one witness alone a warning."""
    clock = Clock()
    entry = {"name": NAME, "url": "http://127.0.0.1:9", "key": str(development_witness(NAME).verifier)}
    settings = Settings(home=tmp_path, suite="p256-sha256", witnesses=(entry,))
    with open_office(settings, clock=clock) as office:
        office.sequence()
        assert [one.outcome for one in witness_findings(office)] == ["warn", "unknown"]
        clock.advance(hours=25)
        few, away = witness_findings(office)
    assert (few.outcome, "审计要求 2 个" in few.detail) == ("warn", True)
    assert (away.check, away.outcome, "起没有它的见证" in away.detail) == ("witnesses", "fail", True)


def test_a_journal_in_which_nothing_happens_is_witnessed_every_hour(tmp_path: Path) -> None:
    """Over a holiday: an audit would else find heads that nobody has cosigned for a day."""
    clock = Clock()
    with open_office(Settings(home=tmp_path / "home", suite="p256-sha256"), clock=clock) as office:
        office.sequence()
        size = cosigned(office)
        for _ in range(4):
            clock.advance(hours=12)
            office.sequence()
            assert cosigned(office) == size
        export_office(office, tmp_path / "bundle")
        trust = AuditTrust(
            journal=office.journal.verifiers,
            witnesses=[one.verifier for one in office.witnesses],
            trust_roots=office.list_keys,
        )
    with open_bundle(tmp_path / "bundle") as bundle:
        report = audit(bundle, trust, quorum=2)
    assert report.breaches == ()


def cosigned(office: Office) -> int:
    """Have the witnesses asked, and give the size under which both stand."""
    assert witness_findings(office) == []
    with office.register.reader() as session:
        head = office.journal.head(session)
    assert len(head.cosignatures) == 2
    return head.size


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 403 No\r\nContent-Length: 11\r\n\r\nLiu Wenjing", "拒绝签名（403）。"),
        (b"Liu Wenjing\r\n\r\n", "联系不上（BadStatusLine）。"),
        (b"", "联系不上（RemoteDisconnected）。"),
    ],
    ids=["refused", "not HTTP", "nothing"],
)
def test_whatever_a_witness_says_is_a_finding_without_its_words(tmp_path: Path, answer: bytes, words: str) -> None:
    """They would stand in our log and before the auditor; and no answer ends the round for the other witnesses."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def reply() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(answer)

        thread = threading.Thread(target=reply, daemon=True)
        thread.start()
        entry = {"name": NAME, "url": f"http://127.0.0.1:{server.getsockname()[1]}"}
        entry["key"] = str(development_witness(NAME).verifier)
        with open_office(Settings(home=tmp_path, suite="p256-sha256", witnesses=(entry,))) as office:
            office.sequence()
            (found,) = office.ask_witnesses()
        thread.join(20)
    assert (found.outcome, found.detail) == ("unknown", f"见证“{NAME}”{words}")


@pytest.mark.parametrize(
    "change",
    [{"key": "x"}, {"name": "another"}, {"url": "ftp://archive.example"}, {"more": "1"}],
    ids=["key", "name", "url", "member"],
)
def test_a_wrong_entry_is_named(tmp_path: Path, change: dict[str, str]) -> None:
    """When the office is opened, not at night."""
    entry = {"name": NAME, "url": "http://127.0.0.1:9", "key": str(development_witness(NAME).verifier), **change}
    with (
        pytest.raises(ConfigurationError, match="见证"),
        open_office(Settings(home=tmp_path, suite="p256-sha256", witnesses=(entry,))),
    ):
        pass


def test_without_witnesses_of_its_own_only_development_has_any(tmp_path: Path) -> None:
    """An office with keys of its own is not witnessed by itself."""
    with open_office(Settings(home=tmp_path, suite="p256-sha256")) as office:
        elsewhere = replace(office.settings, environment="production")
        assert open_witnesses(elsewhere, office.journal, office.register.now) == ()
        assert all(not isinstance(one, HttpWitness) for one in office.witnesses)
