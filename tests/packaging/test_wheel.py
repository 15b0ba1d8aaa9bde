"""What is in the wheel, and that the demo needs nothing else."""

import subprocess
import zipfile
from pathlib import Path

from tests.conftest import Demonstration


def test_wheel_carries_templates_and_keys(wheel: Path) -> None:
    """Templates, fonts, development keys and every data file of the packages are in it, tests are not."""
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        "certlib/data/templates/fonts/fonts.toml",
        "certlib/data/templates/medical-device-licence/template.toml",
        "certlib/data/keys-dev/pki.toml",
        "certlib/data/keys-dev/trust/rsa.pem",
        "service/demo/story.toml",
        "city_repository/data/fields.toml",
    }
    assert wanted <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "docs/")) or name.endswith(".lock")]


def test_the_checkout_is_not_on_the_path(installed: Path, tmp_path: Path) -> None:
    """The installation under test imports the wheel's modules, not the checkout's."""
    program = "import certlib, service, city_repository as c; print(certlib.__file__, service.__file__, c.__file__)"
    command = [installed.with_name("python"), "-I", "-c", program]
    shown = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert all(place.startswith(str(installed.parents[1])) for place in shown.split())


def test_demo_runs_from_the_wheel(demonstration: Demonstration) -> None:
    """`certctl demo` works where only the wheel is installed, and finds itself sound."""
    assert demonstration.summary["sound"] is True
