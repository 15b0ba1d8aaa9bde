"""Every face as it looks at 150 dpi and as it reads. `UPDATE_GOLDEN=1` makes the pictures anew: then look at them."""

import os
from dataclasses import replace
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from PIL import Image, ImageChops

from certlib.catalogue import load_catalogue
from certlib.document.check import LONG_CODE, sample_faces
from certlib.document.face import Face
from certlib.document.renderer import Renderer, default_renderer

GOLDEN = Path(__file__).parent / "golden"
UPDATE = bool(os.environ.get("UPDATE_GOLDEN"))
DPI = 150
# Of 256 levels and of all pixels: what another build of the rasteriser may differ by, and no more.
LEVEL, SHARE = 64, 0.0005
# One face of each arrangement, with a code that fills its largest square: rows and signature make room.
GROWN = (
    "medical-device-licence-original",
    "wildlife-breeding-licence-original",
    "mining-licence-duplicate",
    "real-estate-title-single",
    "special-equipment-registration-sign",
    "acceptance-notice-single",
)


def faces() -> list[tuple[str, Face]]:
    """Every plain sample as sheet, with seal and serial; of the decision the long one, whose pages must turn right."""
    templates = default_renderer().templates
    chosen = []
    for key in templates:
        wanted = "long" if key == "licence-decision" else "plain"
        for name, face in sample_faces(templates.template(key)):
            sample, copy, carrier = name.split("/")
            if sample == wanted and carrier == "sheet" and copy in {"电子", "正本", "副本", "使用标志"}:
                chosen.append((f"{key}-{face.copy_label or 'single'}", face))
    has_original = {name.removesuffix("-正本") for name, _ in chosen if name.endswith("-正本")}
    named = {"正本": "original", "副本": "duplicate", "使用标志": "sign", "single": "single"}
    plain = [
        (f"{name.rpartition('-')[0]}-{named[name.rpartition('-')[2]]}", face)
        for name, face in chosen
        if not (name.endswith("-single") and name.removesuffix("-single") in has_original)
    ]
    longest = [(f"longest-code-{name}", replace(dict(plain)[name], code_text=LONG_CODE)) for name in GROWN]
    return [*plain, ("real-estate-title-joint", joint_face(dict(plain)["real-estate-title-single"])), *longest]


def joint_face(face: Face) -> Face:
    """The title with as many holders as its type allows: each is named, and no code of any is printed."""
    firms = ["赣州蓉江瑞恒实业有限公司", "赣南国际文化旅游发展有限公司"]
    most = load_catalogue().certificate_types[face.template].holders
    holders = [*firms, *(f"{surname}建国" for surname in "张李王赵陈刘杨黄周吴徐孙"[: most - len(firms)])]
    changes = {"right_holder": "\n".join(holders), "co_ownership": "按份共有"}
    return replace(face, facts={**face.facts, **changes})


def pictures(pdf: bytes) -> list[Image.Image]:
    """The pages in grey at 150 dpi."""
    return [page.render(scale=DPI / 72, grayscale=True).to_pil().convert("L") for page in pdfium.PdfDocument(pdf)]


@pytest.mark.parametrize(("name", "face"), faces(), ids=[name for name, _ in faces()])
def test_a_face_looks_and_reads_as_it_did(renderer: Renderer, name: str, face: Face) -> None:
    """Page by page against the picture that was looked at, and the text against the text."""
    pdf = renderer.render(face).pdf
    text = "\f".join(page.get_textpage().get_text_range() for page in pdfium.PdfDocument(pdf)).replace("\r\n", "\n")
    pages = pictures(pdf)
    if UPDATE:
        GOLDEN.mkdir(exist_ok=True)
        (GOLDEN / f"{name}.txt").write_text(text, "utf-8")
        for number, page in enumerate(pages, 1):
            page.quantize(16).save(GOLDEN / f"{name}-{number}.png", optimize=True)
    assert (GOLDEN / f"{name}.txt").read_text("utf-8") == text
    assert len(list(GOLDEN.glob(f"{name}-*.png"))) == len(pages)
    for number, page in enumerate(pages, 1):
        with Image.open(GOLDEN / f"{name}-{number}.png") as stored:
            assert differing(page, stored.convert("L")) <= SHARE, f"page {number} of {name} looks different"


def differing(one: Image.Image, other: Image.Image) -> float:
    """The share of pixels that differ by more than the level allowed."""
    assert one.size == other.size
    histogram = ImageChops.difference(one, other).histogram()
    return sum(histogram[LEVEL:]) / (one.width * one.height)


def test_a_moved_word_is_told_from_noise(renderer: Renderer) -> None:
    """The tolerance is small enough: one character more on a page is seen."""
    name, face = faces()[0]
    page = pictures(renderer.render(face).pdf)[0]
    changed = Image.composite(Image.new("L", page.size, 0), page, _mark(page.size))
    assert differing(page, changed) > SHARE, name


def _mark(size: tuple[int, int]) -> Image.Image:
    """A mask of about the ink of one character of 12 pt among the rest."""
    mask = Image.new("L", size, 0)
    mask.paste(255, (size[0] // 2, size[1] // 4, size[0] // 2 + 45, size[1] // 4 + 45))
    return mask
