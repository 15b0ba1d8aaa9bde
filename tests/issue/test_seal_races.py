"""Seals under a race: a limit is a limit, counters are dense, whatever stops a seal stops it, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from certlib.catalogue import example
from certlib.errors import CertlibError, ConflictError, SealDeniedError, StorageError, TransitionError
from certlib.issue.composition import open_office
from certlib.issue.office import Office
from certlib.issue.settings import Settings
from tests.issue.invariants import breaches

SEAL = "36070000000002"
COMMON = {"person": "王素珍", "second_person": "李文静", "document_number": "赣市行审印〔2026〕1号"}
THREADS = 16


def at_once(tasks: list[Callable[[], Any]]) -> list[Any]:
    """Run the tasks together; what one raises is its outcome. A database that is busy is asked again, as clients do."""

    def outcome(task: Callable[[], Any]) -> Any:
        for _ in range(10):
            try:
                return task()
            except StorageError as error:
                if error.code != "storage-busy":
                    return error
            except CertlibError as error:
                return error
        raise AssertionError("the database stays busy")

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(outcome, tasks))


def authorisation(name: str, **parts: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "id": name,
        "seal": SEAL,
        "authority": "ganzhou-approval",
        "items": ["2-25"],
        "since": (now - timedelta(minutes=1)).isoformat(),
        "until": (now + timedelta(days=30)).isoformat(),
        "basis": "赣市行审〔2026〕8号",
        **COMMON,
        **parts,
    }


def issuing(office: Office, count: int) -> list[Callable[[], Any]]:
    now = datetime.now(UTC)
    requests = [
        {**dict(example("2-25", now=now, variant=n)), "case": {"number": f"360700-2026-{n:06}"}} for n in range(count)
    ]
    return [
        lambda request=request, n=n: office.issue(request, client="platform", key=f"k{n}")
        for n, request in enumerate(requests)
    ]


def lines(office: Office, state: str) -> list[dict[str, Any]]:
    return list(office.seals.uses(SEAL, limit=1000, state=state)["uses"])


def test_an_authorisation_limited_to_n_is_never_used_more_than_n_times(settings: Settings) -> None:
    """Sixteen threads want it at once and five get it; every reservation is used or released, counters are dense."""
    with open_office(settings) as office:
        office.seals.authorise(authorisation("ZS-1", limit=5), client="platform")
        outcomes = at_once(issuing(office, THREADS))
        assert sum(not isinstance(outcome, CertlibError) for outcome in outcomes) == 5
        refused = [one for one in outcomes if isinstance(one, CertlibError)]
        assert {type(one) for one in refused} == {SealDeniedError}, refused
        assert (len(lines(office, "used")), len(lines(office, "denied"))) == (5, THREADS - 5)
        assert lines(office, "reserved") == []
        assert next(one["uses"] for one in office.seals.authorisations(SEAL) if one["id"] == "ZS-1") == 5
        assert breaches(office, at=datetime.now(UTC)) == []


def test_uses_that_come_to_nothing_are_given_back_under_a_race(settings: Settings) -> None:
    """Every timestamp fails: all reservations are released, the limit is whole again and is then used up exactly."""
    with open_office(settings) as office:
        office.seals.authorise(authorisation("ZS-1", limit=6), client="platform")
        failing = issuing(office, THREADS)
        sealer = office.sealer
        with open_office(replace(settings, timestamps=("http://127.0.0.1:9/",))) as waiting:
            office.sealer = waiting.sealer
            outcomes = at_once(failing)
        assert all(isinstance(outcome, CertlibError) for outcome in outcomes)
        released = len(lines(office, "released"))
        assert released > 0
        assert lines(office, "reserved") == []
        office.sealer = sealer
        outcomes = at_once(failing)
        assert len(lines(office, "used")) == 6
        assert breaches(office, at=datetime.now(UTC)) == []


def test_a_seal_suspended_under_load_seals_nothing_after(settings: Settings) -> None:
    """Whatever was committed lies before the suspension; the rest is denied or released, and recorded."""
    with open_office(settings) as office:
        suspend = {"act": "suspend", **COMMON, "cause": "suspected-compromise"}
        tasks = [*issuing(office, 12), lambda: office.seals.act(SEAL, suspend, client="platform")]
        outcomes = at_once(tasks)
        assert not isinstance(outcomes[-1], CertlibError)
        since = datetime.fromisoformat(office.seals.seal(SEAL)["since"])
        for line in lines(office, "used"):
            assert datetime.fromisoformat(line["closed_at"]) <= since
        assert lines(office, "reserved") == []
        assert len(lines(office, "used")) == sum(not isinstance(one, CertlibError) for one in outcomes[:-1])
        assert breaches(office, at=datetime.now(UTC)) == []


def test_contradictory_authorisations_at_once_leave_one(settings: Settings) -> None:
    """Sixteen different limits for the same scope: one comes into force."""
    with open_office(settings) as office:
        tasks = [
            lambda n=n: office.seals.authorise(authorisation(f"ZS-{n}", limit=n + 1), client="platform")
            for n in range(THREADS)
        ]
        outcomes = at_once(tasks)
        assert sum(not isinstance(outcome, CertlibError) for outcome in outcomes) == 1
        assert {getattr(one, "code", "") for one in outcomes if isinstance(one, CertlibError)} == {
            "authorisation-contradicts"
        }


@pytest.mark.parametrize("act", ["suspend", "cancel"])
def test_one_of_many_acts_on_a_seal_wins(settings: Settings, act: str) -> None:
    """The others find it done; the history has no gap."""
    cause = {"suspend": "inspection", "cancel": "abolition"}[act]
    with open_office(settings) as office:
        raw = {"act": act, **COMMON, "cause": cause}
        outcomes = at_once([lambda: office.seals.act(SEAL, raw, client="platform")] * 8)
        assert sum(not isinstance(outcome, CertlibError) for outcome in outcomes) == 1
        assert all(isinstance(one, TransitionError | ConflictError) for one in outcomes if isinstance(one, Exception))
        assert [event["version"] for event in office.seals.seal(SEAL)["history"]] == [1, 2]
        assert breaches(office, at=datetime.now(UTC)) == []
