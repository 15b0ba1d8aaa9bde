"""The locks: whatever is installed is what was tested, from whichever mirror a city uses."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted(ROOT.glob("requirements*.lock"))
# Put together from pieces, so that this file does not hold what it looks for.
FOREIGN = re.compile(
    "|".join(["https?:" + "//", "file:" + "//", "^ *-" + "-[a-z-]*(index|links)", " @ ", r"(^|\s)[./]"])
)
HOSTS = re.compile(
    "|".join(
        [
            "-" + "-(extra-)?index" + "-url",
            "-" + "-find" + "-links",
            "index" + "-url *=",
            "^registry" + " *=",
            '"resolved"' + ":",
            "https?:" + '//[^ "]*/' + r"simple\b",
            "file:" + "///",
        ]
    )
)


def requirements(lock: Path) -> Iterator[tuple[str, str]]:
    """Name and pinned version of each requirement in the lock, one for each marker."""
    for line in lock.read_text().splitlines():
        if found := re.match(r"([a-z0-9-]+)==([^ ;]+)", line):
            yield found[1], found[2]


def committed() -> list[Path]:
    """Every text file of the checkout that git knows."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.stdout.decode().split("\0") if name]


def text(file: Path) -> str:
    """The file's text, empty for a file that is not text or has gone."""
    try:
        return file.read_text(encoding="utf-8")
    except (UnicodeDecodeError, FileNotFoundError):
        return ""


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_names_no_place(lock: Path) -> None:
    """A lock says what, never from where: no address, no path, no index option."""
    named = [line for line in lock.read_text().splitlines() if FOREIGN.search(line)]
    assert not named


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_has_hashes(lock: Path) -> None:
    """Each line that pins a version is followed by at least one SHA-256."""
    blocks = re.split(r"^(?=[a-z0-9])", lock.read_text(), flags=re.MULTILINE)[1:]
    assert blocks
    assert not [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block]


def test_demo_and_tests_run_the_same_versions() -> None:
    """What the demo installs is a part of what the tests ran with."""
    runtime, development = (set(requirements(ROOT / f"requirements{part}.lock")) for part in ("", "-dev"))
    assert runtime < development


def test_locks_follow_the_project_file() -> None:
    """Every direct dependency of pyproject.toml is in its lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["register"], *extras["service"]]
    assert _names(wanted) <= {name for name, _ in requirements(ROOT / "requirements.lock")} | {"certlib"}
    wanted += [*extras["pkcs11"], *extras["dev"]]
    assert _names(wanted) <= {name for name, _ in requirements(ROOT / "requirements-dev.lock")} | {"certlib"}


def test_no_committed_file_names_an_index() -> None:
    """No committed file names a package index or a path of one machine."""
    named = [
        f"{file.relative_to(ROOT)}: {line.strip()[:100]}"
        for file in committed()
        for line in text(file).splitlines()
        if HOSTS.search(line)
    ]
    assert not named


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=;~! ]", name)[0].lower() for name in requirements}
