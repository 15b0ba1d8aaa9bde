"""The page of statistics in a real browser: figures that agree with the office, filters, files, both widths."""

import csv
import io
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlmodel import select

from certlib.catalogue import example
from certlib.issue.composition import open_office
from certlib.issue.office import Office
from certlib.issue.settings import Settings
from certlib.register.delivery_table import DeliveryRow
from certlib.register.tables import EditionRow
from service.app import create_app
from service.clients import read_key
from service.commands import DEVELOPMENT_CLIENT, development_key_file, open_service
from service.settings import load_service_settings
from service.tokens import token_request

from .conftest import DESKTOP, PHONE, violations, visit

CONSENT = {"consent": "送达地址确认书", "address": "赣服通", "receipt": "S-2026-0001"}
BASE = "http://127.0.0.1"
YEAR_BEGINS = datetime(2026, 1, 12, 2, 0, tzinfo=UTC)
# item, kind of document, how many in each month: enough of a year to be looked at
WORK = (
    ("2-25", "", (1, 2, 1, 3, 2, 2)),
    ("1-30", "", (0, 1, 2, 1, 2, 1)),
    ("2-37", "", (1, 0, 1, 1, 0, 2)),
    ("1-36", "", (2, 1, 1, 2, 3, 1)),
    ("2-25", "licence-decision", (1, 2, 1, 1, 2, 1)),
    ("2-14", "", (0, 1, 0, 1, 0, 1)),
)


class Calendar:
    """A clock that a test moves through the year."""

    def __init__(self) -> None:
        self.at = YEAR_BEGINS

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, Calendar]]:
    """An office with half a year of work behind it."""
    calendar, made = Calendar(), 0
    home = tmp_path_factory.mktemp("office")
    with open_office(Settings(home=home, suite="p256-sha256"), clock=calendar) as office:
        office.receive_blanks("medical-device-licence", "GZ000001", "GZ000200", person="王素珍", witness="李文静")
        office.move_blanks("allot", "GZ000001", "GZ000050", window="一号窗口", person="王素珍")
        office.move_blanks("spoil", "GZ000001", "GZ000003", person="王素珍", witness="李文静", reason="打印机卡纸")
        for month in range(6):
            calendar.at = datetime(2026, month + 1, 12, 2, 0, tzinfo=UTC)
            for item, kind, counts in WORK:
                for _ in range(counts[month]):
                    made += 1
                    _one(office, item, kind, made)
        _order(office, "360700-2026-000001", "suspend", "赣市监罚〔2026〕18号")
        _deliver(office)
        yield office, calendar


def _one(office: Office, item: str, kind: str, made: int) -> None:
    """Issue one, and serve it on its holder, unless it is one of those that were forgotten."""
    request = deepcopy(dict(example(item, now=office.register.now(), variant=made, kind=kind)))
    request["case"] = {"number": f"360700-2026-{made:06}"}
    if "case" in request.get("facts", {}):
        request["facts"]["case"] = request["case"]["number"]
    outcome = office.catalogue.items[item].outcome
    certificate = not kind and outcome.kind.value == "certificate"
    request |= {"paper": {"waived": True}} if certificate else {}
    answer = (office.issue if certificate else office.issue_document)(request, client="test", key=f"key-{made}")
    if made % 9:
        subject = answer.body["identifier" if certificate else "number"]
        at = office.register.now().isoformat()
        office.serve(subject, {"way": "electronic", "served_at": at, **CONSENT}, client="test", key=f"served-{made}")


def _order(office: Office, case: str, action: str, number: str) -> None:
    """What another authority ordered of the certificate of that case."""
    with office.register.reader() as session:
        identifier = session.exec(select(EditionRow.identifier).where(EditionRow.case == case)).one()
    decided_at = (office.register.now() - timedelta(hours=1)).isoformat()
    decision = {"kind": "other-authority", "authority": "赣州市市场监督管理局", "document_number": number}
    decision |= {"decided_at": decided_at, "file_sha256": "0" * 64, "grounds": "责令停业整顿"}
    office.act(identifier, action, {"decision": decision, "cause": "penalty"}, version=1, client="test", key=action)


def _deliver(office: Office) -> None:
    """The city repository has had everything but the last, each a little later than the one before."""
    with office.register.writer() as session:
        rows = session.exec(select(DeliveryRow).order_by(DeliveryRow.id)).all()
        for place, row in enumerate(rows[:-1]):
            row.state, row.done_at = "done", row.created_at + timedelta(seconds=0.4 * 1.25**place)
            session.add(row)


@pytest.fixture
def site(worked: tuple[Office, Calendar], serving: Callable[[Any], Iterator[str]]) -> Iterator[str]:
    """The service before it."""
    office, _ = worked
    settings = load_service_settings(office.settings.home, public_url=BASE, worker=False)
    yield from serving(create_app(open_service(office, settings)))


@pytest.fixture
def link(site: str) -> str:
    """The address that an official's browser is sent to, got as an approval system gets it."""
    key = read_key(development_key_file(DEVELOPMENT_CLIENT))
    form = token_request(DEVELOPMENT_CLIENT, key, audience=f"{BASE}/oauth/token", now=datetime.now(UTC))
    token = httpx2.post(f"{site}/oauth/token", data=form).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx2.post(f"{site}/v1/statistics/links", headers=headers).json()
    return str(answer["link"]).replace(BASE, site)


@pytest.mark.parametrize(("name", "size"), [("statistics", PHONE), ("statistics-desktop", DESKTOP)])
def test_the_page_shows_the_years_figures(chromium: Any, site: str, link: str, name: str, size: dict[str, int]) -> None:
    """Nothing hangs out at either width, nothing is inaccessible, nothing is refused by the page's own policy."""
    for phone in visit(chromium, site, size):
        phone.page.goto(f"{link}?from=2026-01-01&to=2026-06-30")
        totals = phone.page.locator(".totals b").all_inner_texts()
        assert (totals[0], totals[2], totals[3], totals[5]) == ("23", "1", "22", "0")
        assert int(totals[4]) > 0
        assert phone.page.locator("svg.columns rect").count() == 13
        assert "市电子证照库" in phone.text("main")
        assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert violations(phone.page) == []
        phone.shot(name)
        assert phone.complaints == []


def test_filters_and_files_follow_the_question(desktop: Any, link: str, worked: tuple[Office, Calendar]) -> None:
    """Item, authority and days narrow every figure and every file; a wrong question is said, not hidden."""
    page = desktop.page
    page.goto(f"{link}?from=2026-01-01&to=2026-06-30")
    page.select_option("select[name=item]", "2-37")
    page.click("form button")
    page.wait_for_url("**item=2-37**")
    assert desktop.text(".totals li:first-child b") == "5"
    with page.expect_download() as waiting:
        page.click("section:has(h2:text('按时间')) .csv")
    data = Path(waiting.value.path()).read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert (rows[0][0], sum(int(row[1]) for row in rows[1:])) == ("时间", 5)
    page.select_option("select[name=authority]", "ganzhou-market-regulation")
    page.click("form button")
    page.wait_for_url("**authority=ganzhou-market-regulation**")
    assert desktop.text(".totals li:first-child b") == "0"
    page.goto(f"{link}?from=2026-06-30&to=2026-01-01")
    assert "截止不早于起始" in desktop.text("[role=alert]")
    assert desktop.complaints == []


def test_a_link_that_is_none_opens_nothing(phone: Any, site: str, link: str) -> None:
    """Neither a link with another ending nor one that was made up shows a figure."""
    for address in (f"{link[:-4]}AAAA", f"{site}/statistics/nothing"):
        answer = phone.page.goto(address)
        assert answer.status == 401
        assert "链接已失效" in phone.text("h1")
    assert not [one for one in phone.complaints if "401" not in one]
