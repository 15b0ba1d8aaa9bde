"""`certctl serve`, `token` and `worker` as processes: they start, answer, and stop when told to."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from certlib.errors import ConfigurationError
from service.settings import load_service_settings

CERTCTL = Path(sys.executable).with_name("certctl")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def _running(*words: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([CERTCTL, *words], stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _await(url: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        try:
            if httpx2.get(url, timeout=2.0).status_code == 200:
                return
        except httpx2.HTTPError:
            time.sleep(0.1)
    pytest.fail("the service does not answer")


def test_serve_answers_and_drains(tmp_path: Path) -> None:
    """It serves, gives a token to the development client, says it is not ready once told to stop, and ends with 0."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    (tmp_path / "service.toml").write_text("drain_seconds = 1.5\n", encoding="utf-8")
    with _running("serve", "--home", str(tmp_path), "--port", str(port)) as process:
        _await(f"{url}/readyz", process)
        token = subprocess.run(
            [CERTCTL, "token", "--url", url], capture_output=True, text=True, check=True
        ).stdout.strip()
        listed = httpx2.get(f"{url}/v1/certificates", headers={"Authorization": f"Bearer {token}"})
        assert listed.status_code == 200
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert httpx2.get(f"{url}/readyz").status_code == 503
        assert httpx2.get(f"{url}/healthz").status_code == 200
        assert process.wait(20) in {0, -signal.SIGTERM}


def test_token_says_when_nobody_answers() -> None:
    """Exit code 1 and one sentence."""
    done = subprocess.run(
        [CERTCTL, "token", "--url", f"http://127.0.0.1:{_free_port()}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "没有应答" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_worker_ends_when_told(tmp_path: Path) -> None:
    """It runs until SIGTERM and ends with 0."""
    with _running("worker", "--home", str(tmp_path)) as process:
        deadline = time.monotonic() + 60
        while not (tmp_path / "register.db").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1.0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("colour = 1", "colour"),
        ("port = 'many'", "port"),
        ("port = ", "service.toml"),
        ("[[clients]]\nid = 'X'", "clients"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, text: str, named: str) -> None:
    """An unknown entry, a wrong type, no TOML, half a client: each named, nothing started."""
    (tmp_path / "service.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=named):
        load_service_settings(tmp_path)


def test_variables_come_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments, then `CERTLIB_SERVICE_…`, then the file."""
    (tmp_path / "service.toml").write_text("port = 1001\njson_bytes = 7\n", encoding="utf-8")
    monkeypatch.setenv("CERTLIB_SERVICE_PORT", "1002")
    assert load_service_settings(tmp_path).port == 1002
    settings = load_service_settings(tmp_path, port=1003)
    assert (settings.port, settings.json_bytes, settings.base) == (1003, 7, "http://127.0.0.1:1003")
    assert os.environ["CERTLIB_SERVICE_PORT"] == "1002"
