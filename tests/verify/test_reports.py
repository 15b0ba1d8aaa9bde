"""Reports for people: the same words as everywhere, nothing a stranger's file says is believed or run."""

import ast
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from certlib.cli.reporting import write_report
from certlib.document.report import report_pdf
from certlib.domain.verdict import Verdict
from certlib.verify import meanings
from certlib.verify.examine import examine
from certlib.verify.meanings import MEANINGS
from certlib.verify.page import CHECKS, report_page
from certlib.verify.pictures import Pictures, draw
from certlib.verify.report import Report
from certlib.verify.roots import TrustRoots
from certlib.verify.sandbox import Sandbox
from tests.verify import forgeries, samples

TRUST = TrustRoots.load()


@pytest.fixture(scope="module")
def sealed() -> bytes:
    """A genuine file."""
    return samples.seal()


@pytest.fixture(scope="module")
def altered(sealed: bytes) -> bytes:
    """The same with an annotation drawn over it after sealing."""
    return forgeries.update(sealed, forgeries._draw_over)


def plain(pdf: bytes) -> str:
    """All text of a PDF without white space."""
    document = pdfium.PdfDocument(pdf)
    return "".join("".join(page.get_textpage().get_text_range().split()) for page in document)


def test_the_page_says_the_verdict_and_every_check(sealed: bytes) -> None:
    """Verdict in both languages, facts, seal, authorisation, all checks by number, the ETSI indication."""
    report = examine(sealed, trust=TRUST, at=samples.NOW, name="a.pdf")
    page = report_page(report, draw(sealed))
    for text in (report.words.chinese, report.words.english, samples.FACTS["number"], samples.SEAL, "TOTAL-PASSED"):
        assert text in page
    for finding in report.findings:
        assert CHECKS[finding.check] in page
    assert page.count("<img ") == len(draw(sealed).pages)
    names = [re.escape(f"<td>{number} {name}") for number, name in enumerate(CHECKS.values(), start=1)]
    places = [found.start() for name in names if (found := re.search(name, page))]
    assert places == sorted(places)  # numbered in the docs, in the code and here alike


def test_an_altered_file_is_shown_before_and_after(altered: bytes) -> None:
    """Both pictures are there side by side, what differs is framed on both, and the page says which page it is."""
    report = examine(altered, trust=TRUST, at=samples.NOW, name="a.pdf")
    pictures = draw(altered)
    assert report.verdict is Verdict.ALTERED
    assert pictures.differing == (1,)
    first = pictures.pages[0]
    assert b"" not in {first.before, first.after}
    assert first.before != first.after
    page = report_page(report, pictures)
    assert "第 1 页 · page 1，签章时 · when sealed（不同 · differs）" in page
    assert "与签章时相比，第 1 页看上去不同。Page 1 looks different." in page
    assert "framed in red" in page
    unseen = report_page(report, replace(pictures, differing=()))
    assert "页面看上去没有变化。The pages look as they did." in unseen
    assert "framed in red" not in unseen


def test_a_change_far_behind_is_found_and_shown() -> None:
    """Of eleven pages the sixth is drawn over: it is shown, though only four are, and the report says how many."""
    lines = [*(value for name, value in samples.FACTS.items() if name != "check_code"), *map(str, range(330))]
    sealed = samples.seal(samples.base_pdf(text="\n".join(lines)))
    altered = forgeries.update(sealed, draw_over(5))
    pictures = draw(altered)
    assert (pictures.total, pictures.compared, pictures.differing) == (11, 11, (6,))
    assert [page.number for page in pictures.pages] == [1, 2, 3, 6]
    report = examine(altered, trust=TRUST, at=samples.NOW, name="a.pdf")
    for text in (report_page(report, pictures), plain(report_pdf(report, pictures))):
        assert "Page6looksdifferent." in "".join(text.split())
        assert "4of11pages." in "".join(text.split())


def test_pages_that_were_added_stand_without_a_before(sealed: bytes) -> None:
    """A page that was not there when sealed differs, and its place then is empty, in words."""
    longer = draw(forgeries.update(sealed, add_page))
    assert longer.differing == (2,)
    assert (longer.pages[1].before, longer.pages[1].after[:4]) == (b"", b"\x89PNG")
    report = examine(sealed, trust=TRUST, at=samples.NOW, name="a.pdf")
    for text in (report_page(report, longer), plain(report_pdf(report, longer))):
        assert "page2，签章时·whensealed：没有这一页" in "".join(text.split())


def test_not_every_page_could_be_compared_is_said(sealed: bytes, altered: bytes) -> None:
    """When the time was up before the last page the report does not pretend to have seen it."""
    report = examine(altered, trust=TRUST, at=samples.NOW, name="a.pdf")
    pictures = Pictures(draw(sealed).pages, total=900, compared=40)
    assert "Only the first 40 of 900 pages were compared." in report_page(report, pictures)


def test_a_report_is_made_though_nothing_could_be_drawn(altered: bytes) -> None:
    """It says so, on page and in the file."""
    report = examine(altered, trust=TRUST, at=samples.NOW, name="a.pdf")
    for text in (report_page(report, Pictures()), plain(report_pdf(report, Pictures()))):
        assert "页面未能绘制" in text
    assert "页面未能绘制" not in report_page(report)


def test_what_was_not_checked_is_not_said_to_hold(sealed: bytes) -> None:
    """A seal that does not hold says nothing of changes, and a byte changed in place leaves no picture of before."""
    spoilt = sealed.replace(b"/BaseFont", b"/BaseFonT", 1)
    report = examine(spoilt, trust=TRUST, at=samples.NOW, name="a.pdf")
    assert report.verdict is Verdict.ALTERED
    page = report_page(report, draw(spoilt))
    assert "What the seal covers was changed." in page
    assert "cannot be told from this file" in page
    unreached = replace(
        report, findings=tuple(one for one in report.findings if one.check not in {"changes", "content"})
    )
    assert "Nothing was changed after sealing" not in report_page(unreached)
    assert "could not be checked" in report_page(unreached)


def draw_over(number: int) -> Callable[[IncrementalPdfFileWriter], None]:
    """An update that paints over one page."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        page = writer.root["/Pages"]["/Kids"][number].get_object()
        page["/Contents"] = writer.add_object(
            generic.StreamObject(stream_data=forgeries.WHITE + b" 0 g 60 60 40 40 re f")
        )
        writer.update_container(page)

    return change


def add_page(writer: IncrementalPdfFileWriter) -> None:
    """An update that puts the first page in once more, behind the others."""
    pages = writer.root["/Pages"]
    pages["/Kids"].append(pages["/Kids"].raw_get(0))
    pages["/Count"] = generic.NumberObject(len(pages["/Kids"]))
    writer.update_container(pages)


def test_every_finding_has_its_sense_in_english(altered: bytes) -> None:
    """Whatever the examination can note that is not a pass has a sentence, and page and file show it."""
    report = examine(altered, trust=TRUST, at=samples.NOW, name="a.pdf")
    sense = "bytes were appended after sealing that no signature covers."
    for said in (report_page(report), report_pdf(report)):
        text = said if isinstance(said, str) else plain(said)
        assert f"{len(altered) - len(samples.seal())}{sense}".replace(" ", "") in "".join(text.split())
    assert noted() | {("issuer", "fail"), ("signature", "fail")} == set(MEANINGS)


def noted() -> set[tuple[str, str]]:
    """Check and outcome of every note that the verifier's sources write, but passes."""
    outcomes = {"failed": "fail", "warn": "warn", "unknown": "unknown"}
    calls = [
        node
        for path in Path(meanings.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in outcomes
    ]
    return {
        (call.args[0].value, outcomes[call.func.attr])
        for call in calls
        if call.args and isinstance(call.args[0], ast.Constant)
    }


def test_the_report_says_whose_the_seal_is(sealed: bytes) -> None:
    """The organisation by its name and code, not the parts of a distinguished name alone; on page and in both files."""
    report = examine(sealed, trust=TRUST, at=samples.NOW, name="a.pdf")
    owner = "赣州市行政审批局（11360700MBY000029R）"
    assert [seal.owner for seal in report.seals] == [owner]
    assert report.as_json()["seals"][0]["owner"] == owner
    assert owner in report_page(report)
    assert owner in plain(report_pdf(report))
    found = report.finding("issuer")
    assert found is not None
    assert owner in found.detail


def test_a_stranger_is_not_called_what_he_calls_himself(sealed: bytes, altered: bytes) -> None:
    """His certificate has the city's name: the report says that it is his claim, and the file's."""
    foreign = samples.seal(by=samples.signer("seal-foreign"))
    said = {}
    for name, file in (("sound", sealed), ("altered", altered), ("foreign", foreign)):
        report = examine(file, trust=TRUST, at=samples.NOW, name="a.pdf")
        pages = report_page(report), plain(report_pdf(report))
        said[name] = [("claimstobe" in "".join(one.split()), "未经证实。The" in one) for one in pages]
    assert said["sound"] == [(False, False)] * 2
    assert said["altered"] == [(False, True)] * 2
    assert said["foreign"] == [(True, True)] * 2


def test_a_report_on_a_day_past_says_besides_what_is_true_today(sealed: bytes) -> None:
    """Valid on the day asked, revoked since: both stand on page, PDF and in JSON, and survive the sandbox."""
    register = samples.MemoryRegister()
    register.add(sealed)
    then = examine(sealed, trust=TRUST, at=samples.NOW, lookup=register, name="a.pdf")
    register.add(sealed, Verdict.REVOKED, cause="revoked")
    later = examine(sealed, trust=TRUST, at=samples.NOW + timedelta(days=40), lookup=register, name="a.pdf")
    report = Report.load(then.with_today(later).dump())
    assert (report.verdict, report.today) == (Verdict.VALID, Verdict.REVOKED)
    assert report.as_json()["today"]["verdict"] == "revoked"
    for text in (report_page(report), plain(report_pdf(report))):
        assert "今日结论" in text
        assert later.words.chinese in text
        assert then.words.chinese in text
    assert "今日结论" not in report_page(then)


def test_the_pdf_says_what_the_page_says(altered: bytes) -> None:
    """The PDF report is a PDF/A file with the verdict and the same rows."""
    report = examine(altered, trust=TRUST, at=samples.NOW, name="a.pdf")
    pdf = report_pdf(report, draw(altered))
    text = plain(pdf)
    assert "".join(f"{report.words.chinese}·{report.words.english}".split()) in text
    assert samples.FACTS["number"] in text
    assert b"pdfaid" in pdf


def test_nothing_a_file_says_is_markup(sealed: bytes) -> None:
    """A name with tags and typst commands is text in both."""
    name = '<script>alert(1)</script>#panic("x")𠮷.pdf'
    report = examine(sealed, trust=TRUST, at=samples.NOW, name=name)
    assert "<script>" not in report_page(report)
    assert "alert(1)" in plain(report_pdf(report))


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"PK\x03\x04", b"\xff" * 3000])
def test_what_cannot_be_drawn_gets_a_report_without_pictures(data: bytes) -> None:
    """The sandbox gives no pictures, the report says why."""
    now = datetime.now(UTC)
    with Sandbox(TRUST) as sandbox:
        assert sandbox.pictures(data, at=now) == Pictures()
        page = report_page(sandbox.examine(data, at=now, name="x"), Pictures())
    assert re.search("无法读取|无电子印章", page)


def test_pictures_survive_the_way_out_of_the_sandbox(altered: bytes) -> None:
    """What the child drew arrives; anything else is refused."""
    with Sandbox(TRUST) as sandbox:
        assert sandbox.pictures(altered, at=samples.NOW) == draw(altered)
    for wrong in (b"", b"\x01", b"\x01\x00\x00\x00\x00\x09<svg></s>"):
        with pytest.raises(ValueError, match="not"):
            Pictures.load(wrong)


def test_the_machine_reads_the_indications(sealed: bytes, tmp_path: Path) -> None:
    """JSON has our findings and, beside them, indication and sub-indication of EN 319 102-1."""
    report = examine(sealed, trust=TRUST, at=samples.NOW, name="a.pdf")
    values = json.loads(write_report(report, "json", tmp_path, Pictures).read_bytes())
    assert values["verdict"] == report.verdict.value
    assert values["etsi"]["indication"] == "TOTAL-PASSED"
    (time,) = (one for one in values["findings"] if one["check"] == "time")
    assert time["english"].startswith("Sealed at 2026-")
