"""SIGKILL at random points: what was acknowledged is there, nothing is double, nothing is half done."""

from __future__ import annotations

import json
import random
import time
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import pytest
from sqlmodel import Session, col, select

from certlib.catalogue import example
from certlib.errors import CertlibError
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings
from certlib.register.tables import Intent
from tests.issue.crash_worker import work
from tests.issue.invariants import breaches

# Children are forked from a server that has the imports done: a cold start would take most of each life.
SPAWN = get_context("forkserver")
SPAWN.set_forkserver_preload(["tests.issue.crash_worker", "pyhanko.sign.validation"])


def _kill_once(home: Path, kept: Path, seed: int, draw: random.Random) -> None:
    """Start a worker, let it acknowledge something and work on for a moment, kill it."""
    mine, its = SPAWN.Pipe(duplex=False)
    worker = SPAWN.Process(target=work, args=(home, kept, seed, its))
    worker.start()
    assert mine.poll(60), "the worker acknowledged nothing"
    time.sleep(draw.uniform(0.0, 0.4))
    worker.kill()
    worker.join()


@pytest.mark.parametrize("kills", [12, pytest.param(100, marks=pytest.mark.slow)])
def test_nothing_acknowledged_is_lost_and_nothing_is_half_done(tmp_path: Path, kills: int) -> None:
    """After every kill the invariants hold; at the end every acknowledged answer is found, byte for byte."""
    home, kept, draw = tmp_path / "home", tmp_path / "acknowledged", random.Random(kills)
    settings = Settings(home=home, suite="p256-sha256", lease_seconds=1)
    for seed in range(kills):
        _kill_once(home, kept, seed, draw)
        with open_office(settings) as office:
            assert breaches(office, at=datetime.now(UTC)) == []
    time.sleep(1.2)  # the last leases end
    with open_office(settings) as office:
        office.tick()
        assert breaches(office, at=datetime.now(UTC)) == []
        acknowledged = [json.loads(line) for line in kept.read_text("utf-8").splitlines()] if kept.exists() else []
        assert acknowledged, "nothing was issued between the kills: the test tests nothing"
        for answer in acknowledged:
            body = answer["body"]
            assert office.certificate(body["identifier"])["version"] >= body["version"]
            if "sha256" in body:
                assert body["sha256"] in office.register.files
        with office.register.reader() as session:
            assert not list(_unfinished(session))


def _unfinished(session: Session) -> list[str]:
    query = select(Intent.id).where(col(Intent.state).in_(["open", "signing"]))
    return list(session.exec(query))


def test_a_retry_after_a_crash_gets_the_same_number(settings: Settings) -> None:
    """A worker dies after the plan is on record; the same key resumes the same intent."""
    request = dict(example("2-25", now=datetime.now(UTC)))

    class Died(BaseException):
        """What a kill looks like from inside."""

    with open_office(settings) as office:

        def die(*_: object, **__: object) -> None:
            raise Died

        office.sealer.seal = die  # type: ignore[method-assign]
        with pytest.raises(Died):
            office.issue(request, client="platform", key="k")
    with open_office(settings) as office:
        with pytest.raises(CertlibError, match="正在办理"):
            office.issue(request, client="platform", key="k")
        with office.register.writer() as session:
            intent = session.exec(select(Intent)).one()
            intent.lease_until = intent.created_at
            session.add(intent)
        answer = office.issue(request, client="platform", key="k")
        assert answer.body["number"] == intent.number
        assert breaches(office, at=datetime.now(UTC)) == []
