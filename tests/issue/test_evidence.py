"""The evidence pack: its README's own commands check it, with common tools and none of ours."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from certlib.errors import NotFoundError
from certlib.formats.leaf import Leaf
from certlib.formats.tlog import leaf_hash
from certlib.formats.tlog_proof import InclusionProof
from tests.issue.conftest import Desk

TOOLS = ("openssl", "sha256sum", "cmp")


@pytest.fixture
def pack(desk: Desk, tmp_path: Path) -> Path:
    """An unpacked evidence pack of a changed certificate."""
    body = desk.issue("2-25")
    changed = desk.act("2-27", body["identifier"], "change", facts={"legal_representative": "黄建国"})
    folder = tmp_path / "pack"
    with zipfile.ZipFile(io.BytesIO(desk.office.evidence(changed["identifier"]))) as archive:
        archive.extractall(folder)
    return folder


def commands(pack: Path) -> list[str]:
    """The commands of the README, one each, without the judge that wants a database of its own."""
    block = re.search(r"```sh\n(.*?)```", (pack / "README.md").read_text("utf-8"), re.DOTALL)
    assert block is not None
    text = block[1].replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith(("#", "pdfsig"))]


@pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason="openssl or coreutils are not installed")
def test_the_readmes_commands_check_the_pack(pack: Path) -> None:
    """Every command succeeds on the pack, and the signature's command fails on changed content."""
    for command in commands(pack):
        done = subprocess.run(["bash", "-c", command], cwd=pack, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stderr)
    lists = next(command for command in commands(pack) if "crl_check_all" in command)
    (pack / "crl.pem").write_bytes(b"")
    assert subprocess.run(["bash", "-c", lists], cwd=pack, capture_output=True, check=False).returncode != 0
    (pack / "content.bin").write_bytes((pack / "content.bin").read_bytes()[:-1] + b"x")
    verify = next(command for command in commands(pack) if "cms -verify" in command)
    assert subprocess.run(["bash", "-c", verify], cwd=pack, capture_output=True, check=False).returncode != 0


def test_the_commands_do_not_depend_on_the_day_they_are_run(pack: Path) -> None:
    """Certificates end, packs are read years later: each command that judges a chain says as of when."""
    judging = [command for command in commands(pack) if command.startswith("openssl") and "-CAfile" in command]
    assert len(judging) == 3
    assert all(re.search(r"-attime \d+", command) for command in judging)


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_readmes_commands_check_the_journal(pack: Path, shell: str) -> None:
    """From each leaf up to the signed root, with a shell and openssl; nothing changed gets through."""
    blocks = re.findall(r"```sh\n(.*?)```", (pack / "README.md").read_text("utf-8"), re.DOTALL)

    def told() -> dict[str, str]:
        done = subprocess.run([shell, "-c", blocks[1]], cwd=pack, capture_output=True, text=True, check=False)
        return dict(line.split(": ", 1) for line in done.stdout.splitlines())

    proofs = ["certificate.tlog-proof", "journal/001-issue.tlog-proof", "journal/002-change.tlog-proof"]
    assert told() == dict.fromkeys(proofs, "ok")
    for name, change in (
        ("certificate.cbor", lambda data: data[:-1] + bytes([data[-1] ^ 1])),
        ("journal/001-issue.tlog-proof", lambda data: re.sub(rb"(?m)^index \d+", b"index 3", data)),
        ("journal/002-change.tlog-proof", lambda data: re.sub(rb"(?m)(^\xe2\x80\x94 \S+ .{20}).", rb"\1A", data)),
    ):
        kept = (pack / name).read_bytes()
        assert change(kept) != kept
        (pack / name).write_bytes(change(kept))
        wrong = re.sub("cbor$", "tlog-proof", name)
        assert told() == dict.fromkeys(proofs, "ok") | {wrong: "WRONG"}
        (pack / name).write_bytes(kept)


@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="poppler's pdfsig is not installed")
def test_the_other_reader_of_the_readme_finds_the_signature_good(pack: Path, tmp_path: Path) -> None:
    """pdfsig, with an empty database of certificates: good over the whole file; not so when a byte is changed."""
    assert "\npdfsig certificate.pdf\n" in (pack / "README.md").read_text("utf-8")

    def told() -> str:
        done = subprocess.run(
            ["pdfsig", "certificate.pdf"],
            cwd=pack,
            capture_output=True,
            text=True,
            check=False,
            env={"HOME": str(tmp_path)},
        )
        return done.stdout

    said = told()
    assert "Signature Validation: Signature is Valid." in said
    assert "Total document signed" in said
    content = (pack / "certificate.pdf").read_bytes()
    at = content.index(b"/MediaBox")
    (pack / "certificate.pdf").write_bytes(content[:at] + b"/MediaBix" + content[at + 9 :])
    assert "Signature is Valid" not in told()


def test_the_authorisation_and_the_chain_of_the_decision_are_there(pack: Path) -> None:
    """Who reviewed, who decided, under which authorisation the seal was used, and every event with its proof."""
    decision = json.loads((pack / "decision.json").read_text("utf-8"))
    assert {"acceptance", "review", "approval"} <= decision.keys()
    history = json.loads((pack / "history.json").read_text("utf-8"))
    assert [event["action"] for event in history] == ["issue", "change"]
    proofs = sorted((pack / "journal").glob("*.tlog-proof"))
    assert len(proofs) == len(history)
    assert all(InclusionProof.parse(proof.read_text("utf-8")) for proof in proofs)


def test_the_file_has_its_proof_beside_it(pack: Path, desk: Desk) -> None:
    """`certificate.tlog-proof` carries the leaf that names the file's digest, under the journal's signed head."""
    proof = InclusionProof.parse((pack / "certificate.tlog-proof").read_text("utf-8"))
    proof.verify(leaf_hash(proof.extra), desk.office.journal.verifiers)
    leaf = Leaf.decode(proof.extra)
    assert leaf.file == hashlib.sha256((pack / "certificate.pdf").read_bytes()).digest()
    assert leaf.kind == "certificate:changed"


def test_there_is_no_pack_of_what_we_did_not_seal(desk: Desk) -> None:
    """An unknown edition has no evidence."""
    body = desk.issue("2-25")
    with pytest.raises(NotFoundError):
        desk.office.evidence(body["identifier"], 7)
