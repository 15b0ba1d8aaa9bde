"""What the demo must show, read from what it leaves behind."""

from pathlib import Path

import pytest

from certlib.errors import ConfigurationError
from service.demo.folder import MARK, Folder
from service.demo.script import read_story
from service.demo.tamper import tampered
from tests.conftest import Demonstration, run_certctl

NEEDED = {"change", "renew", "correct", "reissue", "suspend", "resume", "cancel", "revoke"}


def test_enough_of_everything(demonstration: Demonstration) -> None:
    """At least 12 certificates, 4 documents, 2 receipts, four departments' seals, both ways of handling."""
    summary = demonstration.summary
    assert summary["issued"] >= 12
    assert summary["documents"] >= 4
    assert summary["receipts"] >= 2
    assert len(summary["departments"]) >= 4
    assert set(summary["handling"]) == {"市县同办", "县级受理市级审批"}


def test_every_kind_of_action() -> None:
    """The story has each action of the mission, suspension and resumption by another authority's document."""
    acts = read_story().acts
    assert {row["action"] for row in acts} >= NEEDED
    assert all("order" in row for row in acts if row["action"] in {"suspend", "resume"})


def test_every_event_is_delivered(demonstration: Demonstration) -> None:
    """The repository holds of each certificate exactly the events that the register has."""
    events = demonstration.summary["events"]
    assert events["repository"] == events["register"]
    assert demonstration.summary["delivered"] == sum(events["register"].values())


def test_supervising_departments_are_told(demonstration: Demonstration) -> None:
    """Each department has verified exactly the events sent to it; several departments' items are in the story."""
    supervision = demonstration.summary["supervision"]
    assert supervision["received"] == supervision["sent"]
    assert {"赣州市市场监督管理局", "赣州市住房和城乡建设局"} <= supervision["received"].keys()
    assert sum(supervision["received"].values()) > demonstration.summary["issued"]


def test_every_verdict_is_the_storys(demonstration: Demonstration) -> None:
    """Each sealed file has a verdict, and it is the one the story says; all files named are there."""
    summary, out = demonstration.summary, demonstration.folder / "demo-out"
    assert summary["verdicts"] == summary["expected"]
    assert {"valid", "superseded", "revoked", "cancelled", "not-in-force", "altered"} <= set(
        summary["verdicts"].values()
    )
    sealed = [path for part in ("certificates", "documents", "receipts") for path in (out / part).glob("*.pdf")]
    assert {path.relative_to(out).as_posix() for path in sealed} | {"tampered.pdf"} == set(summary["verdicts"])


def test_sheets_agree_with_files(demonstration: Demonstration) -> None:
    """A sheet's verdict is its file's, but for the one that was lost; each sheet has its print file."""
    summary, out = demonstration.summary, demonstration.folder / "demo-out"
    files = {Path(name).stem: verdict for name, verdict in summary["verdicts"].items()}
    differing = [verdict for name, verdict in summary["sheets"].items() if verdict != files[name.partition(" ")[2]]]
    assert differing == ["paper-lost"]
    serials = {name.partition(" ")[0] for name in summary["sheets"]}
    assert {path.name.partition("-")[0] for path in (out / "sheets").glob("*.pdf")} == serials


def test_official_can_read_it(demonstration: Demonstration) -> None:
    """The page names items, the three steps, the seals and the results, in Chinese."""
    words = (
        "第三类医疗器械经营许可（新办）",
        "受理 区行政审批局",
        "批准 市自然资源局",
        "行政审批专用章",
        "真实，已撤销",
    )
    assert [word for word in words if word not in demonstration.done.stdout] == []


def test_second_run_replaces_the_first(demonstration: Demonstration, installed: Path, tmp_path: Path) -> None:
    """A second demo into the same folder works and leaves nothing of the first."""
    out = tmp_path / "demo-out"
    out.mkdir()
    (out / MARK).touch()
    (out / "certificates").mkdir()
    (out / "certificates" / "old.pdf").touch()
    done = run_certctl(installed, "demo", "--out", str(out), "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    left = {path.name for path in (out / "certificates").iterdir()}
    assert left == {path.name for path in (demonstration.folder / "demo-out" / "certificates").iterdir()}


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """A folder with other files in it is refused and nothing in it is touched."""
    (tmp_path / "thesis.txt").write_text("three years", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="未作改动"):
        Folder.fresh(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A link in the place of the folder is refused: emptying it would empty something else."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / MARK).touch()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(ConfigurationError):
        Folder.fresh(tmp_path / "link")


def test_tampering_changes_one_byte() -> None:
    """The forger's file differs in one byte and in nothing else."""
    pdf = b"%PDF-1.7\nstream\n" + bytes(100) + b"endstream"
    changed = tampered(pdf)
    assert len(changed) == len(pdf)
    assert sum(a != b for a, b in zip(pdf, changed, strict=True)) == 1
