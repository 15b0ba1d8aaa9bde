"""The auditor's page before a real office: for a purpose, in two languages, on two sizes, and nothing left behind."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from certlib.catalogue import example
from certlib.domain.civil import civil_date
from certlib.formats.tlog_proof import InclusionProof
from certlib.issue.composition import open_office
from certlib.issue.office import Office
from certlib.issue.settings import Settings
from certlib.issue.views import key_of
from certlib.register.seal_tables import SealUseRow
from certlib.register.tables import AccessRow, EditionRow, EventRow
from service.app import create_app
from service.clients import read_key
from service.commands import DEVELOPMENT_CLIENT, development_key_file, open_service
from service.headers import AUDIT_PAGE
from service.settings import load_service_settings
from service.tokens import fetch_token

from .conftest import DESKTOP, PHONE, free_port, serve, violations, visit

SEAL = "36070000000002"
WHO, WHY = "王审计", "2026 年度用印专项审计"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An office with two certificates and half a year of seal use, some of it odd."""
    with open_office(Settings(home=tmp_path_factory.mktemp("home"))) as office:
        for number in range(2):
            request = example("2-25", now=datetime.now(UTC), variant=number)
            office.issue({**request, "case": {"number": f"360700-{number}"}}, client="test", key=f"key-{number}")
        _past(office)
        office.tick()
        yield office


def _past(office: Office) -> None:
    """Uses of the months before, as a ledger would hold them: working days, few at night, some denied or given back."""
    today = datetime.now(UTC).replace(hour=1, minute=0, second=0, microsecond=0)
    with office.register.writer() as session:
        for days in range(180, 0, -1):
            day = today - timedelta(days=days)
            for number in range(2 + days % 5 if office.catalogue.calendar.is_working(day.date()) else days % 7 == 0):
                at = day + timedelta(minutes=97 * number + days % 40, hours=13 if days % 29 == 0 else 0)
                counter = office.register.next(session, f"seal:{SEAL}")
                state = "released" if counter % 61 == 0 else "used"
                session.add(_line(counter, state, at))
                if counter % 83 == 0:
                    session.add(_line(None, "denied", at + timedelta(minutes=3)))


def _line(counter: int | None, state: str, at: datetime) -> SealUseRow:
    why = {"denied": "用印授权不含此事项", "released": "排版未通过检查，未用印"}.get(state, "")
    return SealUseRow(
        seal=SEAL,
        counter=counter,
        intent="",
        kind="printed" if (counter or 1) % 4 == 0 else "electronic",
        state=state,
        item="2-25",
        number=f"赣虔药监械经营许2026{counter or 0:04}号",
        persons={"approvers": ["罗红泽"]},
        why=why,
        reserved_at=at,
        closed_at=at,
    )


@pytest.fixture(scope="module")
def site(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service before it, at the address that its tokens name."""
    home, port = tmp_path_factory.mktemp("service"), free_port()
    service = open_service(office, load_service_settings(home, worker=False, port=port))
    yield from serve(create_app(service), port=port)


def _backdate(office: Office, identifier: str, by: timedelta) -> None:
    """As if a certificate had been planned and issued so much earlier."""
    with office.register.writer() as session:
        for event in session.exec(select(EventRow).where(EventRow.certificate == key_of(identifier))):
            event.at -= by
        for edition in session.exec(select(EditionRow).where(EditionRow.certificate == key_of(identifier))):
            edition.created_at -= by


def _token(site: str, *scopes: str) -> str:
    key = read_key(development_key_file(DEVELOPMENT_CLIENT))
    return fetch_token(site, DEVELOPMENT_CLIENT, key, scopes=scopes or ("audit:read",)).value


def _enter(held: Any, *, token: str = "") -> None:
    held.page.goto(f"{held.site}/audit")
    held.page.fill("#auditor", WHO)
    held.page.fill("#purpose", WHY)
    held.page.fill("#token", token or _token(held.site))
    held.page.click("#signin .main")


def _find(held: Any, number: str) -> None:
    """Look a number up, and wait for what is found."""
    held.page.click("#tabs [data-view=look]")
    held.page.fill("#s-number", number)
    held.page.click("#search .main")
    _ready(held)


def _ready(held: Any, selector: str = "#view section") -> None:
    held.page.wait_for_selector(selector)
    held.page.wait_for_selector("#status", state="hidden")


def _open(held: Any, view: str, selector: str = "#view section") -> None:
    held.page.click(f"#tabs [data-view={view}]")
    _ready(held, selector)


def _accesses(office: Office) -> list[AccessRow]:
    with office.register.reader() as session:
        return list(session.exec(select(AccessRow).order_by(col(AccessRow.id))).all())


def _download(held: Any, selector: str) -> tuple[str, bytes]:
    with held.page.expect_download() as waiting:
        held.page.click(selector)
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def test_nothing_is_shown_before_purpose_and_token(desktop: Any, office: Office) -> None:
    """The page itself tells nothing; a token without the role is refused in words, and nothing was logged."""
    before = len(_accesses(office))
    desktop.page.goto(f"{desktop.site}/audit")
    assert desktop.page.is_hidden("#work")
    desktop.page.fill("#token", "x")
    desktop.page.click("#signin .main")
    assert desktop.page.is_hidden("#work")  # name and purpose are missing
    _enter(desktop, token=_token(desktop.site, "certificate:read"))
    desktop.page.wait_for_selector("#refused:not(:empty)")
    assert "audit:read" in desktop.text("#refused")
    assert desktop.page.is_hidden("#work")
    assert len(_accesses(office)) == before
    desktop.complaints.clear()  # the browser's own line about the answer 403


def test_each_view_is_logged_with_person_and_purpose(desktop: Any, office: Office) -> None:
    """What is opened stands in the access log at once, and on the page that shows the log."""
    before = len(_accesses(office))
    _enter(desktop)
    _ready(desktop)
    for view in ("anomalies", "ledger", "accesses"):
        _open(desktop, view, "#view details" if view == "anomalies" else "#view section")
    lines = _accesses(office)[before:]
    subjects = {line.subject for line in lines}
    assert subjects == {"audit:seals", "audit:usage *", "audit:anomalies *", "audit:uses *", "audit:accesses"}
    assert {line.purpose for line in lines} == {f"{WHY}（{WHO}）"}
    assert f"{WHY}（{WHO}）" in desktop.text("#view")
    assert desktop.complaints == []


def test_the_overview_counts_and_draws(desktop: Any, office: Office) -> None:
    """Tiles, both charts with titles and figures, and every seal with its counter; a longer period shows more."""
    _enter(desktop)
    _ready(desktop)
    month = int(desktop.text(".tile b"))
    assert month > 2
    assert desktop.page.locator("#view svg[role=img]").count() == 2
    assert desktop.page.get_attribute("#view svg[role=img]", "aria-label")
    assert desktop.page.locator("svg .o1, svg .o2, svg .o3, svg .o4").count() > 0  # outside office hours
    desktop.page.click("[data-days='90']")
    _ready(desktop)
    assert int(desktop.text(".tile b")) > month
    row = desktop.page.locator("#view tbody tr", has_text=SEAL).last
    with office.register.reader() as session:
        used = session.exec(select(SealUseRow).where(SealUseRow.state == "used")).all()
    assert str(max(use.counter or 0 for use in used)) in row.inner_text()
    shot(desktop, "audit")
    desktop.page.select_option("#seal", "36070000000008")
    desktop.page.click("#period > button")
    _ready(desktop)
    assert desktop.text(".tile b") == "0"
    assert desktop.complaints == []


def test_the_anomalies_unfold(desktop: Any) -> None:
    """Those with a case come first, each with its newest cases; the sound ones are told too."""
    _enter(desktop)
    _ready(desktop)
    desktop.page.click("[data-days='90']")
    _open(desktop, "anomalies", "#view details")
    words = desktop.text("#view")
    assert "用印被拒绝" in words
    assert "没有发现 失密之后仍有用印" in words.replace("\n", " ")
    desktop.page.evaluate("document.querySelectorAll('#view details').forEach((one) => { one.open = true; })")
    assert "用印授权不含此事项" in desktop.text("#view")
    assert desktop.complaints == []


def test_a_certificate_is_looked_up_and_taken_away(desktop: Any, office: Office) -> None:
    """By number; its whole record opens; report, evidence and proof come as files; this view is in its own log."""
    (row, *_) = office.certificates()["certificates"]
    _enter(desktop)
    _ready(desktop)
    _find(desktop, row["number"])
    assert row["number"] not in desktop.page.url
    desktop.page.click(f"#view .link:has-text('{row['number']}')")
    desktop.page.wait_for_selector("#view h3")
    record = desktop.text("#view")
    assert office.certificate(row["identifier"])["holder"]["name"] in record
    assert f"{WHY}（{WHO}）" in record
    shot(desktop, "audit-certificate")
    name, page = _download(desktop, "#view button:has-text('核验报告')")
    assert (name.endswith(".html"), "真实有效" in page.decode()) == (True, True)
    name, machine = _download(desktop, "#view button:has-text('报告 JSON')")
    assert json.loads(machine)["verdict"] == "valid"
    _, proof = _download(desktop, "#view button:has-text('日志证明')")
    assert InclusionProof.parse(proof.decode()).extra
    name, pack = _download(desktop, "#view button:has-text('证据包')")
    assert (name.endswith(".zip"), pack[:2]) == (True, b"PK")
    desktop.page.click("#view button:has-text('返回')")
    desktop.page.wait_for_selector(f"#view .link:has-text('{row['number']}')")
    assert desktop.complaints == []


def test_what_is_refused_or_not_there_is_said_in_the_language_spoken(desktop: Any) -> None:
    """A period that ends before it begins, and a search without a hit: in words, at the first time and after a turn."""
    _enter(desktop)
    _ready(desktop)
    for chinese, nothing, refused in (
        (True, "查找\n没有符合条件的登记。", "起止日期：止不得早于起。"),
        (False, "Look up\nNothing fits.", "The period ends before it begins."),
    ):
        if not chinese:
            desktop.page.click("#language")
            desktop.page.wait_for_selector("html[lang=en]")
        _open(desktop, "ledger")
        assert desktop.text("#view h2") != "ledger"
        desktop.page.click("#tabs [data-view=look]")
        desktop.page.fill("#s-number", "没有的编号")
        desktop.page.click("#search .main")
        desktop.page.wait_for_selector("#view section")
        shown = "\n".join(line for line in desktop.text("#view").splitlines() if line.strip())
        assert shown == nothing
        desktop.page.fill("#s-since", "2026-06-01")
        desktop.page.fill("#s-until", "2026-01-01")
        desktop.page.click("#search .main")
        desktop.page.wait_for_selector(f"#status:has-text('{refused}')")
        told = desktop.text("#status")
        assert chinese or not any("一" <= one <= "鿿" for one in told)
        desktop.page.fill("#s-since", "")
        desktop.page.fill("#s-until", "")


def test_a_certificate_is_looked_at_as_of_a_day(desktop: Any, office: Office) -> None:
    """Record and reports are of the day chosen, and say so; back leads to what was found, not through the days."""
    (row, *_) = office.certificates()["certificates"]
    _enter(desktop)
    _ready(desktop)
    _find(desktop, row["number"])
    desktop.page.click(f"#view .link:has-text('{row['number']}')")
    desktop.page.wait_for_selector("#view h3")
    yesterday = civil_date(datetime.now(UTC) - timedelta(days=1)).isoformat()
    desktop.page.fill("#as-of", yesterday)
    desktop.page.click("#view .asked button")
    desktop.page.wait_for_selector("#status:has-text('在所问时间尚未签发')")
    _backdate(office, row["identifier"], timedelta(days=3))
    desktop.page.click("#view .asked button")
    desktop.page.wait_for_selector(f"#view .note:has-text('{yesterday}')")
    _backdate(office, row["identifier"], timedelta(days=-3))
    assert desktop.page.input_value("#as-of") == yesterday
    assert "未生效" in desktop.text("#view h3")
    name, machine = _download(desktop, "#view button:has-text('报告 JSON')")
    assert yesterday in name
    asked = json.loads(machine)
    assert (asked["verdict"], asked["today"]["verdict"]) == ("not-in-force", "valid")
    assert violations(desktop.page) == []
    desktop.page.click("#view button:has-text('返回')")
    desktop.page.wait_for_selector("#view h2:has-text('证照')")
    assert desktop.page.locator("#as-of").count() == 0
    assert len(desktop.complaints) == 1  # the day on which it was not there yet
    assert "404" in desktop.complaints[0]


def test_the_checker_runs_and_the_bundle_comes(desktop: Any) -> None:
    """A round now, each check with its outcome; the bundle is a tar, the checkpoint a signed note."""
    _enter(desktop)
    _ready(desktop)
    _open(desktop, "checks")
    desktop.page.click("#view button:has-text('现在检查一轮')")
    desktop.page.wait_for_selector("#view tbody tr", timeout=60_000)
    assert "日志与台账" in desktop.text("#view")
    name, bundle = _download(desktop, "#view button:has-text('下载审计包')")
    with tarfile.open(fileobj=io.BytesIO(bundle)) as archive:
        assert {"checkpoint", "register.jsonl"} <= set(archive.getnames())
    _, checkpoint = _download(desktop, "#view button:has-text('下载检查点')")
    assert checkpoint.decode().split("\n\n")[1].startswith("— ")
    assert name.endswith(".tar")
    assert desktop.complaints == []


def test_nothing_is_left_behind(desktop: Any) -> None:
    """No cookie, no storage, no token in the page after the entry, and none after leaving."""
    _enter(desktop)
    _ready(desktop)
    assert desktop.context.cookies() == []
    kept = "JSON.stringify([{...localStorage}, {...sessionStorage}])"
    assert desktop.page.evaluate(kept) == "[{},{}]"
    assert desktop.page.input_value("#token") == ""
    desktop.page.click("#leave")
    desktop.page.wait_for_selector("#entry")
    assert desktop.page.is_hidden("#work")
    assert desktop.page.input_value("#purpose") == ""


def test_a_token_that_ends_is_asked_for_again(desktop: Any) -> None:
    """The refused view is shown as soon as there is a new token; name and purpose stay."""
    _enter(desktop)
    _ready(desktop)
    used = desktop.page.evaluate("document.getElementById('left').textContent")
    assert "令牌剩余" in used
    desktop.page.route("**/v1/audit/uses*", _refuse_once())
    desktop.page.click("#tabs [data-view=ledger]")
    desktop.page.wait_for_selector("#refused:not(:empty)")
    assert desktop.page.input_value("#purpose") == WHY
    desktop.page.fill("#token", _token(desktop.site))
    desktop.page.click("#signin .main")
    desktop.page.wait_for_selector("#view tbody tr")
    assert desktop.page.is_hidden("#entry")


def _refuse_once() -> Callable[[Any], None]:
    left = [1]

    def handle(route: Any) -> None:
        if left:
            left.pop()
            body = json.dumps({"status": 401, "detail": "访问令牌无效或已过期，请重新申请。"})
            route.fulfill(status=401, content_type="application/problem+json", body=body)
        else:
            route.continue_()

    return handle


def test_what_is_written_in_the_register_is_text(desktop: Any, office: Office) -> None:
    """A purpose that looks like markup is shown as it was written; the policy would not let it run either."""
    desktop.page.goto(f"{desktop.site}/audit")
    desktop.page.fill("#auditor", "<b>王</b>")
    desktop.page.fill("#purpose", "<img src=x onerror=alert(1)>")
    desktop.page.fill("#token", _token(desktop.site))
    desktop.page.click("#signin .main")
    _ready(desktop)
    _open(desktop, "accesses")
    assert "<img src=x onerror=alert(1)>（<b>王</b>）" in desktop.text("#view")
    assert desktop.page.locator("#view img, #named b").count() == 0
    response = desktop.page.goto(f"{desktop.site}/audit")
    assert response.headers["content-security-policy"] == AUDIT_PAGE
    assert "unsafe" not in AUDIT_PAGE
    assert desktop.complaints == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_no_violation_of_wcag_in_any_view(chromium: Any, site: str, office: Office, size: dict[str, int]) -> None:
    """axe-core finds nothing against WCAG 2.2 AA, in either language; on a phone nothing is wider than the screen."""
    visiting = visit(chromium, site, size)
    held = next(visiting)
    held.page.goto(f"{site}/audit")
    assert violations(held.page) == []
    _enter(held)
    _ready(held)
    (row, *_) = office.certificates()["certificates"]
    for language in ("zh-CN", "en"):
        for view in ("overview", "anomalies", "ledger", "accesses", "checks"):
            _open(held, view, "#view details" if view == "anomalies" else "#view section")
            held.page.evaluate("document.querySelectorAll('#view details').forEach((one) => { one.open = true; })")
            assert violations(held.page) == [], (view, language)
            assert held.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (view, language)
            if (size, language, view) == (PHONE, "zh-CN", "overview"):
                held.page.evaluate("document.querySelectorAll('#view details').forEach((one) => { one.open = false; })")
                shot(held, "audit-phone")
        _find(held, row["number"])
        held.page.click(f"#view .link:has-text('{row['number']}')")
        held.page.wait_for_selector("#view h3")
        assert violations(held.page) == [], language
        assert held.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), language
        if language == "zh-CN":
            held.page.click("#language")
            held.page.wait_for_selector("html[lang=en]")
    assert held.complaints == []
    visiting.close()


def test_english_is_whole(desktop: Any) -> None:
    """After the tap no Chinese is left but what the register holds: names, numbers, the button back."""
    _enter(desktop)
    _ready(desktop)
    desktop.page.click("#language")
    desktop.page.wait_for_selector("html[lang=en]")
    _open(desktop, "anomalies", "#view details")
    desktop.page.evaluate("document.querySelectorAll('#view table').forEach((one) => one.remove())")
    spoken = desktop.text("main").replace(WHO, "").replace(WHY, "")
    spoken = "\n".join(line for line in spoken.splitlines() if "赣" not in line and "榕江" not in line)
    assert not [line for line in spoken.splitlines() if any("一" <= one <= "鿿" for one in line)]


def shot(held: Any, name: str) -> None:
    """A picture for docs/screens where it is asked for."""
    held.page.evaluate("scrollTo(0, 0)")
    held.shot(name, colours=128)
