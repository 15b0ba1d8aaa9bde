"""The journey of an approval system, as the README tells it: serve, token, issue, verify against the register."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running `certctl serve`; its address."""
    home = tmp_path_factory.mktemp("home")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [Path(sys.executable).with_name("certctl"), "serve", "--home", str(home), "--port", str(port)]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--public-url", url], cwd=home, env=os.environ, stdout=log, stderr=log)
        try:
            _await(f"{url}/readyz", process)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=20)


def _await(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{address} never answered")


def call(address: str, token: str, body: dict[str, Any] | None = None, *, key: str = "case-1") -> tuple[int, bytes]:
    """Status and body of a request as curl would send it."""
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key, "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body is not None else None
    try:
        with urllib.request.urlopen(urllib.request.Request(address, data=data, headers=headers), timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_an_approval_system_issues_and_an_auditor_agrees(service: str, certctl: Run, tmp_path: Path) -> None:
    """A token, one request, the sealed file; with the register asked, the file is valid and nothing else is."""
    token = certctl("token", "--url", service, check=True).stdout.strip()
    request = json.loads(certctl("issue", "--example", "2-25", check=True).stdout)
    status, body = call(f"{service}/v1/certificates", token, request)
    assert status == 201, body
    issued = json.loads(body)
    status, pdf = call(f"{service}/v1/certificates/{issued['identifier']}/editions/1/file", token)
    file = tmp_path / "licence.pdf"
    file.write_bytes(pdf)
    done = certctl("verify", "--register", service, str(file))
    assert (done.returncode, done.stdout.split()[0]) == (0, "真实有效"), done.stdout + done.stderr
    file.write_bytes(pdf + b"\n")
    assert certctl("verify", "--register", service, str(file)).returncode == 1


def test_without_a_token_nothing_is_issued(service: str, certctl: Run) -> None:
    """A request without a good token is refused."""
    request = json.loads(certctl("issue", "--example", "2-21", check=True).stdout)
    assert call(f"{service}/v1/certificates", "forged", request)[0] == 401


def test_every_fault_at_once(service: str, certctl: Run) -> None:
    """A request with two faults is answered with both, each with its Chinese label."""
    token = certctl("token", "--url", service, check=True).stdout.strip()
    request = json.loads(certctl("issue", "--example", "2-38", check=True).stdout)
    request["holder"]["code"] = "91360703MAAY4CL12X"
    del request["facts"]["area"]
    status, body = call(f"{service}/v1/certificates", token, request, key="case-2")
    faults = {fault["path"]: fault["label"] for fault in json.loads(body)["faults"]}
    assert status == 422
    assert {"holder.code": "持证主体代码", "facts.area": "经营区域"}.items() <= faults.items()
