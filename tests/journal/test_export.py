"""The bundle of a real office: it holds, and every edit of the database behind the journal's back is found.

The edits are made as the owner of the database would make them: past the triggers, directly in the tables.
"""

import sqlite3
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from certlib.catalogue.invented import invented_citizen_number
from certlib.errors import ConflictError, VerificationError
from certlib.formats.tlog_note import VerifierKey
from certlib.issue.composition import open_office
from certlib.issue.lists import SEALS, published
from certlib.issue.office import Office
from certlib.issue.settings import Settings
from certlib.journal.witness import Witness
from certlib.journal.witness_store import FolderWitnessStore
from certlib.journal.witnessing import LocalWitness, ask_witness
from certlib.register.bundle_files import bundle_files
from certlib.register.engine import reader, writer
from certlib.register.export import export_bundle
from certlib.verify.audit import CHECKS, AuditReport, AuditTrust, audit
from certlib.verify.bundle import open_bundle
from certlib.verify.roots import TrustRoots
from tests.databases import new_database
from tests.issue.conftest import Clock, Desk
from tests.issue.test_serving import record

from .conftest import witness_key

WITNESSES = (witness_key("witness-archive", b"w"), witness_key("witness-audit", b"v"))


@dataclass
class Audited:
    """An office that has lived a little, the database it left, and what an auditor knows of it."""

    home: Path
    clock: Clock
    trust: AuditTrust
    settings: Settings
    published: bytes  # the status list of shard 0

    def export(self, target: Path) -> Path:
        with open_office(self.settings, clock=self.clock) as office, reader(office.register.engine) as session:
            seals = published(session, SEALS)
            lists = {"status": {"0.cwt": self.published}, "trust": {"0001.json": office.trust_list}}
            lists["seals"] = {f"{number:04}.json": data for number, data in seals.items()}
            with bundle_files(target) as files:
                export_bundle(session, office.journal, files, lists=lists)
        return target

    def audit(self, target: Path) -> AuditReport:
        with open_bundle(self.export(target)) as bundle:
            return audit(bundle, self.trust, quorum=2)


def live(desk: Desk) -> None:
    """Issue, change, suspend and revoke; print, spoil, print again and hand over; a document; a title held jointly."""
    office = desk.office
    first, second, third = desk.issue("2-25"), desk.issue("2-25"), desk.issue("2-25")
    office.receive_blanks("medical-device-licence", "GZ000001", "GZ000010", person="王五", witness="赵六")
    office.move_blanks("allot", "GZ000001", "GZ000005", window="A1", person="王五")
    sheets = office.print_sheets(first["identifier"], client="platform", purpose="制证", window="A1", person="王五")
    office.act_on_sheet(sheets[0].sheet, "spoil", {"reason": "卡纸", "person": "王五", "witness": "赵六"})
    again = office.print_sheets(first["identifier"], client="platform", purpose="制证", window="A1", person="王五")
    proof = {"collector": "李四", "relation": "holder", "document": "身份证", "receipt": "送达1"}
    office.act_on_sheet(again[0].sheet, "collect", proof)
    desk.act("2-28", first["identifier"], "change", facts={"warehouse": "赣州蓉江新区虚构路18号"})
    desk.do(second["identifier"], "suspend", {"decision": desk.order(), "cause": "penalty"})
    desk.do(third["identifier"], "revoke", {"decision": desk.ex_officio(), "cause": "fraud"})
    document = desk.request("2-25", kind="licence-decision")
    number = str(office.issue_document(document, client="platform", key="document").body["number"])
    office.serve(number, record(desk), client="platform", key="served")
    where = {"type": "medical-device-licence"}
    proposal = office.propose_mass("withdraw", {}, where, person="甲", reason="法律修改", client="platform")
    office.cancel_mass(proposal["id"])
    joint = desk.request("1-1")
    joint["holder"]["others"] = [
        {"name": "李文静", "code": invented_citizen_number(22, date(1986, 5, 1)), "code_type": "111"}
    ]
    joint["facts"]["right_holder"] = [joint["holder"]["name"], "李文静"]
    office.issue(joint, client="platform", key="joint")


def witness_all(office: Office, folder: Path, clock: Clock) -> list[str]:
    keys: dict[str, tuple[VerifierKey, ...]] = {office.journal.origin: office.journal.verifiers}
    outcomes = []
    for key in WITNESSES:
        witness = LocalWitness(Witness(key, keys, FolderWitnessStore(folder / key.verifier.name)), clock)
        read, write = partial(reader, office.register.engine), partial(writer, office.register.engine)
        outcomes.append(ask_witness(office.journal, witness, read, write).outcome)
    return outcomes


def lived_office(folder: Path, settings: Settings) -> Audited:
    """An office after a little life, its journal numbered and cosigned."""
    clock = Clock()
    with open_office(settings, clock=clock) as office:
        office.tick()
        live(Desk(office, clock))
        office.tick()
        assert witness_all(office, folder, clock) == ["pass", "pass"]
        trust = AuditTrust(
            journal=office.journal.verifiers,
            witnesses=[key.verifier for key in WITNESSES],
            trust_roots=list(TrustRoots.load().list_keys),
        )
        published, _ = office.status_list(0)
    return Audited(settings.home, clock, trust, settings, published)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """One office for all tests of this file; each works on a copy of its home."""
    folder = tmp_path_factory.mktemp("office")
    return lived_office(folder, Settings(home=folder / "home", suite="p256-sha256"))


@pytest.fixture
def office(lived: Audited, tmp_path: Path) -> Audited:
    """A copy of the office's database to be tampered with."""
    home = tmp_path / "home"
    home.mkdir()
    with sqlite3.connect(lived.home / "register.db") as source, sqlite3.connect(home / "register.db") as target:
        source.backup(target)
    return replace(lived, home=home, settings=Settings(home=home, suite="p256-sha256"))


def tamper(office: Audited, *statements: str) -> int:
    """Run statements past the triggers; gives how many rows they changed."""
    connection = sqlite3.connect(office.home / "register.db")
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    changed = sum(connection.execute(statement).rowcount for statement in statements)
    connection.commit()
    connection.close()
    return changed


@pytest.mark.parametrize("name", ["bundle", "bundle.tar"])
def test_the_bundle_of_an_honest_office_holds(office: Audited, tmp_path: Path, name: str) -> None:
    """Every check passes, in a folder and in a tar file."""
    report = office.audit(tmp_path / name)
    assert report.breaches == ()
    assert {finding.check: finding.outcome for finding in report.findings} == dict.fromkeys(CHECKS, "pass")


def test_on_postgresql_the_bundle_holds_as_well(postgresql: str, tmp_path: Path) -> None:
    """The same life on the other database."""
    settings = Settings(home=tmp_path / "home", suite="p256-sha256", database=new_database(postgresql))
    report = lived_office(tmp_path, settings).audit(tmp_path / "bundle")
    assert report.breaches == ()
    assert {finding.check: finding.outcome for finding in report.findings} == dict.fromkeys(CHECKS, "pass")


def test_a_bundle_names_no_holder(office: Audited, tmp_path: Path) -> None:
    """Rows go by key, contents by commitment."""
    path = office.export(tmp_path / "bundle.tar")
    connection = sqlite3.connect(office.home / "register.db")
    names = connection.execute("SELECT holder_name, holder_code FROM certificate").fetchall()
    data = path.read_bytes()
    for name, code in names:
        assert name.encode() not in data
        assert code.encode() not in data


def test_an_export_overwrites_nothing(office: Audited, tmp_path: Path) -> None:
    """A name that is taken is refused."""
    office.export(tmp_path / "bundle")
    with pytest.raises(ConflictError):
        office.export(tmp_path / "bundle")


def test_events_without_a_number_are_left_out_with_their_rows(lived: Audited, tmp_path: Path) -> None:
    """An export between a commit and its numbering is no breach."""
    settings = Settings(home=tmp_path / "home", suite="p256-sha256")
    clock = Clock()
    with open_office(settings, clock=clock) as opened:
        desk = Desk(opened, clock)
        first = desk.issue("2-25")
        opened.tick()
        witness_all(opened, tmp_path, clock)
        published, _ = opened.status_list(0)
        desk.do(first["identifier"], "revoke", {"decision": desk.ex_officio(), "cause": "fraud"})
        desk.issue("2-25")
    pending = Audited(settings.home, clock, lived.trust, settings, published)
    assert pending.audit(tmp_path / "bundle").breaches == ()


_OTHERS = ", ".join(column.name for column in SQLModel.metadata.tables["file"].columns if column.name != "sha256")
FORGED_FILE = (
    f"INSERT INTO file (sha256, {_OTHERS}) SELECT '0123456789ab' || substr(sha256, 13), {_OTHERS} FROM file"
    " WHERE predecessor IS NULL LIMIT 1"
)

TAMPERING = {
    "facts of an edition": (
        "UPDATE edition SET printed = json_set(printed, '$.residence', 'x')",
        "register",
        "内容与日志中的承诺不符",
    ),
    "facts of a document": (
        "UPDATE document SET printed = json_set(printed, '$.applicant', 'x')",
        "register",
        "内容与日志中的承诺不符",
    ),
    "a plan": (
        "UPDATE intent SET plan = json_set(plan, '$.printed.number', 'x')",
        "register",
        "内容与日志中的承诺不符",
    ),
    "a salt": ("UPDATE edition SET salt = zeroblob(32)", "register", "内容与日志中的承诺不符"),
    "a revocation undone": ("UPDATE certificate SET state = 'in-force'", "standing", "台账的状态是 0"),
    "a suspension invented": (
        "UPDATE certificate SET state = 'suspended' WHERE state = 'in-force'",
        "standing",
        "台账的状态是 2",
    ),
    "a sheet declared lost": ("UPDATE sheet SET fate = 'lost'", "standing", "台账的状态是 12"),
    "an index moved": ("UPDATE edition SET n = n + 1000", "standing", "日志中没有计划"),
    "a document voided": ("UPDATE document SET state = 'voided'", "standing", "台账的状态是 13"),
    "the date of an event": ("UPDATE event SET at = '2020-01-01 00:00:00.000000'", "register", "办理时间与日志不符"),
    "a seal use": ("UPDATE seal_use SET output_sha256 = ''", "register", "用印登记与日志不符"),
    "a seal use released": ("UPDATE seal_use SET state = 'released'", "register", "用印登记与日志不符"),
    "a seal use's counter": ("UPDATE seal_use SET counter = counter + 1000", "register", "日志中没有与之对应的条目"),
    "what proves a service": (
        "UPDATE service SET record = json_set(record, '$.receipt', 'x')",
        "register",
        "内容与日志中的承诺不符",
    ),
    "the way of a service": ("UPDATE service SET way = 'post'", "register", "内容与日志中的承诺不符"),
    "a service deleted": ("DELETE FROM service", "register", "没有与之对应的送达记录"),
    "a service under another leaf": ("UPDATE service SET leaf = zeroblob(32)", "register", "没有与之对应的条目"),
    "an intent deleted": ("DELETE FROM intent", "register", "没有与之对应的办理计划"),
    "an event deleted": ("DELETE FROM event WHERE action = 'revoke'", "register", "没有与之对应的办理记录"),
    "a file deleted": ("DELETE FROM file", "register", "没有与之对应的文件登记"),
    "an edition deleted": ("DELETE FROM edition", "register", "没有与之对应的证照（文书）内容"),
    "a document deleted": ("DELETE FROM document", "register", "没有与之对应的证照（文书）内容"),
    "a seal use deleted": ("DELETE FROM seal_use", "register", "没有与之对应的用印登记"),
    "a sheet deleted": ("DELETE FROM sheet", "standing", "台账中没有此索引号"),
    "a certificate deleted": ("DELETE FROM certificate", "standing", "台账"),
    "a file registered": (
        FORGED_FILE,
        "register",
        "日志中没有与之对应的条目",
    ),
    "a journal entry edited": (
        "UPDATE journal_event SET body = CAST(body || x'00' AS BLOB) WHERE seq = 3",
        "leaves",
        "不是日志条目的唯一编码",
    ),
    "a journal entry replaced": (
        "UPDATE journal_event SET body = (SELECT body FROM journal_event WHERE seq = 1) WHERE seq = 4",
        "tree",
        "根与此检查点不符",
    ),
    "the last entries cut off": ("DELETE FROM journal_event WHERE seq > 10", "export", ""),
    "a tile edited": ("UPDATE journal_tile SET data = zeroblob(length(data))", "tree", "哈希不符"),
    "a head forged": (
        "UPDATE journal_checkpoint SET note = replace(note, substr(note, 60, 3), 'AAA') WHERE id = 1",
        "archive",
        "",
    ),
    "an older head deleted": (
        "DELETE FROM journal_checkpoint WHERE id = 1",
        "archive",
        "第 2 个检查点所指的前一个，不是存档中它前面的检查点",
    ),
    "the newest head deleted": (
        "DELETE FROM journal_checkpoint WHERE id = (SELECT max(id) FROM journal_checkpoint)",
        "register",
        "与由日志得出的不符",
    ),
    "cosignatures deleted": ("DELETE FROM journal_cosignature", "head", "没有任何检查点有 2 个见证签名"),
}


@pytest.mark.parametrize(("statement", "check", "sentence"), TAMPERING.values(), ids=TAMPERING)
def test_an_edit_of_the_database_is_found(
    office: Audited, tmp_path: Path, statement: str, check: str, sentence: str
) -> None:
    """Each edit and deletion in each table that the journal speaks for, named by the check that finds it."""
    assert tamper(office, statement) > 0
    if check == "export":
        with pytest.raises(VerificationError, match="日志不完整或被删改"):
            office.export(tmp_path / "bundle")
        return
    report = office.audit(tmp_path / "bundle")
    found = [breach for breach in report.breaches if breach.check == check and sentence in breach.message]
    assert found, report.breaches


def test_a_salt_deleted_past_the_office_is_no_erasure(office: Audited, tmp_path: Path) -> None:
    """Who deletes a salt to hide an edit is found: erasure is an act of the office, with rows and a leaf of its own."""
    tamper(office, "UPDATE edition SET salt = x'' WHERE rowid = 1")
    report = office.audit(tmp_path / "bundle")
    messages = [breach.message for breach in report.breaches]
    assert {breach.check for breach in report.breaches} == {"register"}
    assert [message for message in messages if "证照版本" in message]
    assert "盐值已被删除，日志中却没有依法删除的登记：疑为掩盖改动" in messages
