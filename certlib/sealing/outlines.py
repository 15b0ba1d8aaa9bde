"""Outlines: glyphs of a font and plain shapes as paths, written as SVG or as PDF operators.

A path is in millimetres about the middle of the seal, y upwards. No font is needed to show it, so a picture of paths
stays what it is in a PDF/A and on any printer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from fontTools.misc.transform import Transform
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont, TTLibError

from certlib.errors import ConfigurationError, RenderError

Point = tuple[float, float]
Segment = tuple[str, tuple[Point, ...]]  # "M" | "L" | "C" | "Z" with its points
Outline = tuple[Segment, ...]

_LETTERS = {"moveTo": "M", "lineTo": "L", "curveTo": "C", "closePath": "Z"}
_OPERATORS = {"M": "m", "L": "l", "C": "c", "Z": "h"}
POINTS_PER_MM = 72 / 25.4


class Typeface:
    """The outlines of one font file with cubic curves (OpenType CFF). Glyphs are looked up by character."""

    def __init__(self, path: Path) -> None:
        try:
            font = TTFont(path, lazy=True)
            self._glyphs, self._map = font.getGlyphSet(), font.getBestCmap()
            self.em: int = font["head"].unitsPerEm
            self._metrics = font["hmtx"]
        except (OSError, TTLibError, KeyError) as error:
            raise ConfigurationError(f"印章字体 {path} 无法读取，请检查字体文件。") from error

    def missing(self, text: str) -> str:
        """The characters of `text` that the font cannot draw, each once."""
        return "".join(dict.fromkeys(char for char in text if ord(char) not in self._map))

    def advance(self, char: str) -> float:
        """The width of a character, in em."""
        return float(self._metrics[self._map[ord(char)]][0]) / self.em

    def outline(self, char: str, placing: Transform) -> Outline:
        """A character drawn through `placing`, which maps the em square (baseline left at the origin, side 1)."""
        pen = DecomposingRecordingPen(self._glyphs)
        scaled = placing.scale(1 / self.em, 1 / self.em)
        self._glyphs[self._map[ord(char)]].draw(TransformPen(pen, scaled))
        return tuple((_LETTERS[name], points) for name, points in pen.value)


@cache
def typeface(path: Path) -> Typeface:
    """The font at `path`, read once."""
    return Typeface(path)


def require_glyphs(face: Typeface, text: str, *, of: str) -> None:
    """Raise `RenderError` naming each character of `text` that the font lacks; `of` says whose text it is."""
    if missing := face.missing(text):
        shown = "、".join(f"“{char}”（U+{ord(char):04X}）" for char in missing)
        raise RenderError(f"{of}中的 {shown} 在印章字体中没有字形，印章未绘制。")


def star(radius: float, centre: Point = (0.0, 0.0)) -> Outline:
    """A five-pointed star with one point up; `radius` reaches its points."""
    inner = radius * math.sin(math.radians(18)) / math.sin(math.radians(54))
    corners = [
        (
            centre[0] + length * math.sin(math.radians(36 * k)),
            centre[1] + length * math.cos(math.radians(36 * k)),
        )
        for k, length in enumerate([radius, inner] * 5)
    ]
    first, *rest = corners
    return ("M", (first,)), *(("L", (corner,)) for corner in rest), ("Z", ())


def circle(radius: float) -> Outline:
    """A circle about the middle, of four Bézier arcs (off by less than 0.03 % of the radius)."""
    k = radius * 0.5522847498
    r = radius
    return (
        ("M", ((r, 0.0),)),
        ("C", ((r, k), (k, r), (0.0, r))),
        ("C", ((-k, r), (-r, k), (-r, 0.0))),
        ("C", ((-r, -k), (-k, -r), (0.0, -r))),
        ("C", ((k, -r), (r, -k), (r, 0.0))),
        ("Z", ()),
    )


def scaled(outlines: Iterable[Outline], by: float) -> tuple[Outline, ...]:
    """The outlines grown about the middle."""
    return tuple(
        tuple((letter, tuple((x * by, y * by) for x, y in points)) for letter, points in outline)
        for outline in outlines
    )


def as_svg(outlines: Iterable[Outline], *, middle: float) -> str:
    """Path data for SVG: y downwards, the outlines' origin at (`middle`, `middle`), in millimetres."""
    parts = (
        letter + " ".join(f"{_short(middle + x)} {_short(middle - y)}" for x, y in points)
        for outline in outlines
        for letter, points in outline
    )
    return "".join(parts)


def as_pdf(outlines: Iterable[Outline], *, middle: float) -> str:
    """Path operators for a PDF content stream, in points, the outlines' origin at (`middle`, `middle`) mm."""
    return "\n".join(_pdf_segments(outlines, middle))


def _pdf_segments(outlines: Iterable[Outline], middle: float) -> Iterator[str]:
    for outline in outlines:
        for letter, points in outline:
            numbers = (_short((middle + v) * POINTS_PER_MM) for point in points for v in point)
            yield " ".join((*numbers, _OPERATORS[letter]))


def _short(value: float) -> str:
    """Three decimals (a third of a micrometre, in points) without trailing zeros."""
    return f"{value:.3f}".rstrip("0").rstrip(".")
