"""Service (送达) and time limits: what proves that a paper reached its holder, which cases are beyond their days."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from certlib.domain.calendar import decision_due, service_due
from certlib.domain.civil import SHANGHAI, civil_date
from certlib.domain.service import WAYS, Service, Way, service_faults
from certlib.errors import ConflictError, NotFoundError, RequestError, TransitionError
from certlib.formats.facts import commitment
from certlib.formats.leaf import Leaf
from certlib.formats.tlog import leaf_hash
from certlib.register.journal_tables import JournalEvent
from certlib.register.service_table import ServiceRow
from certlib.register.tables import SheetRow
from tests.issue.conftest import Desk

PROOFS: dict[Way, dict[str, str]] = {
    Way.DIRECT: {
        "recipient": "钟文海",
        "relation": "legal-representative",
        "identity": "居民身份证（尾号 7687）",
        "receipt": "达字〔2026〕1号",
        "person": "刘建平",
    },
    Way.ELECTRONIC: {"consent": "送达地址确认书（2026-11-24）", "address": "赣服通", "receipt": "S-20261124-0001"},
    Way.POST: {"recipient": "钟文海", "tracking": "1180000000001", "receipt": "邮政回执"},
    Way.LEFT: {"reason": "拒绝签收", "place": "住所", "witness": "李雪松", "person": "刘建平"},
    Way.ANNOUNCED: {"reason": "下落不明", "announcement": "赣市行审告〔2026〕3号", "announced_on": "2026-11-24"},
}


def record(desk: Desk, by: Way = Way.ELECTRONIC, **parts: Any) -> dict[str, Any]:
    """A sound record of a service now."""
    return {"way": by.value, "served_at": desk.clock.at.isoformat(), **PROOFS[by], **parts}


def serve(desk: Desk, subject: str, way: Way = Way.ELECTRONIC, **parts: Any) -> dict[str, Any]:
    """Serve with a key of its own."""
    desk.made += 1
    return dict(desk.office.serve(subject, record(desk, way, **parts), client="platform", key=f"s-{desk.made}").body)


def printed(desk: Desk, item: str = "2-25") -> dict[str, Any]:
    """A certificate whose sheets are printed and wait for their holder."""
    body = desk.issue(item)
    kind = desk.office.catalogue.item(item).outcome.type
    desk.office.receive_blanks(kind, "GZ000001", "GZ000009", person="甲", witness="乙")
    desk.office.print_sheets(body["identifier"], client="window", purpose="窗口打印", person="刘建平")
    return body


def decision(desk: Desk, item: str = "2-25", kind: str = "licence-decision") -> str:
    """A sealed document; its number."""
    request = desk.request(item, kind=kind)
    return str(desk.office.issue_document(request, client="platform", key=f"d-{desk.made}").body["number"])


def test_paper_that_is_served_is_collected_by_it(desk: Desk) -> None:
    """直接送达: the sheets leave our hands in the same transaction, with the receipt; the service is complete."""
    body = printed(desk)
    before = desk.office.service(body["identifier"])
    assert (before["carrier"], before["complete"], before["services"]) == ("paper", False, [])
    after = serve(desk, body["identifier"], Way.DIRECT)
    assert (after["complete"], after["services"][0]["way_words"]) == (True, "直接送达")
    with desk.office.register.reader() as session:
        sheets = session.exec(select(SheetRow)).all()
    assert {sheet.state for sheet in sheets} == {"collected"}
    assert sheets[0].detail["collect"]["receipt"] == PROOFS[Way.DIRECT]["receipt"]


def test_the_file_alone_does_not_serve_a_holder_who_wants_paper(desk: Desk) -> None:
    """Both carriers have their own record; the paper decides unless it was waived."""
    body = printed(desk)
    assert not serve(desk, body["identifier"], Way.ELECTRONIC)["complete"]
    answer = serve(desk, body["identifier"], Way.POST)
    assert answer["complete"]
    assert {row["carrier"] for row in answer["services"]} == {"file", "paper"}


def test_who_waived_paper_is_served_by_the_file(desk: Desk) -> None:
    """Electronically with consent; a service of paper is refused."""
    body = desk.issue("2-25", paper={"waived": True})
    with pytest.raises(RequestError) as refused:
        serve(desk, body["identifier"], Way.POST)
    assert [fault.code for fault in refused.value.faults] == ["paper-waived"]
    assert serve(desk, body["identifier"], Way.ELECTRONIC)["complete"]


def test_paper_collected_at_the_window_is_served(desk: Desk) -> None:
    """Handing a sheet over is its service: nothing is recorded twice."""
    body = printed(desk)
    proof = {"collector": "钟文海", "relation": "holder", "document": "身份证", "receipt": "达字〔2026〕1号"}
    for sheet in desk.office.certificate(body["identifier"])["sheets"]:
        desk.office.act_on_sheet(sheet["id"], "collect", proof)
    assert desk.office.service(body["identifier"])["complete"]


def test_nothing_is_served_before_it_is_printed(desk: Desk) -> None:
    """A sheet that waits to be printed cannot have reached anybody."""
    body = desk.issue("2-25")
    with pytest.raises(TransitionError, match="待打印"):
        serve(desk, body["identifier"], Way.POST)


@pytest.mark.parametrize("way", [way for way in Way if way is not Way.ANNOUNCED])
def test_a_document_is_served_once_by_any_way(desk: Desk, way: Way) -> None:
    """One record, kept with its proof; a second service is refused and names the first."""
    number = decision(desk)
    answer = serve(desk, number, way)
    assert answer["complete"]
    assert answer["services"][0]["record"] == PROOFS[way]
    with pytest.raises(ConflictError, match=WAYS[way].label):
        serve(desk, number, Way.POST)


def test_an_announcement_takes_thirty_days_and_keeps_the_paper_here(desk: Desk) -> None:
    """公告送达: complete when the thirty days are over; the sheets stay with us."""
    body = printed(desk)
    with pytest.raises(RequestError) as refused:
        serve(desk, body["identifier"], Way.ANNOUNCED)
    assert [fault.code for fault in refused.value.faults] == ["too-early"]
    desk.clock.advance(days=30)
    assert serve(desk, body["identifier"], Way.ANNOUNCED)["complete"]
    with desk.office.register.reader() as session:
        assert {sheet.state for sheet in session.exec(select(SheetRow)).all()} == {"printed"}


def test_the_journal_commits_to_the_proof(desk: Desk) -> None:
    """The leaf on the certificate's chain is bound to way, time and proof by a salted hash, and names nobody."""
    body = desk.issue("2-25", paper={"waived": True})
    serve(desk, body["identifier"], Way.ELECTRONIC)
    with desk.office.register.reader() as session:
        row = session.exec(select(ServiceRow)).one()
        bodies = session.exec(select(JournalEvent.body)).all()
    said = {**row.record, "way": row.way, "served_at": row.served_at.isoformat(), "carrier": row.carrier}
    leaf = next(Leaf.decode(data) for data in bodies if leaf_hash(data) == row.leaf)
    assert (leaf.kind, leaf.commitment) == ("service:served", commitment(row.salt, said))


def test_the_same_key_records_one_service(desk: Desk) -> None:
    """A repeated request gives the first answer."""
    number = decision(desk)
    raw = record(desk, Way.POST)
    answers = [desk.office.serve(number, raw, client="platform", key="once") for _ in range(2)]
    assert answers[1].replayed
    assert answers[0].body == answers[1].body


@pytest.mark.parametrize(
    ("way", "changes", "faults"),
    [
        (Way.ELECTRONIC, {"consent": ""}, {("consent", "missing")}),
        (Way.DIRECT, {"relation": "friend", "person": ""}, {("relation", "not-a-choice"), ("person", "missing")}),
        (Way.DIRECT, {"relation": "agent"}, {("authorisation", "missing")}),
        (Way.LEFT, {"witness": "刘建平"}, {("witness", "same-person")}),
        (Way.POST, {"tracking": "9" * 201}, {("tracking", "too-long")}),
        (Way.ANNOUNCED, {"announced_on": "十一月"}, {("announced_on", "not-a-date")}),
        (Way.ANNOUNCED, {"announced_on": "2026-11-01"}, {("announced_on", "before-issue")}),
        (Way.POST, {"served_at": "2026-11-23T09:00:00+08:00"}, {("served_at", "before-issue")}),
        (Way.POST, {"served_at": "2027-01-01T09:00:00+08:00"}, {("served_at", "in-the-future")}),
        (Way.POST, {"served_at": "2026-11-24T10:00:00"}, {("served_at", "no-time-zone")}),
        (Way.POST, {"way": "pigeon"}, {("way", "not-a-choice")}),
        (Way.POST, {"colour": "red"}, {("colour", "unexpected")}),
    ],
)
def test_a_record_that_proves_nothing_is_refused(
    desk: Desk, way: Way, changes: dict[str, str], faults: set[tuple[str, str]]
) -> None:
    """Every fault at once, with its place; nothing is recorded."""
    number = decision(desk)
    desk.clock.advance(minutes=1)
    with pytest.raises(RequestError) as refused:
        desk.office.serve(number, record(desk, way, **changes), client="platform", key="bad")
    assert {(fault.path, fault.code) for fault in refused.value.faults} == faults
    assert all(fault.label and fault.message for fault in refused.value.faults if fault.code != "unexpected")
    assert not desk.office.service(number)["complete"]


def test_inner_papers_and_unknown_ones_are_not_served(desk: Desk) -> None:
    """The flow sheet stays in the house; what is not there cannot be served."""
    with pytest.raises(TransitionError, match="内部文书"):
        serve(desk, decision(desk, kind="approval-flow-sheet"))
    for subject in ("赣市行审决字〔2026〕99号", "1.2.156.3005.2.1"):
        with pytest.raises(NotFoundError):
            serve(desk, subject)


def test_every_way_has_a_name_and_a_proof() -> None:
    """The table is complete, and a full record of each way is without fault."""
    at = datetime(2026, 12, 30, 10, 0, tzinfo=SHANGHAI)
    for way in Way:
        service = Service(way, at, PROOFS[way])
        assert service_faults(service, ready_at=at - timedelta(days=40), now=at) == []
        assert service_faults(Service(way, at), ready_at=at - timedelta(days=40), now=at)


# --- time limits ----------------------------------------------------------------------------------------------------


def days_after(desk: Desk, day: date, hour: int = 9) -> datetime:
    """The morning after `day`."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI) + timedelta(days=1)


def accepted(desk: Desk, item: str = "2-25") -> tuple[dict[str, Any], date]:
    """An accepted case with its notice, and its last day."""
    request = desk.request(item, kind="acceptance-notice")
    desk.office.issue_document(request, client="platform", key=f"a-{desk.made}")
    began = date.fromisoformat(request["facts"]["accepted_on"])
    return request, decision_due(desk.office.catalogue.calendar, began)


def test_a_case_accepted_and_not_decided_is_overdue_the_day_after_its_limit(desk: Desk) -> None:
    """Twenty working days from acceptance (行政许可法42), counted by the calendar."""
    request, due = accepted(desk)
    on_time = days_after(desk, due - timedelta(days=1))
    assert desk.office.overdue(on_time) == []
    late = desk.office.overdue(days_after(desk, due))
    assert [(entry["duty"], entry["case"], entry["due"]) for entry in late] == [
        ("decide", request["case"]["number"], due.isoformat())
    ]
    assert (late[0]["authority"], late[0]["name"], late[0]["words"]) == (
        "ganzhou-approval",
        "第三类医疗器械经营许可（新办）",
        "逾期未作出决定",
    )


def test_an_extension_moves_the_limit(desk: Desk) -> None:
    """Ten more working days, by the notice of extension."""
    request, due = accepted(desk)
    extension = desk.request("2-25", kind="extension-notice", case=request["case"], decision=request["decision"])
    extension["holder"] = request["holder"]
    extension["facts"] |= {key: request["facts"][key] for key in ("case", "accepted_on", "applicant", "applicant_code")}
    extended = decision_due(
        desk.office.catalogue.calendar, date.fromisoformat(request["facts"]["accepted_on"]), extended=True
    )
    extension["facts"]["due_on"] = extended.isoformat()
    desk.office.issue_document(extension, client="platform", key="extension")
    assert desk.office.overdue(days_after(desk, due)) == []
    assert [entry["due"] for entry in desk.office.overdue(days_after(desk, extended))] == [extended.isoformat()]


@pytest.mark.parametrize("outcome", ["licence", "refusal-decision", "licence-decision"])
def test_an_outcome_ends_the_wait(desk: Desk, outcome: str) -> None:
    """A certificate, a grant or a refusal decides the case; what is then overdue is its service."""
    request, due = accepted(desk)
    kind = "" if outcome == "licence" else outcome
    decided = desk.request("2-25", kind=kind, case=request["case"])
    if kind:
        decided["facts"]["case"] = request["case"]["number"]
    issue = desk.office.issue_document if kind else desk.office.issue
    issue(decided, client="platform", key="outcome")
    late = desk.office.overdue(days_after(desk, due + timedelta(days=30)))
    assert {entry["duty"] for entry in late} == {"serve"}


def test_what_is_decided_and_not_served_in_ten_working_days_is_overdue(desk: Desk) -> None:
    """A certificate on paper, one without paper, and a decision: each until it is served (行政许可法44)."""
    on_paper = printed(desk)["identifier"]
    without = desk.issue("2-25", paper={"waived": True})["identifier"]
    number = decision(desk)
    due = service_due(desk.office.catalogue.calendar, civil_date(desk.clock.at))
    morning = days_after(desk, due)
    assert desk.office.overdue(morning - timedelta(days=1)) == []
    assert [entry["duty"] for entry in desk.office.overdue(morning)] == ["serve"] * 3
    serve(desk, without, Way.ELECTRONIC)
    serve(desk, on_paper, Way.ELECTRONIC)
    assert len(desk.office.overdue(morning)) == 2
    serve(desk, on_paper, Way.POST)
    assert [entry["name"] for entry in desk.office.overdue(morning)] == [f"准予行政许可决定书 {number}"]
    serve(desk, number, Way.LEFT)
    assert desk.office.overdue(morning) == []


def test_a_limit_in_a_year_without_announced_holidays_says_so(desk: Desk) -> None:
    """The days of next year are known in November only."""
    desk.clock.advance(days=30)
    _, due = accepted(desk)
    assert due.year == 2027
    assert not desk.office.overdue(days_after(desk, due))[0]["certain"]
