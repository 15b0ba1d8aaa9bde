"""The life of a certificate: every pair of state and action is decided, and histories replay to what they made."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certlib.domain.actions import Action, LegalState
from certlib.domain.certificate import Certificate, Edition, SheetFate, edition_verdict, sheet_verdict
from certlib.domain.civil import civil_date
from certlib.domain.decision import Decision, DecisionKind
from certlib.domain.kinds import Allocator, CertificateType, CopySpec, NumberFormat, Validity
from certlib.domain.lifecycle import RULES, Command, decide, evolve, permitted, replay
from certlib.domain.verdict import Verdict
from certlib.errors import TransitionError

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
KIND = CertificateType(
    key="licence",
    name="许可证",
    english="Licence",
    code="11360700MB0000027R001",
    code_assumed=True,
    code_number=1,
    fields=(),
    number=NumberFormat(Allocator.LOCAL, r".+"),
    validity=Validity(years=5),
    copies=(CopySpec("original", "正本"),),
    actions=frozenset(Action),
)
BLANK = Certificate(key="k", type="licence", number="赣许20260001号")


def edition(index: int, start: date, days: int = 1825) -> Edition:
    return Edition(
        index=index,
        n=index,
        issued_on=start,
        effective_from=start,
        valid_from=start,
        valid_until=start + timedelta(days=days),
    )


def command(action: Action, index: int, *, at: datetime = NOW, days: int = 1825) -> Command:
    rule = RULES[action]
    kind = min(rule.decisions, key=lambda k: list(DecisionKind).index(k))
    made = edition(index, civil_date(at), days) if rule.new_edition else None
    return Command(action=action, decision=Decision(kind), edition=made, second_person="李复核", evidence=("更正说明",))


def certificate_in(state: LegalState) -> Certificate:
    """A certificate with one edition, in `state` at NOW."""
    started = NOW - timedelta(days=400)
    days = 365 if state is LegalState.EXPIRED else 1825
    issued = evolve(BLANK, decide(BLANK, KIND, command(Action.ISSUE, 1, at=started, days=days), at=started))
    stored = LegalState.IN_FORCE if state is LegalState.EXPIRED else state
    return BLANK if state is LegalState.PLANNED else replace(issued, state=stored)


@pytest.mark.parametrize("state", list(LegalState))
@pytest.mark.parametrize("action", list(RULES))
def test_every_pair_of_state_and_action_is_decided(state: LegalState, action: Action) -> None:
    """The table alone says yes or no; a no names the certificate and gives a reason in Chinese."""
    certificate = certificate_in(state)
    expected = state in RULES[action].sources
    if action in {Action.RENEW, Action.REPLACE}:
        expected = False  # too early here, and late renewal is not allowed by this type: see the window's own tests
    wanted = command(action, len(certificate.editions) + 1)
    if expected:
        assert decide(certificate, KIND, wanted, at=NOW).target is RULES[action].target
    else:
        with pytest.raises(TransitionError, match="赣许20260001号"):
            decide(certificate, KIND, wanted, at=NOW)


def test_permitted_and_decide_agree() -> None:
    """What `permitted` offers `decide` grants; what it withholds it explains with the reason `decide` gives."""
    for state in LegalState:
        certificate = certificate_in(state)
        for permit in permitted(certificate, KIND, at=NOW):
            wanted = command(permit.action, len(certificate.editions) + 1)
            if permit.allowed:
                decide(certificate, KIND, wanted, at=NOW)
            else:
                with pytest.raises(TransitionError) as refused:
                    decide(certificate, KIND, wanted, at=NOW)
                assert permit.reason in str(refused.value)


def test_an_early_renewal_leaves_the_old_edition_valid_until_its_last_day() -> None:
    """From the day after the old edition's last day the new one counts, and not before."""
    start = civil_date(NOW) - timedelta(days=1825 - 75)
    old = edition(1, start)
    certificate = Certificate(
        key="k", type="licence", number="n", state=LegalState.IN_FORCE, version=1, editions=(old,)
    )
    assert old.valid_until is not None
    new = edition(2, old.valid_until + timedelta(days=1))
    event = decide(
        certificate,
        KIND,
        Command(action=Action.RENEW, decision=Decision(DecisionKind.APPLICATION), edition=new),
        at=NOW,
    )
    renewed = evolve(certificate, event)
    assert edition_verdict(renewed, 1, NOW) is Verdict.VALID
    assert edition_verdict(renewed, 2, NOW) is Verdict.NOT_IN_FORCE
    later = NOW + timedelta(days=100)
    assert edition_verdict(renewed, 1, later) is Verdict.SUPERSEDED
    assert edition_verdict(renewed, 2, later) is Verdict.VALID


def test_a_revocation_stays_the_verdict_after_the_number_is_closed() -> None:
    """Cancelling a revoked certificate closes the number and keeps the cause."""
    revoked = evolve(
        certificate_in(LegalState.IN_FORCE),
        decide(certificate_in(LegalState.IN_FORCE), KIND, command(Action.REVOKE, 2), at=NOW),
    )
    closed = evolve(revoked, decide(revoked, KIND, command(Action.CANCEL, 2), at=NOW))
    assert closed.state is LegalState.CANCELLED
    assert closed.cause == "revoked"
    assert edition_verdict(closed, 1, NOW) is Verdict.REVOKED


@given(st.sampled_from(list(SheetFate)), st.sampled_from(list(Verdict)))
def test_a_sheet_is_never_better_than_its_edition(fate: SheetFate, of_edition: Verdict) -> None:
    """A sheet's verdict is its edition's, or one that weighs more."""
    order = list(Verdict)
    assert order.index(sheet_verdict(of_edition, fate)) <= order.index(of_edition)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(list(RULES)), st.integers(0, 700)), max_size=25))
def test_a_history_replays_to_the_certificate_it_made(steps: list[tuple[Action, int]]) -> None:
    """Whatever was granted: replay equals state, versions and editions are dense, closed is closed."""
    certificate, events, at = BLANK, [], NOW
    closed = {LegalState.CANCELLED, LegalState.VOIDED}
    for action, days in steps:
        at += timedelta(days=days)
        before = certificate
        try:
            event = decide(certificate, KIND, command(action, len(certificate.editions) + 1, at=at), at=at)
        except TransitionError:
            continue
        assert before.state not in closed
        certificate = evolve(certificate, event)
        events.append(event)
    assert replay(BLANK, events) == certificate
    assert certificate.version == len(events)
    assert [one.index for one in certificate.editions] == list(range(1, len(certificate.editions) + 1))
