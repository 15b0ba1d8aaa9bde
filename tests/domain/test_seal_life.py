"""The life of a seal: every pair of state and act is decided, and what must be said is asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certlib.domain.seal_life import (
    CAUSE_WORDS,
    COMPROMISE,
    SEAL_RULES,
    SEAL_STATE_WORDS,
    Seal,
    SealAct,
    SealCommand,
    SealState,
    decide,
    evolve,
    permitted,
    replay,
)
from certlib.errors import TransitionError

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
BLANK = Seal(id="36070000000002", name="赣州市行政审批局行政审批专用章(1)")
S, A = SealState, SealAct

# The regulation written down a second time, by hand and per state, so that a slip in either table is seen.
NEXT: dict[SealState, dict[SealAct, SealState]] = {
    S.NONE: {A.APPLY: S.APPLIED, A.ACCEDE: S.ENABLED},
    S.APPLIED: {A.MAKE: S.MADE, A.CANCEL: S.CANCELLED},
    S.MADE: {A.FILE: S.FILED, A.REVOKE: S.REVOKED, A.CANCEL: S.CANCELLED},
    S.FILED: {A.ENABLE: S.ENABLED, A.RENEW: S.FILED, A.REVOKE: S.REVOKED, A.CANCEL: S.CANCELLED},
    S.ENABLED: {A.SUSPEND: S.SUSPENDED, A.RENEW: S.ENABLED, A.REVOKE: S.REVOKED, A.CANCEL: S.CANCELLED},
    S.SUSPENDED: {A.RESUME: S.ENABLED, A.RENEW: S.SUSPENDED, A.REVOKE: S.REVOKED, A.CANCEL: S.CANCELLED},
    S.REVOKED: {A.REVOKE: S.REVOKED, A.CANCEL: S.CANCELLED},
    S.CANCELLED: {A.REVOKE: S.CANCELLED},
}


def command(act: SealAct, **parts: object) -> SealCommand:
    """A complete command: every person, the first cause, a time where the cause asks for one."""
    causes = SEAL_RULES[act].causes
    cause = str(parts.pop("cause", causes[0] if causes else ""))
    since = NOW - timedelta(days=1) if cause == COMPROMISE else None
    values: dict[str, object] = {"person": "王素珍", "second_person": "李文静", "document": "赣市行审印〔2026〕1号"}
    return SealCommand(act=act, cause=cause, **{"compromised_since": since, **values, **parts})  # type: ignore[arg-type]


def in_state(state: SealState) -> Seal:
    return replace(BLANK, version=4, state=state, edition=1, since=NOW - timedelta(days=400))


@pytest.mark.parametrize("act", A)
@pytest.mark.parametrize("state", S)
def test_every_pair_of_state_and_act_is_decided(state: SealState, act: SealAct) -> None:
    """The act leads where the regulation says, or is refused with state and act in the words of the reader."""
    expected = NEXT[state].get(act)
    permit = next(permit for permit in permitted(in_state(state)) if permit.act is act)
    assert permit.allowed == (expected is not None)
    if expected is not None:
        assert decide(in_state(state), command(act), at=NOW).target is expected
        return
    with pytest.raises(TransitionError, match=SEAL_STATE_WORDS[state]) as caught:
        decide(in_state(state), command(act), at=NOW)
    assert SEAL_RULES[act].label in caught.value.message
    assert permit.reason


@pytest.mark.parametrize("act", A)
def test_what_an_act_must_say(act: SealAct) -> None:
    """Person and document always; a second, other person where two confirm; a cause of the act's own."""
    rule = SEAL_RULES[act]
    seal = in_state(next(iter(rule.moves)))
    for lacking in ("person", "document", *(["second_person"] if rule.two_persons else [])):
        with pytest.raises(TransitionError):
            decide(seal, command(act, **{lacking: ""}), at=NOW)
    if rule.two_persons:
        with pytest.raises(TransitionError, match="双人复核"):
            decide(seal, command(act, second_person="王素珍"), at=NOW)
    else:
        decide(seal, command(act, second_person=""), at=NOW)
    for cause in rule.causes:
        assert decide(seal, command(act, cause=cause), at=NOW).cause == cause
    if rule.causes:
        with pytest.raises(TransitionError, match=CAUSE_WORDS[rule.causes[0]]):
            decide(seal, command(act, cause="whim"), at=NOW)


def test_whatever_stops_a_seal_needs_one_person_only() -> None:
    """Suspending and revoking wait for nobody; everything that lets a seal be used takes two."""
    assert not any(SEAL_RULES[act].two_persons for act in (A.SUSPEND, A.REVOKE))
    opens = [act for act, rule in SEAL_RULES.items() if S.ENABLED in rule.moves.values()]
    assert all(SEAL_RULES[act].two_persons for act in opens)


def test_only_a_filed_seal_or_one_taken_in_comes_into_use() -> None:
    """From the application there is one way: made, filed, enabled."""
    seal = BLANK
    for act in (A.APPLY, A.MAKE, A.FILE, A.ENABLE):
        for skipped in (A.ENABLE, A.RESUME):
            if skipped is not act:
                with pytest.raises(TransitionError):
                    decide(seal, command(skipped), at=NOW)
        seal = evolve(seal, decide(seal, command(act), at=NOW))
    assert (seal.state, seal.edition, seal.version) == (S.ENABLED, 1, 4)


def test_a_renewal_is_a_new_edition_and_changes_no_state() -> None:
    """The state and its beginning stay, the edition counts up."""
    seal = in_state(S.ENABLED)
    renewed = evolve(seal, decide(seal, command(A.RENEW), at=NOW))
    assert (renewed.state, renewed.edition, renewed.since) == (S.ENABLED, 2, seal.since)


@pytest.mark.parametrize(
    ("cause", "since", "why"),
    [
        (COMPROMISE, None, "自何时起"),
        ("medium-lost", NOW, "不得写"),
        (COMPROMISE, NOW + timedelta(seconds=1), "不得晚于现在"),
    ],
)
def test_a_compromise_names_its_time(cause: str, since: datetime | None, why: str) -> None:
    """Only a compromise has a time, and it has begun."""
    with pytest.raises(TransitionError, match=why):
        decide(in_state(S.ENABLED), command(A.REVOKE, cause=cause, compromised_since=since), at=NOW)


@pytest.mark.parametrize("state", [S.REVOKED, S.CANCELLED])
def test_a_closed_seal_may_still_be_found_compromised_and_only_earlier(state: SealState) -> None:
    """What is learnt later counts when it is worse; what is known is never taken back."""
    known = NOW - timedelta(days=10)
    closed = replace(in_state(state), compromised_since=known)
    earlier = evolve(closed, decide(closed, command(A.REVOKE, compromised_since=known - timedelta(1)), at=NOW))
    assert (earlier.state, earlier.compromised_since) == (state, known - timedelta(1))
    for later in (known, known + timedelta(1)):
        with pytest.raises(TransitionError, match="更早"):
            decide(closed, command(A.REVOKE, compromised_since=later), at=NOW)
    with pytest.raises(TransitionError, match="更早"):
        decide(in_state(state), command(A.REVOKE, cause="medium-lost"), at=NOW)
    if state is S.REVOKED:
        assert evolve(closed, decide(closed, command(A.CANCEL), at=NOW)).compromised_since == known


@given(st.lists(st.sampled_from(list(A)), max_size=30))
@settings(max_examples=200, deadline=None)
def test_a_history_replays_to_what_it_made(acts: list[SealAct]) -> None:
    """Versions count up without a gap, and the events alone give the seal."""
    seal, events = BLANK, []
    for minute, act in enumerate(acts):
        try:
            event = decide(seal, command(act, compromised_since=None, cause=_harmless(act)), at=NOW + _minutes(minute))
        except TransitionError:
            continue
        events.append(event)
        seal = evolve(seal, event)
    assert [event.version for event in events] == list(range(1, len(events) + 1))
    assert replay(BLANK, events) == seal


def _harmless(act: SealAct) -> str:
    return next((cause for cause in SEAL_RULES[act].causes if cause != COMPROMISE), "")


def _minutes(count: int) -> timedelta:
    return timedelta(minutes=count)
