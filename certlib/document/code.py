"""The picture of the QR code: a black vector path whose modules are whole printer dots.

The text is a lower-case address in byte mode followed by digits in numeric mode; the encoder splits the segments
itself. At 300 dots per inch a module of 5 dots is 0.423 mm, of 6 dots 0.508 mm, so a version 9 symbol (53 modules)
measures 22.4 or 26.9 mm. The quiet zone of four modules (ISO/IEC 18004) is the template's white box around it.

    >>> picture = draw_code("https://zwfw.example.gov.cn/v#1" + "7" * 300, largest=27.0, version=9)
    >>> picture.version, round(picture.side, 1)
    (9, 26.9)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any, cast

import zxingcpp

from certlib.errors import RenderError

DOT = 25.4 / 300  # millimetres
QUIET_ZONE = 4  # modules
SMALLEST_MODULE = 4  # dots: 0.339 mm, the least that office printers and telephones manage
LEVELS = "LMQH"  # error correction, from weak to strong


@dataclass(frozen=True, slots=True)
class CodePicture:
    """A drawn code: SVG of the symbol without quiet zone, `side` and `module` in millimetres."""

    svg: str
    side: float
    module: float
    version: int


def code_matrix(text: str, *, correction: str = "M", version: int | None = None) -> list[list[bool]]:
    """The modules of the code, True for dark, row by row, without quiet zone.

    `version` is the least to use: a longer text gets the next that holds it. Raises `RenderError` when none does.
    """
    barcode = _encode(text, correction, version) or _encode(text, correction, None)
    if barcode is None:
        raise RenderError(f"二维码内容过长（{len(text)} 字符），无法编码 (too long for a QR code)")
    pixels = memoryview(cast("Any", barcode.to_image(scale=1, add_quiet_zones=False)))
    rows, columns = cast("tuple[int, int]", pixels.shape)
    return [[pixels[row, column] == 0 for column in range(columns)] for row in range(rows)]


def _encode(text: str, correction: str, version: int | None) -> zxingcpp.Barcode | None:
    """The text as a symbol, or None when it does not fit.

    The level reached is looked at: told the level in its other way (`options`), the encoder lowers it in silence.
    """
    wanted: dict[str, object] = {"ec_level": correction} | ({"version": version} if version else {})
    try:
        barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, **wanted)
    except (ValueError, RuntimeError):
        return None
    return barcode if LEVELS.index(barcode.ec_level) >= LEVELS.index(correction) else None


def qr_svg(text: str, module_mm: float, *, correction: str = "M", version: int | None = None) -> str:
    """The code as an SVG picture without quiet zone, each module `module_mm` millimetres wide."""
    return _svg(code_matrix(text, correction=correction, version=version), module_mm)


def draw_code(text: str, *, largest: float, correction: str = "M", version: int | None = None) -> CodePicture:
    """The code with the widest module of whole dots that keeps the symbol within `largest` millimetres.

    Raises `RenderError` when the text needs more modules than can be printed legibly in that space.
    """
    matrix = code_matrix(text, correction=correction, version=version)
    dots = int(largest / (len(matrix) * DOT) + 1e-6)
    if dots < SMALLEST_MODULE:
        raise RenderError(f"二维码内容过长（{len(text)} 字符），{largest:g} 毫米内印不清 (too dense to print)")
    module = dots * DOT
    return CodePicture(_svg(matrix, module), module * len(matrix), module, (len(matrix) - 17) // 4)


def _svg(matrix: list[list[bool]], module: float) -> str:
    """One path of runs of dark modules: crisp at any scale, small in the file."""
    count, side = len(matrix), module * len(matrix)
    runs = [f"M{x} {y}h{length}v1h-{length}z" for y, row in enumerate(matrix) for x, length in _dark_runs(row)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side:.4f}mm" height="{side:.4f}mm" '
        f'viewBox="0 0 {count} {count}"><path shape-rendering="crispEdges" d="{"".join(runs)}"/></svg>'
    )


def _dark_runs(row: list[bool]) -> list[tuple[int, int]]:
    runs, x = [], 0
    for dark, cells in groupby(row):
        length = len(list(cells))
        if dark:
            runs.append((x, length))
        x += length
    return runs
