"""The square of the code: what is printed there, and what had to give way."""

from __future__ import annotations

from dataclasses import replace
from shutil import copytree

import pypdfium2 as pdfium
import pytest

from certlib.document.check import LONG_CODE, sample_faces
from certlib.document.face import Face
from certlib.document.renderer import Renderer
from certlib.document.templates import Templates, find_templates

DPI = 100
RIM, TOUCHING = 0.4, 1.0  # millimetres: beside and above the quiet zone; the caption is close beneath
DRAWN = "image(bytes(sys.inputs.code)"
WHITE = "box(fill: white, inset: 0pt"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory, renderer: Renderer) -> Renderer:
    """The shipped templates, with the code's place left open: whatever its white box would hide is seen."""
    root = copytree(find_templates(), tmp_path_factory.mktemp("bare") / "templates")
    shared = root / "packages/certlib/face/1.0.0/lib.typ"
    source = shared.read_text("utf-8")
    assert source.count(DRAWN) == source.count(WHITE) == 1
    line = next(line for line in source.splitlines() if DRAWN in line)
    shared.write_text(source.replace(line, "").replace(WHITE, "box(inset: 0pt"), "utf-8")
    return Renderer(Templates(root), renderer.fonts)


@pytest.mark.parametrize("key", tuple(Templates(find_templates())))
def test_no_line_and_no_ornament_touches_the_code(bare: Renderer, key: str) -> None:
    """Frames and tables keep clear of the largest code with its quiet zone, which would wipe them out."""
    template = bare.templates.template(key)
    sheets = [(name, face) for name, face in sample_faces(template) if name.endswith("/sheet")]
    once = {(name.split("/")[0], template.layout(face.copy_label).name): face for name, face in sheets}
    for name, face in once.items():
        assert darkest(bare, replace(face, code_text=LONG_CODE)) == 255, name


def darkest(renderer: Renderer, face: Face) -> int:
    """The darkest grey in the square of the code and its quiet zone, and a little around."""
    rendered = renderer.render(face)
    box, reach = rendered.code, rendered.quiet + RIM
    assert box is not None
    with pdfium.PdfDocument(rendered.pdf) as document:
        page = document[box.page - 1].render(scale=DPI / 72, grayscale=True).to_pil().convert("L")
    edges = (box.x - reach, box.y - reach, box.x + box.width + reach, box.y + box.height - TOUCHING)
    return int(page.crop(tuple(round(edge * DPI / 25.4) for edge in edges)).getextrema()[0])
