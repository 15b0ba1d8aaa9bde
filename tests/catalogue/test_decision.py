"""A decision against the mandates: the chain step by step, each on its own day."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from certlib.catalogue import Catalogue, check_decision
from certlib.domain.civil import SHANGHAI
from certlib.domain.decision import Decision, DecisionKind, Step, StepKind
from certlib.domain.kinds import Mandate
from certlib.domain.mandate import governing, mandate_for, mandate_on

NOW = datetime(2026, 3, 4, 2, 30, tzinfo=UTC)
ACCEPTANCE, REVIEW, APPROVAL = StepKind
DIGEST = "ab" * 32


def at(day: int, hour: int = 10, month: int = 3, year: int = 2026) -> datetime:
    """A moment in Shanghai."""
    return datetime(year, month, day, hour, tzinfo=SHANGHAI)


def chain(*authorities: str, times: Iterable[datetime] = (at(2), at(3), at(4, 9)), **more: Any) -> Decision:
    """A decision on application whose steps were taken by these authorities at these times."""
    persons = ("钟文", "刘敏", "陈浩")
    steps = [
        Step(kind, authority, person, moment)
        for kind, authority, person, moment in zip(StepKind, authorities, persons, times, strict=False)
    ]
    return Decision(DecisionKind.APPLICATION, item="x", case="1", steps=tuple(steps), **more)


JOINT = chain("rongjiang-natural-resources", "rongjiang-natural-resources", "ganzhou-natural-resources")
WINDOW = chain("rongjiang-approval", "ganzhou-approval", "ganzhou-approval")


def found(catalogue: Catalogue, item: str, decision: Decision, **more: Any) -> list[tuple[str, str]]:
    """Paths and codes of the faults of a decision; every message has a Chinese label and an English sentence."""
    faults = check_decision(decision, catalogue.items.get(item), catalogue, now=NOW, **more)
    assert all(fault.label and fault.message.startswith(fault.label) and fault.english for fault in faults)
    return [(fault.path, fault.code) for fault in faults]


def test_a_chain_after_the_mandate_is_without_fault(catalogue: Catalogue) -> None:
    """Annex 1: the district accepts and reviews; annex 2: it accepts and the city reviews."""
    assert found(catalogue, "1-17", JOINT) == []
    assert found(catalogue, "2-25", WINDOW) == []


def test_the_reviewer_of_annex_one_is_not_the_reviewer_of_annex_two(catalogue: Catalogue) -> None:
    """Either chain is wrong for an item of the other annex, and the message names who should have acted."""
    city_reviews = chain("rongjiang-natural-resources", "ganzhou-natural-resources", "ganzhou-natural-resources")
    assert found(catalogue, "1-17", city_reviews) == [("decision.review.authority", "wrong-authority")]
    (fault,) = check_decision(city_reviews, catalogue.items["1-17"], catalogue, now=NOW)
    assert "2026年3月3日" in fault.message
    assert "赣州市自然资源局蓉江新区分局" in fault.message
    district_reviews = chain("rongjiang-approval", "rongjiang-approval", "ganzhou-approval")
    assert found(catalogue, "2-25", district_reviews) == [("decision.review.authority", "wrong-authority")]


def test_the_district_may_never_approve(catalogue: Catalogue) -> None:
    """The city decides in both ways of handling."""
    decided_below = chain(*["rongjiang-natural-resources"] * 3)
    assert found(catalogue, "1-17", decided_below) == [("decision.approval.authority", "wrong-authority")]


def test_every_fault_of_a_chain_is_reported_at_once(catalogue: Catalogue) -> None:
    """Authority, person, order, future and characters, each with its place."""
    steps = (
        Step(ACCEPTANCE, "rongjiang-approval", " ", at(3)),
        Step(REVIEW, "mars", "刘敏", at(2), "同意\u202e"),
        Step(APPROVAL, "rongjiang-approval", "刘敏", at(5)),
    )
    assert found(catalogue, "2-25", Decision(DecisionKind.APPLICATION, steps=steps)) == [
        ("decision.acceptance.person", "missing"),
        ("decision.review.authority", "unknown-authority"),
        ("decision.approval.at", "in-the-future"),
        ("decision.approval.authority", "wrong-authority"),
        ("decision.review.at", "dates-in-wrong-order"),
        ("decision.approval.person", "same-person"),
        ("decision.review.opinion", "bidi-character"),
    ]


@pytest.mark.parametrize("kind", StepKind)
def test_a_missing_step_is_named(kind: StepKind, catalogue: Catalogue) -> None:
    """None of the three may be left out."""
    less = replace(WINDOW, steps=tuple(step for step in WINDOW.steps if step.kind is not kind))
    assert found(catalogue, "2-25", less) == [(f"decision.{kind.value}", "missing")]


def test_a_paper_of_an_earlier_step_needs_the_chain_up_to_it(catalogue: Catalogue) -> None:
    """A notice of acceptance needs the acceptance only, a review report the review."""
    accepted = replace(JOINT, steps=JOINT.steps[:1])
    reviewed = replace(JOINT, steps=JOINT.steps[:2])
    assert found(catalogue, "1-17", accepted, until=ACCEPTANCE) == []
    assert found(catalogue, "1-17", reviewed, until=REVIEW) == []
    assert found(catalogue, "1-17", accepted, until=REVIEW) == [("decision.review", "missing")]


def test_a_step_of_this_very_moment_is_not_in_the_future(catalogue: Catalogue) -> None:
    """The bound is the moment itself; a second later is refused."""
    exactly = chain(*[step.authority for step in WINDOW.steps], times=(at(2), at(3), NOW))
    assert found(catalogue, "2-25", exactly) == []
    later = chain(*[step.authority for step in WINDOW.steps], times=(at(2), at(3), NOW + timedelta(seconds=1)))
    assert found(catalogue, "2-25", later) == [("decision.approval.at", "in-the-future")]


def test_a_moment_without_time_zone_is_refused_and_not_compared(catalogue: Catalogue) -> None:
    """A naive time has no place in any order."""
    steps = (*WINDOW.steps[:2], replace(WINDOW.steps[2], at=datetime(2026, 3, 4, 9)))
    assert found(catalogue, "2-25", replace(WINDOW, steps=steps)) == [("decision.approval.at", "no-time-zone")]


def test_the_same_person_may_accept_and_review(catalogue: Catalogue) -> None:
    """Only review and approval must be apart."""
    steps = tuple(replace(step, person="钟文" if step.kind is not APPROVAL else "陈浩") for step in JOINT.steps)
    assert found(catalogue, "1-17", replace(JOINT, steps=steps)) == []


def test_a_step_before_the_mandate_is_refused_on_its_own_day(catalogue: Catalogue) -> None:
    """Accepted on the day before annex 1 came into force, decided after."""
    times = (at(31, month=5, year=2022), at(1, month=6, year=2022), at(2, month=6, year=2022))
    early = chain(*[step.authority for step in JOINT.steps], times=times)
    assert found(catalogue, "1-17", early) == [("decision.acceptance.at", "no-mandate")]


def test_the_day_of_a_step_is_shanghais(catalogue: Catalogue) -> None:
    """16:30 UTC on 31 May is the first of June in Shanghai."""
    times = (datetime(2022, 5, 31, 16, 30, tzinfo=UTC), at(2, month=6, year=2022), at(3, month=6, year=2022))
    assert found(catalogue, "1-17", chain(*[step.authority for step in JOINT.steps], times=times)) == []


def with_mandates(catalogue: Catalogue, item: str, *mandates: Mandate) -> Catalogue:
    """The catalogue with other mandates for one item."""
    return replace(catalogue, mandates={**catalogue.mandates, item: mandates})


def test_a_mandate_without_agreement_is_not_in_force(catalogue: Catalogue) -> None:
    """Annex 1 hangs on its 承接协议: without number, or before its day, nothing may be done under it."""
    (mandate,) = catalogue.mandates["1-17"]
    for lacking in (
        replace(mandate, agreement=""),
        replace(mandate, agreement_date=None),
        replace(mandate, agreement_date=date(2026, 3, 5)),
    ):
        changed = with_mandates(catalogue, "1-17", lacking)
        assert changed.mandate_on("1-17", date(2026, 3, 4)) is None
        assert found(changed, "1-17", JOINT) == [
            ("decision.acceptance.at", "no-agreement"),
            ("decision.review.at", "no-agreement"),
            ("decision.approval.at", "no-agreement"),
        ]


def test_annex_two_needs_no_agreement(catalogue: Catalogue) -> None:
    """The window moved forward by the notice itself."""
    (mandate,) = catalogue.mandates["2-25"]
    assert not mandate.agreement
    assert mandate_on([mandate], date(2026, 3, 4)) is mandate


def ended(catalogue: Catalogue, run_off: date | None) -> Catalogue:
    """1-17 handed to the district's window on 1 March 2026: the old mandate ended then, with or without run-off."""
    (old,) = catalogue.mandates["1-17"]
    old = replace(old, until=date(2026, 3, 1), run_off=run_off)
    new = replace(
        old,
        since=date(2026, 3, 1),
        until=None,
        run_off=None,
        accepts="rongjiang-approval",
        reviews="ganzhou-natural-resources",
    )
    return with_mandates(catalogue, "1-17", old, new)


UNDER_WAY = chain(*[step.authority for step in JOINT.steps], times=(at(27, month=2), at(2), at(3)))


def test_a_case_under_way_follows_the_old_mandate_until_the_run_off_day(catalogue: Catalogue) -> None:
    """Accepted before the end, reviewed and decided within the run-off: the district still reviews."""
    assert found(ended(catalogue, date(2026, 3, 3)), "1-17", UNDER_WAY) == []


def test_after_the_run_off_day_the_new_mandate_holds(catalogue: Catalogue) -> None:
    """A review one day after the run-off belongs to the city."""
    changed = ended(catalogue, date(2026, 3, 1))
    assert found(changed, "1-17", UNDER_WAY) == [("decision.review.authority", "wrong-authority")]


def test_without_run_off_the_new_mandate_holds_at_once(catalogue: Catalogue) -> None:
    """The step's own day decides."""
    assert found(ended(catalogue, None), "1-17", UNDER_WAY) == [("decision.review.authority", "wrong-authority")]


def test_a_case_accepted_after_the_end_follows_the_new_mandate(catalogue: Catalogue) -> None:
    """The run-off is for cases under way only."""
    changed = ended(catalogue, date(2026, 3, 31))
    new = chain("rongjiang-approval", "ganzhou-natural-resources", "ganzhou-natural-resources")
    assert found(changed, "1-17", new) == []
    assert [code for _, code in found(changed, "1-17", JOINT)] == ["wrong-authority"] * 2


def test_a_mandate_that_ended_without_successor_leaves_the_item_without_one(catalogue: Catalogue) -> None:
    """取消“服务窗口前移”: from the last day on nobody may accept; `until` is exclusive."""
    (old,) = catalogue.mandates["2-25"]
    changed = with_mandates(catalogue, "2-25", replace(old, until=date(2026, 3, 4)))
    assert changed.mandate_on("2-25", date(2026, 3, 3)) is not None
    assert changed.mandate_on("2-25", date(2026, 3, 4)) is None
    assert found(changed, "2-25", WINDOW) == [("decision.approval.at", "no-mandate")]


def test_the_mandate_that_completes_a_case_is_the_one_it_followed(catalogue: Catalogue) -> None:
    """Within the run-off the old mandate still names who decides and seals."""
    old, new = ended(catalogue, date(2026, 3, 3)).mandates["1-17"]
    assert mandate_for([old, new], UNDER_WAY, date(2026, 3, 3)) is old
    assert mandate_for([old, new], UNDER_WAY, date(2026, 3, 4)) is new
    assert governing([old, new], date(2026, 3, 1), date(2026, 3, 2)) is new
    assert governing([old, new], None, date(2026, 3, 2)) is new


EX_OFFICIO = Decision(
    DecisionKind.EX_OFFICIO,
    basis="《中华人民共和国行政许可法》第六十九条",
    grounds="以欺骗手段取得",
    authority="ganzhou-approval",
    decided_at=at(3),
)


def test_an_ex_officio_decision_of_the_decider_is_without_fault(catalogue: Catalogue) -> None:
    """With the item, or with the authority of the certificate acted upon."""
    assert found(catalogue, "2-25", EX_OFFICIO) == []
    assert found(catalogue, "", EX_OFFICIO, decider="ganzhou-approval") == []


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"basis": ""}, ("decision.basis", "missing")),
        ({"grounds": " "}, ("decision.grounds", "missing")),
        ({"authority": ""}, ("decision.authority", "missing")),
        ({"authority": "ganzhou-commerce"}, ("decision.authority", "wrong-authority")),
        ({"authority": "rongjiang-approval"}, ("decision.authority", "wrong-authority")),
        ({"authority": "mars"}, ("decision.authority", "unknown-authority")),
        ({"decided_at": at(5)}, ("decision.decided_at", "in-the-future")),
        ({"decided_at": datetime(2026, 3, 3)}, ("decision.decided_at", "no-time-zone")),
        ({"steps": WINDOW.steps[:1]}, ("decision.acceptance", "unexpected")),
        ({"grounds": "甲" * 501}, ("decision.grounds", "too-long")),
    ],
)
def test_an_ex_officio_decision_needs_law_grounds_and_the_right_authority(
    wrong: dict[str, Any], fault: tuple[str, str], catalogue: Catalogue
) -> None:
    """Each lack is named."""
    assert fault in found(catalogue, "2-25", replace(EX_OFFICIO, **wrong))
    if "steps" not in wrong:
        assert found(catalogue, "", replace(EX_OFFICIO, **wrong), decider="ganzhou-approval") == [fault]


def test_steps_of_an_ex_officio_decision_are_the_deciders_own(catalogue: Catalogue) -> None:
    """Review and approval may be told, and are then checked."""
    own = tuple(
        Step(kind, "ganzhou-approval", person, at(3)) for kind, person in ((REVIEW, "刘敏"), (APPROVAL, "陈浩"))
    )
    assert found(catalogue, "2-25", replace(EX_OFFICIO, steps=own)) == []
    other = (replace(own[0], authority="ganzhou-commerce"), own[1])
    assert found(catalogue, "2-25", replace(EX_OFFICIO, steps=other)) == [
        ("decision.review.authority", "wrong-authority")
    ]


OTHER = Decision(
    DecisionKind.OTHER_AUTHORITY,
    authority="赣州市市场监督管理局",
    document_number="赣市市监罚字〔2026〕12号",
    grounds="暂扣许可证三十日",
    decided_at=at(3),
    file_sha256=DIGEST,
)


def test_another_authoritys_document_is_without_fault(catalogue: Catalogue) -> None:
    """Authority, number, day, grounds and file are all there."""
    assert found(catalogue, "", OTHER) == []


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"authority": ""}, ("decision.authority", "missing")),
        ({"document_number": ""}, ("decision.document_number", "missing")),
        ({"grounds": ""}, ("decision.grounds", "missing")),
        ({"file_sha256": ""}, ("decision.file_sha256", "missing")),
        ({"file_sha256": DIGEST.upper()}, ("decision.file_sha256", "bad-digest")),
        ({"file_sha256": DIGEST[:-1]}, ("decision.file_sha256", "bad-digest")),
        ({"decided_at": None}, ("decision.decided_at", "missing")),
        ({"decided_at": at(5)}, ("decision.decided_at", "in-the-future")),
        ({"steps": WINDOW.steps[2:]}, ("decision.approval", "unexpected")),
        ({"authority": "某局\u200b"}, ("decision.authority", "invisible-character")),
    ],
)
def test_another_authoritys_document_must_be_named_completely(
    wrong: dict[str, Any], fault: tuple[str, str], catalogue: Catalogue
) -> None:
    """Each lack is named."""
    assert found(catalogue, "", replace(OTHER, **wrong)) == [fault]


def test_messages_carry_nothing_that_cannot_be_shown(catalogue: Catalogue) -> None:
    """An authority made of half characters and direction marks is named without them."""
    strange = replace(WINDOW, steps=(replace(WINDOW.steps[0], authority="\ud800\u202e局"), *WINDOW.steps[1:]))
    (fault,) = check_decision(strange, catalogue.items["2-25"], catalogue, now=NOW)
    assert fault.code == "unknown-authority"
    assert fault.message.encode()
    assert "??局" in fault.message
