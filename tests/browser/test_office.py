"""From the office to the phone: what was really issued is scanned, before and after its state changes."""

import io
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from certlib.catalogue import example
from certlib.errors import DeliveryError
from certlib.issue.composition import open_office
from certlib.issue.office import Office
from certlib.issue.settings import Settings
from certlib.register.tables import EditionRow, SheetRow
from certlib.verify.codes import examine_code
from certlib.verify.remote import RegisterByCode, RemoteRegister
from service.app import create_app
from service.commands import open_service
from service.logs import configure
from service.published import MOMENT
from service.settings import load_service_settings


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """A real office with an empty register."""
    with open_office(Settings(home=tmp_path)) as office:
        yield office


@pytest.fixture
def site(office: Office, tmp_path: Path, serving: Callable[[Any], Iterator[str]]) -> Iterator[str]:
    """The real service before it."""
    settings = load_service_settings(tmp_path, public_url="http://127.0.0.1", worker=False)
    yield from serving(create_app(open_service(office, settings)))


def _issue(office: Office) -> tuple[dict[str, Any], list[str]]:
    """A certificate, and the codes of its file and its sheets."""
    request = example("2-25", now=datetime.now(UTC))
    body = dict(office.issue(request, client="test", key="issue").body)
    office.tick()
    time.sleep(MOMENT)
    with office.register.reader() as session:
        file = session.exec(select(EditionRow.code_text).where(EditionRow.identifier == body["identifier"])).one()
        sheets = session.exec(select(SheetRow.code_text)).all()
    return body, [text.partition("#")[2] for text in (file, *sheets)]


def _suspend(office: Office, body: dict[str, Any]) -> None:
    decision = {
        "kind": "other-authority",
        "authority": "赣州市市场监督管理局",
        "document_number": "赣市监罚〔2026〕18号",
        "decided_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
        "file_sha256": "0" * 64,
        "grounds": "责令停业整顿",
    }
    request = {"decision": decision, "cause": "penalty"}
    office.act(body["identifier"], "suspend", request, version=body["version"], client="test", key="suspend")
    office.tick()
    time.sleep(MOMENT)


def test_file_and_paper_say_the_same(phone: Any, office: Office) -> None:
    """Each carrier is valid, names itself, and turns to suspended with the others at the next scan."""
    body, codes = _issue(office)
    assert len(codes) >= 2
    assert [phone.scan(code) for code in codes] == ["valid"] * len(codes)
    assert "正本" in phone.text("#fields") or "副本" in phone.text("#fields")
    assert body["number"] in phone.text("#fields")
    # the authority on the paper, not the city: a reader compares line by line
    view = office.certificate(body["identifier"])
    assert view["issuer"] in phone.text("#fields")
    _suspend(office, body)
    assert [phone.scan(code) for code in codes] == ["suspended"] * len(codes)
    assert phone.complaints == []


def test_the_register_answers_a_verifier_elsewhere(site: str, office: Office) -> None:
    """`certctl verify --register` with a code: the whole code opens the register, no number does."""
    body, codes = _issue(office)
    register = RemoteRegister(site)
    listed = register.trust_list(office.list_keys)
    assert listed is not None
    text = f"https://{office.settings.host}/v#{codes[0]}"
    now = datetime.now(UTC)
    report = examine_code(text, listed, at=now, lookup=RegisterByCode(register, text))
    assert (report.verdict, report.certificate and report.certificate.identifier) == ("valid", body["identifier"])
    with pytest.raises(DeliveryError):
        register.by_index(body["n"], at=now)
    edited = text[:-85] + codes[1][-85:]
    assert register.by_code(edited, at=now) is None


def test_the_register_answers_the_page(phone: Any, office: Office) -> None:
    """The tap asks with the code; number and check code ask without it; the issued file is known by its digest."""
    body, codes = _issue(office)
    phone.scan(codes[0])
    phone.page.click("#ask")
    phone.page.wait_for_selector("#answer .found")
    assert body["identifier"] in phone.text("#answer")
    with office.register.reader() as session:
        check = session.exec(select(EditionRow.check_code)).one()
    phone.page.click("#manual summary")
    phone.page.fill("#number", body["number"])
    phone.page.fill("#check", check.lower())
    phone.page.click("#typed button")
    phone.page.wait_for_selector("#found .found")
    assert "真实有效" in phone.text("#found")
    phone.page.click("#pdf summary")
    pdf = office.file(body["identifier"])
    phone.page.set_input_files("#file", {"name": "证照.pdf", "mimeType": "application/pdf", "buffer": pdf})
    phone.page.wait_for_selector("#filed .found")
    assert "真实有效" in phone.text("#filed")
    phone.page.set_input_files("#file", {"name": "x.pdf", "mimeType": "application/pdf", "buffer": pdf + b"\n%"})
    phone.page.wait_for_selector("#filed button")
    phone.page.click("#filed button")
    phone.page.wait_for_selector("#filed .found")
    assert "真实有效" not in phone.text("#filed")
    assert phone.complaints == []


def test_what_is_scanned_and_typed_is_in_no_log(phone: Any, office: Office) -> None:
    """The service writes each request down; no code, no number and no check code is in what it wrote."""
    written = io.StringIO()
    configure(stream=written)
    body, codes = _issue(office)
    with office.register.reader() as session:
        check = session.exec(select(EditionRow.check_code)).one()
    phone.scan(codes[0])
    phone.page.click("#ask")
    phone.page.wait_for_selector("#answer .found")
    phone.page.click("#manual summary")
    phone.page.fill("#number", body["number"])
    phone.page.fill("#check", check)
    phone.page.click("#typed button")
    phone.page.wait_for_selector("#found .found")
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert {"/public/certificates", "/public/status/{shard}"} <= {line.get("route") for line in lines}
    logged = "".join(json.dumps(line, ensure_ascii=False) for line in lines)
    assert [secret for secret in (codes[0][20:60], body["number"], check) if secret in logged] == []
