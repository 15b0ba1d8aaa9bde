"""套打: on a pre-printed blank the facts stand exactly where the whole face has them, and nothing else is printed."""

from __future__ import annotations

from dataclasses import replace

import pypdfium2 as pdfium
import pytest

from certlib.catalogue import load_catalogue
from certlib.document.check import sample_faces
from certlib.document.face import Face
from certlib.document.overprint import compare, print_file
from certlib.document.reading import plain
from certlib.document.renderer import Renderer
from certlib.errors import LintError

TEMPLATES = sorted({kind.template for kind in load_catalogue().certificate_types.values()})


def sheets(renderer: Renderer, template: str) -> list[Face]:
    """The samples of a template as sheets, long texts too."""
    return [face for name, face in sample_faces(renderer.templates.template(template)) if name.endswith("/sheet")]


def words(pdf: bytes) -> str:
    """The text of all pages without white space."""
    return "".join(plain(page.get_textpage().get_text_range()) for page in pdfium.PdfDocument(pdf))


def ink(pdf: bytes) -> set[tuple[int, int, int]]:
    """Every half millimetre of every page that is not white."""
    found = set()
    for number, page in enumerate(pdfium.PdfDocument(pdf)):
        bitmap = page.render(scale=2 * 25.4 / 72, grayscale=True)
        rows = bitmap.buffer
        found |= {
            (number, index % bitmap.stride, index // bitmap.stride)
            for index, value in enumerate(bytes(rows))
            if value < 128
        }
    return found


@pytest.mark.parametrize("template", TEMPLATES)
def test_only_the_facts_are_printed(renderer: Renderer, template: str) -> None:
    """Every fact is there; of the rest only what names the two that no blank carries: 查验码 and 证照标识."""
    for face in sheets(renderer, template):
        left = words(print_file(face, renderer, overprint=True).pdf)
        texts = [face.issuer, face.issued_on, face.code_caption, *face.facts.values()]
        for line in sorted((line for text in texts for line in text.split("\n")), key=len, reverse=True):
            left = left.replace(plain(line), "") if line else left
        left = left.replace("查验码：", "").replace("证照标识：", "")
        assert not [char for char in left if not char.isdigit() and char != "."], left  # numbers of list entries


def test_the_overprint_is_the_whole_face_less_what_is_on_the_blank(renderer: Renderer) -> None:
    """Rendered and compared: no ink where the whole face has none; frame, title and labels are gone."""
    face = sheets(renderer, "real-estate-title")[0]
    whole, printed = renderer.render(face), print_file(face, renderer, overprint=True)
    assert ink(printed.pdf) < ink(whole.pdf)
    assert len(ink(printed.pdf)) < len(ink(whole.pdf)) / 2
    assert (printed.seal, printed.code) == (whole.seal, whole.code)
    assert face.title not in words(printed.pdf)
    assert face.serial not in words(printed.pdf)


@pytest.mark.parametrize("overprint", [True, False])
def test_a_printer_s_offset_moves_everything_alike(renderer: Renderer, licence: Face, overprint: bool) -> None:
    """Text, seal and code move by the same way; without an offset the whole face is printed as it is."""
    still = print_file(licence, renderer, overprint=overprint)
    moved = print_file(licence, renderer, overprint=overprint, offset=(2.0, -1.5))
    assert words(moved.pdf) == words(still.pdf)
    for before, after in ((still.seal, moved.seal), (still.code, moved.code)):
        assert before is not None
        assert after is not None
        assert (after.x - before.x, after.y - before.y) == pytest.approx((2.0, -1.5), abs=0.01)


def test_a_fact_that_strays_or_is_missing_is_found(renderer: Renderer, licence: Face) -> None:
    """The comparison tells a page that was moved otherwise, and one that says something else."""
    whole = renderer.render(licence)
    moved = renderer.render(replace(licence, overprint=True, offset=(1.0, 0.0)))
    fates = compare(whole, moved, licence, renderer, overprint=True, offset=(0.0, 0.0))
    assert {finding.check for finding in fates if finding.outcome == "fail"} == {"places"}
    other = renderer.render(replace(licence, overprint=True, facts={**licence.facts, "uscc": ""}))
    fates = compare(whole, other, licence, renderer, overprint=True, offset=(0.0, 0.0))
    assert "facts" in {finding.check for finding in fates if finding.outcome == "fail"}
    with pytest.raises(LintError):
        print_file(replace(licence, facts={**licence.facts, "colour": "red"}), renderer, overprint=True)
