"""A running mock repository, a register's delivery queue, and certificates to deliver."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pypdfium2 as pdfium
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlmodel import SQLModel, col, select

from certlib.city.client import DEVELOPMENT_SECRET, CityClient
from certlib.city.worker import DeliveryWorker, Pace
from certlib.formats.facts import facts_attachment
from certlib.identifiers import CertificateIdentifier
from certlib.register.deliveries import SqlDeliveries, enqueue
from certlib.register.delivery_table import DeliveryRow
from certlib.register.engine import make_engine, reader, writer
from city_repository.app import create_app
from city_repository.serving import served
from city_repository.settings import RepositorySettings
from tests.databases import new_database

TYPE_CODE, TYPE_NAME = "11360700MB1A2B3CX8901", "试验许可证"
ISSUER = "11360700MB1A2B3CX8"
HOLDER = "91350100M000100Y43"
NOW = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
QUICK = Pace(parallel=4, lease=5.0, idle=0.02, first=0.02, longest=0.2)

logging.getLogger("certlib.city.worker").setLevel(logging.CRITICAL)


def now() -> datetime:
    return datetime.now(UTC)


def attachment(message: dict[str, Any]) -> bytes:
    return facts_attachment(
        kind="certificate",
        type_key=message["type"],
        title=message["name"],
        identifier=message["identifier"],
        number=message["number"],
        edition=message["edition"],
        n=1,
        salt=bytes(16),
        facts=message["facts"],
        holder=message["holder"],
        issuer=message["issuer"],
        issued_on=message["issued_on"],
        valid_from=message["valid_from"],
        valid_until=message["valid_until"],
    )


def paper(message: dict[str, Any]) -> bytes:
    """A one-page PDF with the message's facts attached, unsealed."""
    document = pdfium.PdfDocument.new()
    document.new_page(595, 842)
    document.new_attachment("facts.json").set_data(attachment(message))
    buffer = io.BytesIO()
    document.save(buffer)
    document.close()
    return buffer.getvalue()


@dataclass
class Certificate:
    """A certificate that makes the delivery messages of its own life."""

    serial: str
    edition: int = 0
    state: str = "in-force"
    identifiers: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        return f"{TYPE_CODE}.{ISSUER}.{self.serial}"

    @property
    def facts(self) -> dict[str, str]:
        return {"enterprise_name": "赣州试验有限公司", "scope": f"第{self.edition}版经营范围"}

    def message(self, operation: str, *, state: str = "", cause: str = "") -> tuple[dict[str, Any], bytes | None]:
        """The next event's message, and its file when the operation makes a new edition."""
        new = operation in {"issue", "import", "change", "renew", "reissue", "correct"}
        predecessor = self.identifiers[-1] if new and self.identifiers else ""
        if new:
            self.edition += 1
            self.identifiers.append(CertificateIdentifier(TYPE_CODE, ISSUER, self.serial, self.edition).text)
        self.state = state or "in-force"
        message = {
            "identifier": self.identifiers[-1],
            "operation": operation,
            "at": NOW.isoformat(),
            "state": self.state,
            "cause": cause,
            "type": "trial-licence",
            "type_code": TYPE_CODE,
            "number": f"试许{self.serial}号",
            "name": TYPE_NAME,
            "holder": {"name": "赣州试验有限公司", "code": HOLDER, "code_type": "001"},
            "issuer": {"name": "赣州市行政审批局", "code": ISSUER, "level": "地市"},
            "facts": self.facts,
            "issued_on": "2026-01-05",
            "valid_from": "2026-01-05",
            "valid_until": "2031-01-04",
            "edition": self.edition,
            "predecessor": predecessor,
        }
        data = paper(message) if new or operation == "replace-file" else None
        if data is not None:
            message["file"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        return message, data


@dataclass
class City:
    """The mock repository while it runs."""

    app: FastAPI
    url: str

    def client(self, **options: Any) -> CityClient:
        settings = {"account": "rongjiang-certlib", "secret": DEVELOPMENT_SECRET, "clock": now, "timeout": 3.0}
        return CityClient(self.url, **{**settings, **options})

    def struck(self) -> int:
        """How many pushes a fault befell since faults were switched on."""
        return sum(self.app.state.faults.befallen.values())

    def faults(self, *faults: dict[str, Any], seed: int = 0) -> None:
        body = {"faults": list(faults), "seed": seed}
        # patient: how a push fares is what is tested, not how soon a busy machine answers this
        httpx2.put(f"{self.url}/control/faults", json=body, timeout=60).raise_for_status()

    def events(self, key: str) -> list[tuple[int, str, str]]:
        """(sequence, operation, state) of the events held of a certificate."""
        rows = self.app.state.repository.store.rows(
            "SELECT sequence, operation, state FROM event WHERE base = ? ORDER BY sequence", key
        )
        return [tuple(row) for row in rows]

    def record(self, key: str) -> dict[str, Any] | None:
        row = self.app.state.repository.store.row("SELECT * FROM record WHERE base = ?", key)
        return dict(row) if row else None


@dataclass
class Office:
    """A register that enqueues events and delivers them."""

    engine: Engine
    files: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.queue = SqlDeliveries(self.engine, self.files.__getitem__)

    def event(self, certificate: Certificate, operation: str, **options: str) -> None:
        self.write(certificate, *certificate.message(operation, **options))

    def write(self, certificate: Certificate, message: dict[str, Any], data: bytes | None) -> None:
        sha256 = hashlib.sha256(data).hexdigest() if data else ""
        if data:
            self.files[sha256] = data
        with writer(self.engine) as session:
            enqueue(session, certificate=certificate.key, message=message, file=sha256, now=now())

    def worker(self, client: Any, **options: Any) -> DeliveryWorker:
        return DeliveryWorker(self.queue, client, **{"name": "worker", "clock": now, "pace": QUICK, **options})

    def rows(self) -> list[DeliveryRow]:
        with reader(self.engine) as session:
            return list(session.exec(select(DeliveryRow).order_by(col(DeliveryRow.id))))

    def edit(self, id_: int | None, message: dict[str, Any]) -> None:
        """Put another message into a delivery, as if it had been written wrong."""
        with writer(self.engine) as session:
            row = session.get_one(DeliveryRow, id_)
            row.message = message
            session.add(row)


@contextmanager
def running(worker: DeliveryWorker) -> Iterator[threading.Event]:
    """A worker at work in a thread; stopped at the end, also when the test fails."""
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join()


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something has come about; a stuck test ends here."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "did not come about in time"
        time.sleep(0.02)


def write_types(folder: Path) -> Path:
    """A catalogue file with the type that these tests issue."""
    path = folder / "types.json"
    entry = {"code": TYPE_CODE, "name": TYPE_NAME, "fields": {"enterprise_name": "企业名称", "scope": "经营范围"}}
    path.write_text(json.dumps([entry], ensure_ascii=False), encoding="utf-8")
    return path


@pytest.fixture
def types(tmp_path: Path) -> Path:
    return write_types(tmp_path)


@pytest.fixture
def make_city(tmp_path: Path, types: Path) -> Callable[..., FastAPI]:
    def make(clock: Callable[[], datetime] = now, **options: Any) -> FastAPI:
        settings = {"home": tmp_path / "city", "types": types, "examine": False}
        return create_app(RepositorySettings(**{**settings, **options}), clock=clock)

    return make


@pytest.fixture
def city(make_city: Callable[..., FastAPI]) -> Iterator[City]:
    app = make_city()
    with served(app) as url:
        yield City(app, url)


def open_office(address: str) -> Office:
    """An empty register of deliveries in a database."""
    engine = make_engine(address)
    SQLModel.metadata.create_all(engine, tables=[SQLModel.metadata.tables[DeliveryRow.__tablename__]])
    return Office(engine)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    found = open_office(f"sqlite:///{tmp_path / 'register.db'}")
    yield found
    found.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def each_office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """An office on each database."""
    address = f"sqlite:///{tmp_path / 'register.db'}"
    if request.param == "postgresql":
        address = new_database(request.getfixturevalue("postgresql"))
    found = open_office(address)
    yield found
    found.engine.dispose()


@pytest.fixture
def certificate() -> Callable[[], Certificate]:
    serials = itertools.count(1)
    return lambda: Certificate(f"2026{next(serials):08}")
