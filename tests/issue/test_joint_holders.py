"""Several holders of one certificate (共有): each is checked, found and matched; none of them is revealed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from certlib.catalogue.invented import invented_citizen_number, invented_uscc
from certlib.domain.civil import civil_date
from certlib.errors import RequestError, TransitionError
from certlib.formats.code import read_code
from certlib.issue.batch_input import read_lines
from certlib.issue.erasing import ERASED
from certlib.issue.inspecting import NotPublicError, PublicRegister, match_holder
from certlib.register.audit_search import Wanted, find_certificates
from certlib.register.tables import EditionRow
from tests.issue.conftest import START, Desk
from tests.issue.invariants import breaches

TITLE = "1-1"
ADULT = civil_date(START) - timedelta(days=40 * 365)
CHILD = civil_date(START) - timedelta(days=9 * 365)
ZHANG = {"name": "张建国", "code": invented_citizen_number(11, ADULT), "code_type": "111"}
LI = {"name": "李文静", "code": invented_citizen_number(22, ADULT), "code_type": "111"}
FIRM = {"name": "赣州瑞恒实业有限公司", "code": invented_uscc(808, "91360700"), "code_type": "001"}
WANG_MINOR = {"name": "王小明", "code": invented_citizen_number(33, CHILD), "code_type": "111"}


def joint(desk: Desk, *holders: dict[str, str], **changes: Any) -> dict[str, Any]:
    """A request for a real estate title that these hold together."""
    request = desk.request(TITLE)
    first, *others = holders
    request["holder"] = {**first, "others": others} if others else first
    request["facts"] |= {"right_holder": [one["name"] for one in holders], "co_ownership": "共同共有"}
    return {**request, **changes}


def issue(desk: Desk, *holders: dict[str, str]) -> str:
    request = joint(desk, *holders)
    return str(desk.office.issue(request, client="platform", key=f"joint-{desk.made}").body["identifier"])


def codes(refused: pytest.ExceptionInfo[RequestError]) -> set[tuple[str, str]]:
    return {(fault.path, fault.code) for fault in refused.value.faults}


def test_each_holder_stands_on_the_face_and_in_the_attached_facts(desk: Desk) -> None:
    """Three hold one title; the code has the first's masked name and how many they are."""
    identifier = issue(desk, ZHANG, LI, FIRM)
    view = desk.office.certificate(identifier)
    assert view["holder"] == {**ZHANG, "others": [LI, FIRM]}
    with desk.office.register.reader() as session:
        (edition,) = session.exec(select(EditionRow)).all()
        assert edition.printed["right_holder"].split("\n") == ["张建国", "李文静", "赣州瑞恒实业有限公司"]
        assert read_code(edition.code_text).payload.name == "张**等3人"
        n = edition.n
    state = PublicRegister.of(desk.office).by_index(n, at=desk.clock.at)
    assert state is not None
    assert state.holder == "张**等3人"
    assert breaches(desk.office, at=desk.clock.at) == []


def test_any_holder_is_matched_by_name_and_last_four_of_the_same(desk: Desk) -> None:
    """Name of one with the number of another is no match."""
    n = _n(desk, issue(desk, ZHANG, LI, FIRM))
    asked = [(one["name"], one["code"][-4:]) for one in (ZHANG, LI, FIRM)] + [(LI["name"], ZHANG["code"][-4:])]
    answers = [match_holder(desk.office, n, name, four, client="public").matches for name, four in asked]
    assert answers == [True, True, True, False]


def test_one_minor_among_them_keeps_all_from_the_public(desk: Desk) -> None:
    """No name in the code, no public look-up, no matching."""
    identifier = issue(desk, ZHANG, WANG_MINOR)
    n = _n(desk, identifier)
    with desk.office.register.reader() as session:
        (edition,) = session.exec(select(EditionRow)).all()
        assert read_code(edition.code_text).payload.name == ""
    with pytest.raises(NotPublicError):
        PublicRegister.of(desk.office).by_index(n, at=desk.clock.at)
    with pytest.raises(NotPublicError):
        match_holder(desk.office, n, ZHANG["name"], ZHANG["code"][-4:], client="public")


def test_wrong_holders_are_named_one_by_one(desk: Desk) -> None:
    """A wrong check digit, one listed twice, a face that leaves one out; nothing is issued."""
    wrong = {**LI, "code": LI["code"][:-1] + ("1" if LI["code"][-1] != "1" else "2")}
    with pytest.raises(RequestError) as refused:
        desk.office.issue(joint(desk, ZHANG, wrong), client="p", key="wrong")
    assert codes(refused) == {("holder.others.0.code", "bad-code")}
    with pytest.raises(RequestError) as refused:
        desk.office.issue(joint(desk, ZHANG, LI, LI), client="p", key="twice")
    assert ("holder.others", "holder-twice") in codes(refused)
    request = joint(desk, ZHANG, LI)
    request["facts"]["right_holder"] = [ZHANG["name"]]
    with pytest.raises(RequestError) as refused:
        desk.office.issue(request, client="p", key="left-out")
    assert codes(refused) == {("facts.right_holder", "differs-from-holder")}
    request = joint(desk, ZHANG)
    request["holder"]["others"] = [None, {"name": "李文静"}]
    with pytest.raises(RequestError) as refused:
        desk.office.issue(request, client="p", key="shape")
    assert {("holder.others.0", "not-an-object"), ("holder.others.1.code", "missing")} <= codes(refused)
    assert desk.office.certificates()["certificates"] == []


def test_a_type_for_one_holder_refuses_a_second(desk: Desk) -> None:
    """The licence to sell medical devices belongs to one enterprise."""
    request = desk.request("2-25")
    request["holder"]["others"] = [FIRM]
    with pytest.raises(RequestError) as refused:
        desk.office.issue(request, client="p", key="k")
    assert any("只有一个持证主体" in fault.message for fault in refused.value.faults)
    assert ("holder.others", "too-many-holders") in codes(refused)


def test_holders_join_and_leave_by_transfer_only(desk: Desk) -> None:
    """转移登记 adds one and takes one away, each with a new edition; 变更 may rename but not exchange."""
    identifier = issue(desk, ZHANG, LI)
    facts = {"right_holder": [ZHANG["name"], LI["name"], FIRM["name"]]}
    added = {"holder": {**ZHANG, "others": [LI, FIRM]}, "facts": facts}
    with pytest.raises(RequestError) as refused:
        desk.act(_item(desk, "change"), identifier, "change", **added)
    assert codes(refused) == {("holder.code", "may-not-change")}
    desk.act(_item(desk, "transfer"), identifier, "transfer", **added)
    rest = {"holder": {**LI, "others": [FIRM]}, "facts": {"right_holder": [LI["name"], FIRM["name"]]}}
    desk.act(_item(desk, "transfer"), identifier, "transfer", **rest)
    view = desk.office.certificate(identifier)
    assert (view["holder"], len(view["editions"])) == ({**LI, "others": [FIRM]}, 3)
    renamed = {"facts": {"right_holder": [LI["name"], "赣州瑞恒集团有限公司"]}}
    desk.act(_item(desk, "change"), identifier, "change", **renamed)
    assert desk.office.certificate(identifier)["holder"]["others"][0] == {**FIRM, "name": "赣州瑞恒集团有限公司"}
    assert breaches(desk.office, at=desk.clock.at) == []


def test_a_search_finds_it_by_each_holder(desk: Desk) -> None:
    """By name, by part of a name, by code; a stranger finds nothing."""
    issue(desk, ZHANG, LI, FIRM)
    with desk.office.register.reader() as session:
        found = [
            len(find_certificates(session, Wanted(person=person), limit=9))
            for person in (ZHANG["name"], LI["code"], "瑞恒", FIRM["code"], "赵无关", WANG_MINOR["code"])
        ]
    assert found == [1, 1, 1, 1, 0, 0]


def test_any_holder_or_an_agent_collects_and_no_stranger(desk: Desk) -> None:
    """The second holder collects the sheet; before, a stranger is refused and nothing is recorded."""
    identifier = issue(desk, ZHANG, LI)
    desk.office.receive_blanks("real-estate-title", "BD00001", "BD00009", person="王素珍", witness="李复核")
    (printed,) = desk.office.print_sheets(identifier, client="p", purpose="出证")
    proof = {"relation": "holder", "document": "居民身份证", "receipt": "送达2026-1"}
    with pytest.raises(RequestError) as refused:
        desk.office.act_on_sheet(printed.sheet, "collect", {**proof, "collector": "赵无关"})
    assert codes(refused) == {("collector", "stranger")}
    with pytest.raises(RequestError) as refused:
        desk.office.act_on_sheet(printed.sheet, "collect", {**proof, "collector": "赵无关", "relation": "agent"})
    assert codes(refused) == {("authorisation", "required")}
    served = {
        "recipient": "赵无关",
        "identity": "居民身份证",
        "relation": "holder",
        "person": "王素珍",
        "receipt": "送达2026-1",
    }
    with pytest.raises(RequestError) as refused:
        desk.office.serve(
            identifier, {"way": "direct", "served_at": desk.clock.at.isoformat(), **served}, client="p", key="s"
        )
    assert codes(refused) == {("recipient", "stranger")}
    assert desk.office.certificate(identifier)["sheets"][0]["state"] == "printed"
    desk.office.act_on_sheet(printed.sheet, "collect", {**proof, "collector": LI["name"]})
    assert desk.office.certificate(identifier)["sheets"][0]["state"] == "collected"


def test_erasure_for_one_holder_leaves_no_name_of_any(desk: Desk) -> None:
    """Found by the code of the second; the others' data go with the certificate, which is over."""
    identifier = issue(desk, ZHANG, LI)
    with pytest.raises(TransitionError):
        desk.office.erase(LI["code"], grounds="本人申请", person="陈志远", second_person="王素珍")
    desk.act(_item(desk, "cancel"), identifier, "cancel", cause="request")
    desk.office.erase(LI["code"], grounds="本人申请", person="陈志远", second_person="王素珍")
    with desk.office.register.reader() as session:
        (row,) = find_certificates(session, Wanted(), limit=9)
        assert row.holder_name == ERASED
        assert not find_certificates(session, Wanted(person=LI["name"]), limit=9)
    told = json.dumps(desk.office.certificate(identifier), ensure_ascii=False)
    assert not any(text in told for one in (ZHANG, LI) for text in one.values() if len(text) > 3)


def test_a_csv_batch_has_a_holder_a_line_in_one_cell() -> None:
    """Names may hold spaces; a code of three digits at the end is the type of the code."""
    text = f'item,holder.name,holder.others\n1-1,张建国,"{LI["name"]} {LI["code"]} 111\nRuiheng Co {FIRM["code"]}"\n'
    (line,) = read_lines(text.encode())
    assert line["holder"]["others"] == [LI, {"name": "Ruiheng Co", "code": FIRM["code"]}]


def _n(desk: Desk, identifier: str) -> int:
    return int(desk.office.certificate(identifier)["editions"][-1]["n"])


def _item(desk: Desk, action: str) -> str:
    """An item under which a real estate title is acted upon so."""
    return next(
        item.key
        for item in desk.office.catalogue.items.values()
        for outcome in item.outcomes
        if outcome.type == "real-estate-title" and action in {one.value for one in outcome.actions}
    )
