"""Issuing: from a case to a sealed file in force, once, with everything the commit promises."""

from __future__ import annotations

import hashlib

import pytest
from sqlmodel import select

from certlib.domain.verdict import Verdict
from certlib.errors import CaseAlreadyIssuedError, IdempotencyError
from certlib.formats.code import read_code, verify_code
from certlib.formats.status import read_status_list
from certlib.formats.trust import read_trust_list
from certlib.register.delivery_table import DeliveryRow
from certlib.register.tables import EditionRow, FileRow, Intent, SealUseRow
from certlib.verify.examine import examine
from certlib.verify.roots import TrustRoots
from tests.issue.conftest import Desk

CERTIFICATES = ["2-25", "2-38", "1-17", "2-21"]
DOCUMENTS = [("2-25", "licence-decision"), ("1-36", "filing-receipt")]


@pytest.mark.parametrize("item", CERTIFICATES)
def test_a_certificate_comes_into_force_as_one_record(desk: Desk, item: str) -> None:
    """The answer, the registered file, the code in it, the use of the seal and the delivery say the same."""
    body = desk.issue(item)
    pdf = desk.office.file(body["identifier"])
    assert hashlib.sha256(pdf).hexdigest() == body["sha256"]
    report = examine(pdf, trust=TrustRoots.load(), at=desk.clock.at, lookup=desk.office.lookup)
    assert report.verdict is Verdict.VALID, [finding for finding in report.findings if finding.outcome == "fail"]
    with desk.office.register.reader() as session:
        edition = session.exec(select(EditionRow)).one()
        use = session.exec(select(SealUseRow)).one()
        delivery = session.exec(select(DeliveryRow)).one()
        assert session.exec(select(FileRow)).one().sha256 == body["sha256"]
    trust = read_trust_list(desk.office.trust_list, TrustRoots.load().list_keys)
    code = read_code(edition.code_text)
    verify_code(code, trust)
    assert (code.payload.n, code.payload.number) == (body["n"], body["number"])
    assert (use.state, use.counter, use.output_sha256) == ("used", 1, body["sha256"])
    assert (delivery.sequence, delivery.operation, delivery.file) == (1, "issue", body["sha256"])


@pytest.mark.parametrize(("item", "kind"), DOCUMENTS)
def test_a_document_is_sealed_and_numbered(desk: Desk, item: str, kind: str) -> None:
    """A decision or receipt has its own number, file and index."""
    request = desk.request(item, kind=kind)
    answer = desk.office.issue_document(request, client="platform", key="d1")
    pdf = desk.office.document_file(answer.body["id"])
    assert hashlib.sha256(pdf).hexdigest() == answer.body["sha256"]
    report = examine(pdf, trust=TrustRoots.load(), at=desk.clock.at, lookup=desk.office.lookup)
    assert report.verdict is Verdict.VALID, [finding for finding in report.findings if finding.outcome == "fail"]


def test_the_same_key_and_body_give_the_same_answer(desk: Desk) -> None:
    """A repeated request issues nothing new and says that it is a repetition."""
    request = desk.request("2-25")
    first = desk.office.issue(request, client="platform", key="k")
    again = desk.office.issue(request, client="platform", key="k")
    assert again.replayed
    assert again.body == first.body
    assert len(desk.office.certificates()["certificates"]) == 1


def test_the_same_key_with_another_body_is_refused(desk: Desk) -> None:
    """A key belongs to one request."""
    desk.office.issue(desk.request("2-25"), client="platform", key="k")
    with pytest.raises(IdempotencyError):
        desk.office.issue(desk.request("2-25"), client="platform", key="k")
    assert len(desk.office.certificates()["certificates"]) == 1


def test_a_case_has_its_outcome_once(desk: Desk) -> None:
    """The same case under another key is refused and names what was issued."""
    request = desk.request("2-25")
    first = desk.office.issue(request, client="platform", key="k1")
    with pytest.raises(CaseAlreadyIssuedError) as refused:
        desk.office.issue(request, client="platform", key="k2")
    assert refused.value.extra["number"] == first.body["number"]


def test_numbers_and_indices_have_no_gaps(desk: Desk) -> None:
    """Issued and voided together use every number and every index."""
    for item in ("2-25", "2-25", "2-38", "2-25"):
        desk.issue(item)
    with desk.office.register.reader() as session:
        intents = session.exec(select(Intent)).all()
    used = sorted(n for intent in intents for n in (intent.n, *(sheet["n"] for sheet in intent.plan["sheets"])))
    assert used == list(range(1, len(used) + 1))
    numbers = sorted(intent.number for intent in intents if intent.type == "medical-device-licence")
    assert [number[-5:-1] for number in numbers] == ["0001", "0002", "0003"]


def test_the_status_list_follows_the_journal(desk: Desk) -> None:
    """Planned is not in force, issued is valid, revoked is revoked, each after the next tick."""
    body = desk.issue("2-25")
    desk.office.tick()
    trust = read_trust_list(desk.office.trust_list, TrustRoots.load().list_keys)
    token, tag = desk.office.status_list(0)
    listed = read_status_list(token, trust)
    assert listed.status(body["n"]) == 0
    assert listed.status(body["sheets"][0]["n"]) == 0
    desk.do(body["identifier"], "revoke", {"decision": desk.ex_officio(), "cause": "fraud"})
    desk.office.tick()
    token, changed = desk.office.status_list(0)
    listed = read_status_list(token, trust)
    assert listed.status(body["n"]) == 1
    assert listed.status(body["sheets"][0]["n"]) == 1
    assert tag != changed
