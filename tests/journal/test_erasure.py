"""Erasure: the data and the salts go, the leaves stay, and the audit says so without calling it a breach."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import SQLModel, select

from certlib.city.permits import PermitDesk
from certlib.city.publicity import load_template
from certlib.domain.subscription import FILED
from certlib.errors import CertlibError, ConflictError, NotFoundError, RequestError, TransitionError
from certlib.issue.batch import batch_lines, batch_view
from certlib.issue.checking import check_office
from certlib.issue.composition import open_office
from certlib.issue.exporting import export_office
from certlib.issue.settings import Settings
from certlib.register.delivery_table import DeliveryRow
from certlib.register.row_tables import RowChange
from certlib.register.tables import BatchLineRow, CertificateRow, DocumentRow, EventRow, FileRow, Intent
from certlib.verify.audit import AuditTrust, audit
from certlib.verify.bundle import open_bundle
from tests.issue.conftest import Clock, Desk, desk, settings  # noqa: F401  fixtures

BY = {"grounds": "个人信息保护法第四十七条，本人申请", "person": "王五", "second_person": "赵六"}


def nowhere(desk: Desk, *texts: str) -> bool:  # noqa: F811
    """Whether no column of any table of the register holds any of the texts."""
    with desk.office.register.reader() as session:
        for table in SQLModel.metadata.sorted_tables:
            kept = str(session.connection().execute(select(table)).all())
            assert not [text for text in texts if text in kept], table.name
    return True


def ended(desk: Desk) -> str:  # noqa: F811
    """A certificate that is over."""
    issued = desk.issue("2-25")
    desk.do(issued["identifier"], "revoke", {"decision": desk.ex_officio(), "cause": "fraud"})
    return str(issued["identifier"])


def test_an_erased_certificate_leaves_its_leaves_and_no_name(desk: Desk, tmp_path: Path) -> None:  # noqa: F811
    """Name, facts, printed texts and files are gone; the audit holds, and counts what it can no longer compare."""
    identifier = ended(desk)
    with desk.office.register.reader() as session:
        row = session.exec(select(CertificateRow)).one()
        name, code, files = row.holder_name, row.holder_code, session.exec(select(FileRow.sha256)).all()
    service = {"way": "electronic", "served_at": desk.clock().isoformat(), "address": name, "receipt": code}
    service["consent"] = f"送达地址确认书（{name}）"
    served = desk.office.serve(identifier, service, client="window", key="served")
    assert served.body["services"][0]["record"]["address"] == name
    assert desk.office.erase(identifier, **BY).numbers == [row.number]
    again = desk.office.serve(identifier, service, client="window", key="served")
    assert again.replayed
    assert again.body["services"] == [{**served.body["services"][0], "record": {}}]
    assert nowhere(desk, name, code)
    with desk.office.register.reader() as session:
        assert all(not event.detail for event in session.exec(select(EventRow)))
    for sha256 in files:
        with pytest.raises(NotFoundError):
            desk.office.register.files.read(sha256)
    export_office(desk.office, tmp_path / "bundle")
    with open_bundle(tmp_path / "bundle") as bundle:
        witnesses = [one.verifier for one in desk.office.witnesses]
        report = audit(bundle, AuditTrust(journal=desk.office.journal.verifiers, witnesses=witnesses), quorum=2)
    assert report.breaches == ()
    assert report.erased == 3  # plan, outcome and service


def test_the_older_digests_lose_their_salts(desk: Desk) -> None:  # noqa: F811
    """Nobody can search for the name behind a digest that was made before."""
    identifier = ended(desk)
    desk.office.erase(identifier, **BY)
    with desk.office.register.reader() as session:
        changes = session.exec(select(RowChange).where(RowChange.name == "certificate").order_by(RowChange.id)).all()
    assert [bool(change.salt) for change in changes] == [False] * (len(changes) - 1) + [True]


def test_what_is_in_force_is_not_erased(desk: Desk) -> None:  # noqa: F811
    """It must stay verifiable; of a holder's certificates all are refused when one is in force."""
    issued = desk.issue("2-25")
    with pytest.raises(TransitionError, match="未删除任何内容"):
        desk.office.erase(issued["identifier"], **BY)
    assert desk.office.certificate(issued["identifier"])["holder"]["name"]


@pytest.mark.parametrize("change", [{"grounds": " "}, {"second_person": "王五"}, {"person": ""}])
def test_erasure_needs_grounds_and_two_persons(desk: Desk, change: dict[str, str]) -> None:  # noqa: F811
    """Each lack is named, and nothing is erased."""
    identifier = ended(desk)
    with pytest.raises(RequestError):
        desk.office.erase(identifier, **{**BY, **change})
    assert "已依法删除" not in desk.office.certificate(identifier)["holder"]["name"]


def decided(desk: Desk, **changes: object) -> str:  # noqa: F811
    """The number of a decision document, of a case without a certificate."""
    document = desk.request("2-25", kind="licence-decision", **changes)
    return str(desk.office.issue_document(document, client="platform", key="document").body["number"])


def test_an_erased_document_leaves_its_leaves_and_no_name(desk: Desk, tmp_path: Path) -> None:  # noqa: F811
    """By its number; the file is gone, the audit holds, and the checker misses nothing."""
    number = decided(desk)
    with desk.office.register.reader() as session:
        row = session.exec(select(DocumentRow)).one()
        name, code, files = row.holder["name"], row.holder["code"], session.exec(select(FileRow.sha256)).all()
    assert desk.office.erase(number, **BY).numbers == [number]
    assert nowhere(desk, name, code)
    for sha256 in files:
        with pytest.raises(NotFoundError):
            desk.office.register.files.read(sha256)
    assert desk.office.document(number)["holder"]["name"] == "已依法删除"
    export_office(desk.office, tmp_path / "bundle")
    with open_bundle(tmp_path / "bundle") as bundle:
        report = audit(bundle, AuditTrust(journal=desk.office.journal.verifiers))
    assert (report.breaches, report.erased) == ((), 2)
    assert [one.outcome for one in check_office(desk.office, desk.clock()) if one.check == "files"] == ["pass"]


def test_all_of_a_holder_is_erased_or_nothing(desk: Desk) -> None:  # noqa: F811
    """Certificates and documents by the holder's code; one in force keeps them all."""
    identifier = ended(desk)
    with desk.office.register.reader() as session:
        row = session.exec(select(CertificateRow)).one()
    code, desk.made = row.holder_code, 0  # the same invented holder again
    number = decided(desk)
    desk.made = 0
    again = {**desk.request("2-25"), "case": {"number": "360700-2026-000777"}}
    kept = desk.office.issue(again, client="platform", key="kept").body
    desk.made = 10
    with pytest.raises(TransitionError, match="未删除任何内容"):
        desk.office.erase(code, **BY)
    assert desk.office.certificate(identifier)["holder"]["name"] != "已依法删除"
    desk.do(kept["identifier"], "revoke", {"decision": desk.ex_officio(), "cause": "fraud"})
    assert {number, row.number} < set(desk.office.erase(code, **BY).numbers)
    with pytest.raises(NotFoundError):
        desk.office.erase(code, **BY)


def test_a_document_of_a_certificate_in_force_is_kept(desk: Desk) -> None:  # noqa: F811
    """The decision on which a certificate stands is needed as long as the certificate."""
    issued = desk.issue("2-25")
    with desk.office.register.reader() as session:
        case = session.exec(select(EventRow.case)).first()
    request = desk.request("2-25", kind="licence-decision")
    request |= {"case": {"number": case}, "facts": {**request["facts"], "case": case}}
    number = str(desk.office.issue_document(request, client="platform", key="document").body["number"])
    with desk.office.register.reader() as session:
        assert session.exec(select(DocumentRow.case)).one() == case
    with pytest.raises(TransitionError, match="未删除任何内容"):
        desk.office.erase(number, **BY)
    desk.do(issued["identifier"], "revoke", {"decision": desk.ex_officio(), "cause": "fraud"})
    assert desk.office.erase(number, **BY).numbers == [number]


def test_what_was_told_of_a_document_is_erased_with_it(settings: Settings) -> None:  # noqa: F811
    """Its event and its 双公示 record at every webhook, the record in a file, and a receiver's own words."""
    hook = {"authorities": ["*"], "url": "https://target.example/hook", "secret": "env:HOOK_SECRET"}
    hooks = ({"name": "window", **hook}, {"name": "credit", "content": "publicity", **hook})
    clock = Clock()
    with open_office(replace(settings, webhooks=hooks, webhook_hosts=("target.example",)), clock=clock) as office:
        desk = Desk(office, clock)
        number = str(office.issue_document(desk.request("2-14"), client="platform", key="approval").body["number"])
        permits = PermitDesk(office.register, office.catalogue, load_template())
        permits.export(client="credit", purpose="报送双公示")
        with office.register.writer() as session:
            name = session.exec(select(DocumentRow)).one().holder["name"]
            told = session.exec(select(DeliveryRow).order_by(DeliveryRow.id)).all()
            assert all(name in str(row.message) for row in told)
            told[0].state, told[0].last_error = "dead", f"[counterpart-status] {name} 有误"
            told[1].answer = {"kind": "warning", "code": "W01", "message": name}
        office.erase(number, **BY)
        with office.register.reader() as session:
            kept = session.exec(select(DeliveryRow).order_by(DeliveryRow.id)).all()
        assert [row.target for row in kept] == ["hook:window", "hook:credit", FILED]
        assert name not in str([(row.message, row.answer, row.last_error) for row in kept])
        assert kept[0].last_error == "[counterpart-status]"
        assert (kept[1].answer["code"], kept[2].answer) == ("W01", {"export": 1})
        assert permits.file(1, "json", client="credit", purpose="报送双公示") == b"[]\n"


def same_holder(desk: Desk, kind: str = "", **changes: object) -> dict[str, object]:  # noqa: F811
    """A request of the first holder again, in a case of its own."""
    made, desk.made = desk.made, 0
    request = desk.request("2-25", kind=kind)
    desk.made = made + 1
    case = f"360700-2026-9{desk.made:05}"
    facts = {**request["facts"], **({"case": case} if "case" in request["facts"] else {})}
    return {**request, "case": {"number": case}, "facts": facts, **changes}


def test_lines_of_batches_are_reached_and_what_waits_is_named(desk: Desk) -> None:  # noqa: F811
    """Done and failed lines lose their request; an act that waits on the erased ends; an application is kept, named."""
    office = desk.office
    done = office.add_batch([{"operation": "issue", **desk.request("2-25")}], client="platform")
    office.work_batch()
    (answer,) = [line["answer"] for line in batch_lines(office.register, done)]
    with office.register.reader() as session:
        row = session.exec(select(CertificateRow)).one()
        name, code = row.holder_name, row.holder_code
    failed = office.add_batch([{"operation": "issue", **same_holder(desk, item="9-99")}], client="platform")
    office.work_batch()
    desk.do(answer["identifier"], "revoke", {"decision": desk.ex_officio(), "cause": "fraud"})
    act = {"operation": "act", "identifier": answer["identifier"], "action": "cancel", "cause": "holder", "note": name}
    waiting = office.add_batch([act], client="platform")
    asked = office.add_batch([{"operation": "issue", **same_holder(desk)}], client="platform")
    erased = office.erase(code, **BY)
    assert erased.numbers == [row.number]
    assert [(one.what, one.why) for one in erased.kept] == [(f"批量 {asked} 第 1 行", "申请尚待办理，办结后方可删除")]
    (kept,) = batch_lines(office.register, done)
    assert (kept["state"], kept["answer"]["number"]) == ("done", row.number)
    assert [line["state"] for line in batch_lines(office.register, failed)] == ["failed"]
    assert [line["answer"]["code"] for line in batch_lines(office.register, waiting)] == ["erased"]
    assert batch_view(office.register, waiting)["state"] == "done"
    with office.register.reader() as session:
        for line in session.exec(select(BatchLineRow).where(BatchLineRow.batch != asked)):
            assert name not in str(line.body)
            assert code not in str(line.body)


def test_a_voided_plan_is_reached_with_its_holder_and_its_case(desk: Desk, tmp_path: Path) -> None:  # noqa: F811
    """Its problem and facts go, its number stays; the erasure is a leaf of its own chain, and the audit holds."""
    identifier = ended(desk)
    with desk.office.register.reader() as session:
        row = session.exec(select(CertificateRow)).one()
        name, code = row.holder_name, row.holder_code
    for one in desk.office.seals.authorisations("36070000000002"):
        ending = {"person": "王素珍", "document_number": "赣市行审印〔2026〕2号", "reason": "不再需要"}
        desk.office.seals.end(one["id"], ending, client="platform")
    request = same_holder(desk)
    with pytest.raises(CertlibError):
        desk.office.issue(request, client="platform", key="voided")
    with pytest.raises(CertlibError):
        desk.office.issue_document(same_holder(desk, "licence-decision"), client="platform", key="void-document")
    with desk.office.register.reader() as session:
        voided = session.exec(select(Intent).where(Intent.state == "voided")).all()
    assert len(voided) == 2
    erased = desk.office.erase(code, **BY)
    assert set(erased.numbers) == {row.number, *(plan.number for plan in voided)}
    assert nowhere(desk, name, code)
    assert desk.office.certificate(identifier)["holder"]["name"] == "已依法删除"
    with pytest.raises(ConflictError, match="已依法删除"):
        desk.office.issue(request, client="platform", key="voided")
    (document,) = [plan for plan in voided if plan.kind == "document"]
    assert desk.office.document(document.number)["facts"] == {}
    export_office(desk.office, tmp_path / "bundle")
    with open_bundle(tmp_path / "bundle") as bundle:
        assert audit(bundle, AuditTrust(journal=desk.office.journal.verifiers)).breaches == ()
    with pytest.raises(NotFoundError):
        desk.office.erase(code, **BY)
