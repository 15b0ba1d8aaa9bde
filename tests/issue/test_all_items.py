"""One accepted case for each of the 98 items, from the application's facts to a sealed outcome, in one office."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pypdfium2 as pdfium
import pytest

from certlib.catalogue import load_catalogue, predecessor
from certlib.document.reading import plain
from certlib.domain.actions import Action
from certlib.domain.civil import civil_date
from certlib.domain.kinds import CertificateType, Item, OutcomeKind
from certlib.domain.lifecycle import RULES
from certlib.domain.verdict import Verdict
from certlib.issue.composition import open_office
from certlib.issue.documents import decision_kind
from certlib.issue.settings import Settings
from certlib.verify.examine import examine
from certlib.verify.roots import TrustRoots
from tests.issue.conftest import Clock, Desk

CATALOGUE = load_catalogue()
ITEMS = tuple(CATALOGUE.items.values())
CERTIFICATES = [item for item in ITEMS if item.outcome.kind is OutcomeKind.CERTIFICATE]
PAPERS = [item for item in ITEMS if item.outcome.kind is not OutcomeKind.CERTIFICATE]
ISSUING = [item for item in CERTIFICATES if Action.ISSUE in item.outcome.actions]
ACTING = [item for item in CERTIFICATES if Action.ISSUE not in item.outcome.actions]
FIRST_OF_TYPE = list({item.outcome.type: item for item in reversed(ISSUING)}.values())
TRUST = TrustRoots.load()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One office for every item."""
    clock = Clock()
    settings = Settings(home=tmp_path_factory.mktemp("office"), suite="p256-sha256")
    with open_office(settings, clock=clock) as office:
        yield Desk(office, clock)


def verdict_of(desk: Desk, pdf: bytes) -> Verdict:
    """What anybody's verification says of the file, the register at hand."""
    return examine(pdf, trust=TRUST, at=desk.clock.at, lookup=desk.office.lookup).verdict


def read(pdf: bytes) -> str:
    """All that the file's pages say."""
    return plain("".join(page.get_textpage().get_text_range() for page in pdfium.PdfDocument(pdf)))


def kind_of(item: Item) -> CertificateType:
    """The type of the item's principal outcome."""
    return CATALOGUE.certificate_types[item.outcome.type]


def test_all_98_items_are_here() -> None:
    """45 and 53, each with one principal outcome that has a face."""
    assert len(ISSUING) + len(ACTING) + len(PAPERS) == len(ITEMS) == 98
    assert [item.key for item in ITEMS if not CATALOGUE.kind(item.outcome.type).template] == []


@pytest.mark.parametrize("item", ISSUING, ids=lambda item: item.key)
def test_an_item_issues_its_certificate(desk: Desk, item: Item) -> None:
    """The file in the register is the one sealed, says who holds it, and is found genuine; the sheets wait."""
    kind = kind_of(item)
    request = desk.request(item.key)
    body = desk.office.issue(request, client="platform", key=f"issue-{item.key}").body
    pdf = desk.office.file(body["identifier"])
    assert hashlib.sha256(pdf).hexdigest() == body["sha256"]
    assert verdict_of(desk, pdf) is Verdict.VALID
    text = read(pdf)
    assert plain(body["number"]) in text
    assert plain(request["holder"]["name"]) in text or kind.holder_name is None
    assert [sheet["label"] for sheet in body["sheets"]] == [copy.label for copy in kind.copies]


@pytest.mark.parametrize("item", ACTING, ids=lambda item: item.key)
def test_an_item_acts_on_a_certificate(desk: Desk, item: Item) -> None:
    """A new edition with its own sheets, or the certificate is closed by a sealed decision; the number stays."""
    action = item.outcome.actions[0]
    first = desk.issue(predecessor(item.key), **_ending_soon(desk, action))
    request = desk.request(item.key, **_order(item, action))
    body = desk.office.act(
        first["identifier"], action.value, request, version=first["version"], client="platform", key=f"act-{item.key}"
    ).body
    assert body["number"] == first["number"]
    assert verdict_of(desk, desk.office.file(first["identifier"], 1)) is _OLD.get(action, Verdict.SUPERSEDED)
    if not RULES[action].new_edition:
        assert body["state"] == RULES[action].target.value
        assert ("document" in request) == ("document" in body)
        if "document" in body:
            order = desk.office.document_file(body["document"]["id"])
            assert verdict_of(desk, order) is Verdict.VALID
            assert plain(first["number"]) in read(order)
        return
    pdf = desk.office.file(body["identifier"])
    assert verdict_of(desk, pdf) is (Verdict.NOT_IN_FORCE if action in LATER else Verdict.VALID)
    assert [sheet["label"] for sheet in body["sheets"]] == [copy.label for copy in kind_of(item).copies]
    shown = {spec.key for spec in kind_of(item).fields} - SILENT
    changed = [value for key, value in request.get("facts", {}).items() if key in shown]
    assert all(plain(value) in read(pdf) for value in changed)


# An early renewal leaves the old edition in force until the new one's first day.
LATER = {Action.RENEW, Action.REPLACE, Action.RETAIN}
_OLD = {Action.CANCEL: Verdict.CANCELLED, **dict.fromkeys(LATER, Verdict.VALID)}
SILENT = {"change_record"}  # on the 副本 only


def _ending_soon(desk: Desk, action: Action) -> dict[str, Any]:
    """What makes the first certificate end in two months, so that its renewal is open now."""
    return {"valid_until": (civil_date(desk.clock.at) + timedelta(days=60)).isoformat()} if action in LATER else {}


def _order(item: Item, action: Action) -> dict[str, Any]:
    """What asks for the decision document of an act that closes a certificate; a filing's has none."""
    if RULES[action].new_edition or decision_kind(action, item.outcome.type, CATALOGUE) is None:
        return {}
    facts = {
        "facts_found": "持证人申请注销，经审查符合注销条件。",
        "basis": "《中华人民共和国行政许可法》第七十条",
        "decision_text": "注销该行政许可。",
    }
    return {"document": {"facts": facts}}


@pytest.mark.parametrize("item", PAPERS, ids=lambda item: item.key)
def test_an_item_makes_its_document_or_receipt(desk: Desk, item: Item) -> None:
    """Sealed, numbered, genuine, and addressed to whom it concerns."""
    request = desk.request(item.key)
    answer = desk.office.issue_document(request, client="platform", key=f"paper-{item.key}")
    pdf = desk.office.document_file(answer.body["id"])
    assert hashlib.sha256(pdf).hexdigest() == answer.body["sha256"]
    assert verdict_of(desk, pdf) is Verdict.VALID
    assert plain(answer.body["number"]) in read(pdf)


@pytest.mark.parametrize("item", FIRST_OF_TYPE, ids=lambda item: item.outcome.type)
def test_every_sheet_of_a_type_is_printed(desk: Desk, item: Item) -> None:
    """正本, 副本 and 标志 each on its own blank, with the blank's number on it; 套打 leaves it to the blank."""
    kind = kind_of(item)
    place = f"{kind.code_number:02}"
    desk.office.receive_blanks(kind.key, f"{place}000001", f"{place}000009", person="李文建", witness="陈晓丽")
    body = desk.issue(item.key)
    printed = desk.office.print_sheets(body["identifier"], client="window", purpose="制证")
    assert [sheet.label for sheet in printed] == [copy.label for copy in kind.copies]
    for sheet, copy in zip(printed, kind.copies, strict=True):
        assert (sheet.serial in read(sheet.pdf)) == (copy.form == "full")
