"""The lint finds what it is there to find."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest

from certlib.document.face import Carrier, Face, Rendered
from certlib.document.lint import lint, require
from certlib.document.reading import expected_text, plain
from certlib.document.renderer import Renderer
from certlib.document.templates import Fold, Templates, find_templates, load_template
from certlib.errors import LintError


def with_facts(face: Face, **facts: str) -> Face:
    """The face with some of its facts changed."""
    return replace(face, facts={**face.facts, **facts})


def failed(rendered: Rendered, face: Face) -> set[str]:
    """The names of the checks that fail."""
    return {finding.check for finding in lint(rendered, face) if finding.outcome == "fail"}


def test_a_sound_file_passes_every_check(renderer: Renderer, licence: Face, decision: Face) -> None:
    """Nothing is found, and `require` lets it through."""
    for face in (licence, decision):
        findings = lint(renderer.render(face), face)
        assert {finding.outcome for finding in findings} == {"pass"}
        assert len(findings) == 11
        require(findings)


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda face: with_facts(face, legal_representative="李龑"), "text"),
        (lambda face: with_facts(face, scope=face.facts["scope"].replace("6846", "6864")), "text"),
        (lambda face: with_facts(face, number="赣虔药监械经营许20260002号"), "text"),
        (lambda face: replace(face, issuer="赣州市行政审批局局"), "text"),
        (lambda face: with_facts(face, remark="另有要件"), "facts"),
        (lambda face: replace(face, attachment=face.attachment + b" "), "attachment"),
        (lambda face: replace(face, attachment=b""), "attachment"),
        (lambda face: replace(face, code_text=face.code_text[:-1] + "0"), "code"),
        (lambda face: replace(face, carrier=Carrier.SHEET), "attachment"),
    ],
)
def test_a_file_of_another_face_is_found(
    renderer: Renderer, licence: Face, change: Callable[[Face], Face], check: str
) -> None:
    """The file bears one face, another was asked for: the difference is told."""
    assert check in failed(renderer.render(licence), change(licence))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (rb"/StructTreeRoot \d+ 0 R", b"", "StructTreeRoot"),
        (rb"<pdfaid:part>3<", b"<pdfaid:part>2<", "pdfaid:part"),
        (rb"<pdfuaid:part>1<", b"<pdfuaid:part>2<", "pdfuaid"),
        (rb"/Type/Catalog", b"/Type/Catalog/OpenAction<</S/JavaScript/JS(1)>>", "JavaScript"),
        (rb"/Type/Catalog", b"/Type/Catalog/AcroForm<<>>", "AcroForm"),
        (rb"/Type/Page\b", b"/Type/Page/Annots[<</A<</URI(x)>>>>]", "URI"),
    ],
)
def test_active_or_undeclared_content_is_found(
    renderer: Renderer, licence: Face, old: bytes, new: bytes, told: str
) -> None:
    """Scripts, forms, links and missing declarations, put into the file's own objects."""
    rendered = renderer.render(licence)
    pdf = re.sub(rb"/Type /", b"/Type/", rendered.pdf)
    assert re.search(old, pdf)
    changed = replace(rendered, pdf=re.sub(old, new, pdf, count=1))
    structure = next(finding for finding in lint(changed, licence, full=False) if finding.check == "structure")
    assert structure.outcome == "fail"
    assert told in structure.detail


@pytest.mark.parametrize(
    ("dx", "dy", "told"),
    [(0, -60, "压住了正文"), (-60, 0, "二维码"), (40, 0, "超出页面"), (0, 60, "超出页面")],
)
def test_a_seal_out_of_its_place_is_found(renderer: Renderer, licence: Face, dx: float, dy: float, told: str) -> None:
    """Upon the text, too near the code, over the edge."""
    rendered = renderer.render(licence)
    assert rendered.seal is not None
    moved = replace(rendered, seal=replace(rendered.seal, x=rendered.seal.x + dx, y=rendered.seal.y + dy))
    seal = next(finding for finding in lint(moved, licence) if finding.check == "seal")
    assert told in seal.detail


def test_a_text_upon_the_code_or_close_to_it_is_found(renderer: Renderer, licence: Face) -> None:
    """A code may still be read with a word across its corner; it must not come to that."""
    rendered = renderer.render(licence)
    assert rendered.code is not None
    moved = replace(rendered, code=replace(rendered.code, y=rendered.code.y + 8))
    assert "空白区" in next(finding for finding in lint(moved, licence) if finding.check == "quiet").detail


@pytest.mark.parametrize("what", ["code", "seal"])
@pytest.mark.parametrize(
    ("place", "told"),
    [({"x": 2.0}, "页边"), ({"y": 262.0}, "页边"), ({"y": 130.0}, "折痕"), ({"y": 150.0}, "折痕")],
    ids=["left edge", "lower edge", "across the fold", "beside the fold"],
)
def test_code_and_seal_keep_clear_of_edges_and_folds(
    renderer: Renderer, licence: Face, what: str, place: dict[str, float], told: str
) -> None:
    """A cutter and the ridge of a fold are the death of codes; an A4 certificate is folded at half its height."""
    rendered = renderer.render(licence)
    box = getattr(rendered, what)
    moved = replace(rendered, **{what: replace(box, **place)})
    found = {finding.check: finding for finding in lint(moved, licence, full=False)}
    assert found["place"].outcome == "fail"
    assert told in found["place"].detail


def test_a_fold_is_where_the_template_says(tmp_path: Path) -> None:
    """One of its own, or none; a paper that runs on lies flat."""
    templates_root = find_templates()
    licence = Templates(templates_root).template("medical-device-licence").layout("")
    decision = Templates(templates_root).template("licence-decision").layout("")
    assert licence.folds == (Fold("y", 148.5),)
    assert decision.folds == ()
    folder = copytree(templates_root / "medical-device-licence", tmp_path / "medical-device-licence")
    data = folder / "template.toml"
    text = data.read_text("utf-8").replace("pages = [1, 1]", "pages = [1, 1]\nfolds = [{ x = 70 }, { x = 140 }]")
    data.write_text(text, "utf-8")
    own = load_template(folder, templates_root / "packages").layout("")
    assert own.folds == (Fold("x", 70.0), Fold("x", 140.0))


def test_a_seal_far_below_the_text_or_alone_on_its_page_is_found(renderer: Renderer, decision: Face) -> None:
    """GB/T 9704-2012, 7.3.5.1: the seal's top within one line of the text."""
    rendered = renderer.render(decision)
    assert rendered.seal is not None
    low = replace(rendered, seal=replace(rendered.seal, y=rendered.seal.y + 15))
    alone = replace(rendered, seal=replace(rendered.seal, page=1, y=0, x=100))
    assert "超过一行" in next(f for f in lint(low, decision) if f.check == "seal").detail
    assert "没有正文" in next(f for f in lint(alone, decision) if f.check == "seal").detail


def test_a_wrong_count_of_pages_is_found(renderer: Renderer, decision: Face) -> None:
    """The record and the file must agree."""
    rendered = renderer.render(decision)
    assert failed(replace(rendered, pages=rendered.pages + 1), decision) == {"pages"}


def test_a_code_is_read_only_in_a_full_look(renderer: Renderer, licence: Face) -> None:
    """On a compiled template the raster is spared; the other checks stay."""
    other = replace(licence, code_text=licence.code_text[:-1] + "0")
    findings = lint(renderer.render(licence), other, full=False)
    assert "code" not in {finding.check for finding in findings}


def test_require_names_every_failure(renderer: Renderer, licence: Face) -> None:
    """One error, all that is wrong in it."""
    other = with_facts(replace(licence, attachment=b"{}"), mode="零售")
    with pytest.raises(LintError, match=r"版面文字与要件不符.*附件") as caught:
        require(lint(renderer.render(licence), other))
    assert isinstance(caught.value.extra["findings"], list)
    assert len(caught.value.extra["findings"]) == 2


def test_a_hyphen_at_the_end_of_a_line_is_read_as_a_hyphen(renderer: Renderer, licence: Face) -> None:
    """PDFium gives such hyphens as another character; addresses are full of them."""
    for filler in range(20, 32):
        address = "甲" * filler + "A-B-C-D-E-F-G-H-I-J-K-L-M-N"
        face = with_facts(licence, residence=address)
        require(lint(renderer.render(face), face))


def test_the_expected_text_leaves_out_what_is_empty(renderer: Renderer, decision: Face) -> None:
    """Optional entries go when a fact in them is empty; a list of one has no number."""
    template, layout = renderer.layout(decision)
    without = expected_text(with_facts(decision, certificate_number="", attachments="附图"), template, layout)
    assert "证书编号" not in without
    assert plain("附件：附图 赣州市行政审批局") in without
    assert "1.附图2.附件" in expected_text(with_facts(decision, attachments="附图\n附件"), template, layout)
