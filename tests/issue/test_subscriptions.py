"""Events are told in their own transaction: to the supervisor of the item, to approval systems, as 双公示 records."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import select

from certlib.errors import ConfigurationError
from certlib.issue.composition import open_office
from certlib.issue.hooks import read_subscriptions
from certlib.issue.settings import Settings
from certlib.register.delivery_table import DeliveryRow
from tests.issue.conftest import Clock, Desk

ANY = {"url": "https://target.example/hook", "secret": "env:HOOK_SECRET"}
HOOKS = (
    {"name": "market", "supervises": ["ganzhou-market-regulation"], **ANY},
    {"name": "housing", "supervises": ["ganzhou-housing"], **ANY},
    {"name": "window", "authorities": ["*"], **ANY},
    {"name": "credit", "authorities": ["*"], "content": "publicity", **ANY},
)


@pytest.fixture
def told(settings: Settings) -> Iterator[Desk]:
    """A desk whose office has subscribers."""
    clock = Clock()
    with open_office(
        Settings(home=settings.home, suite=settings.suite, database=settings.database, webhooks=HOOKS), clock=clock
    ) as office:
        yield Desk(office, clock)


def _rows(desk: Desk, name: str) -> list[DeliveryRow]:
    with desk.office.register.reader() as session:
        query = select(DeliveryRow).where(DeliveryRow.target == f"hook:{name}").order_by(DeliveryRow.id)
        return list(session.exec(query))


def test_an_event_reaches_the_supervisor_of_its_item_and_no_other(told: Desk) -> None:
    """Both events in order, each with one id on every target; another department hears nothing."""
    body = told.issue("2-25")
    told.do(body["identifier"], "suspend", {"decision": told.order(), "cause": "penalty"})
    market, window = _rows(told, "market"), _rows(told, "window")
    assert [(row.sequence, row.operation) for row in market] == [(1, "issue"), (2, "suspend")]
    assert {row.message["supervisor"]["key"] for row in market} == {"ganzhou-market-regulation"}
    assert [row.message["id"] for row in market] == [row.message["id"] for row in window]
    assert len({row.message["id"] for row in market}) == 2
    assert _rows(told, "housing") == []
    assert "facts" not in market[0].message


def test_a_permit_brings_its_publicity_record_and_a_change_of_standing_brings_it_anew(told: Desk) -> None:
    """The record names holder, decision, term and issuer, and its state follows."""
    body = told.issue("2-25")
    told.do(body["identifier"], "suspend", {"decision": told.order(), "cause": "penalty"})
    first, second = _rows(told, "credit")
    assert (first.operation, second.operation) == ("publish", "publish-again")
    assert first.message["certificate"]["number"] == body["number"]
    assert first.message["holder"]["code"]
    assert first.message["issuer"]["code"]
    assert first.message["decided_on"]
    assert (first.message["state"], second.message["state"]) == ("in-force", "suspended")


@pytest.mark.parametrize(
    "spoilt",
    [
        {"name": "Bad Name"},
        {"url": ""},
        {"secret": ""},
        {"supervises": ["nobody"]},
        {"items": ["9-99"]},
        {"supervises": []},
        {"content": "gossip"},
        {"extra": 1},
        {"items": "2-25"},
    ],
)
def test_a_wrong_subscription_is_refused_by_name(desk: Desk, spoilt: dict[str, Any]) -> None:
    """Settings with a fault are refused before anything is told."""
    with pytest.raises(ConfigurationError):
        read_subscriptions([{**HOOKS[0], **spoilt}], desk.office.catalogue)
