"""Setting faces."""

import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO

import pypdfium2 as pdfium
import pytest
from pyhanko.pdf_utils.generic import DictionaryObject, Reference
from pyhanko.pdf_utils.reader import PdfFileReader

from certlib.document.check import SAMPLE_SEAL, sample_faces
from certlib.document.face import Carrier, Face
from certlib.document.lint import lint, require
from certlib.document.preflight import preflight
from certlib.document.renderer import Renderer
from certlib.errors import RenderError


def with_facts(face: Face, **facts: str) -> Face:
    """The face with some of its facts changed."""
    return replace(face, facts={**face.facts, **facts})


def text_of(pdf: bytes) -> str:
    """All the file reads, without white space."""
    return "".join("".join(page.get_textpage().get_text_range().split()) for page in pdfium.PdfDocument(pdf))


def alternative_texts(pdf: bytes) -> set[str]:
    """The texts that stand for pictures, for readers who cannot see them."""
    reader = PdfFileReader(BytesIO(pdf))
    numbers = {int(number) for number in re.findall(rb"^(\d+) 0 obj", pdf, re.MULTILINE)}
    objects = (reader.get_object(Reference(number, 0, reader)) for number in numbers)
    return {str(found["/Alt"]) for found in objects if isinstance(found, DictionaryObject) and "/Alt" in found}


def test_the_same_face_gives_the_same_bytes(renderer: Renderer, licence: Face) -> None:
    """Rendered twice, and by another renderer, the file is the same; another moment or fact makes another."""
    one = renderer.render(licence).pdf
    assert renderer.render(licence).pdf == one == Renderer(renderer.templates, renderer.fonts).render(licence).pdf
    assert renderer.render(replace(licence, made_at="2026-03-09T01:00:01Z")).pdf != one
    assert renderer.render(with_facts(licence, mode="零售")).pdf != one


def test_many_threads_share_one_renderer(renderer: Renderer) -> None:
    """Eight threads set all faces at once; every file is the one a single thread sets."""
    faces = [face for key in renderer.templates for _, face in sample_faces(renderer.templates.template(key))]
    alone = [hashlib.sha256(renderer.render(face).pdf).digest() for face in faces]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda face: hashlib.sha256(renderer.render(face).pdf).digest(), faces * 2))
    assert together == alone * 2


@pytest.mark.parametrize(
    "text",
    [
        '#panic("x")',
        "$x^2$ *粗* _斜_ `码`",
        '#import "@preview/cetz:0.3.0": *',
        "\\u{41} \\ // 注 /* 注 */",
        "\"引\" '号' -- --- ... <spot> @ref",
        "= 标题 + 表 - 项 / 词: 义",
        '"}],"facts":{}#{',
        "https://example.gov.cn/#x",
        "#sys.inputs ${7*7} {{7*7}} %s",
    ],
)
def test_facts_are_never_markup(renderer: Renderer, licence: Face, decision: Face, text: str) -> None:
    """Typst code, markup, quotes and JSON in a fact print literally, in boxes and in running text."""
    for face in (with_facts(licence, scope=text, legal_representative=text), with_facts(decision, decision_text=text)):
        preflight(face)
        rendered = renderer.render(face)
        assert "".join(text.split()) in text_of(rendered.pdf)
        require(lint(rendered, face))


def test_titles_issuers_and_captions_are_never_markup(renderer: Renderer, licence: Face) -> None:
    """Nor what does not come from facts."""
    face = replace(licence, title="#许可[证]", issuer="*局*", issued_on="$1", code_caption="#x", serial="")
    require(lint(renderer.render(face), face))


def test_the_facts_are_attached_to_files_and_not_to_sheets(renderer: Renderer, licence: Face) -> None:
    """facts.json byte for byte, once, on the electronic file; a sheet's print file carries nothing."""
    attachment = json.dumps({"企业名称": "䶮\u2028𬱖"}, ensure_ascii=False).encode()
    face = replace(licence, attachment=attachment)
    attached = pdfium.PdfDocument(renderer.render(face).pdf)
    assert attached.count_attachments() == 1
    assert attached.get_attachment(0).get_name() == "facts.json"
    assert bytes(attached.get_attachment(0).get_data()) == attachment
    sheet = replace(face, carrier=Carrier.SHEET)
    assert pdfium.PdfDocument(renderer.render(sheet).pdf).count_attachments() == 0


def test_a_sheet_bears_its_copy_serial_and_printed_seal(renderer: Renderer) -> None:
    """正本, the blank's number and the seal's picture with its text for readers who cannot see it."""
    faces = dict(sample_faces(renderer.templates.template("gas-licence")))
    face = replace(faces["plain/正本/sheet"], serial="No. 3607001")
    printed, bare = renderer.render(face), renderer.render(replace(face, seal_svg=None))
    assert "（正本）" in text_of(printed.pdf)
    assert "No.3607001" in text_of(printed.pdf)
    assert printed.seal == bare.seal
    assert len(printed.pdf) > len(bare.pdf)
    assert "印章：赣州市行政审批局" in alternative_texts(printed.pdf)
    assert "印章：赣州市行政审批局" not in alternative_texts(bare.pdf)
    require(lint(printed, face))


def test_a_seal_is_never_printed_on_an_electronic_file(renderer: Renderer, licence: Face) -> None:
    """There the seal is the signature's, not a picture of the page."""
    plain = renderer.render(licence)
    assert renderer.render(replace(licence, seal_svg=SAMPLE_SEAL)).pdf == plain.pdf


@pytest.mark.parametrize("mark", ["预览", "已注销"])
def test_a_mark_lies_across_every_page(renderer: Renderer, licence: Face, decision: Face, mark: str) -> None:
    """The mark is on each page, and the page still reads and scans as it should."""
    for face in (replace(licence, mark=mark), replace(decision, mark=mark)):
        rendered = renderer.render(face)
        assert all(mark in page.get_textpage().get_text_range() for page in pdfium.PdfDocument(rendered.pdf))
        require(lint(rendered, face))


def test_the_seal_lies_where_gbt_9704_puts_it(renderer: Renderer, decision: Face) -> None:
    """Date's right edge four characters in; seal centred on it in x, 3 to 5 mm above both lines' middle in y."""
    rendered = renderer.render(decision)
    assert rendered.seal is not None
    page = pdfium.PdfDocument(rendered.pdf)[rendered.seal.page - 1]
    searcher = page.get_textpage()
    height = page.get_size()[1]

    def box_of(text: str) -> tuple[float, float, float, float]:
        index, count = list(iter(searcher.search(text).get_next, None))[-1]
        boxes = [searcher.get_charbox(i) for i in range(index, index + count)]
        left, right = min(b[0] for b in boxes), max(b[2] for b in boxes)
        bottom, top = min(b[1] for b in boxes), max(b[3] for b in boxes)
        millimetre = 72 / 25.4
        return left / millimetre, (height - top) / millimetre, right / millimetre, (height - bottom) / millimetre

    date, issuer = box_of(decision.issued_on), box_of(decision.issuer)
    centre = rendered.seal.centre
    character = 156 / 28
    assert date[2] == pytest.approx(210 - 26 - 4 * character, abs=1.0)  # 日 has white on its right
    assert (issuer[0] + issuer[2]) / 2 == pytest.approx((date[0] + date[2]) / 2, abs=0.6)
    assert centre[0] == pytest.approx((date[0] + date[2]) / 2, abs=0.6)
    middle = (issuer[1] + date[3]) / 2
    assert 3 <= middle - centre[1] <= 5


def test_a_full_page_has_the_lines_and_characters_of_gbt_9704(renderer: Renderer) -> None:
    """GB/T 9704-2012, 5.2: 22 lines of 28 characters in a type area of 156 by 225 mm, 28 mm from the left edge."""
    face = dict(sample_faces(renderer.templates.template("licence-decision")))["long/电子/file"]
    page = pdfium.PdfDocument(renderer.render(face).pdf)[1]  # the first is begun by the heading, the last not full
    text, top, millimetre = page.get_textpage(), page.get_size()[1], 72 / 25.4
    lines: dict[int, list[tuple[float, float]]] = {}
    for index in range(text.count_chars()):
        left, bottom, right, _ = (value / millimetre for value in text.get_charbox(index, loose=True))
        row = (top / millimetre - bottom - 43) / (225 / 22)  # 43 mm down stands the first line
        if text.get_text_range(index, 1).strip() and row < 21.5:  # below stands the number of the page
            lines.setdefault(round(row), []).append((left, right))
    assert sorted(lines) == list(range(22))
    full = [boxes for boxes in lines.values() if max(right for _, right in boxes) > 180]
    assert len(full) > 10
    assert max(len(boxes) for boxes in full) in {28, 29}  # the 29th is a mark that hangs
    for boxes in full:
        assert min(left for left, _ in boxes) == pytest.approx(28, abs=12)  # 12: a paragraph begins two in
        assert max(right for _, right in boxes) == pytest.approx(184, abs=3)


def test_what_typst_refuses_is_a_render_error_that_names_the_face(renderer: Renderer, licence: Face) -> None:
    """A missing glyph that reached the typesetter, an attachment that is no text, a moment without time zone."""
    with pytest.raises(RenderError, match="医疗器械经营许可证"):
        renderer.render(with_facts(licence, mode="𠮷"))
    with pytest.raises(RenderError, match="UTF-8"):
        renderer.render(replace(licence, attachment=b"\xff"))
    with pytest.raises(RenderError, match="时区"):
        renderer.render(replace(licence, made_at="2026-03-09T01:00:00"))
    with pytest.raises(RenderError, match="经营范围"):
        renderer.render(with_facts(licence, scope="医用电子仪器设备，" * 200))
