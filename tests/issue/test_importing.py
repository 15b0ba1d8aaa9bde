"""Existing certificates: registered by two persons, sealed by nobody, ours from the first action on."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from certlib.catalogue.examples import existing
from certlib.errors import ConflictError, RequestError, TransitionError
from tests.issue.conftest import Desk
from tests.issue.invariants import breaches


def request(desk: Desk, item: str = "2-26", **changes: Any) -> dict[str, Any]:
    """An import request for the certificate on which `item` acts."""
    raw = deepcopy(dict(existing(item, now=desk.clock.at)))
    for key in ("item", "case"):
        raw.pop(key, None)
    return {
        **raw,
        "decision": desk.ex_officio(grounds="存量证照补录"),
        "second_person": "李复核",
        "issued_on": raw["valid_from"],
        "source": "市行政审批局档案 2021-118",
        "scan_sha256": "ab" * 32,
        "serial": "YL0001234",
        **changes,
    }


def test_an_import_seals_nothing_and_says_so(desk: Desk) -> None:
    """In force, marked as imported, no file, its paper known."""
    body = desk.office.import_certificate(request(desk), client="platform", key="i").body
    view = desk.office.certificate(str(body["identifier"]))
    assert (view["state"], view["imported"], view["edition"]) == ("in-force", True, 0)
    assert view["editions"][0]["files"] == []
    assert [sheet["state"] for sheet in view["sheets"]] == ["collected"]
    assert list(desk.office.register.files.digests()) == []
    assert desk.office.lookup.by_index(view["editions"][0]["n"], at=desk.clock.at).imported  # type: ignore[union-attr]


def test_the_first_action_makes_our_first_edition(desk: Desk) -> None:
    """An early renewal makes edition 1, from the day after the old one ends; until then the old one is good."""
    body = desk.office.import_certificate(request(desk), client="platform", key="i").body
    renewed = desk.act("2-26", str(body["identifier"]), "renew")
    view = desk.office.certificate(str(body["identifier"]))
    assert (renewed["edition"], renewed["number"]) == (1, body["number"])
    assert view["editions"][0]["verdict"] == "valid"
    assert view["editions"][1]["verdict"] == "not-in-force"
    assert [sheet["recall"] for sheet in view["sheets"]] == [True, False]
    desk.office.tick()
    assert breaches(desk.office, at=desk.clock.at) == []


def test_a_gas_licence_of_old_is_changed_by_item_1_28(desk: Desk) -> None:
    """Annex 1 item 28 changes licences that were issued before the delegation."""
    body = desk.office.import_certificate(request(desk, "1-28"), client="platform", key="i").body
    changed = desk.act("1-28", str(body["identifier"]), "change", facts={"legal_representative": "黄建国"})
    assert (changed["edition"], changed["identifier"]) == (1, body["identifier"])


def test_our_numbers_pass_over_imported_ones(desk: Desk) -> None:
    """An existing certificate may carry the number we would have given next."""
    number = "赣虔药监械经营许20260001号"
    desk.office.import_certificate(request(desk, number=number), client="platform", key="i")
    assert desk.issue("2-25")["number"] == "赣虔药监械经营许20260002号"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"scan_sha256": "x"}, "scan_sha256"),
        ({"source": ""}, "source"),
        ({"number": "123"}, "number"),
        ({"issued_on": "2030-01-01"}, "issued_on"),
        ({"type": "nothing"}, "type"),
        ({"valid_until": "2001-01-01"}, "valid_until"),
    ],
)
def test_a_wrong_import_is_refused(desk: Desk, changes: dict[str, Any], path: str) -> None:
    """Source, scan, number and days are checked; nothing is registered."""
    with pytest.raises(RequestError) as refused:
        desk.office.import_certificate(request(desk, **changes), client="platform", key="i")
    assert path in {fault.path for fault in refused.value.faults}
    assert desk.office.certificates()["certificates"] == []


def test_an_import_takes_two_persons_and_comes_once(desk: Desk) -> None:
    """One person does not suffice; the same number does not come twice."""
    with pytest.raises((RequestError, TransitionError)):
        desk.office.import_certificate(request(desk, second_person=""), client="platform", key="i")
    desk.office.import_certificate(request(desk), client="platform", key="i2")
    with pytest.raises(ConflictError, match="不重复补录"):
        desk.office.import_certificate(request(desk), client="platform", key="i3")


def test_a_renewal_not_decided_in_time_counts_as_granted(desk: Desk) -> None:
    """Accepted in its window and left undecided: after the due day it is renewed by law, and not before."""
    body = desk.office.import_certificate(request(desk), client="platform", key="i").body
    decision = deepcopy(desk.request("2-26")["decision"])
    undecided = {"kind": "application", "acceptance": decision["acceptance"], "deemed": True}
    raw = {"item": "2-26", "case": {"number": "DEEMED-1"}, "decision": undecided}
    with pytest.raises(RequestError) as refused:
        desk.do(str(body["identifier"]), "renew", raw)
    assert [fault.code for fault in refused.value.faults] == ["not-overdue"]
    desk.clock.advance(days=40)
    assert desk.do(str(body["identifier"]), "renew", raw)["edition"] == 1
    changed = {**raw, "item": "2-27", "facts": {"legal_representative": "黄建国"}}
    with pytest.raises(RequestError):
        desk.do(str(body["identifier"]), "change", changed)
