"""Certificates issued for real arrive in a repository that examines their seals; what is not genuine does not."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from certlib.catalogue import example
from certlib.city.client import CityClient
from certlib.city.reconcile import reconcile
from certlib.city.worker import DeliveryWorker
from certlib.domain.delivery import Delivery
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings
from certlib.register.deliveries import SqlDeliveries
from city_repository.serving import served

from .conftest import DEVELOPMENT_SECRET, QUICK, City, now


@dataclass
class Issued:
    """An office that has issued a certificate, the running repository, and the delivery on its way there."""

    queue: SqlDeliveries
    city: City
    client: CityClient
    identifier: str
    number: str

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
        with CityClient(url, account="rongjiang-certlib", secret=DEVELOPMENT_SECRET, clock=now, timeout=60) as client:
            yield Issued(queue, City(app, url), client, answer["identifier"], answer["number"])


def test_a_sealed_certificate_arrives_with_its_file(issued):
    """An issued certificate reaches the repository by the delivery written with it, and both sides agree."""
    worker = DeliveryWorker(issued.queue, issued.client, name="w", clock=now, pace=QUICK)
    worker.deliver_due()
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
