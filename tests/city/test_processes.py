"""Repository and workers as processes: what a killed worker held is delivered, production mode is closed."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest
from fastapi.testclient import TestClient

from certlib.errors import ConfigurationError
from city_repository.app import create_app
from city_repository.settings import RepositorySettings

from .conftest import until

WORKER = """
import sys, threading
from tests.city.conftest import DEVELOPMENT_SECRET, QUICK, now, open_office
from certlib.city.client import CityClient
from certlib.city.worker import DeliveryWorker
from certlib.register.deliveries import SqlDeliveries
import pathlib

address, url, files, name = sys.argv[1:]
office = open_office(address)
queue = SqlDeliveries(office.engine, lambda sha256: pathlib.Path(files, sha256).read_bytes())
client = CityClient(url, account="rongjiang-certlib", secret=DEVELOPMENT_SECRET, clock=now)
DeliveryWorker(queue, client, name=name, clock=now, pace=QUICK).run(threading.Event())
"""


def test_killed_workers_lose_nothing(city, office, certificate, tmp_path):
    """Workers killed at random moments, one after the other: every event arrives once, in order."""
    certificates = [certificate() for _ in range(24)]
    for one in certificates:
        for operation in ("issue", "change", "change"):
            office.event(one, operation)
    files = tmp_path / "files"
    files.mkdir()
    for sha256, data in office.files.items():
        (files / sha256).write_bytes(data)
    city.faults({"kind": "slow", "seconds": 0.05, "share": 0.3})
    chance, number = random.Random(5), 0
    while office.queue.backlog().done < 72:
        number += 1
        words = [f"sqlite:///{tmp_path / 'register.db'}", city.url, str(files), f"worker-{number}"]
        worker = subprocess.Popen([sys.executable, "-c", WORKER, *words], cwd=Path(__file__).parents[2])
        done = office.queue.backlog().done
        ends = time.monotonic() + 60
        goal = min(done + chance.randrange(1, 40), 72)
        while office.queue.backlog().done < goal and time.monotonic() < ends:
            time.sleep(0.01)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        assert office.queue.backlog().done > done
    assert number > 1
    expected = [(1, "01", "01"), (2, "09", "01"), (3, "09", "01")]
    assert all(city.events(one.key) == expected for one in certificates)


def test_the_command_serves_the_repository(tmp_path):
    """`certctl city` starts, answers, takes an account, and ends when told."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
    command = [str(Path(sys.executable).with_name("certctl")), "city", "--port", port, "--home", str(tmp_path / "city")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _answers(url))
        form = {"grant_type": "client_credentials", "client_id": "window", "client_secret": "development-only-window"}
        assert httpx2.post(f"{url}/token", data=form).status_code == 200
    finally:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
    assert url in output


def _answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/healthz").status_code == 200
    except httpx2.HTTPError:
        return False


@pytest.fixture
def accounts(tmp_path):
    path = tmp_path / "accounts.toml"
    path.write_text(
        f'[[account]]\nid = "a"\nname = "甲"\nsecret_sha256 = "{"0" * 64}"\npush = true\n', encoding="utf-8"
    )
    return path


def test_production_has_no_faults_and_no_page(tmp_path, accounts):
    """Outside development neither the fault switches nor the page to look around in exist."""
    settings = RepositorySettings(home=tmp_path / "city", environment="production", accounts=accounts)
    with TestClient(create_app(settings)) as http:
        assert http.put("/control/faults", json={"faults": []}).status_code == 404
        assert http.get("/").status_code == 404
        assert http.get("/healthz").json() == {"status": "ok"}


def test_production_refuses_development_accounts(tmp_path):
    """Without an account file, or with one whose secrets are public, the repository does not start in production."""
    with pytest.raises(ConfigurationError):
        create_app(RepositorySettings(home=tmp_path / "city", environment="production"))
    path = tmp_path / "accounts.toml"
    path.write_text('[[account]]\nid = "a"\nname = "甲"\ndevelopment_secret = "s"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError):
        create_app(RepositorySettings(home=tmp_path / "city", environment="production", accounts=path))


def test_a_wrong_type_file_is_named(tmp_path):
    """A file of types that is none stops the start with its name."""
    path = tmp_path / "types.json"
    path.write_text(json.dumps([{"code": "1", "colour": "red"}]), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        create_app(RepositorySettings(home=tmp_path / "city", types=path))
    assert "types.json" in caught.value.message


def test_a_newer_database_is_not_touched(tmp_path):
    """A database of a later program is refused instead of being guessed at."""
    app = create_app(RepositorySettings(home=tmp_path / "city"))
    with app.state.repository.store.write() as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(ConfigurationError):
        create_app(RepositorySettings(home=tmp_path / "city"))
