"""The papers of the procedure: every document of the 98 items, end to end; whose name, whose seal, whose chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pytest
from PIL import ImageChops
from sqlmodel import select

from certlib.catalogue import example, load_catalogue
from certlib.catalogue.invented import invented_uscc
from certlib.document.preflight import preflight
from certlib.domain.actions import Action
from certlib.domain.civil import chinese_date, civil_date
from certlib.domain.kinds import DocumentType, OutcomeKind
from certlib.domain.seal import SealKind
from certlib.domain.verdict import Verdict
from certlib.errors import CaseAlreadyIssuedError, RequestError, TransitionError
from certlib.issue.composition import open_office
from certlib.issue.documents import decision_kind, plan_document
from certlib.issue.office import Office, draft_face
from certlib.issue.requests import read_issue
from certlib.issue.settings import Settings
from certlib.register.tables import CertificateRow, EventRow, SealUseRow
from certlib.sealing.conformance import require_conformance
from certlib.verify.examine import examine
from certlib.verify.roots import TrustRoots
from tests.issue.conftest import START, Clock, Desk

CATALOGUE = load_catalogue()
TODAY = civil_date(START)


def issuer_of(item: str, kind: DocumentType) -> str:
    """The authority in whose name this item's paper must go out."""
    mandate = CATALOGUE.mandate_on(item, TODAY)
    assert mandate is not None
    district = {"acceptance": mandate.accepts}.get(kind.step, mandate.reviews)
    return district if kind.seal == "district" else mandate.decides


def offered() -> Iterator[tuple[str, DocumentType]]:
    """Every item with every paper it can yield: documents, receipts and those of the procedure."""
    for item in CATALOGUE.items.values():
        for outcome in item.outcomes:
            if outcome.kind is not OutcomeKind.CERTIFICATE:
                yield item.key, CATALOGUE.document_types[outcome.type]


def chosen() -> list[tuple[str, str]]:
    """What is issued for real: every item's own document, and every kind of paper by every authority that issues it."""
    first: dict[tuple[str, str], str] = {}
    for item, kind in offered():
        first.setdefault((kind.key, issuer_of(item, kind)), item)
    own = {
        (item.key, item.outcome.type)
        for item in CATALOGUE.items.values()
        if item.outcome.type in CATALOGUE.document_types
    }
    return sorted(own | {(item, kind) for (kind, _), item in first.items()})


def text_of(pdf: bytes) -> str:
    """What the pages read, without white space."""
    document = pdfium.PdfDocument(pdf)
    return "".join("".join(page.get_textpage().get_text_range() for page in document).split())


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One office for the whole module."""
    clock = Clock()
    with open_office(Settings(home=tmp_path_factory.mktemp("town"), suite="p256-sha256"), clock=clock) as office:
        yield Desk(office, clock)


def test_every_paper_of_every_item_can_be_planned_and_set(town: Desk) -> None:
    """All outcomes of all 98 items: the example is without fault, fits its face, and names who must issue it."""
    wrong = []
    for number, (item, kind) in enumerate(offered()):
        raw = example(item, now=START, variant=number, kind=kind.key)
        try:
            draft = plan_document(read_issue(raw), CATALOGUE, now=START)
            preflight(draft_face(draft, "赣州政务核验"), town.office.renderer)
        except RequestError as error:
            wrong += [(item, kind.key, fault.message) for fault in error.faults]
            continue
        seal = SealKind.APPROVAL if kind.seal == "approval" else SealKind.ORGAN
        if (draft.authority, draft.seal_kind) != (issuer_of(item, kind), seal.value):
            wrong.append((item, kind.key, f"{draft.authority} {draft.seal_kind}"))
    assert wrong == []


@pytest.fixture(scope="module")
def issued(town: Desk) -> dict[tuple[str, str], dict[str, Any]]:
    """Every chosen paper, issued in one run: item and kind to the document's view."""
    views = {}
    for item, kind in chosen():
        request = town.request(item, kind=kind)
        answer = town.office.issue_document(request, client="platform", key=f"doc-{town.made}")
        views[item, kind] = town.office.document(answer.body["id"])
    return views


def test_every_document_of_the_98_items_issues_end_to_end(town: Desk, issued: dict[tuple[str, str], Any]) -> None:
    """Sealed by the right seal, in the right name, with a number of its own and a file the verifier accepts."""
    assert {kind for _, kind in issued} == set(CATALOGUE.document_types)
    trust = TrustRoots.load()
    seen: set[str] = set()
    for (item, key), view in issued.items():
        kind, authority = CATALOGUE.document_types[key], CATALOGUE.authorities[view["authority"]]
        assert view["authority"] == issuer_of(item, kind)
        assert kind.number.pattern == "" or view["number"].startswith(authority.document_word)
        text = text_of(town.office.document_file(view["id"]))
        assert authority.name in text
        assert view["number"] in text
        if key not in seen:
            seen.add(key)
            report = examine(
                town.office.document_file(view["id"]), trust=trust, at=town.clock.at, lookup=town.office.lookup
            )
            assert report.verdict is Verdict.VALID, (key, [f.detail for f in report.findings if f.outcome == "fail"])
    numbers = [view["number"] for view in issued.values()]
    assert len(set(numbers)) == len(numbers)
    with town.office.register.reader() as session:
        uses = {use.number: use for use in session.exec(select(SealUseRow).where(SealUseRow.state == "used")).all()}
    for (_, key), view in issued.items():
        seal = CATALOGUE.seals[uses[view["number"]].seal]
        organ = CATALOGUE.document_types[key].seal != "approval"
        assert (seal.authority, seal.kind is SealKind.ORGAN) == (view["authority"], organ)


def test_an_outward_paper_names_the_deciding_authority_only(town: Desk, issued: dict[tuple[str, str], Any]) -> None:
    """Who accepted and reviewed stands in the attached data, and on papers that stay inside."""
    for (item, key), view in issued.items():
        mandate = CATALOGUE.mandate_on(item, TODAY)
        assert mandate is not None
        district = {mandate.accepts, mandate.reviews} - {mandate.decides}
        text = text_of(town.office.document_file(view["id"]))
        persons = [step["person"] for name, step in view["decision"].items() if name in {"acceptance", "review"}]
        if CATALOGUE.document_types[key].outward and key != "service-receipt":
            assert not [name for name in district if CATALOGUE.authorities[name].name in text]
            assert not [person for person in persons if person in text]
        elif CATALOGUE.document_types[key].chain:
            assert all(person in text for person in persons)


def test_the_flow_sheet_shows_who_accepted_reviewed_decided_and_supervises(town: Desk) -> None:
    """权责一致: the chain comes from the decision that was checked, with authority, person, time and opinion."""
    request = town.request("1-28", kind="approval-flow-sheet")
    answer = town.office.issue_document(request, client="platform", key="flow")
    text = text_of(town.office.document_file(answer.body["id"]))
    mandate = CATALOGUE.mandate_on("1-28", TODAY)
    assert mandate is not None
    for step in ("acceptance", "review", "approval"):
        said = request["decision"][step]
        assert f"{CATALOGUE.authorities[said['authority']].name}{said['person']}，" in text
        assert said["opinion"] in text
    assert f"监管部门{CATALOGUE.authorities[mandate.supervises].name}" in text
    assert f"承接协议：{mandate.agreement}" in text


def test_the_chain_cannot_be_told_otherwise(town: Desk) -> None:
    """A request that brings its own words for a step is refused."""
    request = town.request("1-28", kind="approval-flow-sheet")
    request["facts"]["review"] = "赣州市行政审批局 王五"
    with pytest.raises(RequestError) as refused:
        town.office.issue_document(request, client="platform", key="other-chain")
    assert [fault.path for fault in refused.value.faults] == ["facts.review"]


@pytest.mark.parametrize(
    "kind", ["acceptance-notice", "correction-notice", "extension-notice", "non-acceptance-notice"]
)
def test_a_notice_needs_the_acceptance_only(town: Desk, kind: str) -> None:
    """The papers of the first step go out before anybody has reviewed, in the deciding authority's name."""
    request = town.request("2-38", kind=kind)
    assert set(request["decision"]) == {"kind", "acceptance"}
    view = town.office.document(town.office.issue_document(request, client="platform", key=f"n-{kind}").body["id"])
    assert view["authority"] == "ganzhou-approval"


def test_a_report_needs_acceptance_and_review_and_bears_the_districts_seal(town: Desk) -> None:
    """审核转报件: from the district to the deciding authority; without the review it is refused."""
    request = town.request("1-42", kind="review-report")
    early = {**request, "decision": {key: request["decision"][key] for key in ("kind", "acceptance")}}
    with pytest.raises(RequestError) as refused:
        town.office.issue_document(early, client="platform", key="early")
    assert "decision.review" in {fault.path for fault in refused.value.faults}
    view = town.office.document(town.office.issue_document(request, client="platform", key="report").body["id"])
    text = text_of(town.office.document_file(view["id"]))
    assert view["issuer"] == "赣州市市场监督管理局蓉江新区分局"
    assert "赣州市市场监督管理局：" in text
    assert f"签发人：{request['decision']['review']['person']}" in text


def holders(count: int) -> list[dict[str, str]]:
    """Invented holders with sound codes."""
    return [
        {"name": f"赣州蓉江新区第{n}种植专业合作社", "code": invented_uscc(5000 + n, "93360700")} for n in range(count)
    ]


def test_one_list_recognises_many(town: Desk) -> None:
    """认定名单: as many rows and pages as there are holders, the table's head on each page, one seal at the end."""
    request = town.request("1-34", kind="recognition-list")
    request["facts"]["entries"] = holders(120)
    answer = town.office.issue_document(request, client="platform", key="list")
    pdf = town.office.document_file(answer.body["id"])
    document = pdfium.PdfDocument(pdf)
    texts = ["".join(page.get_textpage().get_text_range().split()) for page in document]
    assert len(texts) > 4
    assert sum(text.startswith("序号名称统一社会信用代码") for text in texts[1:]) == len(texts) - 1
    assert all(entry["code"] in "".join(texts) for entry in request["facts"]["entries"])
    report = examine(pdf, trust=TrustRoots.load(), at=town.clock.at, lookup=town.office.lookup)
    assert report.verdict is Verdict.VALID
    require_conformance(pdf)
    edges = [red_at_the_edge(page) for page in document]
    assert all(edges)  # 骑缝章
    with town.office.register.reader() as session:
        use = session.exec(select(SealUseRow).where(SealUseRow.number == answer.body["number"])).one()
    assert use.record["place"]["straddle"] == 8


def red_at_the_edge(page: pdfium.PdfPage) -> bool:
    """Whether the page's right edge bears the ink of a seal."""
    picture = page.render(scale=2).to_pil().convert("RGB")
    red, green, _ = picture.crop((picture.width - 8, 0, *picture.size)).split()
    return ImageChops.subtract(red, green).getextrema()[1] > 100


def test_no_draft_bears_a_slice(town: Desk) -> None:
    """What is set before sealing has nothing of the seal: the slices come with the signature."""
    request = town.request("1-34", kind="recognition-list")
    request["facts"]["entries"] = holders(60)
    face = draft_face(plan_document(read_issue(request), CATALOGUE, now=START), "赣州政务核验")
    rendered = town.office.renderer.render(face)
    assert (rendered.pages > 1, rendered.straddle) == (True, 8)
    assert not any(red_at_the_edge(page) for page in pdfium.PdfDocument(rendered.pdf))


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([], "missing"),
        ("赣州合作社", "not-holders"),
        ([{"name": "赣州合作社"}], "not-holders"),
        ([{"name": "赣州合作社", "code": "93360700MAY000X17N", "note": "x"}], "not-holders"),
        ([{"name": "赣州\n合作社", "code": "93360700MAY000X17N"}], "not-holders"),
        ([{"name": "", "code": "93360700MAY000X17N"}], "outer-space"),
        ([*holders(3), {"name": "赣州合作社", "code": "93360700MAY000X17M"}], "bad-uscc"),
        ([*holders(2), holders(1)[0]], "holder-twice"),
        (holders(201), "too-long"),
    ],
)
def test_a_list_is_checked_row_by_row(town: Desk, entries: Any, code: str) -> None:
    """A row that is no holder, a code that fails its check, a holder named twice: nothing is numbered."""
    request = town.request("1-34", kind="recognition-list")
    request["facts"]["entries"] = entries
    with pytest.raises(RequestError) as refused:
        town.office.issue_document(request, client="platform", key=f"bad-{town.made}")
    assert [(fault.path, fault.code) for fault in refused.value.faults] == [("facts.entries", code)]


def test_a_case_has_each_paper_once(town: Desk) -> None:
    """A second refusal of the same application is refused; another paper of the case is not."""
    request = town.request("2-25", kind="refusal-decision")
    town.office.issue_document(request, client="platform", key="r1")
    with pytest.raises(CaseAlreadyIssuedError):
        town.office.issue_document(request, client="platform", key="r2")
    other = town.request("2-25", kind="acceptance-notice", case=request["case"])
    other["facts"]["case"] = request["case"]["number"]
    assert town.office.issue_document(other, client="platform", key="r3").body["number"]


# --- the decision behind an action --------------------------------------------------------------------------------

ORDERS = {
    "revoke": ("revocation-decision", "fraud", "撤销该行政许可，该许可自始无效。"),
    "withdraw": ("withdrawal-decision", "law-changed", "撤回该行政许可。由此造成的财产损失，依法给予补偿。"),
    "cancel": ("cancellation-decision", "expiry", "注销该行政许可。"),
}


def order(desk: Desk, action: str, **parts: Any) -> dict[str, Any]:
    """A decision of the city's own motion that asks for its document."""
    _, cause, text = ORDERS[action]
    return {"decision": desk.ex_officio(), "cause": cause, "document": {"facts": {"decision_text": text}}, **parts}


@pytest.mark.parametrize("action", ORDERS)
def test_an_act_seals_its_decision_after_it_has_taken_effect(desk: Desk, action: str) -> None:
    """撤销、撤回、注销: the state at once; the document with the organ's seal, naming certificate, facts and law."""
    body = desk.issue("2-25")
    done = desk.do(body["identifier"], action, order(desk, action))
    assert done["document"]["state"] == "in-force"
    view = desk.office.document(done["document"]["id"])
    text = text_of(desk.office.document_file(view["id"]))
    assert view["type"] == ORDERS[action][0]
    assert all(said in text for said in (body["number"], "经查以欺骗手段取得许可", ORDERS[action][2]))
    assert "六十日内向赣州市人民政府申请行政复议" in text
    history = desk.office.certificate(body["identifier"])["history"]
    assert history[-1]["detail"]["document"]["number"] == view["number"]
    with desk.office.register.reader() as session:
        use = session.exec(select(SealUseRow).where(SealUseRow.type == view["type"])).one()
    assert CATALOGUE.seals[use.seal].kind is SealKind.ORGAN


def test_a_repeated_act_names_the_same_document(desk: Desk) -> None:
    """The same key and body: one revocation, one document."""
    body, raw = desk.issue("2-25"), order(desk, "revoke")
    answers = [
        desk.office.act(body["identifier"], "revoke", raw, version=1, client="platform", key="revoke") for _ in range(2)
    ]
    assert answers[1].replayed
    assert answers[0].body["document"] == answers[1].body["document"]


def test_a_seal_that_fails_holds_up_no_revocation(
    desk: Desk, settings: Settings, reopen: Callable[[Clock], Office]
) -> None:
    """Without a timestamp the certificate is revoked all the same; the document waits and keeps its day."""
    body = desk.issue("2-25")
    away = replace(settings, timestamps=("http://127.0.0.1:9/",), timestamp_seconds=0.2)
    with open_office(away, clock=desk.clock) as office:
        answer = office.act(
            body["identifier"], "revoke", order(desk, "revoke"), version=1, client="platform", key="revoke"
        )
        assert (answer.body["state"], answer.body["document"]["state"]) == ("revoked", "pending")
        pending = office.document(answer.body["document"]["id"])
        assert (pending["state"], pending["sha256"]) == ("pending", "")
    day = civil_date(desk.clock.at)
    desk.clock.advance(days=1)
    desk.office.tick()
    view = desk.office.document(answer.body["document"]["number"])
    assert (view["state"], date.fromisoformat(view["issued_on"])) == ("in-force", day)
    assert chinese_date(day) in text_of(desk.office.document_file(view["id"]))


def test_the_faults_of_an_act_and_of_its_document_are_told_at_once(desk: Desk) -> None:
    """Nothing has happened: not the act, not the document."""
    body = desk.issue("2-25")
    raw = order(desk, "revoke", decision=desk.ex_officio(basis=""))
    raw["document"]["facts"] = {"certificate_number": "赣虔药监械经营许20229999号", "facts_found": "经\u200b查"}
    with pytest.raises(RequestError) as refused:
        desk.do(body["identifier"], "revoke", raw)
    assert {fault.path for fault in refused.value.faults} == {
        "decision.basis",
        "document.facts.basis",
        "document.facts.facts_found",
        "document.facts.decision_text",
        "document.facts.certificate_number",
    }
    assert desk.office.certificate(body["identifier"])["state"] == "in-force"


def test_a_document_that_cannot_be_set_stops_the_act_before_it_begins(desk: Desk) -> None:
    """A character without glyph is told before the certificate is revoked."""
    body = desk.issue("2-25")
    raw = order(desk, "revoke")
    raw["document"]["facts"]["decision_text"] = "撤销𠮷字许可。"
    with pytest.raises(RequestError) as refused:
        desk.do(body["identifier"], "revoke", raw)
    assert [fault.code for fault in refused.value.faults] == ["missing-glyph"]
    assert desk.office.certificate(body["identifier"])["version"] == 1


def test_an_act_the_law_refuses_leaves_no_document(desk: Desk) -> None:
    """A revoked certificate is not withdrawn; its number stays free of a second decision."""
    body = desk.issue("2-25")
    desk.do(body["identifier"], "revoke", order(desk, "revoke"))
    with pytest.raises(TransitionError):
        desk.do(body["identifier"], "withdraw", order(desk, "withdraw"))
    with desk.office.register.reader() as session:
        assert len(session.exec(select(EventRow)).all()) == 2
        assert session.exec(select(CertificateRow)).one().state == "revoked"


@pytest.mark.parametrize("action", ["suspend", "resume", "rescind", "void"])
def test_an_act_without_a_document_of_ours_says_so(desk: Desk, action: str) -> None:
    """暂扣 and 吊销 come by another authority's document; asking for ours is a fault with its place."""
    body = desk.issue("2-25")
    with pytest.raises(RequestError) as refused:
        desk.do(body["identifier"], action, {"decision": desk.order(), "document": {"facts": {}}})
    assert ("document", "no-document") in {(fault.path, fault.code) for fault in refused.value.faults}


def test_a_filing_has_no_decision_of_a_licence() -> None:
    """取消备案 is no 注销行政许可: the document is offered for licences only."""
    assert decision_kind(Action.CANCEL, "medical-device-filing", CATALOGUE) is None
    assert decision_kind(Action.CANCEL, "medical-device-licence", CATALOGUE) is not None


def test_the_files_of_the_templates_are_where_the_catalogue_says() -> None:
    """Each of the 37 kinds has its own folder."""
    folder = Path(__file__).parents[2] / "templates"
    assert all((folder / key / "template.toml").is_file() for key in CATALOGUE.document_types)
    assert all(kind.template == key for key, kind in CATALOGUE.document_types.items())
