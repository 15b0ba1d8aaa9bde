"""Certificates issued for real arrive in a repository that examines their seals; what is not genuine does not."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import httpx2
import pytest
from sqlmodel import select

from certlib.catalogue import example
from certlib.catalogue.invented import invented_citizen_number
from certlib.city.client import CityClient
from certlib.city.reconcile import reconcile
from certlib.city.worker import DeliveryWorker
from certlib.crypto.development import development_key
from certlib.domain.delivery import Delivery
from certlib.formats.code import CodePayload, code_text, read_code, sign_code
from certlib.identifiers import CertificateIdentifier
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings
from certlib.register.deliveries import SqlDeliveries
from certlib.register.engine import reader
from certlib.register.tables import EditionRow
from city_repository.serving import served
from tests.issue import test_importing as importing
from tests.issue.conftest import Clock, Desk

from .conftest import DEVELOPMENT_SECRET, QUICK, City, now


@dataclass
class Issued:
    """An office that has issued a certificate, the running repository, and the delivery on its way there."""

    queue: SqlDeliveries
    city: City
    client: CityClient
    identifier: str
    number: str
    code: str

    def deliver(self) -> None:
        DeliveryWorker(self.queue, self.client, name="w", clock=now, pace=QUICK).deliver_due()

    def ask(self, operation: str, **data: str) -> dict[str, Any]:
        desk = self.city.app.state.repository.desk
        token = desk.issue("window", "development-only-window", now=now())
        body = {"accessId": "window", "accessToken": token, "data": {"useCause": "核验", **data}}
        return httpx2.post(f"{self.city.url}/{operation}", json=body, timeout=60).json()

    def claim(self) -> Delivery:
        (delivery,) = self.queue.claim("test", now(), 1, 600)
        return delivery


@pytest.fixture
def issued(tmp_path, make_city):
    settings = Settings(home=tmp_path / "office", suite="p256-sha256")
    app = make_city(examine=True, types=None)
    with open_office(settings) as office, served(app) as url:
        request = dict(example("2-25", now=now(), variant=1))
        answer = office.issue(request, client="platform", key="one").body
        queue = SqlDeliveries(office.register.engine, office.register.files.read)
        with reader(office.register.engine) as session:
            code = session.exec(select(EditionRow.code_text)).one()
        with CityClient(url, account="rongjiang-certlib", secret=DEVELOPMENT_SECRET, clock=now, timeout=60) as client:
            yield Issued(queue, City(app, url), client, answer["identifier"], answer["number"], code)


def test_a_sealed_certificate_arrives_with_its_file(issued):
    """An issued certificate reaches the repository by the delivery written with it, and both sides agree."""
    issued.deliver()
    assert issued.queue.dead_letters() == []
    (row,) = issued.city.app.state.repository.store.rows("SELECT identifier, number, file_sha256 FROM record")
    assert (row["identifier"], row["number"]) == (issued.identifier, issued.number)
    assert reconcile(issued.queue, issued.client, now=now()).equal


@pytest.mark.parametrize("change", ["a byte of the page", "bytes after the end", "no seal", "no PDF"])
def test_a_file_that_is_not_genuine_is_refused(issued, change):
    """A file changed after sealing, added to, or without seal is refused with the verifier's reason."""
    delivery = issued.claim()
    assert delivery.file is not None
    data = delivery.file()
    middle = len(data) // 3
    changed = {
        "a byte of the page": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        "bytes after the end": data + b"\n%%EOF\n",
        "no seal": data[: data.index(b"%%EOF") + 6],
        "no PDF": b"PK\x03\x04" + data,
    }[change]
    answer = issued.client.push(replace(delivery, file=lambda: changed))
    assert answer.line.kind == "error"
    assert answer.line.code in {"E16", "E18"}
    assert issued.city.record(delivery.chain) is None


def test_a_genuine_file_of_another_record_is_refused(issued):
    """A genuine file under a record that says something else is refused, naming what differs."""
    delivery = issued.claim()
    message = {**delivery.message, "facts": {**delivery.message["facts"], "scope": "三类：全部"}}
    answer = issued.client.push(replace(delivery, message=message))
    assert answer.line.code == "E19"
    assert "scope" in answer.line.message


def test_a_certificate_is_found_by_its_code(issued):
    """The text of the QR code on the certificate leads to its record."""
    issued.deliver()
    answer = issued.ask("queryCertInfoByQRcode", qrcode=issued.code)
    assert answer["head"]["status"] == "0"
    assert answer["data"]["certificateIdentifier"] == issued.identifier


def test_a_code_that_says_something_else_leads_nowhere(issued):
    """A well-formed code of a real number whose digest is not that of the certificate's facts is not answered."""
    issued.deliver()
    payload = read_code(issued.code).payload
    forged = CodePayload(**{name: getattr(payload, name) for name in payload.__slots__} | {"digest": bytes(16)})
    text = code_text(sign_code(forged, development_key("code-2026")), "zwfw.ganzhou.example")
    answer = issued.ask("queryCertInfoByQRcode", qrcode=text)
    assert (answer["head"]["status"], answer["data"]) == ("99", None)
    assert issued.ask("queryCertInfoByQRcode", qrcode="https://elsewhere.example/")["head"]["status"] == "99"


@pytest.fixture
def desk(tmp_path):
    """A clerk's desk whose clock is today's."""
    clock = Clock(at=now() - timedelta(minutes=1))
    with open_office(Settings(home=tmp_path / "office", suite="p256-sha256"), clock=clock) as office:
        yield Desk(office, clock)


def test_lives_of_real_certificates_arrive(desk, make_city):
    """What an office does to an imported and to an issued certificate arrives whole; both sides then agree."""
    imported = desk.office.import_certificate(importing.request(desk), client="platform", key="i").body
    desk.act("2-26", imported["identifier"], "renew")
    issued = desk.issue("2-25")
    desk.do(issued["identifier"], "suspend", {"decision": desk.order()})
    desk.do(issued["identifier"], "resume", {"decision": desk.order(), "cause": "lifted"})
    desk.do(issued["identifier"], "revoke", {"decision": desk.ex_officio(), "cause": "fraud"})
    queue = SqlDeliveries(desk.office.register.engine, desk.office.register.files.read)
    app = make_city(examine=True, types=None)
    with served(app) as url:
        city = City(app, url)
        with city.client(timeout=60) as client:
            DeliveryWorker(queue, client, name="w", clock=now, pace=QUICK).deliver_due()
            assert [letter.last_error for letter in queue.dead_letters()] == []
            assert reconcile(queue, client, now=now()).equal
    keys = [CertificateIdentifier.parse(body["identifier"]).key for body in (imported, issued)]
    assert [[operation for _, operation, _ in city.events(key)] for key in keys] == [
        ["07", "02"],
        ["01", "03", "06", "05"],
    ]
    assert [city.record(key)["state"] for key in keys] == ["01", "03"]


def test_a_certificate_of_several_holders_arrives_and_is_found_by_each(desk, make_city):
    """The holder fields hold them all, in one order; a stranger's code, or a code of another type, finds nothing."""
    request = desk.request("1-1")
    first = request["holder"]
    second = {"name": "李文静", "code": invented_citizen_number(22, date(1986, 5, 1)), "code_type": "111"}
    request |= {"holder": {**first, "others": [second]}}
    request["facts"]["right_holder"] = [first["name"], second["name"]]
    desk.office.issue(request, client="platform", key="joint")
    queue = SqlDeliveries(desk.office.register.engine, desk.office.register.files.read)
    app = make_city(examine=True, types=None)
    kind = desk.office.catalogue.certificate_types["real-estate-title"].code
    with (
        served(app) as url,
        CityClient(url, account="rongjiang-certlib", secret=DEVELOPMENT_SECRET, clock=now, timeout=60) as client,
    ):
        one = Issued(queue, City(app, url), client, "", "", "")
        one.deliver()
        assert [letter.last_error for letter in queue.dead_letters()] == []
        (row,) = app.state.repository.store.rows("SELECT metadata, holder_code FROM record")
        record = json.loads(row["metadata"])
        assert record["certificateHolderName"] == f"{first['name']}^李文静"
        assert record["certificateHolderTypeCode"] == f"{first['code_type']}^111"
        assert record["certificateHolderTypeName"].endswith("^公民身份号码")
        assert record["certificateHolderCode"] == row["holder_code"] == f"{first['code']}^{second['code']}"
        asked = [(first["code"], first["code_type"]), (second["code"], "111"), (second["code"], "001")]
        asked.append((second["code"][:-1], "111"))
        found = [
            one.ask("queryCertInfoByHolderCode", holderCode=code, holderTypeCode=of, certTypeCode=kind)["head"][
                "status"
            ]
            for code, of in asked
        ]
        assert found[:2] == ["0", "0"]
        assert "0" not in found[2:]
        assert reconcile(queue, client, now=now()).equal
