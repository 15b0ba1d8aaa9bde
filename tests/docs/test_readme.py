"""The documents: every example runs, every command is described, every link leads somewhere."""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from certlib.cli.main import commands
from tests.conftest import Demonstration, run_certctl

ROOT = Path(__file__).parents[2]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
DOCUMENTS = [*READMES, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(document: Path, language: str) -> list[str]:
    """The fenced blocks of that language."""
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def sessions(document: Path) -> Iterator[tuple[str, str, int]]:
    """Command, expected output and exit code of each `$` line in the console blocks."""
    for block in blocks(document, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            code = re.search(r"^\[(\d)\]\n\Z", output, re.MULTILINE)
            yield command, output[: code.start()] if code else output, int(code[1]) if code else 0


def matches(expected: str, shown: str) -> bool:
    """Whether `shown` reads as expected, where a line `...` stands for any lines."""
    parts = [re.escape(part.strip("\n")) for part in re.split(r"^\.\.\.$", expected, flags=re.MULTILINE)]
    return re.fullmatch(r"\s*" + r"(?:.*)".join(parts) + r"\s*", shown, re.DOTALL) is not None


@pytest.fixture(scope="module")
def desk(demonstration: Demonstration, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo's output, in which a reader tries the examples."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copytree(demonstration.folder / "demo-out", folder / "demo-out")
    return folder


@pytest.mark.parametrize("document", READMES, ids=lambda path: path.name)
def test_console_examples_run(document: Path, desk: Path, installed: Path) -> None:
    """Each command of the README, typed in order, prints what stands below it and ends as it says."""
    examples = list(sessions(document))
    assert examples
    for command, expected, code in examples:
        words, _, target = command.partition(" > ")
        program, *arguments = shlex.split(words)
        assert program == "certctl"
        done = run_certctl(installed, *arguments, cwd=desk)
        if target:
            (desk / target).write_text(done.stdout, encoding="utf-8")
            done.stdout = ""
        assert done.returncode == code, (command, done.stdout, done.stderr)
        assert matches(expected, done.stdout), (command, expected, done.stdout)


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
