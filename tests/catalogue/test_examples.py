"""A complete, valid request for every item and every outcome."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from certlib.catalogue import (
    Catalogue,
    check_changes,
    check_decision,
    check_facts,
    check_holder,
    check_text,
    example,
    existing,
    load_catalogue,
    predecessor,
)
from certlib.domain.actions import Action
from certlib.domain.civil import civil_date
from certlib.domain.decision import StepKind
from certlib.domain.kinds import Allocator, DocumentType, Item, OutcomeKind
from certlib.domain.lifecycle import RULES
from certlib.domain.renewal import renewal_days
from certlib.errors import Fault, NotFoundError
from certlib.identifiers import check_number
from certlib.issue.requests import read_act, read_issue

SHIPPED = load_catalogue()
ITEMS = pytest.mark.parametrize("item", SHIPPED.items.values(), ids=lambda item: item.key)


def acts(item: Item) -> bool:
    """Whether the item acts on a certificate that is there already."""
    return item.outcome.kind is OutcomeKind.CERTIFICATE and Action.ISSUE not in item.outcome.actions


def faults_of_issue(catalogue: Catalogue, request: dict[str, Any], type_key: str, now: datetime) -> list[Fault]:
    """Everything wrong with a request for a certificate or document."""
    read, kind = read_issue(request), catalogue.kind(type_key)
    decision = replace(read.decision, item=read.item, case=read.case)
    until = StepKind(kind.step) if isinstance(kind, DocumentType) else StepKind.APPROVAL
    acceptance = decision.step(StepKind.ACCEPTANCE)
    assert acceptance is not None
    found, _ = check_facts(
        kind,
        read.facts,
        today=civil_date(now),
        holder=read.holder,
        case=read.case,
        accepted_on=civil_date(acceptance.at),
    )
    return [
        *read.faults,
        *check_holder(read.holder, today=civil_date(now)),
        *check_decision(decision, catalogue.items[read.item], catalogue, now=now, until=until),
        *found,
    ]


@ITEMS
@pytest.mark.parametrize("variant", [0, 1, 4711])
def test_every_item_has_a_request_without_fault(item: Item, variant: int, catalogue: Catalogue, now: datetime) -> None:
    """Whatever the item yields first: a certificate, an action on one, a document or a receipt."""
    request = example(item.key, now=now, variant=variant)
    assert json.loads(json.dumps(request)) == request
    if acts(item):
        return
    assert faults_of_issue(catalogue, request, item.outcome.type, now) == []


@ITEMS
def test_every_other_outcome_has_a_request_too(item: Item, catalogue: Catalogue, now: datetime) -> None:
    """Each paper of the procedure, with the chain up to the step it needs."""
    for outcome in item.outcomes[1:]:
        if outcome.kind is OutcomeKind.CERTIFICATE:
            continue
        request = example(item.key, now=now, kind=outcome.type)
        assert request["type"] == outcome.type
        assert faults_of_issue(catalogue, request, outcome.type, now) == [], outcome.type


@ITEMS
def test_an_item_that_acts_names_the_item_that_issues(item: Item, catalogue: Catalogue, now: datetime) -> None:
    """Both examples concern the same holder, and the change is one the item covers."""
    source = predecessor(item.key)
    if not acts(item):
        assert source == ""
        with pytest.raises(NotFoundError):
            existing(item.key, now=now)
        return
    first, request = example(source, now=now, variant=3), example(item.key, now=now, variant=3)
    read = read_act(request)
    decision = replace(read.decision, item=read.item, case=read.case)
    assert [*read.faults, *check_decision(decision, item, catalogue, now=now)] == []
    assert request["case"] != first["case"]
    kind, action = catalogue.certificate_types[item.outcome.type], item.outcome.actions[0]
    facts = {**first["facts"], **read.facts}
    holder = read.holder or read_issue(first).holder
    found, _ = check_facts(kind, facts, today=civil_date(now), holder=holder)
    assert found == []
    if action is Action.CHANGE:
        assert facts != first["facts"]
        assert check_changes(item.outcome, kind, first["facts"], facts) == []
    rule = RULES[action]
    assert not rule.causes or read.cause in rule.causes
    assert (read.holder is not None) == (action is Action.TRANSFER)


@ITEMS
def test_an_existing_certificate_is_open_for_the_action_now(item: Item, catalogue: Catalogue, now: datetime) -> None:
    """It has a sound number, days in order, and today lies in its renewal window."""
    if not acts(item):
        return
    request = existing(item.key, now=now, variant=5)
    kind = catalogue.certificate_types[item.outcome.type]
    assert faults_of_issue(catalogue, request, kind.key, now) == []
    check_number(kind.number, request["number"])
    since = date.fromisoformat(request["valid_from"])
    assert since < civil_date(now)
    if kind.validity.years:
        until = date.fromisoformat(request["valid_until"])
        opens, closes = renewal_days(kind.validity, until)
        assert opens <= civil_date(now) <= closes
    else:
        assert "valid_until" not in request


@ITEMS
def test_a_number_is_given_exactly_when_another_allots_it(item: Item, catalogue: Catalogue, now: datetime) -> None:
    """The mining numbers come from the national registry."""
    if acts(item):
        return
    request, kind = example(item.key, now=now, variant=9), catalogue.kind(item.outcome.type)
    assert ("number" in request) == (kind.number.allocator is not Allocator.LOCAL)
    if "number" in request:
        check_number(kind.number, request["number"])


def test_no_two_examples_share_holder_code_or_case(now: datetime) -> None:
    """Fifty variants of each issuing item: thousands of different holders and cases."""
    requests = [
        example(item.key, now=now, variant=variant)
        for item in SHIPPED.items.values()
        if not acts(item)
        for variant in range(50)
    ]
    holders = {request["holder"]["code"] for request in requests}
    cases = {request["case"]["number"] for request in requests}
    assert len(holders) == len(cases) == len(requests)
    names = {request["holder"]["name"] for request in requests if request["item"] == "2-25"}
    assert len(names) == 50


def test_the_same_question_has_the_same_answer(now: datetime) -> None:
    """Nothing is drawn by chance."""
    assert example("2-25", now=now, variant=7) == example("2-25", now=now, variant=7)


def test_different_items_show_different_trades(now: datetime) -> None:
    """A gas company applies for the gas licence, a mining company for exploration."""
    names = {key: example(key, now=now)["holder"]["name"] for key in ("2-38", "2-1", "2-25", "2-15")}
    assert "燃气" in names["2-38"]
    assert "矿业" in names["2-1"]
    assert "医疗器械" in names["2-25"]
    assert "航运" in names["2-15"]


def test_the_pupils_example_is_a_minor(now: datetime) -> None:
    """1-44 is held by a person of fifteen."""
    holder = read_issue(example("1-44", now=now)).holder
    assert holder.is_minor(civil_date(now))


def texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)


def test_no_placeholder_is_left_in_any_text(now: datetime) -> None:
    """Braces would be printed."""
    for item in SHIPPED.items.values():
        for text in texts(example(item.key, now=now, variant=2)):
            assert not set("{}") & set(text), text
            assert check_text(text) == []


@pytest.mark.parametrize("at", ["2026-01-01T00:05", "2026-02-18T12:00", "2024-02-29T23:59", "2022-06-20T08:00"])
def test_the_moment_may_be_any(at: str, catalogue: Catalogue) -> None:
    """Just after midnight, in a holiday, on a leap day, soon after the notice: the chain is in order and past."""
    now = datetime.fromisoformat(at).replace(tzinfo=UTC) - timedelta(hours=8)
    for item in SHIPPED.items.values():
        if not acts(item):
            assert faults_of_issue(catalogue, example(item.key, now=now), item.outcome.type, now) == [], item.key
        else:
            assert existing(item.key, now=now)["valid_from"] < civil_date(now).isoformat()


def test_an_unknown_item_or_outcome_is_an_error(now: datetime) -> None:
    """Named in the message."""
    with pytest.raises(NotFoundError, match="2-99"):
        example("2-99", now=now)
    with pytest.raises(NotFoundError, match="gas-licence"):
        example("2-25", now=now, kind="gas-licence")
