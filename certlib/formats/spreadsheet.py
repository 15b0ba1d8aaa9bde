"""Tables as CSV (RFC 4180) that office programs open as they are: UTF-8 with a byte order mark, every cell quoted.

A text that a spreadsheet would take for a formula is written with an apostrophe before it, so that a name typed by an
applicant cannot run on an official's machine. Numbers are written as they are.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

MEDIA_TYPE = "text/csv; charset=utf-8"

Cell = str | int | float | None

_BOM = b"\xef\xbb\xbf"
# what begins a formula, or ends the cell before it; the wide forms are folded to the narrow ones by some programs
_DANGEROUS = tuple("=+-@\t\r\n＝＋－＠")


def csv_bytes(rows: Iterable[Sequence[Cell]]) -> bytes:
    """The rows, the heading among them, as a CSV file."""
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(
        [_cell(cell) for cell in row] for row in rows
    )
    return _BOM + out.getvalue().encode()


def _cell(cell: Cell) -> str:
    if not isinstance(cell, str):
        return "" if cell is None else str(cell)
    text = cell.replace("\x00", "")
    return f"'{text}" if text.lstrip(" \u3000").startswith(_DANGEROUS) else text
