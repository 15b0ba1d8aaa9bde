"""An office of its own for each test: SQLite in a temporary folder, development keys, a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from certlib.catalogue import example
from certlib.crypto.development import development_folder
from certlib.crypto.pki import make_development_pki
from certlib.issue.composition import open_office
from certlib.issue.office import Office
from certlib.issue.settings import Settings
from tests.databases import new_database

START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that stands until it is moved; each look is a millisecond later, so that no two events coincide."""

    at: datetime = START

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at

    def advance(self, **span: float) -> None:
        self.at += timedelta(**span)


@dataclass
class Desk:
    """A clerk's desk: the office, its clock, and requests that are right until a test spoils them."""

    office: Office
    clock: Clock
    made: int = field(default=0)

    def request(self, item: str, *, kind: str = "", **changes: Any) -> dict[str, Any]:
        """A complete request for an item with a case of its own, with `changes` laid over it."""
        self.made += 1
        request = deepcopy(dict(example(item, now=self.clock.at, variant=self.made, kind=kind)))
        request["case"] = {"number": f"360700-2026-{self.made:06}"}
        if "case" in request.get("facts", {}):
            request["facts"]["case"] = request["case"]["number"]
        return {**request, **changes}

    def issue(self, item: str, **changes: Any) -> dict[str, Any]:
        """Issue a certificate and return the answer's body."""
        request = self.request(item, **changes)
        return dict(self.office.issue(request, client="platform", key=f"key-{self.made}").body)

    def act(self, item: str, identifier: str, action: str, **parts: Any) -> dict[str, Any]:
        """Act on a certificate by application under `item`, at its present version."""
        decision = self.request(item)["decision"]
        raw = {"item": item, "case": {"number": f"360700-2026-{self.made:06}"}, "decision": decision, **parts}
        return self.do(identifier, action, raw)

    def do(self, identifier: str, action: str, raw: dict[str, Any]) -> dict[str, Any]:
        """Act with a request of the test's own."""
        self.made += 1
        version = self.office.certificate(identifier)["version"]
        answer = self.office.act(identifier, action, raw, version=version, client="platform", key=f"key-{self.made}")
        return dict(answer.body)

    def order(self, **parts: Any) -> dict[str, Any]:
        """Another authority's document."""
        return {
            "kind": "other-authority",
            "authority": "赣州市市场监督管理局",
            "document_number": "赣市监罚〔2026〕12号",
            "decided_at": (self.clock.at - timedelta(hours=1)).isoformat(),
            "grounds": "抽检不合格，责令整改期间暂扣许可证件",
            "file_sha256": "ab" * 32,
            **parts,
        }

    def ex_officio(self, **parts: Any) -> dict[str, Any]:
        """A decision of the city's own motion."""
        return {
            "kind": "ex-officio",
            "authority": "ganzhou-approval",
            "basis": "《中华人民共和国行政许可法》第六十九条",
            "grounds": "经查以欺骗手段取得许可",
            "decided_at": (self.clock.at - timedelta(hours=1)).isoformat(),
            **parts,
        }


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings on each database. P-256, since it is as real as RSA and opens faster."""
    database = "sqlite:///register.db"
    if request.param == "postgresql":
        database = new_database(request.getfixturevalue("postgresql"))
    return Settings(home=tmp_path / "home", suite="p256-sha256", database=database)


@pytest.fixture
def desk(settings: Settings) -> Iterator[Desk]:
    """A desk in a new office."""
    clock = Clock()
    with open_office(settings, clock=clock) as office:
        yield Desk(office, clock)


@pytest.fixture
def reopen(settings: Settings) -> Callable[[Clock], Office]:
    """Open the same office once more, as another process would."""
    return lambda clock: open_office(settings, clock=clock)


MORE_SEALS = {
    "seal-ganzhou-approval-approval-1-renewed": "36070000000002",
    "seal-ganzhou-approval-approval-3": "36070000000023",
    "seal-ganzhou-approval-approval-1-new": "36070000000042",
}


@pytest.fixture(scope="session")
def more_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The development keys with more seals of the approval bureau: a renewed certificate, a 3号章, a new first seal."""
    folder = copytree(development_folder(), tmp_path_factory.mktemp("keys") / "keys")
    plan = (folder / "pki.toml").read_text(encoding="utf-8")
    rows = "".join(
        f'[certificate.{label}]\nprofile = "seal"\nissuer = "issuing"\nsuites = ["p256-sha256"]\n'
        f'O = "11360700MBY000029R赣州市行政审批局"\nCN = "{seal}"\n\n'
        for label, seal in MORE_SEALS.items()
    )
    (folder / "pki.toml").write_text(plan.replace("# Keys without a certificate.", f"{rows}# Keys."), encoding="utf-8")
    make_development_pki(folder)
    return folder


def certificate_of(keys: Path, label: str, short: str = "p256") -> str:
    """The certificates in a seal's file, without its key."""
    text = (keys / "seals" / f"{label}.{short}.pem").read_text("ascii")
    return text[text.index("-----BEGIN CERTIFICATE-----") :]
