"""What all tests share: `certctl` as a person would run it, an installation from the wheel, and one run of the demo."""

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.databases import started_postgresql

ROOT = Path(__file__).parents[1]
Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]


def run_certctl(program: Path, *words: str, cwd: Path, check: bool = False, code: Path | None = None) -> Done:
    """Run the `certctl` at `program` as a process of its own, with a wide page and no colours.

    `code` is the folder whose packages it runs, in place of those installed beside it.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CERTLIB"))}
    environment |= {"COLUMNS": "200", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    if code is not None:
        environment["PYTHONPATH"] = str(code)
    return subprocess.run(
        [program, *words], cwd=cwd, env=environment, capture_output=True, text=True, check=check, timeout=300
    )


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server of our own, started for this run."""
    with started_postgresql() as address:
        yield address


@pytest.fixture(scope="session")
def certctl() -> Run:
    """The checkout's `certctl`; give it words, and `cwd` when the current folder matters."""

    def run(*words: str, cwd: Path = ROOT, check: bool = False) -> Done:
        return run_certctl(Path(sys.executable).with_name("certctl"), *words, cwd=cwd, check=check, code=ROOT)

    return run


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the locked builder."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`certctl` of an environment that has the wheel and the locked packages, and knows nothing of the checkout."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
    python = folder / "bin" / "python"
    command = [python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    # A line of a .pth file is put on the path without its own .pth files, so the editable checkout stays unseen.
    site = next((folder / "lib").glob("python*/site-packages"))
    (site / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder / "bin" / "certctl"


@dataclass(frozen=True)
class Demonstration:
    """One run of `certctl demo`: where its files are, what it printed, what it says of itself."""

    folder: Path
    done: Done
    summary: dict[str, Any]


@pytest.fixture(scope="session")
def demonstration(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Demonstration:
    """The demo, run from the wheel in an empty folder; its files are in `demo-out`."""
    folder = tmp_path_factory.mktemp("demonstration")
    done = run_certctl(installed, "demo", cwd=folder)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return Demonstration(folder, done, json.loads((folder / "demo-out" / "summary.json").read_text(encoding="utf-8")))
