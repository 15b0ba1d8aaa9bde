"""双公示: what is due and by when, files in the platform's names, corrections and withdrawals of what was sent."""

import csv
import hashlib
import io
import itertools
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import select

from certlib.catalogue.invented import invented_uscc
from certlib.city.permits import EXPORTED, PermitDesk
from certlib.city.publicity import load_template
from certlib.domain.publicity import days_left
from certlib.errors import ConfigurationError, NotFoundError
from certlib.issue.checking import CHECKS, Round
from certlib.register.publicity import pending
from certlib.register.row_tables import PublishedRow
from certlib.register.tables import AccessRow, CertificateRow
from tests.issue.conftest import Desk

WHO = {"client": "credit", "purpose": "报送双公示"}


@pytest.fixture
def permits(desk: Desk) -> PermitDesk:
    """The desk's 双公示 records."""
    return PermitDesk(desk.office.register, desk.office.catalogue, load_template())


_PERSON = {"name": "=HYPERLINK(1)", "code": "11010519491231002X", "code_type": "111"}
_RECORD = {
    "row": "new",
    "holder": _PERSON,
    "facts": {"legal_representative": "李文静", "scope": "零售"},
    "issuer": {"name": "赣州市行政审批局", "code": "11360700MBY000029R"},
    "decision": {"name": "准予行政许可决定书", "number": "赣市行审决字〔2026〕1号"},
    "certificate": {"name": "", "number": ""},
    "item_title": "狩猎证核发",
    "kind": "licence",
    "state": "in-force",
    "decided_on": "2026-11-24",
    "valid_from": "2026-11-24",
    "valid_until": "",
}


def _rows(permits: PermitDesk, number: int) -> list[dict[str, str]]:
    return list(json.loads(permits.file(number, "json", **WHO)))


def test_a_permit_is_due_within_seven_working_days_and_gone_from_the_list_once_exported(
    desk: Desk, permits: PermitDesk
) -> None:
    """The term runs by the calendar, and is over when working days are over, not before."""
    body = desk.issue("2-25")
    (due,) = permits.due()
    calendar = desk.office.catalogue.calendar
    assert (due["row"], due["number"], due["item"]) == ("new", body["number"], "2-25")
    assert due["due"] == calendar.after(date.fromisoformat(due["began_on"]), 7).isoformat()
    assert due["days_left"] == 7
    assert permits.due(within=3) == []
    desk.clock.advance(days=20)
    (late,) = permits.due(within=3)
    assert late["days_left"] < 0
    export = permits.export(**WHO)
    assert (export.number, export.rows["new"], export.faults) == (1, 1, [])
    assert permits.due() == []
    assert permits.export(**WHO).number == 0


def test_the_term_is_the_catalogues(desk: Desk, permits: PermitDesk) -> None:
    """Seven days are assumed: a city whose platform says five changes its data, and every list follows."""
    desk.issue("2-25")
    shorter = PermitDesk(permits.register, replace(permits.catalogue, publish_within=5), permits.template)
    (due,), (sooner,) = permits.due(), shorter.due()
    assert (due["days_left"], sooner["days_left"]) == (7, 5)
    assert sooner["due"] < due["due"]


@pytest.mark.parametrize(
    ("package", "file", "near"),
    [
        ("certlib.city", "publicity.toml", "[codes.category]"),
        ("certlib.city", "publicity.toml", "[codes.state]"),
        ("certlib.city", "publicity.toml", "household_prefixes ="),
        ("certlib.catalogue", "catalogue.toml", "publish_within ="),
    ],
)
def test_what_is_assumed_says_so_where_it_stands(package: str, file: str, near: str) -> None:
    """Whoever changes the value reads beside it that it was a guess, and whom to ask."""
    text = (files(package) / "data" / file).read_text(encoding="utf-8")
    before = text.partition(near)[0].rstrip().splitlines()
    comment = list(itertools.takewhile(lambda line: line.startswith("#"), reversed(before)))
    assert any("(assumed; ask the city)" in line for line in comment)


def test_the_file_speaks_the_platforms_names(desk: Desk, permits: PermitDesk) -> None:
    """Holder, decision, dates and issuer under XK_*; CSV opens in office programs; JSON has the same rows."""
    body = desk.issue("2-25")
    number = permits.export(**WHO).number
    (row,) = _rows(permits, number)
    assert row["XK_XKBH"] == body["number"]
    assert row["XK_XKZS"] == "医疗器械经营许可证"
    assert len(row["XK_XDR_SHXYM"]) == 18
    assert row["XK_XDR_ZJHM"] == ""
    assert row["XK_XDR_LB"] == "法人及非法人组织"
    assert (row["XK_ZT"], row["XK_XKLB"], row["BZ"]) == ("1", "01", "")
    assert datetime.strptime(row["XK_JDRQ"], "%Y/%m/%d").date() == date(2026, 11, 24)
    assert row["XK_YXQZI"].startswith("2031/")
    data = permits.file(number, "csv", **WHO)
    assert data.startswith(b"\xef\xbb\xbf")
    heading, line = csv.reader(io.StringIO(data.decode("utf-8-sig")))
    assert dict(zip(heading, line, strict=True)) == row


def test_an_export_is_journalled_and_every_look_at_it_logged(desk: Desk, permits: PermitDesk) -> None:
    """The journal holds the digest of both forms, and the file made anew is still that file."""
    desk.issue("2-25")
    export = permits.export(**WHO)
    desk.clock.advance(days=3)
    for form, digest in export.sha256.items():
        assert hashlib.sha256(permits.file(export.number, form, **WHO)).hexdigest() == digest
    with desk.office.register.reader() as session:
        leaves = session.exec(select(PublishedRow).where(PublishedRow.kind == EXPORTED)).all()
        outcomes = session.exec(select(AccessRow.outcome).order_by(AccessRow.id)).all()
    assert {row.sha256 for row in leaves} == set(export.sha256.values())
    assert list(outcomes) == ["exported", "shown", "shown"]
    (listed,) = permits.exports()
    assert (listed["number"], listed["sha256"]) == (export.number, dict(export.sha256))


def test_a_change_brings_the_new_permit_and_corrects_the_old_one(desk: Desk, permits: PermitDesk) -> None:
    """The old record stops being valid; the new one is a permit of its own; neither comes twice."""
    body = desk.issue("2-25")
    permits.export(**WHO)
    desk.act("2-27", body["identifier"], "change", facts={"legal_representative": "李文静"})
    assert sorted(row["row"] for row in permits.due()) == ["correction", "new"]
    rows = {row["BZ"]: row for row in _rows(permits, permits.export(**WHO).number)}
    assert rows[""]["XK_ZT"] == "1"
    assert rows[""]["XK_FRDB"] == "李文静"
    assert rows["更正：许可已变更或延续，以新的许可决定为准"]["XK_ZT"] == "2"
    assert permits.due() == []


def test_suspension_is_corrected_and_revocation_withdrawn(desk: Desk, permits: PermitDesk) -> None:
    """What stands published follows the standing, and a withdrawal that is over needs no second one."""
    body = desk.issue("2-25")
    permits.export(**WHO)
    desk.do(body["identifier"], "suspend", {"decision": desk.order(), "cause": "penalty"})
    (row,) = _rows(permits, permits.export(**WHO).number)
    assert (row["XK_ZT"], row["BZ"]) == ("2", "更正：许可证件已暂扣")
    desk.do(body["identifier"], "resume", {"decision": desk.order(), "cause": "lifted"})
    (row,) = _rows(permits, permits.export(**WHO).number)
    assert (row["XK_ZT"], row["BZ"]) == ("1", "更正：许可有效")
    desk.do(body["identifier"], "revoke", {"decision": desk.ex_officio()})
    (due,) = permits.due()
    assert (due["row"], due["days_left"]) == ("withdrawal", 7)
    (row,) = _rows(permits, permits.export(**WHO).number)
    assert (row["XK_ZT"], row["BZ"]) == ("2", "撤下：许可已撤销")
    assert permits.due() == []


def test_the_decision_document_sealed_afterwards_gives_the_record_its_number(desk: Desk, permits: PermitDesk) -> None:
    """Until it is sealed the record names the certificate; then the decision."""
    request = desk.request("2-25")
    desk.office.issue(request, client="platform", key="certificate")
    (before,) = _rows(permits, permits.export(**WHO).number)
    paper = {**desk.request("2-25", kind="licence-decision"), "case": request["case"]}
    paper["facts"]["case"] = request["case"]["number"]
    answer = desk.office.issue_document(paper, client="platform", key="decision")
    (after,) = _rows(permits, permits.export(**WHO).number)
    assert before["XK_WSH"] == before["XK_XKBH"]
    assert (after["XK_WSH"], after["XK_XKWS"]) == (answer.body["number"], "准予行政许可决定书")


def test_what_is_no_permit_is_not_published(desk: Desk, permits: PermitDesk) -> None:
    """A filing is none; an approval by document is one of its own."""
    desk.office.issue_document(desk.request("1-36"), client="platform", key="filing")
    assert permits.due() == []
    desk.office.issue_document(desk.request("2-14"), client="platform", key="approval")
    (row,) = _rows(permits, permits.export(**WHO).number)
    assert (row["XK_XKWS"], row["XK_XKZS"], row["XK_YXQZI"]) == ("建设项目压覆重要矿产资源批复", "", "2099/12/31")
    assert permits.due() == []


@pytest.mark.parametrize(
    ("kind", "remark"),
    [
        ("revocation-decision", "撤下：许可已撤销"),
        ("withdrawal-decision", "撤下：许可已撤回"),
        ("cancellation-decision", "撤下：许可已注销"),
    ],
)
def test_an_approval_by_document_that_a_decision_ends_is_withdrawn(
    desk: Desk, permits: PermitDesk, kind: str, remark: str
) -> None:
    """The decision names it by its number; another's decision and one under another item leave it as it is."""
    approval = desk.office.issue_document(desk.request("2-14"), client="platform", key="approval").body["number"]
    permits.export(**WHO)
    for key, item, number in (("other", "2-14", "赣市行审矿字〔2020〕1号"), ("item", "2-25", approval)):
        desk.office.issue_document(_ending(desk, item, kind, number), client="platform", key=key)
    assert permits.due() == []
    desk.office.issue_document(_ending(desk, "2-14", kind, approval), client="platform", key="ending")
    desk.clock.advance(days=1)
    (due,) = permits.due()
    assert (due["row"], due["number"], due["began_on"]) == ("withdrawal", approval, "2026-11-24")
    (row,) = _rows(permits, permits.export(**WHO).number)
    assert (row["XK_ZT"], row["BZ"]) == ("2", remark)
    assert permits.due() == []


def _ending(desk: Desk, item: str, kind: str, number: str) -> dict[str, Any]:
    request = desk.request(item, kind=kind)
    request["facts"]["certificate_number"] = number
    return request


def test_a_change_counts_by_its_version_and_not_by_the_clock(desk: Desk, permits: PermitDesk) -> None:
    """A suspension that a slower clock dates before the export is corrected all the same."""
    body = desk.issue("2-25")
    made = permits.export(**WHO)
    desk.do(body["identifier"], "suspend", {"decision": desk.order(), "cause": "penalty"})
    with desk.office.register.writer() as session:
        session.exec(update(CertificateRow).values(updated_at=made.at - timedelta(seconds=1)))
    (due,) = permits.due()
    assert due["row"] == "correction"


def test_two_first_exports_at_once_hand_each_record_over_once(
    desk: Desk, permits: PermitDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second waits for the first, also when no export was ever made, and then finds nothing."""
    desk.issue("2-25")

    def slowly(*words: Any, **named: Any) -> Any:
        found = pending(*words, **named)
        time.sleep(0.3)
        return found

    monkeypatch.setattr("certlib.city.permits.pending", slowly)
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _: permits.export(**WHO), range(2)))
    assert sorted(export.number for export in made) == [0, 1]


def test_an_authority_sees_and_exports_its_own(desk: Desk, permits: PermitDesk) -> None:
    """Another authority's file is not there for it."""
    desk.issue("2-25")
    assert permits.due(authority="ganzhou-education") == []
    number = permits.export(authority="ganzhou-approval", **WHO).number
    assert permits.exports(authority="ganzhou-education") == []
    with pytest.raises(NotFoundError):
        permits.file(number, "csv", authority="ganzhou-education", **WHO)


def test_working_days_left_count_neither_weekends_nor_holidays(desk: Desk) -> None:
    """0 on the last day, negative beyond it."""
    calendar = desk.office.catalogue.calendar
    friday, monday = date(2026, 11, 20), date(2026, 11, 23)
    assert days_left(calendar, monday, friday) == 1
    assert days_left(calendar, monday, monday) == 0
    assert days_left(calendar, friday, monday) == -1


def test_a_natural_person_is_named_by_its_own_number(desk: Desk, permits: PermitDesk) -> None:
    """A person's number goes where the platform keeps it from display; a name like a formula does not run."""
    record = _RECORD
    (row,) = permits.template.rows(record)
    assert (row["XK_XDR_LB"], row["XK_XDR_ZJLX"], row["XK_XDR_ZJHM"]) == ("自然人", "01", "11010519491231002X")
    assert (row["XK_XDR_SHXYM"], row["XK_FRDB"], row["XK_YXQZI"]) == ("", "", "2099/12/31")
    assert row["XK_NR"] == "狩猎证核发：零售"
    assert '"\'=HYPERLINK(1)"' in permits.template.csv([row]).decode("utf-8-sig")
    household = {**_PERSON, "code": "92360700MA35XXXXX1", "code_type": "001"}
    assert permits.template.rows({**record, "holder": household})[0]["XK_XDR_LB"] == "个体工商户"
    with pytest.raises(ValueError, match="XK_WSH"):
        permits.template.rows({**record, "decision": {"name": "准予行政许可决定书", "number": ""}})


def test_a_permit_held_together_has_a_row_for_each_organisation(desk: Desk, permits: PermitDesk) -> None:
    """The rows count and come again with the file; nothing of it is due any more."""
    request = desk.request("2-14")
    first, firm = request["holder"], {"name": "赣州瑞恒实业有限公司", "code": invented_uscc(808, "91360700")}
    request["holder"] = {**first, "others": [firm]}
    holders = [first, firm]
    request["facts"]["applicant"] = "、".join(one["name"] for one in holders)
    request["facts"]["applicant_code"] = "、".join(one["code"] for one in holders)
    desk.office.issue_document(request, client="platform", key="joint")
    (due,) = permits.due()
    made = permits.export(**WHO)
    assert (due["row"], made.as_json()["count"], made.faults) == ("new", 2, [])
    rows = _rows(permits, made.number)
    assert [row["XK_XDR_MC"] for row in rows] == [first["name"], firm["name"]]
    assert [row["XK_XDR_SHXYM"] for row in rows] == [first["code"], firm["code"]]
    assert len({row["XK_WSH"] for row in rows}) == 1
    assert hashlib.sha256(permits.file(made.number, "csv", **WHO)).hexdigest() == made.sha256["csv"]
    assert permits.due() == []


def test_who_holds_a_permit_together_is_told_apart(permits: PermitDesk) -> None:
    """Of persons alone each has a row, beside organisations none; the legal representative is the first's only."""
    record = {**_RECORD, "holder": {**_PERSON, "others": [{**_PERSON, "name": "李文静"}]}}
    assert [row["XK_XDR_MC"] for row in permits.template.rows(record)] == [_PERSON["name"], "李文静"]
    firms = [{"name": name, "code": "91360700MA35XXXXX1", "code_type": "001"} for name in ("甲公司", "乙公司")]
    rows = permits.template.rows({**_RECORD, "holder": {**firms[0], "others": [_PERSON, firms[1]]}})
    assert [row["XK_XDR_MC"] for row in rows] == ["甲公司", "乙公司"]
    assert [row["XK_FRDB"] for row in rows] == ["李文静", ""]


def test_a_record_that_cannot_be_written_stays_due_and_is_named(desk: Desk, permits: PermitDesk, tmp_path) -> None:
    """What the platform requires and the record lacks is said; the row is neither exported nor forgotten."""
    body = desk.issue("2-25")
    shipped = (files("certlib.city") / "data" / "publicity.toml").read_text(encoding="utf-8")
    strict = tmp_path / "strict.toml"
    name = 'name = "XK_XDR_SWDJ"\n'
    strict.write_text(shipped.replace(name, f"{name}required = true\n"), encoding="utf-8")
    made = PermitDesk(desk.office.register, desk.office.catalogue, load_template(strict)).export(**WHO)
    assert (made.number, [fault["identifier"] for fault in made.faults]) == (0, [body["identifier"]])
    assert "XK_XDR_SWDJ" in made.faults[0]["message"]
    assert len(permits.due()) == 1


def test_the_checker_tells_of_terms_that_end(desk: Desk) -> None:
    """Nothing on the first day; then the permit by its number."""
    body = desk.issue("2-25")
    assert CHECKS["permits"](Round(desk.office, desk.clock())) == []
    desk.clock.advance(days=9)
    (near,) = CHECKS["permits"](Round(desk.office, desk.clock()))
    assert (near.outcome, body["number"] in near.detail, "剩" in near.detail) == ("warn", True, True)
    desk.clock.advance(days=9)
    (late,) = CHECKS["permits"](Round(desk.office, desk.clock()))
    assert "已逾期" in late.detail


def test_a_template_with_a_fault_is_refused(tmp_path) -> None:
    """A platform's own file is checked when it is read."""
    path = tmp_path / "platform.toml"
    path.write_text('name = "x"\nheading = "other"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"platform\.toml"):
        load_template(path)
