"""`certctl verify`: its exit codes, its last line, its JSON."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from certlib.cli.verifying import _Desk, _subjects
from certlib.domain.verdict import Verdict
from certlib.verify.roots import TrustRoots
from certlib.verify.sandbox import Sandbox
from tests.conftest import ROOT, Demonstration, Run
from tests.verify.samples import attachment, base_pdf, seal, signer


@pytest.fixture(scope="module")
def out(demonstration: Demonstration) -> Path:
    """The demo's folder."""
    return demonstration.folder / "demo-out"


@pytest.fixture(scope="module")
def sound(out: Path) -> Path:
    """A decision in force, sealed."""
    return next(iter(sorted((out / "documents").glob("*.pdf"))))


def test_genuine_without_register_passes_and_says_so(certctl: Run, sound: Path) -> None:
    """A genuine file passes; the last line says that its state was not checked."""
    done = certctl("verify", str(sound))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "状态未核对")


def test_status_can_be_required(certctl: Run, sound: Path) -> None:
    """With --require-status an unchecked state does not pass."""
    assert certctl("verify", "--require-status", str(sound)).returncode == 1


def test_tampered_file_fails(certctl: Run, out: Path) -> None:
    """A changed byte is 内容被改动 and exit code 1."""
    done = certctl("verify", str(out / "tampered.pdf"))
    assert done.returncode == 1
    assert "内容被改动" in done.stdout


def test_unreadable_is_a_code_of_its_own(certctl: Run, tmp_path: Path) -> None:
    """A file that is no PDF is 无法读取 and exit code 3."""
    scan = tmp_path / "scan.jpg"
    scan.write_bytes(b"\xff\xd8\xff\xe0 a photograph")
    done = certctl("verify", str(scan))
    assert done.returncode == 3
    assert "无法读取" in done.stdout


def test_forgery_outweighs_scan(certctl: Run, out: Path, tmp_path: Path) -> None:
    """Of several files the worst decides."""
    scan = tmp_path / "scan.jpg"
    scan.write_bytes(b"\xff\xd8\xff\xe0")
    assert certctl("verify", str(scan), str(out / "tampered.pdf")).returncode == 1


def test_missing_file_is_misuse(certctl: Run, tmp_path: Path) -> None:
    """A path that is not there is exit code 2."""
    assert certctl("verify", str(tmp_path / "none.pdf")).returncode == 2


def test_foreign_roots_do_not_trust_us(certctl: Run, sound: Path, tmp_path: Path) -> None:
    """With other roots the issuer is unknown; an empty folder of roots is misuse."""
    assert certctl("verify", "--trust", str(tmp_path), str(sound)).returncode == 2
    (tmp_path / "pki.toml").write_text(
        (Path(__file__).parents[2] / "keys-dev" / "pki.toml").read_text(encoding="utf-8")
    )
    certctl("dev-pki", str(tmp_path), check=True)
    done = certctl("verify", "--trust", str(tmp_path / "trust"), str(sound))
    assert done.returncode == 1
    assert "签发机关未登记" in done.stdout
    assert "自称，未经证实 · claimed" in done.stdout


def test_unreachable_register_is_an_error_not_a_verdict(certctl: Run, sound: Path) -> None:
    """A register that does not answer never turns into “valid”."""
    done = certctl("verify", "--register", "http://127.0.0.1:9", str(sound))
    assert done.returncode == 1
    assert "真实有效" not in done.stdout


def test_json_is_one_line_a_file(certctl: Run, out: Path) -> None:
    """--json gives one object a line: file, verdict, findings, seals, certificate."""
    done = certctl("verify", "--json", str(out / "receipts"), str(out / "tampered.pdf"))
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["verdict"] for line in lines] == ["status-unknown", "status-unknown", "altered"]
    assert all(set(line) == {"file", "verdict", "findings", "seals", "certificate"} for line in lines)
    assert {finding["outcome"] for line in lines for finding in line["findings"]} <= {"pass", "fail", "warn", "unknown"}


def test_a_hostile_signature_beside_a_file_is_unreadable(certctl: Run, tmp_path: Path) -> None:
    """A `.ses` is a stranger's file like any other: whatever it holds, the answer is that it cannot be read."""
    hostile = tmp_path / "licence.ses"
    hostile.write_bytes(b"\x30\x80" * (1 << 20))
    done = certctl("verify", str(hostile))
    assert done.returncode == 3
    assert "无法读取" in done.stdout


def test_a_reason_is_told_whole_and_in_english_too(certctl: Run, out: Path) -> None:
    """No sentence is cut off at the edge of its column, and each check has its number of the report."""
    done = certctl("verify", str(out / "tampered.pdf"))
    assert "…" not in done.stdout
    said = "".join(done.stdout.split())
    assert "7内容未改·content" in said
    assert "Thecontentwaschangedaftersealing." in said


def test_a_folder_is_searched_for_any_spelling(certctl: Run, sound: Path, tmp_path: Path) -> None:
    """`.PDF` is one too, a folder of that name is none, a link to nowhere is told and ends nothing."""
    shutil.copy(sound, tmp_path / "A.PDF")
    (tmp_path / "b.pdf").mkdir()
    (tmp_path / "c.pdf").symlink_to(tmp_path / "nowhere")
    done = certctl("verify", "--json", str(tmp_path))
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(Path(line["file"]).name, line["verdict"]) for line in lines] == [
        ("A.PDF", "status-unknown"),
        ("c.pdf", "unreadable"),
    ]
    assert "打不开" in lines[1]["findings"][0]["detail"]
    assert done.returncode == 3


def test_a_folder_with_nothing_to_verify_does_not_pass(certctl: Run, tmp_path: Path) -> None:
    """Nothing verified is misuse, not success."""
    (tmp_path / "licence.docx").write_bytes(b"PK")
    assert certctl("verify", str(tmp_path)).returncode == 2


def test_two_files_of_one_name_keep_their_reports(certctl: Run, out: Path, sound: Path, tmp_path: Path) -> None:
    """Of a batch from several folders none overwrites another's."""
    for folder, file in (("a", sound), ("b", out / "tampered.pdf")):
        (tmp_path / folder).mkdir()
        shutil.copy(file, tmp_path / folder / "licence.pdf")
    certctl("verify", "--report", "json", "--out", str(tmp_path / "r"), str(tmp_path / "a"), str(tmp_path / "b"))
    reports = sorted((tmp_path / "r").iterdir())
    assert [path.name for path in reports] == ["licence.pdf.2.report.json", "licence.pdf.report.json"]
    verdicts = [json.loads(path.read_text(encoding="utf-8"))["verdict"] for path in reports]
    assert verdicts == ["altered", "status-unknown"]


def test_nothing_a_file_says_steers_the_terminal(certctl: Run, tmp_path: Path) -> None:
    """Neither markup of ours nor an escape sequence in a stranger's facts or a file's name is carried out."""
    file = tmp_path / "a\x1b[2J[red].pdf"
    file.write_bytes(seal(base_pdf(attachment(title="[/green]\u202e证"), text="x"), by=signer("seal-foreign")))
    done = certctl("verify", str(file))
    assert done.returncode == 1, done.stderr
    assert "[/green]" in done.stdout
    assert not {"\x1b", "\u202e"} & set(done.stdout)


def test_the_summary_of_a_folder(certctl: Run, out: Path, tmp_path: Path) -> None:
    """Sub-folders are searched; a pipe is not waited for; what was passed over is counted; who fails is named again."""
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    for name in ("a.pdf", "sub/b.pdf"):
        shutil.copy(next(iter(sorted((out / "receipts").glob("*.pdf")))), tmp_path / name)
    shutil.copy(out / "tampered.pdf", tmp_path / "sub" / "deep" / "c.pdf")
    os.mkfifo(tmp_path / "pipe.pdf")
    (tmp_path / "notes.txt").write_text("x")
    done = certctl("verify", str(tmp_path))
    assert done.returncode == 1
    summary = done.stdout[done.stdout.index("汇总 · summary") :]
    assert [line.split()[-1] for line in summary.splitlines() if " changed " in line or " in all " in line] == [
        "1",
        "3",
    ]
    assert "c.pdf" in summary
    assert "a.pdf" not in summary
    assert ".txt 1" in done.stderr
    for _ in range(2):  # an earlier run's reports are none of the files
        again = certctl("verify", "--json", "--report", "pdf", "--out", str(tmp_path), str(tmp_path))
        assert len(again.stdout.splitlines()) == 3


def test_a_folder_that_cannot_be_opened_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It may hold anything, so that what lies beside it does not pass for all."""

    def closed(place: Path, onerror: Callable[[OSError], None]) -> Iterator[tuple[str, list[str], list[str]]]:
        yield str(place), ["closed"], ["a.pdf"]
        onerror(PermissionError(13, "Permission denied", str(place / "closed")))

    monkeypatch.setattr("os.walk", closed)
    (tmp_path / "a.pdf").write_bytes(b"%PDF-")
    (tmp_path / "closed").mkdir()
    assert _subjects([str(tmp_path)])[0] == [tmp_path / "a.pdf", tmp_path / "closed"]
    monkeypatch.undo()
    with Sandbox(TrustRoots.load()) as sandbox:
        now = datetime.now(UTC)
        ((found, _),) = _Desk(sandbox, None, None, now, now).reports([tmp_path / "closed"])
    assert found.verdict is Verdict.UNREADABLE


def test_what_has_no_pages_has_a_report_too(certctl: Run, tmp_path: Path) -> None:
    """Of a `.ses`, and of a file that cannot be opened: the report says why, and nothing of missing pictures."""
    (tmp_path / "scan.ses").write_bytes(b"x")
    (tmp_path / "gone.pdf").symlink_to(tmp_path / "nowhere")
    certctl("verify", "--report", "html", "--out", str(tmp_path / "r"), str(tmp_path))
    pages = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "r").iterdir()}
    assert set(pages) == {"scan.ses.report.html", "gone.pdf.report.html"}
    assert all("Cannot be read" in page and "could not be drawn" not in page for page in pages.values())


def test_ctrl_c_says_how_far_it_came(sound: Path, tmp_path: Path) -> None:
    """What was verified until then is summed up, and the exit code is that of an interrupted program."""
    for number in range(400):
        (tmp_path / f"{number:03}.pdf").symlink_to(sound)
    words = [Path(sys.executable).with_name("certctl"), "verify", tmp_path]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    pipe = subprocess.PIPE
    # whoever runs the tests in the background has it ignored, and a program would inherit that
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True, env=environment) as running:
        signal.signal(signal.SIGINT, before)
        assert running.stdout is not None
        running.stdout.readline()
        running.send_signal(signal.SIGINT)
        told, warned = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "/400" in warned
    assert "汇总" in told


def test_a_day_is_asked_about_as_it_ended_in_the_city(certctl: Run, sound: Path) -> None:
    """A day before the file was sealed, whatever zone the machine has; a word that is no day is misuse."""
    day = json.loads(certctl("verify", "--json", "--at", "2026-04-01", str(sound)).stdout)
    assert (day["verdict"], day["today"]["verdict"]) == ("not-in-force", "status-unknown")
    assert certctl("verify", "--at", "gestern", str(sound)).returncode == 2
