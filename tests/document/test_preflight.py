"""What is refused before anything is numbered."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certlib.document.check import sample_faces
from certlib.document.face import Face
from certlib.document.lint import lint
from certlib.document.preflight import preflight
from certlib.document.renderer import Renderer
from certlib.errors import Fault, RequestError


def with_facts(face: Face, **facts: str) -> Face:
    """The face with some of its facts changed."""
    return replace(face, facts={**face.facts, **facts})


def faults_of(face: Face) -> tuple[Fault, ...]:
    """The faults that preflight finds."""
    with pytest.raises(RequestError) as caught:
        preflight(face)
    return caught.value.faults


def test_a_character_without_glyph_is_named_with_its_field(licence: Face) -> None:
    """𠮷 is in no shipped font: the fault gives character, code point, path and the request's Chinese label."""
    face = replace(
        with_facts(licence, legal_representative="𠮷永"), labels={"legal_representative": "法定代表人（甲）"}
    )
    (fault,) = faults_of(face)
    assert (fault.path, fault.code, fault.label) == ("facts.legal_representative", "missing-glyph", "法定代表人（甲）")
    assert "“𠮷”（U+20BB7）" in fault.message
    assert "U+20BB7" in fault.english


def test_all_faults_come_at_once(licence: Face) -> None:
    """Two characters, a text too long to break, and the printed label where the request gives none."""
    faults = faults_of(with_facts(licence, person_in_charge="𠮷", residence="A" * 200, scope="好\ue001"))
    assert [(fault.path, fault.code, fault.label) for fault in faults] == [
        ("facts.person_in_charge", "missing-glyph", "企业负责人"),
        ("facts.residence", "too-long", "住所"),
        ("facts.scope", "missing-glyph", "经营范围"),
    ]


@pytest.mark.parametrize("text", ["甲\u202e乙", "甲\u200b乙", "甲\ufeff乙", "甲\x07乙", "\ud800"])
def test_invisible_and_broken_characters_are_refused_not_fatal(licence: Face, text: str) -> None:
    """Bidi and zero-width characters, controls, half a surrogate pair: a fault, never a crash."""
    assert faults_of(with_facts(licence, enterprise_name=text))[0].code == "missing-glyph"


@pytest.mark.parametrize(("key", "unit"), [("scope", "医用电子仪器设备，"), ("residence", "红旗大道")])
def test_a_text_too_long_is_told_with_what_its_box_holds(licence: Face, key: str, unit: str) -> None:
    """The message names the allowed and the present length; a text within it passes."""
    (fault,) = faults_of(with_facts(licence, **{key: unit * 200}))
    assert (fault.path, fault.code) == (f"facts.{key}", "too-long")
    allowed = int(fault.message.split("最多排 ")[1].split(" 字")[0])
    assert f"现有 {len(unit) * 200} 字" in fault.message
    preflight(with_facts(licence, **{key: (unit * 200)[: allowed * 9 // 10]}))


def test_a_text_too_long_for_the_duplicate_alone_is_refused_with_the_file(renderer: Renderer) -> None:
    """Before numbering every copy must be settable: the file's face is asked for, the 副本 is too small."""
    face = dict(sample_faces(renderer.templates.template("gas-licence")))["plain/电子/file"]
    (fault,) = faults_of(with_facts(face, area="章江南岸" * 48))
    assert fault.path == "facts.area"
    assert "副本最多排" in fault.message
    renderer.render(with_facts(face, area="章江南岸" * 48))


def test_a_list_of_too_many_short_lines_is_told_in_lines(renderer: Renderer) -> None:
    """Few characters, but more lines than the box has: the number of lines is what helps."""
    face = dict(sample_faces(renderer.templates.template("hunting-licence")))["plain/电子/file"]
    (fault,) = faults_of(with_facts(face, species="\n".join(["野猪"] * 9)))
    assert (fault.path, fault.code) == ("facts.species", "too-long")
    assert "行" in fault.message


def test_the_facts_not_known_yet_may_be_missing(licence: Face) -> None:
    """Before numbering there is no number, date or identifier."""
    unknown = ("number", "identifier", "valid_until", "check_code")
    known = {key: text for key, text in licence.facts.items() if key not in unknown}
    preflight(replace(licence, facts=known, issued_on="", code_text="", attachment=b""))


def test_a_document_over_its_pages_is_refused(decision: Face) -> None:
    """A decision of thousands of words does not end in a file of fifty pages."""
    (fault,) = faults_of(with_facts(decision, decision_text="准予你单位从事经营活动。" * 400))
    assert (fault.path, fault.code) == ("facts.decision_text", "too-long")
    assert "最多 6 页" in fault.message


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    scope=st.text(alphabet="医疗器械，。（）“”一、2017A-/ \n", min_size=1, max_size=700),
    name=st.text(alphabet="赣州蓉江有限公司（）·AB 3", min_size=1, max_size=80),
)
def test_what_passes_renders_and_reads_right(renderer: Renderer, licence: Face, scope: str, name: str) -> None:
    """Whatever preflight lets through is set without overflow, and its page reads exactly the facts."""
    face = with_facts(licence, scope=scope, enterprise_name=name)
    try:
        preflight(face)
    except RequestError:
        return
    findings = lint(renderer.render(face), face)
    assert [finding for finding in findings if finding.outcome == "fail"] == []


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(repeats=st.integers(1, 90), tail=st.integers(0, 27), attached=st.booleans(), copied=st.booleans())
def test_no_decision_of_any_length_ends_in_a_page_with_only_the_seal(
    renderer: Renderer, decision: Face, repeats: int, tail: int, attached: bool, copied: bool
) -> None:
    """Wherever the text ends, the seal is within a line of it, clear of it, and has text on its page."""
    text = "准予你单位从事经营活动，期限五年。\n" * repeats + "准" * tail + "。"
    more = {"attachments": "许可证（正本）\n许可证（副本）"} if attached else {}
    more |= {"copies_to": "赣州市市场监督管理局，赣州市商务局"} if copied else {}
    face = with_facts(decision, decision_text=text, **more)
    try:
        preflight(face)
    except RequestError:
        return
    findings = lint(renderer.render(face), face)
    assert [finding for finding in findings if finding.outcome == "fail"] == []
