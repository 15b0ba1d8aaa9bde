"""Many at once: one winner where there may be one, no number twice, no opposite answers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from random import Random
from time import sleep
from typing import Any

import pytest

from certlib.catalogue import example
from certlib.errors import CertlibError, ConflictError, TransitionError
from certlib.issue.composition import open_office
from certlib.issue.office import Office
from certlib.issue.settings import Settings
from tests.issue.invariants import breaches

THREADS = 8


def at_once(tasks: list[Callable[[], Any]]) -> list[Any]:
    """Run the tasks together; what one raises is its outcome."""

    def outcome(task: Callable[[], Any]) -> Any:
        try:
            return task()
        except CertlibError as error:
            return error

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(outcome, tasks))


def _issue(office: Office, request: dict[str, Any], key: str) -> Callable[[], Any]:
    return lambda: office.issue(request, client="platform", key=key)


def test_the_same_request_many_times_at_once_issues_once(settings: Settings) -> None:
    """Double submits: one certificate; the others get its answer or are told to wait."""
    request = dict(example("2-25", now=datetime.now(UTC)))
    with open_office(settings) as office:
        outcomes = at_once([_issue(office, request, "k") for _ in range(THREADS)])
        assert len(office.certificates()["certificates"]) == 1
        for outcome in outcomes:
            assert isinstance(outcome, ConflictError) or outcome.status == 201
        assert office.issue(request, client="platform", key="k").replayed
        assert breaches(office, at=datetime.now(UTC)) == []


def test_the_same_case_under_many_keys_issues_once(settings: Settings) -> None:
    """Two systems send the same case: the case has one outcome."""
    request = dict(example("2-25", now=datetime.now(UTC)))
    with open_office(settings) as office:
        outcomes = at_once([_issue(office, request, f"k{index}") for index in range(THREADS)])
        assert sum(not isinstance(outcome, CertlibError) for outcome in outcomes) == 1
        assert breaches(office, at=datetime.now(UTC)) == []


def test_many_certificates_at_once_have_dense_numbers(settings: Settings) -> None:
    """Every request gets a number of its own."""
    now = datetime.now(UTC)
    with open_office(settings) as office:
        requests = [dict(example("2-25", now=now, variant=index)) for index in range(THREADS)]
        outcomes = at_once([_issue(office, request, f"k{index}") for index, request in enumerate(requests)])
        numbers = sorted(outcome.body["number"] for outcome in outcomes)
        assert len(set(numbers)) == THREADS
        assert breaches(office, at=now) == []


EX_OFFICIO = {
    "kind": "ex-officio",
    "authority": "ganzhou-approval",
    "basis": "《中华人民共和国行政许可法》第六十九条",
    "grounds": "经查以欺骗手段取得许可",
}


def _rivals(office: Office, identifier: str, count: int, turn: int) -> list[Callable[[], Any]]:
    """Changes, reissues and revocations of one certificate, all of version 1.

    A revocation has nothing to set or seal before it commits, so in three rounds of four it comes late by chance: it
    then meets the others at every stage of their work. Of the others the first to open an intent keeps the rest out,
    so by turns changes or reissues come a little late.
    """
    chance = Random(turn)
    late = {"revoke": chance.uniform(0, 1.0) * (turn % 4), ("change", "reissue")[turn % 2]: chance.uniform(0, 0.1)}
    now = datetime.now(UTC)
    applied = dict(example("2-27", now=now))["decision"]
    decision = {**EX_OFFICIO, "decided_at": now.isoformat()}

    def rival(index: int) -> Callable[[], Any]:
        case = {"number": f"RACE-{identifier[-10:]}-{index}"}
        kinds: list[tuple[str, dict[str, Any]]] = [
            (
                "change",
                {"item": "2-27", "case": case, "decision": applied, "facts": {"legal_representative": "黄建国"}},
            ),
            ("revoke", {"decision": decision, "cause": "fraud"}),
            ("reissue", {"item": "2-29", "case": case, "decision": applied, "cause": "lost"}),
        ]
        action, raw = kinds[(turn + index) % 3]

        def act() -> Any:
            sleep(late.get(action, 0.0))
            return office.act(identifier, action, raw, version=1, client="p", key=f"{identifier}-{index}")

        return act

    return [rival(index) for index in range(count)]


def race(office: Office, turn: int, threads: int) -> str:
    """One round on a certificate of its own: exactly one wins, the losers are told and change nothing; who won."""
    now = datetime.now(UTC)
    body = office.issue(dict(example("2-25", now=now, variant=turn)), client="p", key=f"i{turn}").body
    identifier = str(body["identifier"])
    outcomes = at_once(_rivals(office, identifier, threads, turn))
    won = [outcome for outcome in outcomes if not isinstance(outcome, CertlibError)]
    assert len(won) == 1, outcomes
    losers = [outcome for outcome in outcomes if isinstance(outcome, CertlibError)]
    strange = [loser for loser in losers if not isinstance(loser, ConflictError | TransitionError)]
    assert not strange, [(loser.code, loser.message, repr(loser.__cause__)) for loser in strange]
    view = office.certificate(identifier)
    assert view["version"] == 2
    return str(view["history"][-1]["action"])


@pytest.mark.parametrize("rounds", [3, pytest.param(1000, marks=pytest.mark.slow)])
def test_change_revoke_and_reissue_at_once_have_one_winner(settings: Settings, rounds: int) -> None:
    """Every version of a certificate is made by one action; the losers change nothing on either carrier."""
    with open_office(settings) as office:
        for turn in range(rounds):
            race(office, turn, 16)
        assert breaches(office, at=datetime.now(UTC)) == []
