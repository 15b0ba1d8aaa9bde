"""Batches: checked completely first, each line with its own outcome, resumable; mass actions with a second person."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from certlib.errors import IdempotencyError, RequestError, TransitionError
from certlib.issue.batch import batch_lines, batch_view
from certlib.issue.batch_input import read_lines, report_csv
from certlib.issue.settings import Settings
from tests.issue.conftest import Desk
from tests.issue.invariants import breaches


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """On SQLite; the claim of lines is tried on both databases elsewhere."""
    return Settings(home=tmp_path / "home", suite="p256-sha256")


def work(desk: Desk, batch: str) -> dict[str, Any]:
    """Let the workers finish a batch."""
    while desk.office.work_batch(only=batch):
        pass
    return batch_view(desk.office.register, batch)


def test_one_bad_row_harms_no_other(desk: Desk) -> None:
    """The bad row says what is wrong with it; the others are issued."""
    lines = [desk.request("2-25") for _ in range(4)]
    lines[2]["holder"]["code"] = "91360700MA00000151"
    batch = desk.office.add_batch(lines, client="platform")
    view = work(desk, batch)
    assert (view["state"], view["done"], view["failed"]) == ("done", 3, 1)
    bad = batch_lines(desk.office.register, batch)[2]
    assert "holder.code" in {fault["path"] for fault in bad["answer"]["faults"]}
    assert breaches(desk.office, at=desk.clock.at) == []


def test_a_dry_run_finds_every_fault_and_does_nothing(desk: Desk) -> None:
    """One bad row in many is named before anything is numbered, as is a case that comes twice."""
    lines = [desk.request("2-25") for _ in range(20)]
    lines[7]["facts"]["mode"] = "出租"
    lines[12]["case"] = lines[3]["case"]
    outcomes = desk.office.check_batch(lines)
    assert [outcome["line"] for outcome in outcomes if outcome["state"] == "failed"] == [8, 13]
    assert desk.office.certificates()["certificates"] == []
    assert work(desk, desk.office.add_batch(lines[:3], client="platform"))["done"] == 3


def test_one_bad_row_in_a_thousand_is_named(desk: Desk) -> None:
    """The dry run tells its line, its field and nothing else; no number is used up by finding it."""
    lines = [desk.request("2-25") for _ in range(1000)]
    lines[617]["decision"]["approval"]["authority"] = "ganzhou-commerce"
    failed = [outcome for outcome in desk.office.check_batch(lines) if outcome["state"] != "done"]
    assert [outcome["line"] for outcome in failed] == [618]
    assert {fault["path"] for fault in failed[0]["answer"]["faults"]} == {"decision.approval.authority"}
    assert desk.issue("2-25")["number"].endswith("0001号")


def test_the_same_batch_handed_in_twice_is_one(desk: Desk) -> None:
    """A key belongs to one batch."""
    lines = [desk.request("2-25")]
    first = desk.office.add_batch(lines, client="platform", key="b")
    assert desk.office.add_batch(lines, client="platform", key="b") == first
    with pytest.raises(IdempotencyError):
        desk.office.add_batch([desk.request("2-25")], client="platform", key="b")


def test_csv_and_json_lines_say_the_same(desk: Desk) -> None:
    """A header names places in the request; the spreadsheet's encoding does not matter."""
    paths = ("operation", "item", "case.number", "holder.name", "facts.scope", "paper.copies.duplicate")
    row = ("issue", "2-25", "C-0001", "赣州某公司", "第一行\n第二行", "2")
    out = io.StringIO()
    csv.writer(out).writerows([paths, row])
    expected = [
        {
            "operation": "issue",
            "item": "2-25",
            "case": {"number": "C-0001"},
            "holder": {"name": "赣州某公司"},
            "facts": {"scope": "第一行\n第二行"},
            "paper": {"copies": {"duplicate": 2}},
        }
    ]
    assert read_lines(out.getvalue().encode("utf-8-sig")) == expected
    assert read_lines(out.getvalue().encode("gb18030")) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b"{",
        b'{"a":1}\n7\n',
        b"a,b\n1,2,3\n",
        b"item\n2-25,x\n",
        b"[1]",
        b"item,holder,holder.name\n2-25,a,b\n",
        b"item\n" + b"a" * 200_000,
        b'item\n"' + b"a" * 200_000,
    ],
)
def test_what_is_no_batch_is_refused(data: bytes) -> None:
    """Each line that cannot be read is named; a cell without end, or within another cell, is no internal error."""
    with pytest.raises(RequestError):
        read_lines(data)


def test_a_line_of_json_may_hold_what_other_programs_take_for_the_end_of_a_line() -> None:
    """A paragraph separator within a text divides no line; nor does a carriage return at its end."""
    line = {"item": "2-25", "facts": {"scope": "一\u2028二\x85三"}}
    text = json.dumps(line, ensure_ascii=False)
    assert read_lines(f"{text}\r\n{text}\n".encode()) == [line, line]


def test_a_report_is_safe_in_a_spreadsheet(desk: Desk) -> None:
    """A cell that begins like a formula stays text."""
    outcome = {"line": 1, "state": "failed", "answer": {"message": "=HYPERLINK(1)", "code": "x"}}
    assert "'=HYPERLINK(1)" in report_csv([outcome])


def test_a_mass_action_takes_two_persons_and_a_window(desk: Desk) -> None:
    """Proposed, tried, approved by another, begun after the window; each certificate has its own outcome."""
    bodies = [desk.issue("2-25") for _ in range(3)]
    other = desk.issue("2-38")
    revoked = desk.do(bodies[0]["identifier"], "revoke", {"decision": desk.ex_officio(), "cause": "fraud"})
    assert revoked["state"] == "revoked"
    body = {"decision": desk.ex_officio(grounds="法律修改，本类许可取消"), "cause": "law-changed"}
    where = {"type": "medical-device-licence"}
    tried = desk.office.try_mass("withdraw", body, where)
    assert sorted(outcome["state"] for outcome in tried) == ["done", "done", "failed"]
    proposal = desk.office.propose_mass("withdraw", body, where, person="甲", reason="法律修改", client="platform")
    assert proposal["count"] == 3
    with pytest.raises(TransitionError, match="双人复核"):
        desk.office.approve_mass(proposal["id"], person="甲")
    desk.office.approve_mass(proposal["id"], person="乙", window=timedelta(hours=1))
    desk.office.tick()
    assert desk.office.certificate(bodies[1]["identifier"])["state"] == "in-force"
    desk.clock.advance(hours=2)
    desk.office.tick()
    while desk.office.work_batch():
        pass
    states = [desk.office.certificate(one["identifier"])["state"] for one in [*bodies, other]]
    assert states == ["revoked", "withdrawn", "withdrawn", "in-force"]
    assert breaches(desk.office, at=desk.clock.at) == []


def test_a_mass_action_can_be_called_off(desk: Desk) -> None:
    """Within the window nothing has happened and nothing will."""
    body = desk.issue("2-25")
    where = {"type": "medical-device-licence"}
    act = {"decision": desk.ex_officio(), "cause": "law-changed"}
    proposal = desk.office.propose_mass("withdraw", act, where, person="甲", reason="法律修改", client="platform")
    desk.office.approve_mass(proposal["id"], person="乙")
    desk.office.cancel_mass(proposal["id"])
    desk.clock.advance(hours=2)
    desk.office.tick()
    assert desk.office.certificate(body["identifier"])["state"] == "in-force"
    with pytest.raises(TransitionError):
        desk.office.approve_mass(proposal["id"], person="乙")


@pytest.mark.parametrize(
    "where", [{}, {"state": "in-force"}, {"type": "x", "colour": "red"}, {"type": "x", "issued_from": "1"}]
)
def test_a_mass_action_names_its_range(desk: Desk, where: dict[str, str]) -> None:
    """Everything in force is not a range."""
    with pytest.raises(RequestError):
        desk.office.propose_mass("withdraw", {}, where, person="甲", reason="x", client="platform")


def test_a_batch_goes_on_where_a_killed_worker_left_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while it sealed the second of three: what was done stays done, the rest is taken over, nothing twice."""

    class Killed(BaseException):
        """What a kill looks like from inside."""

    seal, calls = desk.office.sealer.seal, []

    def seal_once(*given: Any, **named: Any) -> Any:
        calls.append(given)
        if len(calls) == 2:
            raise Killed
        return seal(*given, **named)

    batch = desk.office.add_batch([desk.request("2-25") for _ in range(3)], client="platform")
    with monkeypatch.context() as patched:
        patched.setattr(desk.office.sealer, "seal", seal_once)
        with pytest.raises(Killed):
            desk.office.work_batch(only=batch)
    assert desk.office.work_batch(only=batch) == 0  # the lease of who was killed still runs
    view = batch_view(desk.office.register, batch)
    assert (view["state"] == "done", view["done"], view["open"]) == (False, 1, 2)
    desk.clock.advance(hours=1)
    assert work(desk, batch)["done"] == 3
    numbers = [line["answer"]["number"] for line in batch_lines(desk.office.register, batch)]
    assert [number[-5:] for number in numbers] == ["0001号", "0002号", "0003号"]
    assert len(desk.office.certificates()["certificates"]) == 3
    assert breaches(desk.office, at=desk.clock.at) == []
