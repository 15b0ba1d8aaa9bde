"""The picture of the QR code: a black vector path whose modules are whole printer dots.

The text is a lower-case address in byte mode followed by digits in numeric mode (ISO/IEC 18004 §7.3). At 300 dots per
inch a module of 5 dots is 0.423 mm, of 6 dots 0.508 mm, so a version 9 symbol (53 modules) measures 22.4 or 26.9 mm,
version 11 (61 modules) 25.8 or 31.0 mm. The quiet zone of four modules is the template's white box around it.

A face has squares that it can give to its code. A text gets the smallest in which it stands at level Q with modules of
6 dots, so a longer text gets a larger square before it loses error correction, and both before its modules narrow.

    >>> squares = (31.0, 33.1, 35.1)
    >>> for digits in 300, 400, 480, 520:
    ...     picture = draw_code("https://zwfw.example.gov.cn/v#1" + "7" * digits, squares=squares, version=9)
    ...     print(picture.version, picture.correction, round(picture.side, 1))
    11 Q 31.0
    12 Q 33.0
    13 Q 35.1
    12 M 33.0

Two encoders make the same kind of symbol: `qrcode`, and `zxing`, which takes a tenth of the time and serves batches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, cast

import qrcode
import zxingcpp
from qrcode.exceptions import DataOverflowError
from qrcode.util import MODE_8BIT_BYTE, MODE_NUMBER, QRData

from certlib.errors import RenderError

DOT = 25.4 / 300  # millimetres
QUIET_ZONE = 4  # modules
SMALLEST_MODULE = 4  # dots: 0.339 mm, the least that office printers and telephones manage
GOOD_MODULE = 6  # dots: 0.508 mm, which poor light and a worn sheet leave legible
LEVELS = "LMQH"  # error correction, from weak to strong
STRONGEST = "Q"  # beyond it a symbol grows faster than it resists
ENCODER = "qrcode"
_DIGITS = re.compile(r"(.*?)(\d{12,})", re.DOTALL)

Matrix = list[list[bool]]


@dataclass(frozen=True, slots=True)
class CodePicture:
    """A drawn code: SVG of the symbol without quiet zone, `side` and `module` in millimetres."""

    svg: str
    side: float
    module: float
    version: int
    correction: str = "M"


def code_matrix(text: str, *, correction: str = "M", version: int | None = None, encoder: str = ENCODER) -> Matrix:
    """The modules of the code, True for dark, row by row, without quiet zone.

    `version` is the least to use: a longer text gets the next that holds it. Raises `RenderError` when none does.
    """
    matrix = ENCODERS[encoder](text, correction, version)
    if matrix is None:
        raise RenderError(f"二维码内容过长（{len(text)} 字符），无法编码 (too long for a QR code)")
    return matrix


def _by_qrcode(text: str, correction: str, version: int | None) -> Matrix | None:
    symbol = _symbol(text, correction, version)
    try:
        symbol.make(fit=True)
    except (DataOverflowError, ValueError):
        return None
    return [[bool(module) for module in row] for row in symbol.modules]


def _symbol(text: str, correction: str, version: int | None) -> Any:
    """The text in its segments, not drawn yet."""
    symbol = qrcode.QRCode(version, error_correction=_QRCODE_LEVELS[correction], border=0)
    split = _DIGITS.fullmatch(text)
    if split and split[1]:
        symbol.add_data(QRData(split[1].encode(), mode=MODE_8BIT_BYTE))
        symbol.add_data(QRData(split[2].encode(), mode=MODE_NUMBER))
    else:
        symbol.add_data(text)
    return symbol


def _by_zxing(text: str, correction: str, version: int | None) -> Matrix | None:
    barcode = _zxing(text, correction, version) or _zxing(text, correction, None)
    if barcode is None:
        return None
    pixels = memoryview(cast("Any", barcode.to_image(scale=1, add_quiet_zones=False)))
    rows, columns = cast("tuple[int, int]", pixels.shape)
    return [[pixels[row, column] == 0 for column in range(columns)] for row in range(rows)]


def _zxing(text: str, correction: str, version: int | None) -> zxingcpp.Barcode | None:
    """The text as a symbol, or None when it does not fit.

    The level reached is looked at: told the level in its other way (`options`), the encoder lowers it in silence.
    """
    wanted: dict[str, object] = {"ec_level": correction} | ({"version": version} if version else {})
    try:
        barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, **wanted)
    except (ValueError, RuntimeError):
        return None
    return barcode if LEVELS.index(barcode.ec_level) >= LEVELS.index(correction) else None


ENCODERS: Mapping[str, Callable[[str, str, int | None], Matrix | None]] = {"qrcode": _by_qrcode, "zxing": _by_zxing}
_QRCODE_LEVELS: Mapping[str, int] = {
    "L": qrcode.ERROR_CORRECT_L,
    "M": qrcode.ERROR_CORRECT_M,
    "Q": qrcode.ERROR_CORRECT_Q,
    "H": qrcode.ERROR_CORRECT_H,
}


def qr_svg(text: str, module_mm: float, *, correction: str = "M", version: int | None = None) -> str:
    """The code as an SVG picture without quiet zone, each module `module_mm` millimetres wide."""
    return _svg(code_matrix(text, correction=correction, version=version), module_mm)


def draw_code(
    text: str,
    *,
    squares: Sequence[float],
    correction: str = "M",
    version: int | None = None,
    encoder: str = ENCODER,
) -> CodePicture:
    """The code in the first of `squares` (sides in millimetres, from small to large) that suits its length.

    That is the first in which it stands at the strongest level with good modules. A text too long for all of them gets
    the last: the widest module of whole dots that level `correction` allows, and of the levels from there on the
    strongest whose modules are no narrower. Raises `RenderError` when the text needs more modules than can be printed
    legibly in that space.
    """
    level, dots = _robust(text, squares, correction, version) or _densest(text, squares[-1], correction, version)
    matrix = code_matrix(text, correction=level, version=version, encoder=encoder)
    module = dots * DOT
    return CodePicture(_svg(matrix, module), module * len(matrix), module, (len(matrix) - 17) // 4, level)


def _robust(text: str, squares: Sequence[float], correction: str, version: int | None) -> tuple[str, int] | None:
    """The strongest level and its dots in the first square that has room for it, or None."""
    level = max(STRONGEST, correction, key=LEVELS.index)
    modules = _modules(text, level, version)
    fitting = (dots for side in squares if modules and (dots := _dots(modules, side)) >= GOOD_MODULE)
    return next(((level, dots) for dots in fitting), None)


def _densest(text: str, largest: float, correction: str, version: int | None) -> tuple[str, int]:
    """Level and dots of a text that fills its square."""
    least = _modules(text, correction, version)
    dots = _dots(least, largest) if least else SMALLEST_MODULE  # a text too long for any is told by the encoder
    if dots < SMALLEST_MODULE:
        raise RenderError(f"二维码内容过长（{len(text)} 字符），{largest:g} 毫米内印不清 (too dense to print)")
    for stronger in LEVELS[LEVELS.index(correction) + 1 : LEVELS.index(STRONGEST) + 1]:
        modules = _modules(text, stronger, version)
        if modules and _dots(modules, largest) >= dots:
            correction = stronger
    return correction, dots


def _dots(modules: int, largest: float) -> int:
    return int(largest / (modules * DOT) + 1e-6)


def _modules(text: str, correction: str, version: int | None) -> int:
    """How many modules wide the code gets, counted from the text's bits, which costs no drawing; 0: too long."""
    try:
        return 17 + 4 * int(_symbol(text, correction, version).best_fit(start=version))
    except (DataOverflowError, ValueError):
        return 0


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
