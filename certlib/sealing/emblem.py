"""The artwork in the middle of a seal that bears one (国徽), as a city supplies it: checked, and turned into outlines.

    url = load_emblem(path)      # the checked file as a data URL (RFC 2397), which the seal's data keep
    read_emblem(url)             # what is drawn

国发〔1999〕25号 puts the national emblem on seals of people's governments. It is protected, so none is drawn here and
none comes with this program: a city lays the licensed artwork down as a file. A vector file is SVG of filled paths and
nothing else, no script, style, link or entity; a picture is a transparent PNG. Both are square, of one colour, and are
printed in the seal's red. The seal's data keep the file's own bytes, so that an edition is always drawn the same.
"""

from __future__ import annotations

import base64
import binascii
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.recordingPen import RecordingPen
from fontTools.svgLib.path.parser import parse_path
from PIL import Image

from certlib.errors import ConfigurationError, RenderError
from certlib.sealing.outlines import Outline, Point, Segment

MAX_BYTES = 256 * 1024
MAX_SEGMENTS = 20_000
LEAST_PIXELS, MOST_PIXELS = 360, 2400  # of a PNG: 600 to the inch where it is drawn, and no bomb
_SVG = "{http://www.w3.org/2000/svg}"
_SHOWN = "fill fill-rule id"
_ATTRIBUTES = {
    "svg": frozenset(f"viewBox width height version baseProfile {_SHOWN}".split()),
    "g": frozenset(_SHOWN.split()),
    "path": frozenset(f"d {_SHOWN}".split()),
    "title": frozenset({"id"}),
    "desc": frozenset({"id"}),
}
_INKS = frozenset({"", "currentcolor", "red", "#f00", "#ff0000", "black", "#000", "#000000"})
_MEDIA = {"image/svg+xml": b"<", "image/png": b"\x89PNG"}


@dataclass(frozen=True, slots=True)
class Shape:
    """Outlines that are filled together; `evenodd` is the rule (SVG `fill-rule`), else non-zero."""

    outlines: tuple[Outline, ...]
    evenodd: bool = False


@dataclass(frozen=True, slots=True)
class Stencil:
    """A square of `side` by `side` dots, one bit each, 0 where there is ink; `png` the same in red with its edges."""

    side: int
    bits: bytes = field(repr=False)  # deflated, rows padded to whole bytes
    png: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Emblem:
    """What stands in the middle: shapes about it in a square of side 1, y upwards, or a stencil over that square."""

    shapes: tuple[Shape, ...] = ()
    stencil: Stencil | None = None


def load_emblem(path: Path) -> str:
    """The artwork at `path` as a data URL. Raises `ConfigurationError` naming the file and what is wrong with it."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"印章中心图案文件 {path} 无法读取（{error.strerror}）。") from error
    media = next((media for media, start in _MEDIA.items() if data.lstrip().startswith(start)), "")
    url = f"data:{media};base64,{base64.b64encode(data).decode()}"
    try:
        read_emblem(url)
    except RenderError as error:
        raise ConfigurationError(f"{path.name}：{error.message}") from error
    return url


@lru_cache(maxsize=16)
def read_emblem(url: str) -> Emblem:
    """The artwork in a data URL. Raises `RenderError` saying what about it cannot be used."""
    try:
        return _read(url)
    except (ValueError, binascii.Error) as error:
        raise RenderError(f"印章中心图案不能使用：{error}。") from error


def _read(url: str) -> Emblem:
    head, _, text = url.partition(";base64,")
    data = base64.b64decode(text, validate=True)
    if len(data) > MAX_BYTES:
        raise ValueError(f"超过 {MAX_BYTES // 1024} KB")
    match head:
        case "data:image/svg+xml":
            return Emblem(shapes=tuple(_shapes(data)))
        case "data:image/png":
            return Emblem(stencil=_stencil(data))
    raise ValueError("应为 SVG 矢量文件或透明底 PNG")


def _shapes(data: bytes) -> Iterator[Shape]:
    root = _parsed(data)
    if _tag(root) != "svg":
        raise ValueError("不是 SVG 文件")
    box = _box(root)
    segments = 0
    found = list(_paths(root, "", "nonzero"))
    if not found:
        raise ValueError("其中没有路径")
    for text, rule in found:
        pen = _recorded(text)
        segments += len(pen.value)
        if segments > MAX_SEGMENTS:
            raise ValueError(f"路径超过 {MAX_SEGMENTS} 段")
        _must_lie_inside(pen, box)
        yield Shape((tuple(_segments(pen, box)),), evenodd=rule == "evenodd")


def _parsed(data: bytes) -> ElementTree.Element:
    """The document's root. A document type, entities or style sheets are refused before anything is parsed."""
    body = data.lstrip()
    after = body.partition(b"?>")[2] if body.startswith(b"<?xml ") else body
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data or b"<?" in after:
        raise ValueError("含有文档类型声明、实体或处理指令，请导出为纯路径的 SVG")
    try:
        return ElementTree.fromstring(data)  # noqa: S314  (no document type, so neither entities nor anything external)
    except (ElementTree.ParseError, LookupError) as error:
        raise ValueError("SVG 文件无法读取") from error


def _tag(element: ElementTree.Element) -> str:
    return element.tag.removeprefix(_SVG)


def _box(root: ElementTree.Element) -> tuple[float, float, float]:
    """Left, top and side of the artwork's square."""
    try:
        left, top, width, height = map(float, root.get("viewBox", "").replace(",", " ").split())
    except ValueError as error:
        raise ValueError("没有 viewBox（四个数）") from error
    if not (math.isfinite(left + top) and 0 < width == height < math.inf):
        raise ValueError("画面（viewBox）不是正方形")
    return left, top, width


def _paths(element: ElementTree.Element, fill: str, rule: str) -> Iterator[tuple[str, str]]:
    """The data and fill rule of each path, groups opened; anything that is no filled path is refused by its name."""
    tag = _tag(element)
    if tag not in _ATTRIBUTES:
        raise ValueError(f"含有元素 {tag[:40]}，只能有路径（path）和组（g）")
    if odd := [name for name in element.attrib if name not in _ATTRIBUTES[tag]]:
        raise ValueError(f"元素 {tag} 有属性 {odd[0][:60]}，请展开变换、样式和描边，导出为纯路径")
    fill, rule = element.get("fill", fill), element.get("fill-rule", rule)
    if fill.strip().lower() not in _INKS:
        raise ValueError(f"填充色 {fill[:20]} 不是单色（黑或红）")
    if tag == "path":
        yield element.get("d", ""), rule
    for child in element:
        yield from _paths(child, fill, rule)


def _recorded(text: str) -> RecordingPen:
    pen = RecordingPen()
    try:
        parse_path(text, pen)
    except Exception as error:  # (the parser has an error of its own for every fault of a path)
        raise ValueError("有路径无法读取") from error
    if not all(math.isfinite(value) for _, points in pen.value for point in points for value in point):
        raise ValueError("有路径无法读取")
    return pen


def _must_lie_inside(pen: RecordingPen, box: tuple[float, float, float]) -> None:
    bounds = BoundsPen(None)
    pen.replay(bounds)
    left, top, side = box
    slack = side / 1000
    x0, y0, x1, y1 = bounds.bounds or (left, top, left, top)
    if min(x0 - left, y0 - top, left + side - x1, top + side - y1) < -slack:
        raise ValueError("有路径超出画面（viewBox）")


def _segments(pen: RecordingPen, box: tuple[float, float, float]) -> Iterator[Segment]:
    """The pen's strokes in a square of side 1 about the middle, y upwards, all curves cubic."""
    left, top, side = box

    def placed(point: Point) -> Point:
        return (point[0] - left) / side - 0.5, 0.5 - (point[1] - top) / side

    last: Point = (0.0, 0.0)
    for name, given in pen.value:
        points = tuple(placed(point) for point in given)
        match name:
            case "moveTo":
                yield "M", points
            case "lineTo":
                yield "L", points
            case "curveTo":
                yield "C", points
            case "qCurveTo":
                (control, end) = points
                yield "C", (_towards(control, last), _towards(control, end), end)
            case "closePath":
                yield "Z", ()
        last = points[-1] if points else last


def _towards(control: Point, end: Point) -> Point:
    """The cubic's control point for a quadratic one: a third of the way back towards the end."""
    return control[0] + (end[0] - control[0]) / 3, control[1] + (end[1] - control[1]) / 3


def _stencil(data: bytes) -> Stencil:
    try:
        image = Image.open(BytesIO(data), formats=["PNG"])
        if image.width != image.height:
            raise ValueError("图像不是正方形")
        if not LEAST_PIXELS <= image.width <= MOST_PIXELS:
            raise ValueError(f"图像边长 {image.width} 点，应为 {LEAST_PIXELS} 至 {MOST_PIXELS} 点")
        whole = image.convert("RGBA")
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError("PNG 文件无法读取") from error
    alpha = whole.getchannel("A")
    if alpha.getextrema()[0] != 0 or alpha.getpixel((0, 0)) != 0:
        raise ValueError("图像背景不透明")
    # Ink is what is neither transparent nor white: red has no green, like black.
    clear = Image.new("L", whole.size, 255)
    clear.paste(whole.getchannel("G"), mask=alpha)
    ink = clear.point(lambda value: 255 - value)
    bits = clear.point(lambda value: 255 if value >= 128 else 0).convert("1")
    if bits.getextrema()[0] != 0:
        raise ValueError("图像是空白的")
    red = Image.new("RGBA", whole.size, (255, 0, 0, 0))
    red.putalpha(ink)
    png = BytesIO()
    red.save(png, "PNG", optimize=True)
    return Stencil(whole.width, zlib.compress(bits.tobytes(), 9), png.getvalue())
