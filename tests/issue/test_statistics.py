"""Statistics: every table sums the same cells; delays are ranks; blanks balance; what is asked wrongly is refused."""

import csv
import io
from datetime import date, timedelta

import pytest
from sqlalchemy import update
from sqlmodel import select

from certlib.domain.figure_tables import TABLES
from certlib.domain.figures import Scope
from certlib.errors import RequestError
from certlib.formats.spreadsheet import csv_bytes
from certlib.issue.statistics import read_scope, report_csv, statistics
from certlib.register.delivery_table import DeliveryRow
from certlib.register.tables import StockMovementRow
from tests.issue.conftest import Desk

YEAR = Scope(date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture
def busy(desk: Desk) -> Desk:
    """A desk after some work: three licences under two items, a suspension a month later, a filing, blanks."""
    first = desk.issue("2-25")
    desk.issue("2-25")
    desk.office.issue_document(desk.request("1-36"), client="platform", key="filing")
    desk.act("2-27", first["identifier"], "change", facts={"legal_representative": "李文静"})
    desk.clock.advance(days=30)
    desk.do(first["identifier"], "suspend", {"decision": desk.order(), "cause": "penalty"})
    desk.office.receive_blanks("medical-device-licence", "GZ0001", "GZ0100", person="王素珍", witness="李文静")
    desk.office.move_blanks("allot", "GZ0001", "GZ0020", window="A1", person="王素珍")
    desk.office.move_blanks("lose", "GZ0001", "GZ0002", person="王素珍", witness="李文静", reason="失窃")
    return desk


def test_every_table_sums_the_same_cases(busy: Desk) -> None:
    """By item, by authority, by outcome and by time: the same total, and each in its place."""
    report = statistics(busy.office, YEAR)
    late = report["totals"]["overdue"]
    assert report["totals"] == {
        "certificates": 3,
        "acts": 1,
        "documents": 1,
        "total": 5,
        "in_force": 1,
        "overdue": late,
        "overdue_decide": 0,
        "overdue_serve": late,
        "paper_difference": 0,
    }
    assert {row["item"]: row["total"] for row in report["items"]} == {"2-25": 3, "2-27": 1, "1-36": 1}
    assert sum(row["total"] for row in report["authorities"]) == 5
    assert sum(row["count"] for row in report["outcomes"]) == 5
    by_month = {row["time"]: row["total"] for row in report["times"]}
    assert (len(by_month), by_month["2026-11"], by_month["2026-12"]) == (12, 4, 1)
    assert {row["state"]: row["count"] for row in report["states"]} == {"in-force": 1, "suspended": 1}
    outcomes = {(row["name"], row["label"]): row["count"] for row in report["outcomes"]}
    assert outcomes["医疗器械经营许可证", "暂扣"] == 1


def test_each_step_counts_for_its_authority(busy: Desk) -> None:
    """The district accepts, the city decides: both stand in the table, for what they did."""
    rows = {row["authority"]: row for row in statistics(busy.office, YEAR)["authorities"]}
    assert (rows["ganzhou-approval"]["approval"], rows["ganzhou-approval"]["acceptance"]) == (3, 0)
    assert sum(row["acceptance"] for row in rows.values()) == 4
    assert rows["rongjiang-approval"]["certificates"] == 0


def test_filters_narrow_to_period_item_and_authority(busy: Desk) -> None:
    """A short period is counted by days, in the Shanghai calendar."""
    short = statistics(busy.office, Scope(date(2026, 12, 20), date(2026, 12, 31)))
    assert {row["time"]: row["acts"] for row in short["times"]}["2026-12-24"] == 1
    assert short["totals"]["total"] == 1
    item = statistics(busy.office, Scope(YEAR.first, YEAR.last, item="2-27"))
    assert (item["totals"]["total"], item["totals"]["certificates"]) == (1, 1)
    other = statistics(busy.office, Scope(YEAR.first, YEAR.last, authority="ganzhou-education"))
    assert (other["totals"]["total"], other["states"], other["overdue"]) == (0, [], [])


def test_an_act_after_midnight_in_shanghai_belongs_to_the_new_day(desk: Desk) -> None:
    """16:30 UTC is half past midnight of the next day in Ganzhou."""
    body = desk.issue("2-25")
    desk.clock.advance(hours=14, minutes=30)
    desk.do(body["identifier"], "suspend", {"decision": desk.order(), "cause": "penalty"})
    times = statistics(desk.office, Scope(date(2026, 11, 24), date(2026, 11, 25)))["times"]
    assert [(row["certificates"], row["acts"]) for row in times] == [(1, 0), (0, 1)]


def test_delays_are_nearest_ranks_of_what_arrived(desk: Desk) -> None:
    """Of twenty, the median is the tenth and 95 % the nineteenth; the waiting do not count."""
    desk.issue("2-25")
    with desk.office.register.writer() as session:
        model = session.exec(select(DeliveryRow)).one().model_dump(exclude={"id", "sequence", "state", "done_at"})
        for n in range(1, 21):
            done = model["created_at"] + timedelta(seconds=n)
            session.add(DeliveryRow(**model, sequence=n + 1, state="done", done_at=done))
    (row,) = statistics(desk.office, YEAR)["deliveries"]
    assert (row["name"], row["done"], row["waiting"], row["dead"]) == ("市电子证照库", 20, 1, 0)
    assert (row["p50"], row["p95"], row["max"]) == (10.0, 19.0, 20.0)
    (same,) = statistics(desk.office, Scope(YEAR.first, YEAR.last, item="2-25"))["deliveries"]
    assert same == row
    assert statistics(desk.office, Scope(YEAR.first, YEAR.last, item="1-1"))["deliveries"] == []


def test_what_is_being_repaired_still_waits(desk: Desk) -> None:
    """A delivery that goes out again because the repository lost it is on its way, not gone from the figures."""
    desk.issue("2-25")
    with desk.office.register.writer() as session:
        session.exec(update(DeliveryRow).values(state="due", repair=True, done_at=DeliveryRow.created_at))
    (row,) = statistics(desk.office, YEAR)["deliveries"]
    assert (row["done"], row["waiting"]) == (0, 1)


def test_blanks_balance_and_a_forged_movement_shows(busy: Desk) -> None:
    """Received is what is in all accounts; a movement written past the program makes the difference visible."""
    (row,) = statistics(busy.office, YEAR)["paper"]
    assert (row["received"], row["stock"], row["allotted"], row["lost"], row["difference"]) == (100, 80, 18, 2, 0)
    with busy.office.register.writer() as session:
        movement = session.exec(select(StockMovementRow).where(StockMovementRow.debit == "stock")).one()
        movement.count = 101
        session.add(movement)
    report = statistics(busy.office, YEAR)
    assert [finding["outcome"] for finding in report["paper_findings"]] == ["fail"]
    assert (report["paper"][0]["difference"], report["totals"]["paper_difference"]) == (1, 1)


def test_overdue_cases_are_the_offices_own(busy: Desk) -> None:
    """The report names what `Office.overdue` finds, no more and no less, narrowed as asked."""
    late = busy.office.overdue()
    report = statistics(busy.office, YEAR)
    assert late
    assert [row["case"] for row in report["overdue"]] == [row["case"] for row in late]
    one = statistics(busy.office, Scope(YEAR.first, YEAR.last, item="1-36"))
    assert {row["item"] for row in one["overdue"]} == {"1-36"}


def test_the_csv_opens_in_office_programs_and_runs_nothing(busy: Desk) -> None:
    """A byte order mark, Chinese headings, the same numbers; a text that begins like a formula does not begin so."""
    report = statistics(busy.office, YEAR)
    data = report_csv(report, "items")
    assert data.startswith(b"\xef\xbb\xbf")
    heading, *rows = csv.reader(io.StringIO(data.decode("utf-8-sig")))
    assert heading == ["序号", "事项", "证照（件）", "状态变动（件）", "文书（件）", "合计（件）"]
    assert [int(row[5]) for row in rows] == [row["total"] for row in report["items"]]
    whole = report_csv(report).decode("utf-8-sig")
    assert all(f"{table.chinese} · {table.english}" in whole for table in TABLES)
    cells = next(
        csv.reader(io.StringIO(csv_bytes([["=1+1", " @SUM(A1)", "＝cmd", "-3", -3, None]]).decode("utf-8-sig")))
    )
    assert cells == ["'=1+1", "' @SUM(A1)", "'＝cmd", "'-3", "-3", ""]


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({"from": "2026-02-30"}, "from"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "to"),
        ({"from": "2001-01-01"}, "to"),
        ({"from": "2026-01-01", "to": "9999-12-31"}, "to"),
        ({"from": "0001-01-01"}, "from"),
        ({"to": "0001-01-01"}, "to"),
        ({"item": "9-99"}, "item"),
        ({"authority": "nobody"}, "authority"),
        ({"authority": "ganzhou-housing"}, "authority"),
    ],
)
def test_a_wrong_question_is_refused_by_name(desk: Desk, asked: dict[str, str], path: str) -> None:
    """Days that are none, a period without end, what is not in the catalogue, another tenant's figures."""
    with pytest.raises(RequestError) as refused:
        read_scope(
            asked, desk.office.catalogue, desk.clock.at, tenant="ganzhou-education" if path == "authority" else ""
        )
    assert [fault.path for fault in refused.value.faults] == [path]


def test_without_days_it_is_the_year_so_far(desk: Desk) -> None:
    """And a tenant sees itself."""
    scope = read_scope({}, desk.office.catalogue, desk.clock.at, tenant="ganzhou-education")
    assert scope == Scope(date(2026, 1, 1), date(2026, 11, 24), "", "ganzhou-education")
