"""Events are told in their own transaction: to the supervisor of the item, to approval systems, as 双公示 records."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from certlib.catalogue import Catalogue, load_catalogue
from certlib.crypto.keys import Secrets
from certlib.errors import ConfigurationError
from certlib.formats.webhook import WebhookSecret
from certlib.issue.checking import CHECKS, Round
from certlib.issue.composition import open_office
from certlib.issue.hooks import read_hooks
from certlib.issue.replaying import hooks_of, queue_of
from certlib.issue.settings import Settings
from certlib.register.delivery_table import DeliveryRow
from certlib.register.hook_deliveries import Choice
from tests.issue.conftest import Clock, Desk

ANY = {"url": "https://target.example/hook", "secret": "env:HOOK_SECRET"}
HOSTS = ("target.example",)
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
    with open_office(replace(settings, webhooks=HOOKS, webhook_hosts=HOSTS), clock=clock) as office:
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


def test_the_end_of_an_approval_by_document_brings_its_record_anew(told: Desk) -> None:
    """A withdrawal decision that names it: the same permit, withdrawn, after its first record."""
    approval = told.office.issue_document(told.request("2-14"), client="platform", key="approval").body["number"]
    ending = told.request("2-14", kind="withdrawal-decision")
    ending["facts"]["certificate_number"] = approval
    told.office.issue_document(ending, client="platform", key="ending")
    first, second = _rows(told, "credit")
    assert (first.operation, second.operation) == ("publish", "publish-again")
    assert (first.identifier, second.identifier) == (approval, approval)
    assert (first.message["state"], second.message["state"]) == ("in-force", "withdrawn")
    assert first.message["id"] != second.message["id"]
    assert (first.certificate, second.sequence) == (second.certificate, 2)


def test_the_checker_tells_of_a_target_that_takes_nothing(told: Desk) -> None:
    """An event that waits is a warning after an hour; one laid aside, or a target that is gone, is an alarm."""
    told.issue("2-25")
    office, hook = told.office, hooks_of(told.office)["market"]

    def outcomes(**later: float) -> set[str]:
        findings = CHECKS["webhooks"](Round(office, told.clock() + timedelta(**later)))
        return {one.outcome for one in findings if one.detail.startswith("market")}

    assert outcomes() == set()
    assert outcomes(hours=2) == {"warn"}
    (delivery,) = queue_of(office, hook).claim("w", told.clock(), 1, 60)
    queue_of(office, hook).dead(delivery, "[target-gone] 410", told.clock())
    assert outcomes() == {"fail"}
    assert queue_of(office, hook).replay_chosen(Choice(), told.clock()) == 1
    assert outcomes() == set()


def test_a_change_publishes_the_new_permit_and_corrects_the_old_one(told: Desk) -> None:
    """The credit platform hears of both, in order, so that it does not show two valid permits."""
    body = told.issue("2-25")
    told.act("2-27", body["identifier"], "change", facts={"legal_representative": "李文静"})
    rows = [(row.operation, row.message["identifier"], row.message["state"]) for row in _rows(told, "credit")]
    new = told.office.certificate(body["identifier"])["identifier"]
    assert rows == [
        ("publish", body["identifier"], "in-force"),
        ("publish", new, "in-force"),
        ("publish-again", body["identifier"], "superseded"),
    ]


@pytest.mark.parametrize(
    ("spoilt", "word"),
    [
        ({"name": "Bad Name"}, "名称"),
        ({"url": ""}, "url"),
        ({"url": "https://elsewhere.example/"}, "允许名单"),
        ({"url": "http://target.example/"}, "https"),
        ({"url": "https://10.0.0.8/"}, "内网"),
        ({"url": "https://[::1]/"}, "内网"),
        ({"url": "https://127.1/"}, "无法识别"),
        ({"url": "https://user:pass@target.example/"}, "口令"),
        ({"secret": ""}, "secret"),
        ({"secret": []}, "secret"),
        ({"secret": [1]}, "secret"),
        ({"supervises": ["nobody"]}, "机关"),
        ({"items": ["9-99"]}, "事项"),
        ({"supervises": []}, "supervises"),
        ({"content": "gossip"}, "content"),
        ({"extra": 1}, "extra"),
        ({"items": "2-25"}, "items"),
    ],
)
def test_a_wrong_subscription_is_refused_by_name(catalogue: Catalogue, spoilt: dict[str, Any], word: str) -> None:
    """Settings with a fault are refused before anything is told, in a sentence that names entry and fault."""
    hosts = (*HOSTS, "10.0.0.8", "[::1]")
    with pytest.raises(ConfigurationError, match=word) as caught:
        read_hooks(Settings(webhooks=({**HOOKS[0], **spoilt},), webhook_hosts=hosts), catalogue)
    assert "pass" not in caught.value.message


def test_a_target_without_tls_is_refused_even_when_its_host_is_listed(catalogue: Catalogue) -> None:
    """http goes nowhere outside development, and there only by a setting of its own."""
    settings = Settings(webhooks=({**HOOKS[0], "url": "http://target.example/"},), webhook_hosts=HOSTS)
    with pytest.raises(ConfigurationError, match="https"):
        read_hooks(settings, catalogue)
    assert read_hooks(replace(settings, webhook_private=True), catalogue)
    with pytest.raises(ConfigurationError, match="开发环境"):
        read_hooks(replace(settings, webhook_private=True, environment="production"), catalogue)


def test_a_name_stands_once(catalogue: Catalogue) -> None:
    """Two targets of one name would share a queue."""
    with pytest.raises(ConfigurationError, match="重复"):
        read_hooks(Settings(webhooks=(HOOKS[0], HOOKS[0]), webhook_hosts=HOSTS), catalogue)


def test_secrets_are_read_by_reference_and_never_shown(catalogue: Catalogue) -> None:
    """One, or several while one turns; a weak one is refused with the name of its target."""
    strong, weak = WebhookSecret(bytes(32)).text, "whsec_c2hvcnQ="
    entry = {**HOOKS[0], "secret": ["env:NEW", "env:OLD"]}
    (hook,) = read_hooks(Settings(webhooks=(entry,), webhook_hosts=HOSTS), catalogue)
    assert len(hook.secrets(Secrets({"NEW": strong, "OLD": strong}))) == 2
    for environ in ({"NEW": strong, "OLD": weak}, {"NEW": strong}):
        with pytest.raises(ConfigurationError, match="market") as caught:
            hook.secrets(Secrets(environ))
        assert "c2hvcnQ" not in caught.value.message


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()
