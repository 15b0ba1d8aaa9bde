"""The documents: every example runs, every command is described, every link leads somewhere."""

import re
import shutil
from functools import partial
from pathlib import Path

import pytest

from certlib.cli.main import commands
from tests.conftest import Demonstration, run_certctl
from tests.sessions import play

ROOT = Path(__file__).parents[2]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
DOCUMENTS = [*READMES, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(document: Path, language: str) -> list[str]:
    """The fenced blocks of that language."""
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def desk(demonstration: Demonstration, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo's output, in which a reader tries the examples; each reader has one of their own."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copytree(demonstration.folder / "demo-out", folder / "demo-out")
    return folder


@pytest.mark.parametrize("document", READMES, ids=lambda path: path.name)
def test_console_examples_run(document: Path, desk: Path, installed: Path) -> None:
    """Each command of the README, typed in order, prints what stands below it and ends as it says."""
    console = "\n".join(blocks(document, "console"))
    assert play(console, desk, partial(run_certctl, installed)) >= 5


@pytest.mark.parametrize("document", READMES, ids=lambda path: path.name)
def test_every_command_is_described(document: Path) -> None:
    """Each command of the table stands in the README, and no other."""
    text = document.read_text(encoding="utf-8")
    described = set(re.findall(r"(?:certctl |(?<=` · `))([a-z][a-z-]*)", text))
    assert {command.name for command in commands()} == described


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    """Each relative link and picture is a file of the checkout."""
    targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    local = [target for target in targets if not re.match(r"[a-z]+:", target)]
    assert not [target for target in local if not (document.parent / target).exists()]


def test_make_targets_of_the_readmes_exist() -> None:
    """`make X` in a README is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for document in READMES:
        named = set(re.findall(r"\bmake ([a-z-]+)", "\n".join(blocks(document, "sh"))))
        assert {"demo", "test"} <= named <= targets


def test_every_decision_is_in_the_index() -> None:
    """The index of decisions names each record by its title, in order, and no other."""
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    indexed = re.findall(r"^\| \[(\d+)\]\(([\w-]+\.md)\) \| (.*?) \|", index, re.MULTILINE)
    titles = [(path.name, path.read_text(encoding="utf-8").splitlines()[0]) for path in sorted(folder.glob("0*.md"))]
    assert [(file, f"# {number}. {title}") for number, file, title in indexed] == titles
