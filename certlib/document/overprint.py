"""The print file of a sheet (打印文件): the whole face, or on a pre-printed blank its facts only (套打), for a window.

The whole face is set and looked at first, as on every other carrier. What goes to the printer is the same page without
what the blank carries already, moved by what the window's printer is off by; it is held to the whole face character by
character, so that no fact is missing, none stands elsewhere and nothing is printed twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pypdfium2 as pdfium

from certlib.document.face import Face, Rendered
from certlib.document.glyphs import Glyph, read_glyphs
from certlib.document.lint import lint, require
from certlib.document.reading import plain, printed_facts
from certlib.document.renderer import Renderer
from certlib.domain.verdict import Finding
from certlib.formats.pdfium import PDFIUM

NEAR = 0.05  # millimetres: two characters stand at one place
FARTHEST = 5.0
"""Millimetres that a printer may be off by: the space that templates leave around codes and seals."""

Offset = tuple[float, float]


def print_file(face: Face, renderer: Renderer, *, overprint: bool = False, offset: Offset = (0.0, 0.0)) -> Rendered:
    """What is sent to the printer for `face`. Raises `RenderError`; `LintError` when the page is not what it should be.

    `offset` is how far everything moves, to the right and down, in millimetres.
    """
    whole = renderer.render(face)
    require(lint(whole, face, full=False, renderer=renderer))
    if not overprint and offset == (0.0, 0.0):
        return whole
    printed = renderer.render(replace(face, overprint=overprint, offset=offset))
    require(compare(whole, printed, face, renderer, overprint=overprint, offset=offset))
    return printed


def compare(
    whole: Rendered, printed: Rendered, face: Face, renderer: Renderer, *, overprint: bool, offset: Offset
) -> tuple[Finding, ...]:
    """Whether the print file is the whole face, moved by `offset`, and in an overprint without what is on the blank."""
    with PDFIUM:
        before, after = _characters(whole), _characters(printed)
    problems = {
        "places": _misplaced(before, after, offset),
        "facts": _missing(after, face, renderer),
        "whole": () if overprint or _count(before) == _count(after) else ("打印文件与证面文字不一致",),
    }
    told = {check: "；".join(found) for check, found in problems.items()}
    return tuple(Finding(check, "fail" if detail else "pass", detail) for check, detail in told.items())


def _characters(rendered: Rendered) -> list[tuple[Glyph, ...]]:
    with pdfium.PdfDocument(rendered.pdf) as document:
        return [tuple(read_glyphs(page)) for page in document]


def _count(pages: list[tuple[Glyph, ...]]) -> int:
    return sum(map(len, pages))


def _misplaced(before: list[tuple[Glyph, ...]], after: list[tuple[Glyph, ...]], offset: Offset) -> Iterator[str]:
    """Characters that do not stand where the whole face has them."""
    if len(before) != len(after):
        yield f"打印文件有 {len(after)} 页，应为 {len(before)} 页"
        return
    for number, (stand, printed) in enumerate(zip(before, after, strict=True), 1):
        places = {_place(glyph, (0.0, 0.0), x, y) for glyph in stand for x in (-1, 0, 1) for y in (-1, 0, 1)}
        astray = [glyph.text for glyph in printed if _place(glyph, offset, 0, 0) not in places]
        if astray:
            yield f"第 {number} 页有文字错位：“{''.join(astray[:16])}”"


def _place(glyph: Glyph, offset: Offset, x: int, y: int) -> tuple[str, int, int]:
    across, down = glyph.left - offset[0], glyph.top - offset[1]
    return glyph.text, round(across / NEAR) + x, round(down / NEAR) + y


def _missing(after: list[tuple[Glyph, ...]], face: Face, renderer: Renderer) -> Iterator[str]:
    """Facts of which a line is not printed. Lists are numbered, so they are looked for line by line."""
    text = "".join(glyph.text for page in after for glyph in page)
    _, layout = renderer.layout(face)
    for key in sorted(printed_facts(layout) & face.facts.keys()):
        if any(plain(line) not in text for line in face.facts[key].split("\n")):
            yield f"{face.labels.get(key, key)} 未打印"
