"""The picture of a seal, measured on its rasterised form and its outlines."""

import math
import re
import zlib
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pylopdf_fonts_zh_cn import serif_path

from certlib.domain.seal import SealSpec
from certlib.errors import ConfigurationError, RenderError
from certlib.sealing.outlines import Outline, Point, star, typeface
from certlib.sealing.picture import Drawing, SealPicture, seal_picture

NAMES = st.text(
    alphabet="赣州市行政审批局自然资源农业农村场监督管理生态环境交通运输商务教育蓉江新区分", min_size=1, max_size=24
)


def rasterise(picture: SealPicture, dpi: int = 300) -> Image.Image:
    """The form alone on a white page of its size."""
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %.3f %.3f]/Contents 4 0 R/Resources<</ExtGState<</Multiply"
        b"<</BM/Multiply>>>>>>>>" % (picture.side, picture.side),
        b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(picture.form), picture.form),
    )
    out, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"xref\n0 5\n0000000000 65535 f \n%strailer<</Root 1 0 R/Size 5>>\nstartxref\n%d\n%%%%EOF\n" % (
        table,
        len(out),
    )
    return pypdfium2.PdfDocument(out)[0].render(scale=dpi / 72).to_pil().convert("RGB")


def _ink(image: Image.Image) -> Image.Image:
    """White where the picture has ink, black elsewhere."""
    return image.getchannel("G").point(lambda value: 255 if value < 128 else 0)


def test_the_circle_fills_the_box(spec: SealSpec) -> None:
    """The ink reaches all four edges and no corner: the box's side is the legal diameter."""
    image = rasterise(seal_picture(spec))
    box = _ink(image).getbbox()
    assert box is not None
    assert max(abs(a - b) for a, b in zip(box, (0, 0, *image.size), strict=True)) <= 1
    assert _ink(image).getpixel((20, 20)) == 0


def test_the_ink_is_pure_red(spec: SealSpec) -> None:
    """Every dark pixel is #FF0000 or its mixture with the white beneath."""
    for red, green, blue in set(rasterise(seal_picture(spec)).get_flattened_data()):
        assert red == 255
        assert green == blue


@pytest.mark.parametrize("diameter", [38.0, 42.0, 45.0])
def test_every_part_grows_with_the_diameter(spec: SealSpec, diameter: float) -> None:
    """A seal of another size is the same picture, scaled."""
    picture = seal_picture(replace(spec, diameter=diameter))
    assert picture.side == pytest.approx(diameter / 25.4 * 72)
    dpi = round(300 * 42 / diameter)
    mine, standard = (
        rasterise(seal_picture(replace(spec, diameter=d)), dpi=r) for d, r in ((diameter, dpi), (42, 300))
    )
    difference = sum(
        a != b
        for a, b in zip(
            _ink(mine.resize((496, 496))).get_flattened_data(),
            _ink(standard.resize((496, 496))).get_flattened_data(),
            strict=True,
        )
    )
    assert difference < 0.02 * 496 * 496


@given(NAMES, st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_name_of_any_length_stands_evenly_inside_the_ring(name: str, lined: bool) -> None:
    """All characters lie between star and ring, centred about the top, at equal angles, not over one another."""
    drawing = Drawing(typeface(serif_path()), 42.0)
    glyphs = [[p for _, points in outline for p in points] for outline in drawing.arc(name, lined=lined)]
    assert len(glyphs) == len(name)
    for points in glyphs:
        assert max(math.hypot(x, y) for x, y in points) < drawing.inside
        assert min(math.hypot(x, y) for x, y in points) > 42 / 6
    boxes = [(min(x for x, _ in points), max(x for x, _ in points)) for points in glyphs]
    assert boxes[0][0] + boxes[-1][1] == pytest.approx(0, abs=2.5)


@given(st.integers(min_value=2, max_value=24), st.booleans())
@settings(max_examples=40, deadline=None)
def test_equal_characters_are_turned_by_equal_angles(count: int, lined: bool) -> None:
    """A name of one repeated character: each is the one before it, turned about the middle by the same angle."""
    drawing = Drawing(typeface(serif_path()), 42.0)
    starts = [outline[0][1][0] for outline in drawing.arc("市" * count, lined=lined)]
    angles = [math.atan2(y, x) for x, y in starts]
    steps = [(a - b) % math.tau for a, b in pairwise(angles)]
    assert steps == pytest.approx([steps[0]] * len(steps))
    assert sum(steps) <= math.radians(271)


@pytest.mark.parametrize("owner", ["商务局", "行政审批局", "市场监督管理局", "蓉江新区市场监督管理局"])
@pytest.mark.parametrize("number", ["(1)", "(12)"])
def test_lines_keep_clear_of_the_arc_the_ring_and_each_other(owner: str, number: str) -> None:
    """At least a third of a millimetre between arc text, line, number, star and ring."""
    drawing = Drawing(typeface(serif_path()), 42.0)
    arc = _points(drawing.arc(f"赣州市{owner}", lined=True))
    outlines = list(drawing.lines("印章", ("行政审批专用章", number)))
    line, small = _points(outlines[:7]), _points(outlines[7:])
    middle = _points([star(7.36)])
    for one, other in ((arc, line), (arc, small), (line, small), (middle, line), (middle, arc)):
        assert min(math.dist(p, q) for p in one for q in other) > 0.33
    assert max(math.hypot(*p) for p in (*arc, *line, *small)) < drawing.inside - 0.33


def _points(outlines: Iterable[Outline]) -> list[Point]:
    return [point for outline in outlines for _, points in outline for point in points]


def test_a_character_without_glyph_is_named(spec: SealSpec) -> None:
    """Which character, in whose seal; nothing is drawn in its place."""
    with pytest.raises(RenderError, match="“𠮷”（U\\+20BB7）") as caught:
        seal_picture(replace(spec, arc_text="赣州市𠮷局"))
    assert spec.name in caught.value.message


def test_words_without_room_are_named(spec: SealSpec) -> None:
    """A line that would have to be squeezed beyond reading is refused."""
    with pytest.raises(RenderError, match="太长"):
        seal_picture(replace(spec, lines=("行政审批专用章" * 5,)))


@pytest.mark.parametrize("line", ["", "\u0301"])
def test_a_line_of_nothing_is_refused(spec: SealSpec, line: str) -> None:
    """An empty line, or an accent without a letter, has no width to be set in."""
    with pytest.raises(RenderError, match="没有可绘制的文字"):
        seal_picture(replace(spec, lines=("行政审批专用章", line)))


def test_a_centre_that_cannot_be_drawn_is_named(spec: SealSpec) -> None:
    """Without artwork there is no picture of the emblem, and no star in its place; it is said what to supply."""
    with pytest.raises(RenderError, match=r"emblem.*SVG.*PNG"):
        seal_picture(replace(spec, centre="emblem"))
    with pytest.raises(RenderError, match="dragon"):
        seal_picture(replace(spec, centre="dragon"))


def test_a_font_that_cannot_be_read_is_named(spec: SealSpec, tmp_path: Path) -> None:
    """The file's name stands in the message."""
    broken = tmp_path / "broken.otf"
    broken.write_bytes(b"nonsense")
    with pytest.raises(ConfigurationError, match=r"broken\.otf"):
        seal_picture(spec, broken)


def test_both_forms_have_the_same_outlines(spec: SealSpec) -> None:
    """As many subpaths in the SVG as in the form, and no text, font or image in either."""
    picture = seal_picture(spec)
    content = zlib.decompress(picture.form).decode("ascii")
    assert len(re.findall(r" m$", content, re.MULTILINE)) - 1 == picture.svg.count(
        "M"
    )  # the circle is an element in SVG
    assert not re.search(r"\b(BT|Tf|Do)\b", content)
    assert not re.search(r"<(text|image|style)", picture.svg)
    assert 'width="42mm"' in picture.svg


def test_a_picture_is_drawn_once(spec: SealSpec) -> None:
    """The same data gives the same object."""
    assert seal_picture(spec) is seal_picture(replace(spec))
