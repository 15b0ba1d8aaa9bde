"""Sealing with keys inside a PKCS #11 token."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from certlib.crypto.suites import SUITES
from tests.softhsm import keep_seals, token_needed

from .seal_in_threads import LABEL

pytestmark = token_needed


@pytest.fixture
def folder(tmp_path: Path, suite: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of seals whose only key is in a token: the PEM file holds certificates, the `.uri` file says where."""
    configuration = keep_seals(tmp_path, [f"{LABEL}.{SUITES[suite].short}"], pin="4711")
    monkeypatch.setenv("SOFTHSM2_CONF", str(configuration))
    monkeypatch.setenv("SEAL_PIN", "4711")
    return tmp_path


@pytest.mark.parametrize("seconds", [2, pytest.param(60, marks=pytest.mark.slow)])
def test_sixteen_threads_seal_through_the_token(folder: Path, page: bytes, suite: str, seconds: int) -> None:
    """No error and no crash; in a process of its own, since a module that is not safe would take the tests with it."""
    (folder / "page.pdf").write_bytes(page)
    program = Path(__file__).with_name("seal_in_threads.py")
    command = [sys.executable, program, folder, folder / "page.pdf", suite, str(seconds)]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 16


@pytest.mark.parametrize(
    ("how", "released", "why"), [("vanishes", [2], "密码设备 seals"), ("pin", [1, 2, 3], "PIN 不对")]
)
def test_a_token_that_fails_leaves_a_released_use_and_nothing_half_sealed(
    folder: Path, page: bytes, suite: str, how: str, released: list[int], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pulled out in mid-use, sealing goes on when it is back; with a wrong PIN none is sealed. Each use says why."""
    if how == "pin":
        monkeypatch.setenv("SEAL_PIN", "4712")
    (folder / "page.pdf").write_bytes(page)
    command = [sys.executable, "-m", "tests.sealing.seal_without_token", folder, folder / "page.pdf", suite, how]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["sealed"], [int(counter) for counter in said["released"]]) == (3 - len(released), released)
    assert all(why in reason for reason in said["released"].values())
    assert [kind for kind, _ in said["told"]] == ["KeyUnavailableError"] * len(released)
