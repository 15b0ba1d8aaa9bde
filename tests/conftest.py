"""What all tests share: the checkout, `certctl` as a person would run it, and one run of the demo."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The top folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def certctl() -> Run:
    """Run `certctl` with the words given, as a process of its own; `cwd` and `check` as for `subprocess.run`."""

    def run(*words: str, cwd: Path = ROOT, check: bool = False) -> subprocess.CompletedProcess[str]:
        command = [Path(sys.executable).with_name("certctl"), *words]
        environment = {**os.environ, "COLUMNS": "140", "NO_COLOR": "1"}
        return subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, check=check, timeout=300
        )

    return run
