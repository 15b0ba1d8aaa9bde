"""The picture of a seal (印章图像), drawn from its data as vectors.

国发〔1999〕25号: a circle of the legal diameter, in its middle a five-pointed star, or the artwork that a city supplies
for it (`certlib.sealing.emblem`), the owner's name in 宋体 around it from left to right, further words in horizontal
lines below. The circle's outer edge fills the box exactly, so that the box's side in millimetres is the legal diameter
(GB/T 38540 states it as the picture's width and height). Pure red on nothing. The same outlines are written as SVG for
print files and as a form for the PDF's signature.
"""

from __future__ import annotations

import base64
import math
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from fontTools.misc.transform import Transform
from pylopdf_fonts_zh_cn import serif_path

from certlib.domain.seal import SealSpec
from certlib.errors import RenderError
from certlib.sealing import outlines
from certlib.sealing.emblem import Emblem, Shape, Stencil, read_emblem
from certlib.sealing.outlines import POINTS_PER_MM, Outline, Typeface

RED = "#ff0000"

# Proportions of the diameter, measured on seals in use (42 and 45 mm) and rounded.
RING = 0.028
STAR_WIDTH = 1 / 3
EMBLEM_WIDTH = 0.36
ARC_HEIGHT = 0.155
ARC_GAP = 0.028  # between the ring and the tops of the characters
LINE_HEIGHT = 0.112
SMALL_LINE_HEIGHT = 0.075
STROKE = 0.0028  # what the outlines are thickened by: 宋体 on a seal is cut heavier than on a page

# Ink on ink: what is printed under the seal stays legible. The form's resources must have a graphics state so named.
BLEND = "Multiply"
EMBLEM = "Emblem"  # what the form calls the stencil, where it has one

NO_EMBLEM = (
    "中心图案为国徽（emblem），但没有图样：国徽受法律保护，系统不自行绘制，"
    "请在设置 emblem 中给出依法取得的图样文件（纯路径的 SVG，或透明底 PNG，均为正方形、单色）"
)

EM_MIDDLE = 0.38  # of a Han character above its baseline, in em


@dataclass(frozen=True, slots=True)
class SealPicture:
    """A seal's picture: `svg` a complete image, `form` the deflated content stream of a form of `side` points."""

    diameter: float  # millimetres
    svg: str = field(repr=False)
    form: bytes = field(repr=False)
    stencil: Stencil | None = None  # of artwork that is no vectors: an image mask that the form's resources must name

    @property
    def side(self) -> float:
        """The side of the form's box, in points."""
        return self.diameter * POINTS_PER_MM


def seal_picture(spec: SealSpec, font: Path | None = None) -> SealPicture:
    """The picture of a seal, drawn once; `font` is a 宋体 with cubic outlines, by default the one installed.

    Raises `RenderError` naming a character the font lacks, a centre that cannot be drawn, or words without room.
    """
    with _ONE_AT_A_TIME:
        return _drawn(spec, font or serif_path())


# A font file is read lazily and not by several threads at once; nor is a picture drawn twice because two asked.
_ONE_AT_A_TIME = threading.Lock()


@lru_cache(maxsize=256)
def _drawn(spec: SealSpec, font: Path) -> SealPicture:
    face = outlines.typeface(font)
    outlines.require_glyphs(face, spec.arc_text + "".join(spec.lines), of=f"印章“{spec.name}”")
    drawing, diameter, centre = Drawing(face, spec.diameter), spec.diameter, _centre(spec)
    lettered = (*drawing.arc(spec.arc_text, lined=bool(spec.lines)), *drawing.lines(spec.name, spec.lines))
    return SealPicture(
        diameter, _svg(diameter, centre, lettered), _form(diameter, centre, lettered), stencil=centre.stencil
    )


def _centre(spec: SealSpec) -> Emblem:
    """What stands in the middle, in millimetres."""
    if spec.centre == "star":
        radius = STAR_WIDTH * spec.diameter / (2 * math.sin(math.radians(72)))
        return Emblem(shapes=(Shape((outlines.star(radius),)),))
    if spec.centre != "emblem":
        raise RenderError(f"印章“{spec.name}”的中心图案 {spec.centre} 没有图样，只能是五角星（star）或国徽（emblem）。")
    if not spec.emblem:
        raise RenderError(f"印章“{spec.name}”的{NO_EMBLEM}。")
    side = EMBLEM_WIDTH * spec.diameter
    found = read_emblem(spec.emblem)
    shapes = (Shape(outlines.scaled(shape.outlines, side), shape.evenodd) for shape in found.shapes)
    return Emblem(tuple(shapes), found.stencil)


@dataclass(frozen=True, slots=True)
class Drawing:
    """Where the characters of a seal of this diameter go."""

    face: Typeface
    diameter: float

    @property
    def inside(self) -> float:
        """The radius of the ring's inner edge."""
        return self.diameter * (0.5 - RING)

    def arc(self, text: str, *, lined: bool) -> Iterator[Outline]:
        """The characters around the star, evenly spaced about the top, their feet towards the middle.

        They spread over at most 220° when lines follow below, else 270°; long names are set narrower, then lower.
        """
        if not text:
            return
        most = math.radians(220 if lined else 270)
        height = self.diameter * ARC_HEIGHT
        radius = self.inside - self.diameter * ARC_GAP - height / 2
        step = min(most / max(len(text) - 1, 1), math.radians(35))
        width = min(height * 0.86, 0.94 * step * (radius - height / 4))
        height = min(height, width * 2.2)
        radius = self.inside - self.diameter * ARC_GAP - height / 2
        for k, char in enumerate(text):
            angle = step * ((len(text) - 1) / 2 - k)  # from the top, counter-clockwise
            placing = Transform().rotate(angle).translate(0, radius)
            yield self._glyph(char, placing, width, height)

    def lines(self, name: str, texts: tuple[str, ...]) -> Iterator[Outline]:
        """The horizontal lines below the star, the first in full height, further ones small."""
        top = -0.212 * self.diameter
        for k, text in enumerate(texts):
            height = self.diameter * (SMALL_LINE_HEIGHT if k else LINE_HEIGHT)
            middle = top - height / 2
            yield from self._line(name, text, middle, height)
            top -= height * 1.12

    def _line(self, name: str, text: str, middle: float, height: float) -> Iterator[Outline]:
        lowest = abs(middle) + height / 2
        room = 2 * math.sqrt(max(self.inside**2 - lowest**2, 0)) - 0.06 * self.diameter
        advances = [self.face.advance(char) for char in text]
        if not sum(advances):  # nothing, or accents without a letter
            raise RenderError(f"印章“{name}”有一行没有可绘制的文字，请改正或删去该行。")
        width = min(height * 0.86, room / sum(advances))
        if width < height * 0.3:
            raise RenderError(f"印章“{name}”的文字“{text}”太长，印章内放不下，请缩短或分行。")
        left = -width * sum(advances) / 2
        for char, advance in zip(text, advances, strict=True):
            placing = Transform().translate(left + width * advance / 2, middle)
            yield self._glyph(char, placing, width, height)
            left += width * advance

    def _glyph(self, char: str, placing: Transform, width: float, height: float) -> Outline:
        """A character whose em square becomes `width` by `height`, the middle of it where `placing` says."""
        middle = placing.scale(width, height).translate(-self.face.advance(char) / 2, -EM_MIDDLE)
        return self.face.outline(char, middle)


def _svg(diameter: float, centre: Emblem, lettered: tuple[Outline, ...]) -> str:
    middle, ring = diameter / 2, RING * diameter
    words = outlines.as_svg(lettered, middle=middle)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{diameter:g}mm" height="{diameter:g}mm" '
        f'viewBox="0 0 {diameter:g} {diameter:g}"><g fill="{RED}" stroke="none">'
        f'<circle cx="{middle:g}" cy="{middle:g}" r="{middle - ring / 2:.4f}" fill="none" stroke="{RED}" '
        f'stroke-width="{ring:.4f}"/>{"".join(_svg_centre(centre, diameter))}'
        f'<path stroke="{RED}" stroke-width="{STROKE * diameter:.4f}" d="{words}"/></g></svg>'
    )


def _svg_centre(centre: Emblem, diameter: float) -> Iterator[str]:
    for shape in centre.shapes:
        rule = ' fill-rule="evenodd"' if shape.evenodd else ""
        yield f'<path{rule} d="{outlines.as_svg(shape.outlines, middle=diameter / 2)}"/>'
    if centre.stencil is not None:
        side = EMBLEM_WIDTH * diameter
        place = (
            f'x="{(diameter - side) / 2:.4f}" y="{(diameter - side) / 2:.4f}" width="{side:.4f}" height="{side:.4f}"'
        )
        yield f'<image {place} href="data:image/png;base64,{base64.b64encode(centre.stencil.png).decode()}"/>'


def _form(diameter: float, centre: Emblem, lettered: tuple[Outline, ...]) -> bytes:
    middle, ring = diameter / 2, RING * diameter
    parts = (
        f"/{BLEND} gs 1 0 0 rg 1 0 0 RG",
        f"{ring * POINTS_PER_MM:.4f} w",
        outlines.as_pdf([outlines.circle(middle - ring / 2)], middle=middle),
        "S",
        *_form_centre(centre, diameter),
        f"{STROKE * diameter * POINTS_PER_MM:.4f} w 1 j",
        outlines.as_pdf(lettered, middle=middle),
        "B",
    )
    return zlib.compress("\n".join(parts).encode("ascii"), 9)


def _form_centre(centre: Emblem, diameter: float) -> Iterator[str]:
    for shape in centre.shapes:
        yield outlines.as_pdf(shape.outlines, middle=diameter / 2)
        yield "f*" if shape.evenodd else "f"
    if centre.stencil is not None:
        side, start = (part * diameter * POINTS_PER_MM for part in (EMBLEM_WIDTH, (1 - EMBLEM_WIDTH) / 2))
        yield f"q {side:.4f} 0 0 {side:.4f} {start:.4f} {start:.4f} cm /{EMBLEM} Do Q"
