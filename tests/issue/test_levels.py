"""The worker raises files to their level and renews their proof; what waits for a timestamp says so until then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlmodel import select

from certlib.crypto.development import development_timestamps
from certlib.crypto.timestamps import Timestamp
from certlib.domain.verdict import Verdict
from certlib.errors import TimestampUnavailableError
from certlib.issue.composition import open_office
from certlib.issue.exporting import export_office
from certlib.issue.levels import LEAF, Levels
from certlib.issue.office import Office
from certlib.issue.settings import Settings
from certlib.register.delivery_table import DeliveryRow
from certlib.register.journal_tables import JournalEvent
from certlib.register.tables import FileRow, SealUseRow
from certlib.verify.audit import AuditTrust, audit
from certlib.verify.bundle import open_bundle
from certlib.verify.examine import examine
from certlib.verify.roots import TrustRoots
from tests.issue.conftest import Clock, Desk
from tests.issue.invariants import breaches

TRUST = TrustRoots.load()


class Authority:
    """A timestamp authority that can be switched off; it counts how often it was asked."""

    def __init__(self) -> None:
        self._inner = development_timestamps()
        self.digest, self.reserve, self.certificates = "sha256", self._inner.reserve, self._inner.certificates
        self.up, self.asked = True, 0

    def stamp(self, imprint: bytes, *, now: datetime) -> Timestamp:
        self.asked += 1
        if not self.up:
            raise TimestampUnavailableError("没有时间戳服务给出可用的应答，请稍后重试。")
        return self._inner.stamp(imprint, now=now)


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def archiving(settings: Settings, authority: Authority) -> Iterator[Desk]:
    """An office that archives, and issues without timestamp when there is none."""
    chosen = Settings(
        home=settings.home,
        suite=settings.suite,
        database=settings.database,
        raise_to="B-LTA",
        without_timestamp="pending",
    )
    clock = Clock()
    with open_office(chosen, clock=clock) as office:
        office.sealer._timestamper = authority
        office.levels.timestampers = lambda suite: authority
        yield Desk(office, clock)


def test_a_file_is_raised_to_b_lta_and_delivered_once_more(archiving: Desk) -> None:
    """A file of its own that begins with its predecessor; both verify; the certificate's version stays."""
    issued = archiving.issue("2-25")
    assert (issued["level"], issued["time_proof"]) == ("B-T", "proved")
    archiving.clock.advance(seconds=1)
    archiving.office.tick()
    view = archiving.office.certificate(issued["identifier"])
    before, after = view["editions"][0]["files"]
    assert [before["level"], after["level"]] == ["B-T", "B-LTA"]
    assert after["predecessor"] == before["sha256"] == issued["sha256"]
    assert view["version"] == issued["version"]
    pdf = archiving.office.file(issued["identifier"])
    for data, level in ((archiving.office.register.files.read(before["sha256"]), "B-T"), (pdf, "B-LTA")):
        report = examine(data, trust=TRUST, at=archiving.clock(), lookup=archiving.office.lookup)
        assert (report.verdict, report.seals[0].level) == (Verdict.VALID, level)
    deliveries = _rows(archiving.office, DeliveryRow)
    assert [(row.operation, row.sequence, row.message["sequence"]) for row in deliveries] == [
        ("issue", 1, 1),
        ("replace-file", 2, 2),
    ]
    assert deliveries[1].file == after["sha256"]
    assert deliveries[1].message["state"] == "in-force"
    assert len(_rows(archiving.office, SealUseRow)) == 1
    archiving.office.tick()
    assert len(_rows(archiving.office, FileRow)) == 2
    assert breaches(archiving.office, at=archiving.clock()) == []


def test_life_goes_on_after_a_file_was_raised(archiving: Desk) -> None:
    """Deliveries stay dense, an older edition's file is raised without being delivered, the audit finds nothing."""
    one = archiving.issue("2-25")
    archiving.office.tick()
    changed = archiving.act("2-28", one["identifier"], "change", facts={"warehouse": "赣州蓉江新区虚构路18号"})
    archiving.office.tick()
    archiving.clock.advance(days=6_830)  # the authority's certificate nears its end
    archiving.office.tick()
    files = _rows(archiving.office, FileRow)
    assert sorted(file.level for file in files) == ["B-LTA"] * 4 + ["B-T"] * 2
    deliveries = [row.operation for row in _rows(archiving.office, DeliveryRow)]
    assert deliveries == ["issue", "replace-file", "change", "replace-file", "replace-file"]
    newest = archiving.office.file(changed["identifier"])
    assert newest.count(b"/DocTimeStamp") == 2
    assert breaches(archiving.office, at=archiving.clock()) == []


def test_the_audit_finds_leaf_and_row_of_each_raised_file(archiving: Desk, tmp_path: Path) -> None:
    """Issued and raised within one portion of the journal, certificate and document alike."""
    archiving.issue("2-25")
    archiving.office.issue_document(
        archiving.request("2-25", kind="licence-decision"), client="platform", key="document"
    )
    archiving.office.tick()
    archiving.office.tick()
    export_office(archiving.office, tmp_path / "bundle")
    with archiving.office.register.reader() as session:
        assert [LEAF.encode() in body for body in session.scalars(select(JournalEvent.body))].count(True) == 2
    trust = AuditTrust(journal=archiving.office.journal.verifiers, trust_roots=list(TRUST.list_keys))
    with open_bundle(tmp_path / "bundle") as bundle:
        assert audit(bundle, trust, quorum=0).breaches == ()
    assert breaches(archiving.office, at=archiving.clock()) == []


def test_with_every_authority_down_nothing_claims_b_t(archiving: Desk, authority: Authority) -> None:
    """Issued at B-B and marked everywhere; raised within the next minute after the authority's return."""
    authority.up = False
    issued = archiving.issue("2-25")
    assert (issued["level"], issued["time_proof"]) == ("B-B", "pending")
    view = archiving.office.certificate(issued["identifier"])
    assert [(one["level"], one["time_proof"]) for one in view["editions"][0]["files"]] == [("B-B", "pending")]
    report = examine(archiving.office.file(issued["identifier"]), trust=TRUST, at=archiving.clock())
    assert report.seals[0].level == "B-B"
    assert report.seals[0].as_json()["time_proof"] == "pending"
    assert report.finding("time").outcome == "warn"
    assert {row.message["file"]["level"] for row in _rows(archiving.office, DeliveryRow)} == {"B-B"}
    for _ in range(5):
        archiving.office.tick()
    assert authority.asked == 2  # once to issue, once to raise: a failing authority is left alone for a while
    assert {row.level for row in _rows(archiving.office, FileRow)} == {"B-B"}
    authority.up = True
    archiving.clock.advance(seconds=59)
    archiving.office.tick()
    report = examine(archiving.office.file(issued["identifier"]), trust=TRUST, at=archiving.clock())
    assert report.seals[0].level == "B-LTA"
    assert report.seals[0].as_json()["time_proof"] == "proved"
    assert breaches(archiving.office, at=archiving.clock()) == []


def test_an_office_that_refuses_issues_nothing_without_a_timestamp(desk: Desk, authority: Authority) -> None:
    """The default: the level is a contract; the use is released, and the intent waits for the authority."""
    authority.up = False
    desk.office.sealer._timestamper = authority
    with pytest.raises(TimestampUnavailableError):
        desk.issue("2-25")
    assert _rows(desk.office, FileRow) == []
    assert [use.state for use in _rows(desk.office, SealUseRow)] == ["released"]


def test_two_workers_raise_a_file_once(archiving: Desk, reopen: Callable[[Clock], Office]) -> None:
    """The one that comes second finds the predecessor taken and leaves no trace but unused bytes in the store."""
    issued = archiving.issue("2-25")
    with reopen(archiving.clock) as other:
        second = other.levels
        assert isinstance(second, Levels)
        assert archiving.office.levels.raise_due() == 1
        assert second._raise(issued["sha256"]) is False
    assert len(_rows(archiving.office, FileRow)) == 2
    assert breaches(archiving.office, at=archiving.clock()) == []


def test_a_file_that_cannot_be_raised_does_not_hold_up_the_others(archiving: Desk) -> None:
    """No current revocation list: logged, tried again in an hour; the file stays what it is."""
    issued = archiving.issue("2-25")
    levels = archiving.office.levels
    whole = levels.material
    levels.material = lambda suite: type(whole(suite))()
    assert levels.raise_due() == 0
    levels.material = whole
    assert levels.raise_due() == 0
    archiving.clock.advance(hours=1)
    assert levels.raise_due() == 1
    assert archiving.office.file(issued["identifier"]).startswith(
        archiving.office.register.files.read(issued["sha256"])
    )


def _rows(office: Office, table: type) -> list:
    with office.register.reader() as session:
        key = {FileRow: FileRow.created_at, DeliveryRow: DeliveryRow.id, SealUseRow: SealUseRow.id}[table]
        return list(session.exec(select(table).order_by(key)).all())
