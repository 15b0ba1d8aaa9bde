"""What an auditor is shown of a real office, on both databases: look-up, counters, charts, and what is odd."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from certlib.errors import CertlibError
from certlib.formats.leaf import Leaf
from certlib.formats.tlog_proof import InclusionProof
from certlib.issue.anomalies import SIGNS, anomalies, is_office_time
from certlib.issue.auditing import accesses, ledger, look_up, seal_counts, usage
from certlib.register.access_log import EVERY, record_access
from certlib.register.audit_search import Wanted
from certlib.register.audit_uses import Lines, counter_gaps
from certlib.register.file_leaves import file_proof
from certlib.register.seal_tables import SealUseRow
from certlib.register.tables import SheetRow
from tests.issue.conftest import START, Desk

SEAL = "36070000000002"
ALL = Lines()


def signs(desk: Desk, lines: Lines = ALL) -> dict[str, Any]:
    """The signs that have a case."""
    return {sign["kind"]: sign for sign in anomalies(desk.office, lines) if sign["count"]}


def edit(desk: Desk, row: type[Any], key: Any, **values: Any) -> None:
    with desk.office.register.writer() as session:
        found = session.get(row, key)
        for name, value in values.items():
            setattr(found, name, value)
        session.add(found)


def test_an_office_in_order_shows_nothing_odd(desk: Desk) -> None:
    """Issued at ten in the morning on a Tuesday: every kind of sign is told, none has a case."""
    desk.issue("2-25")
    found = anomalies(desk.office, ALL)
    assert [sign["kind"] for sign in found] == list(SIGNS)
    assert {sign["tone"] for sign in found} == {"green"}


@pytest.mark.parametrize(
    ("at", "open_then"),
    [
        ("2026-11-24T08:00+08:00", True),
        ("2026-11-24T17:59+08:00", True),
        ("2026-11-24T07:59+08:00", False),
        ("2026-11-24T18:00+08:00", False),
        ("2026-11-28T10:00+08:00", False),  # a Saturday
        ("2026-10-01T10:00+08:00", False),  # National Day, a Thursday
        ("2026-10-10T10:00+08:00", True),  # a Saturday that makes up for it
    ],
)
def test_office_hours_follow_the_calendar(desk: Desk, at: str, open_then: bool) -> None:
    """Holidays and make-up days count, in Shanghai's time."""
    assert is_office_time(desk.office.catalogue.calendar, datetime.fromisoformat(at)) is open_then


def test_a_seal_used_at_night_is_a_sign(desk: Desk) -> None:
    """Of the uses of two days, the one at night is named with seal, number and counter."""
    desk.issue("2-25")
    desk.clock.advance(hours=12)
    night = desk.issue("2-25")
    sign = signs(desk)["outside-hours"]
    assert (sign["count"], sign["tone"]) == (1, "amber")
    entry = sign["entries"][0]
    assert (entry["number"], entry["seal"], entry["counter"]) == (night["number"], SEAL, 2)
    assert "outside-hours" not in signs(desk, Lines(until=START + timedelta(hours=1)))


def test_a_denial_and_a_void_are_signs(desk: Desk) -> None:
    """The seal has no authorisation left: the denial has its reason, the number taken its void."""
    for one in desk.office.seals.authorisations(SEAL):
        ending = {"person": "王素珍", "document_number": "赣市行审印〔2026〕2号", "reason": "不再需要"}
        desk.office.seals.end(one["id"], ending, client="platform")
    with pytest.raises(CertlibError):
        desk.issue("2-25")
    found = signs(desk)
    assert found["denied"]["entries"][0]["detail"]
    assert found["voided"]["count"] == 1
    assert found["voided"]["entries"][0]["detail"]
    assert "gap" not in found  # a denial takes no number


def test_a_line_taken_out_of_the_ledger_is_a_gap(desk: Desk) -> None:
    """In the middle, at the head, and at the end, where only the counter knows."""
    for _ in range(4):
        desk.issue("2-25")
    with desk.office.register.reader() as session:
        assert counter_gaps(session, SEAL, 4) == []
        assert counter_gaps(session, SEAL, 6) == [(5, 6)]
        assert counter_gaps(session, "36070000000008", 2) == [(1, 2)]
    edit(desk, SealUseRow, 1, counter=None)
    edit(desk, SealUseRow, 3, counter=None)
    sign = signs(desk)["gap"]
    assert (sign["tone"], sign["count"]) == ("red", 2)
    assert [entry["detail"] for entry in sign["entries"]] == [
        "用印日志缺少第 1 次，计数已到 4",
        "用印日志缺少第 3 次，计数已到 4",
    ]
    (row,) = [row for row in seal_counts(desk.office, ALL) if row["id"] == SEAL]
    assert row["gaps"] == [[1, 1], [3, 3]]


def test_one_person_in_two_steps_is_a_sign(desk: Desk) -> None:
    """The line's record says who reviewed and who approved."""
    desk.issue("2-25")
    with desk.office.register.reader() as session:
        record = session.get(SealUseRow, 1).record
    approval = record["approval"]
    person = approval["approval"]["person"]
    edit(desk, SealUseRow, 1, record={**record, "approval": {**approval, "review": {"person": person}}})
    assert person in signs(desk)["same-person"]["entries"][0]["detail"]


def test_paper_that_waits_or_is_out_is_a_sign(desk: Desk) -> None:
    """Not printed for two weeks; handed out and replaced a month ago. Both with label and day."""
    body = desk.issue("2-25")
    desk.clock.advance(days=20)
    found = signs(desk)
    assert found["unprinted"]["entries"][0]["number"] == body["number"]
    assert "待打印" in found["unprinted"]["entries"][0]["detail"]
    for sheet in body["sheets"]:
        edit(desk, SheetRow, sheet["id"], state="collected", serial=f"A{sheet['id']:06}")
    desk.act("2-27", body["identifier"], "change", facts={"legal_representative": "黄建国"})
    assert "recall" not in signs(desk)
    desk.clock.advance(days=31)
    found = signs(desk)
    assert found["recall"]["count"] == len(body["sheets"])
    assert "A000001" in "".join(entry["detail"] for entry in found["recall"]["entries"])


def test_time_limits_that_passed_are_signs(desk: Desk) -> None:
    """What is not served within ten working days, by case and limit; of that authority only."""
    body = desk.issue("2-25")
    desk.clock.advance(days=30)
    sign = signs(desk)["overdue"]
    assert sign["tone"] == "red"
    assert body["number"] in sign["entries"][0]["detail"]
    assert "overdue" not in signs(desk, Lines(authority="ganzhou-education"))


def test_charts_count_shanghais_days_and_hours(desk: Desk) -> None:
    """A use at 23:30 UTC belongs to the next day's morning in Shanghai; days without one are there as well."""
    desk.issue("2-25")
    desk.clock.at = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
    desk.issue("2-25")
    shown = usage(desk.office, ALL, date(2026, 11, 22), date(2026, 11, 26))
    assert [(day["day"], day["used"], day["working"]) for day in shown["days"]] == [
        ("2026-11-22", 0, False),
        ("2026-11-23", 0, True),
        ("2026-11-24", 1, True),
        ("2026-11-25", 1, True),
        ("2026-11-26", 0, True),
    ]
    assert (shown["hours"][1][10], shown["hours"][2][7]) == (1, 1)
    assert (sum(map(sum, shown["hours"])), shown["outside"]) == (2, 1)


def test_looked_up_by_officer_and_by_holder(desk: Desk) -> None:
    """A name is found as a whole in the ledger; a part of a holder's name finds the certificate."""
    body = desk.issue("2-25")
    record = desk.office.certificate(body["identifier"])
    officer, holder = record["decision"]["review"]["person"], record["holder"]["name"]
    found = look_up(desk.office, Wanted(person=officer), limit=5)
    assert [use["number"] for use in found["uses"]] == [body["number"]]
    assert look_up(desk.office, Wanted(person=officer[:1]), limit=5)["uses"] == []
    assert [row["number"] for row in look_up(desk.office, Wanted(person=holder[1:]), limit=5)["certificates"]] == [
        body["number"]
    ]
    assert look_up(desk.office, Wanted(person="%"), limit=5) == {
        "certificates": [],
        "documents": [],
        "uses": [],
        "more": [],
    }


def test_documents_are_looked_up_too(desk: Desk) -> None:
    """By number, by holder and by the seal on them."""
    raw = desk.request("2-25", kind="licence-decision")
    document = dict(desk.office.issue_document(raw, client="platform", key="document").body)
    holder = raw["holder"]["name"]
    for wanted in (Wanted(number=document["number"]), Wanted(person=holder), Wanted(seal=SEAL)):
        assert [row["number"] for row in look_up(desk.office, wanted, limit=5)["documents"]] == [document["number"]]
    tomorrow = desk.clock.at + timedelta(days=1)
    assert look_up(desk.office, Wanted(person=holder, since=tomorrow), limit=5)["documents"] == []


def test_a_search_says_when_there_is_more(desk: Desk) -> None:
    """Newest first, cut at the limit, and the cut is told; the ledger goes on page by page without a hole."""
    numbers = [desk.issue("2-25")["number"] for _ in range(3)]
    found = look_up(desk.office, Wanted(seal=SEAL), limit=2)
    assert found["more"] == ["certificates", "uses"]
    assert [row["number"] for row in found["certificates"]] == numbers[:0:-1]
    first = ledger(desk.office, ALL, before=0, limit=2)
    second = ledger(desk.office, ALL, before=first["next"], limit=2)
    assert [use["number"] for use in (*first["uses"], *second["uses"])] == numbers[::-1]
    assert second["next"] == 0


def test_counters_are_of_the_authority_and_the_period(desk: Desk) -> None:
    """Each seal of the authority, used or not; of yesterday nothing."""
    desk.issue("2-25")
    rows = {row["id"]: row for row in seal_counts(desk.office, ALL)}
    assert (rows[SEAL]["used"], rows[SEAL]["electronic"], rows[SEAL]["counter"]) == (1, 1, 1)
    own = seal_counts(desk.office, Lines(authority="ganzhou-education"))
    assert own
    assert all(row["used"] == 0 for row in own)
    early = replace(ALL, until=START - timedelta(days=1))
    assert sum(row["used"] for row in seal_counts(desk.office, early)) == 0


def test_the_worker_digests_the_access_log_each_hour(desk: Desk) -> None:
    """An access is in the journal after the first round, the next ones after an hour; until then they have no leaf."""
    office = desk.office

    def see(subject: str) -> None:
        record_access(office.register, client="auditor", subject=subject, purpose="审计", outcome="shown")

    def leaves() -> list[int | None]:
        return [row["leaf"] for row in accesses(office, before=0, limit=10)["accesses"]]

    see("one")
    office.tick()
    see("two")
    office.tick()
    assert leaves()[0] is None
    assert isinstance(leaves()[1], int)
    desk.clock.advance(seconds=EVERY.total_seconds())
    office.tick()
    assert all(isinstance(leaf, int) for leaf in leaves())


def test_the_leaf_of_a_file_is_found_among_many(desk: Desk) -> None:
    """Heads before and after bound the look; the first and the last file of days have their own proofs."""
    issued = []
    for _ in range(3):
        issued.append(desk.issue("2-25")["sha256"])
        desk.office.tick()
        desk.clock.advance(hours=3)
        desk.office.tick()
    with desk.office.register.reader() as session:
        proofs = [file_proof(session, desk.office.journal, sha256) for sha256 in issued]
    assert [Leaf.decode(InclusionProof.parse(proof).extra).file.hex() for proof in proofs] == issued
