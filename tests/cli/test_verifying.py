"""`certctl verify`: its exit codes, its last line, its JSON."""

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import Demonstration, Run
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
