"""Paper: every blank accounted for, every sheet's fate the file's or worse, a reprint a new sheet."""

from __future__ import annotations

import pypdfium2 as pdfium
import pytest

from certlib.errors import ConflictError, RequestError, TransitionError
from tests.issue.conftest import Desk
from tests.issue.invariants import breaches

KIND = "medical-device-licence"
COLLECTED = {"collector": "陈志远", "relation": "legal-representative", "document": "营业执照", "receipt": "送达2026-1"}


def receive(desk: Desk, first: str = "GZ000001", last: str = "GZ000010") -> None:
    desk.office.receive_blanks(KIND, first, last, person="王素珍", witness="李文静")


def printed(desk: Desk, identifier: str, **job: str) -> int:
    """Print the one sheet that waits and give its id."""
    (sheet,) = desk.office.print_sheets(identifier, client="platform", purpose="窗口出证", **job)
    return sheet.sheet


def test_a_sheet_goes_from_blank_to_its_holder(desk: Desk) -> None:
    """Received, printed, collected: the blank is used once, the ledger balances at every step."""
    receive(desk)
    body = desk.issue("2-25")
    sheet = printed(desk, body["identifier"])
    assert desk.office.act_on_sheet(sheet, "collect", COLLECTED)["state"] == "collected"
    stock = desk.office.stock()
    assert stock["types"][KIND] == {"received": 10, "supplier": -10, "stock": 9, "allotted:综合受理窗口": 0, "used": 1}
    assert [finding["outcome"] for finding in stock["findings"]] == ["pass"]
    with pytest.raises(TransitionError):
        desk.office.print_sheets(body["identifier"], client="platform", purpose="再打一次")
    assert breaches(desk.office, at=desk.clock.at) == []


def test_a_window_prints_only_on_what_it_was_allotted(desk: Desk) -> None:
    """Blanks of another window, or still in stock, are not its own."""
    receive(desk)
    body = desk.issue("2-25")
    desk.office.move_blanks("allot", "GZ000005", "GZ000006", window="一号窗口", person="王素珍")
    with pytest.raises(ConflictError, match="二号窗口"):
        desk.office.print_sheets(body["identifier"], client="platform", purpose="出证", window="二号窗口")
    (sheet,) = desk.office.print_sheets(body["identifier"], client="platform", purpose="出证", window="一号窗口")
    assert sheet.serial == "GZ000005"
    with pytest.raises(TransitionError, match="GZ000005"):
        desk.office.move_blanks("return", "GZ000005", "GZ000006", person="王素珍")


def test_a_reprint_is_a_new_sheet(desk: Desk) -> None:
    """The spoiled sheet is void for good; the one in its place has its own index, code and blank."""
    receive(desk)
    body = desk.issue("2-25")
    sheet = printed(desk, body["identifier"])
    record = {"reason": "卡纸", "person": "王素珍", "witness": "李文静"}
    assert desk.office.act_on_sheet(sheet, "spoil", record)["verdict"] == "voided"
    sheets = desk.office.certificate(body["identifier"])["sheets"]
    assert [(one["state"], one["verdict"]) for one in sheets] == [("spoiled", "voided"), ("to-print", "valid")]
    assert sheets[0]["n"] != sheets[1]["n"]
    printed(desk, body["identifier"])
    serials = [one["serial"] for one in desk.office.certificate(body["identifier"])["sheets"]]
    assert serials == ["GZ000001", "GZ000002"]
    desk.office.tick()
    assert breaches(desk.office, at=desk.clock.at) == []


def test_a_change_recalls_the_sheet_that_was_handed_over(desk: Desk) -> None:
    """The old sheet is superseded with its edition and to be handed in; handed in, it may be destroyed."""
    receive(desk)
    body = desk.issue("2-25")
    sheet = printed(desk, body["identifier"])
    desk.office.act_on_sheet(sheet, "collect", COLLECTED)
    changed = desk.act("2-27", body["identifier"], "change", facts={"legal_representative": "黄建国"})
    assert [one["id"] for one in changed["recall"]] == [sheet]
    assert changed["recall"][0]["verdict"] == "superseded"
    handed_in = desk.office.act_on_sheet(sheet, "surrender", {"person": "王素珍"})
    assert (handed_in["recall"], handed_in["verdict"]) == (False, "voided")
    record = {"list": "销毁2026-1", "person": "王素珍", "witness": "李文静"}
    assert desk.office.act_on_sheet(sheet, "destroy", record)["state"] == "destroyed"
    assert desk.office.stock()["types"][KIND]["destroyed"] == 1


def test_a_lost_sheet_says_so_while_the_file_stays_good(desk: Desk) -> None:
    """补证 after loss: the old sheet reads 遗失作废, the certificate and its new sheet are valid."""
    receive(desk)
    body = desk.issue("2-25")
    sheet = printed(desk, body["identifier"])
    desk.office.act_on_sheet(sheet, "collect", COLLECTED)
    again = desk.act("2-29", body["identifier"], "reissue", cause="lost")
    sheets = {one["id"]: one for one in desk.office.certificate(again["identifier"])["sheets"]}
    assert sheets[sheet]["verdict"] == "paper-lost"
    assert [one["verdict"] for one in again["sheets"]] == ["valid"]
    assert desk.office.certificate(again["identifier"])["verdict"] == "valid"


def test_paper_that_nobody_collects_voids_itself(desk: Desk) -> None:
    """After the term the sheet is void; the certificate is not."""
    receive(desk)
    body = desk.issue("2-25")
    printed(desk, body["identifier"])
    desk.clock.advance(days=179)
    desk.office.tick()
    assert desk.office.certificate(body["identifier"])["sheets"][0]["state"] == "printed"
    desk.clock.advance(days=2)
    desk.office.tick()
    view = desk.office.certificate(body["identifier"])
    assert (view["sheets"][0]["state"], view["sheets"][0]["verdict"], view["verdict"]) == (
        "surrendered",
        "voided",
        "valid",
    )


@pytest.mark.parametrize("missing", ["collector", "relation", "document", "receipt"])
def test_a_hand_over_needs_its_proof(desk: Desk, missing: str) -> None:
    """Who, in what capacity, against which document, on which receipt."""
    receive(desk)
    sheet = printed(desk, desk.issue("2-25")["identifier"])
    with pytest.raises(RequestError) as refused:
        desk.office.act_on_sheet(sheet, "collect", {**COLLECTED, missing: ""})
    assert [fault.path for fault in refused.value.faults] == [missing]


def test_an_agent_shows_an_authorisation(desk: Desk) -> None:
    """A stranger does not collect a certificate."""
    receive(desk)
    sheet = printed(desk, desk.issue("2-25")["identifier"])
    with pytest.raises(RequestError, match="处问题"):
        desk.office.act_on_sheet(sheet, "collect", {**COLLECTED, "relation": "agent"})
    with pytest.raises(RequestError):
        desk.office.act_on_sheet(sheet, "collect", {**COLLECTED, "relation": "neighbour"})


def test_a_window_s_printer_is_aligned_once_and_moves_what_it_prints(desk: Desk) -> None:
    """Every later print file of that window is moved, no other's; who set it is kept; too far is refused."""
    receive(desk)
    with pytest.raises(RequestError) as refused:
        desk.office.align_window("", 5.5, float("nan"), person="王素珍")
    assert {fault.path for fault in refused.value.faults} == {"window", "x", "y"}
    desk.office.align_window("一号窗口", 1.0, 1.0, person="王素珍")
    kept = desk.office.align_window("一号窗口", 2.0, -1.5, person="李文静")
    assert desk.office.windows() == [kept]
    places = {}
    for window in ("一号窗口", "二号窗口"):
        first = {"一号窗口": "GZ000001", "二号窗口": "GZ000002"}[window]
        desk.office.move_blanks("allot", first, first, window=window, person="王素珍")
        body = desk.issue("2-25")
        (sheet,) = desk.office.print_sheets(body["identifier"], client="p", purpose="出证", window=window)
        text = pdfium.PdfDocument(sheet.pdf)[0].get_textpage()
        places[window] = text.get_charbox(text.get_text_range().index("医疗器械经营许可证"))
    aligned, other = places["一号窗口"], places["二号窗口"]
    moved = ((aligned[0] - other[0]) * 25.4 / 72, (other[1] - aligned[1]) * 25.4 / 72)
    assert moved == pytest.approx((2.0, -1.5), abs=0.05)
    assert breaches(desk.office, at=desk.clock.at) == []


def test_a_title_of_real_estate_is_printed_on_the_nation_s_blank(desk: Desk) -> None:
    """套打: facts, code and seal, and no title; the electronic file has the whole face."""
    body = desk.issue("1-1")
    kind = desk.office.certificate(body["identifier"])["type"]
    assert kind == "real-estate-title"
    desk.office.receive_blanks(kind, "BD000001", "BD000002", person="王素珍", witness="李文静")
    (sheet,) = desk.office.print_sheets(body["identifier"], client="p", purpose="出证")
    printed, file = (
        "".join("".join(page.get_textpage().get_text_range().split()) for page in pdfium.PdfDocument(pdf))
        for pdf in (sheet.pdf, desk.office.file(body["identifier"]))
    )
    assert body["number"] in printed
    assert "权利人" in file
    assert "权利人" not in printed
    assert "BD000001" not in printed


def test_blanks_of_another_type_are_not_used(desk: Desk) -> None:
    """Security paper is printed for one type."""
    desk.office.receive_blanks("gas-licence", "RQ000001", "RQ000002", person="王素珍", witness="李文静")
    body = desk.issue("2-25")
    with pytest.raises(ConflictError, match="不足"):
        desk.office.print_sheets(body["identifier"], client="platform", purpose="出证")
