"""Several holders of one certificate (共有): each is checked, found and matched; none of them is revealed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from certlib.catalogue.invented import invented_citizen_number, invented_uscc
from certlib.domain.civil import civil_date
from certlib.errors import RequestError, TransitionError
from certlib.formats.code import read_code
from certlib.issue.batch import batch_lines
from certlib.issue.batch_input import read_lines, report_csv
from certlib.issue.erasing import ERASED
from certlib.issue.inspecting import NotPublicError, PublicRegister, match_holder
from certlib.issue.mass import affected
from certlib.register.audit_search import Wanted, find_certificates
from certlib.register.tables import BatchLineRow, EditionRow
from tests.issue.conftest import START, Desk
from tests.issue.invariants import breaches

Request = dict[str, Any]
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
    request["holder"] = {**first, **({"others": others} if others else {})}
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


def test_a_mass_action_reaches_it_by_each_of_its_present_holders(desk: Desk) -> None:
    """Any holder's code names it; of one who has left it, or of a stranger, it does not."""
    identifier = issue(desk, ZHANG, LI)
    rest = {"holder": FIRM, "facts": {"right_holder": [FIRM["name"]]}}

    def named() -> list[int]:
        wheres = [{"type": "real-estate-title", "holder_code": one["code"]} for one in (ZHANG, LI, FIRM)]
        with desk.office.register.reader() as session:
            return [len(affected(session, where)) for where in wheres]

    assert named() == [1, 1, 0]
    where = {"type": "real-estate-title", "holder_code": LI["code"]}
    body = {"decision": desk.ex_officio(), "cause": "law-changed"}
    proposal = desk.office.propose_mass("cancel", body, where, person="甲", reason="依法处理", client="platform")
    assert proposal["count"] == 1
    desk.act(_item(desk, "transfer"), identifier, "transfer", **rest)
    assert named() == [0, 0, 1]


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


def test_a_joint_batch_is_tried_told_of_its_faults_and_done(desk: Desk, form: Callable[[list[Request]], bytes]) -> None:
    """Three rows; the second has a co-holder with a wrong code: line and cell are told, the rest issued."""
    wrong = {**LI, "code": LI["code"][:-1] + ("1" if LI["code"][-1] != "1" else "2")}
    lines = read_lines(form([joint(desk, ZHANG, LI), joint(desk, LI, FIRM, wrong), joint(desk, FIRM, ZHANG)]))
    tried = desk.office.check_batch(lines)
    assert [one["state"] for one in tried] == ["done", "failed", "done"], tried[2]
    assert desk.office.certificates()["certificates"] == []
    batch = desk.office.add_batch(lines, client="platform")
    while desk.office.work_batch(only=batch):
        pass
    rows = list(
        csv.DictReader(io.StringIO(report_csv(batch_lines(desk.office.register, batch)).removeprefix("\ufeff")))
    )
    assert [(row["行号"], row["状态"], row["位置"]) for row in rows] == [
        ("1", "done", ""),
        ("2", "failed", "holder.others.1.code"),
        ("3", "done", ""),
    ]
    with desk.office.register.reader() as session:
        found = [len(find_certificates(session, Wanted(person=one["code"]), limit=9)) for one in (ZHANG, LI, FIRM)]
    assert found == [2, 1, 1]
    assert breaches(desk.office, at=desk.clock.at) == []


def test_an_existing_joint_certificate_is_taken_in(desk: Desk) -> None:
    """Each holder is checked, kept, found and matched; the first transfer from one of them makes our first edition."""
    item, old = _item(desk, "transfer"), joint(desk, ZHANG, LI, FIRM)
    known = {"type": "real-estate-title", "number": "赣（2021）赣州市不动产权第0004321号", "valid_from": "2021-03-09"}
    request = {
        **known,
        "holder": old["holder"],
        "facts": old["facts"],
        "issued_on": "2021-03-09",
        "serial": "BD0004321",
    }
    request |= {"decision": desk.ex_officio(authority="ganzhou-natural-resources", grounds="存量证照补录")}
    request |= {"second_person": "李复核", "source": "市不动产登记中心档案", "scan_sha256": "ab" * 32}
    twice = {**request, "holder": {**ZHANG, "others": [LI, LI]}}
    with pytest.raises(RequestError) as refused:
        desk.office.import_certificate(twice, client="platform", key="twice")
    assert ("holder.others", "holder-twice") in codes(refused)
    identifier = str(desk.office.import_certificate(request, client="platform", key="i").body["identifier"])
    assert desk.office.certificate(identifier)["holder"] == {**ZHANG, "others": [LI, FIRM]}
    with desk.office.register.reader() as session:
        found = [len(find_certificates(session, Wanted(person=one["code"]), limit=9)) for one in (ZHANG, LI, FIRM)]
    assert found == [1, 1, 1]
    rest = {"holder": {**ZHANG, "others": [FIRM]}, "facts": {"right_holder": [ZHANG["name"], FIRM["name"]]}}
    assert desk.act(item, identifier, "transfer", **rest)["edition"] == 1
    assert desk.office.certificate(identifier)["holder"] == {**ZHANG, "others": [FIRM]}
    desk.office.tick()
    assert breaches(desk.office, at=desk.clock.at) == []


def as_json_lines(requests: list[Request]) -> bytes:
    """A request a line."""
    return "\n".join(json.dumps(request, ensure_ascii=False) for request in requests).encode()


def as_csv(requests: list[Request]) -> bytes:
    """A row a request, as an office's spreadsheet writes it."""
    rows = [dict(_cells(request)) for request in requests]
    out = io.StringIO()
    writer = csv.DictWriter(out, sorted({path for row in rows for path in row}))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("gb18030")


@pytest.fixture(params=[as_json_lines, as_csv])
def form(request: pytest.FixtureRequest) -> Callable[[list[Request]], bytes]:
    """How the batch is written."""
    return request.param  # type: ignore[no-any-return]


def _cells(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _cells(inner, f"{path}.{name}" if path else name)
    elif path == "holder.others":
        yield path, "\n".join(f"{one['name']} {one['code']} {one['code_type']}" for one in value)
    else:
        yield path, "\n".join(value) if isinstance(value, list) else {True: "是", False: "否"}.get(value, value)


def refusal(desk: Desk, *others: dict[str, str]) -> dict[str, Any]:
    """A refusal for the first applicant and these."""
    request = desk.request("2-25", kind="refusal-decision")
    request["holder"]["others"] = list(others)
    applicants = [request["holder"], *others]
    request["facts"] |= {
        f"applicant{part}": "、".join(one[of] for one in applicants) for part, of in (("", "name"), ("_code", "code"))
    }
    return request


def test_a_document_names_each_of_many_applicants(desk: Desk) -> None:
    """The room for a name and a code is each applicant's, not one for all of them together."""
    firms = [{**FIRM, "name": f"赣州第{n}实业有限公司", "code": invented_uscc(900 + n, "91360700")} for n in range(11)]
    body = desk.office.issue_document(refusal(desk, *firms), client="platform", key="many").body
    told = desk.office.document(str(body["id"]))["facts"]
    assert told["applicant"].split("、")[1:] == [firm["name"] for firm in firms]
    assert told["applicant_code"].split("、")[1:] == [firm["code"] for firm in firms]
    assert breaches(desk.office, at=desk.clock.at) == []


def test_a_line_that_failed_is_erased_by_the_code_of_any(desk: Desk) -> None:
    """What a batch could not do names its holders too; the second of them has it erased with the rest."""
    kept = str(desk.office.issue_document(refusal(desk, FIRM), client="platform", key="refusal").body["id"])
    wrong = joint(desk, ZHANG, FIRM)
    wrong["facts"].pop("right_holder")
    batch = desk.office.add_batch([{"operation": "issue", **wrong}], client="platform")
    desk.office.work_batch(only=batch)
    assert batch_lines(desk.office.register, batch, limit=10)[0]["state"] == "failed"
    desk.office.erase(FIRM["code"], grounds="本人申请", person="陈志远", second_person="王素珍")
    with desk.office.register.reader() as session:
        (line,) = session.exec(select(BatchLineRow)).all()
    assert FIRM["code"] not in json.dumps([line.body, line.answer])
    assert kept


def test_a_document_for_several_is_erased_by_the_code_of_any(desk: Desk) -> None:
    """A refusal for two applicants: the second asks, and no name of either is left."""
    request = refusal(desk, FIRM)
    both = [request["holder"], FIRM]
    identifier = str(desk.office.issue_document(request, client="platform", key="refusal").body["id"])
    desk.office.erase(FIRM["code"], grounds="本人申请", person="陈志远", second_person="王素珍")
    told = json.dumps(desk.office.document(identifier), ensure_ascii=False)
    assert not any(one["name"] in told for one in both)
