"""An auditor installs `certlib` alone: no web framework, no database, no renderer."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Imports every module below the packages named, with the modules in BLOCKED made unfindable.
PROGRAM = """
import importlib, pkgutil, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"{name} is not part of an auditor's installation", name=name)

BLOCKED = set(sys.argv[1].split(","))
sys.meta_path.insert(0, Blocked())
for name in sys.argv[2:]:
    module = importlib.import_module(name)
    for found in pkgutil.walk_packages(getattr(module, "__path__", []), name + "."):
        importlib.import_module(found.name)
"""


def blocked() -> str:
    """The packages that the import contract of pyproject.toml forbids to the auditor's layers."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return ",".join(next(c["forbidden_modules"] for c in contracts if "auditor" in c["name"]))


def import_all(*names: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, blocked(), *names]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(
    "name",
    ["certlib.errors", "certlib.identifiers", "certlib.domain", "certlib.crypto", "certlib.formats", "certlib.verify"],
)
def test_auditors_layers_import_without_web_database_and_renderer(name: str) -> None:
    """Every module of the layers up to `certlib.verify` imports with the base dependencies alone."""
    done = import_all(name)
    assert done.returncode == 0, done.stderr[-2000:]


def test_verify_command_runs_without_them() -> None:
    """So does the command that an auditor uses."""
    done = import_all("certlib.cli.main", "certlib.cli.verifying")
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_block_is_real() -> None:
    """The same program refuses a layer that needs the database, so the tests above can fail."""
    done = import_all("certlib.register")
    assert done.returncode != 0
    assert "not part of an auditor's installation" in done.stderr
