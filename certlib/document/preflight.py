"""Before anything is numbered: can these facts be set at all?

Two questions, all faults at once: has some font of the chain every character, and does each text fit its box. A
text that fits by a wide margin is passed by its advance widths alone; any other is set by typst itself with a
sample number, so that the answer is the typesetter's and not an estimate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from math import ceil

from certlib.document.face import Face
from certlib.document.fonts import Fonts
from certlib.document.renderer import Renderer, default_renderer, label
from certlib.document.templates import Layout, Slot
from certlib.errors import Fault, RequestError

POINT = 25.4 / 72  # millimetres
# What a line cannot be broken inside: a run without ideographs, full-width characters or spaces.
UNBROKEN = re.compile(r"[^\s\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+")
CHARACTERS_PER_PAGE = 400  # a page of 22 lines of 28, counted low: beyond this a flowing document is set to see


def preflight(face: Face, renderer: Renderer | None = None) -> None:
    """Return when every copy of the face can be set with these facts: the electronic file, 正本 and 副本 alike.

    Facts not known yet, such as the number, may be missing. Raises `RequestError` with every fault, each naming field
    and label, and `ConfigurationError` for a missing template.
    """
    renderer = renderer or default_renderer()
    template, _ = renderer.layout(face)
    faults = [
        fault
        for layout in template.layouts
        for fault in _layout_faults(replace(face, copy_label=layout.copies[0]), layout, renderer)
    ]
    if faults:
        told: dict[tuple[str, str], Fault] = {}
        for fault in faults:
            told.setdefault((fault.path, fault.code), fault)
        raise RequestError(told.values())


def _layout_faults(face: Face, layout: Layout, renderer: Renderer) -> list[Fault]:
    texts = dict(_texts(face, layout))
    faults = [fault for key, text in texts.items() for fault in _faults(key, text, face, layout, renderer.fonts)]
    fits = all(_surely_fits(texts.get(key, ""), slot, renderer.fonts) for key, slot in layout.slots.items())
    if faults or (fits and _short(texts, layout)):
        return faults
    return list(_set_to_see(face, renderer))


def _texts(face: Face, layout: Layout) -> Iterator[tuple[str, str]]:
    """Every text that will be set, by its key; what is not known yet by the slot's sample."""
    own = {"title": face.title, "issuer": face.issuer, "issued_on": face.issued_on, "copy_label": face.copy_label}
    known = {**face.facts, **own, "serial": face.serial, "mark": face.mark}
    samples = {key: slot.sample for key, slot in layout.slots.items() if slot.sample and not known.get(key)}
    yield from {**known, **samples}.items()


def _faults(key: str, text: str, face: Face, layout: Layout, fonts: Fonts) -> Iterator[Fault]:
    slot = layout.slots.get(key)
    name = label(face, layout, key)
    if missing := fonts.missing(text, slot.font if slot else "song"):
        listed = "、".join(f"“{c}”（U+{ord(c):04X}）" for c in missing)
        yield Fault(
            path=_path(key, face),
            code="missing-glyph",
            label=name,
            message=f"{name}含有字库没有的字符{listed}，请补充字体或改用规范字。",
            english=f"no font has {', '.join(f'U+{ord(c):04X}' for c in missing)}",
        )
    elif slot and slot.width and (run := _too_wide_run(text, slot, fonts)):
        yield Fault(
            path=_path(key, face),
            code="too-long",
            label=name,
            message=f"{name}中的“{run}”连续过长，无法换行，请插入空格或缩短。",
            english="an unbroken run of characters is wider than its line",
        )


def _path(key: str, face: Face) -> str:
    return f"facts.{key}" if key in face.facts else key


def _too_wide_run(text: str, slot: Slot, fonts: Fonts) -> str:
    width = slot.width / (slot.sizes[-1] * POINT)
    return next((run for run in UNBROKEN.findall(text) if fonts.advance(run, slot.font) > width), "")


def _surely_fits(text: str, slot: Slot, fonts: Fonts) -> bool:
    """Whether the text fits however its lines are broken: each line may lose its longest run and a mark."""
    if not slot.height or not text:
        return True
    paragraphs = (slot.prefix + text).split("\n")
    widths = [fonts.advance(paragraph, slot.font) for paragraph in paragraphs]
    lost = 2 + max((fonts.advance(run, slot.font) for run in UNBROKEN.findall(text)), default=0)
    for size in slot.sizes:
        line = slot.width / (size * POINT)
        lines = [1 if w <= 0.98 * line else ceil(w / (line - lost)) if line > lost else 1_000 for w in widths]
        if sum(lines) <= slot.lines(size):
            return True
    return False


def _short(texts: dict[str, str], layout: Layout) -> bool:
    flowing = sum(len(text) for key, text in texts.items() if key in layout.slots and not layout.slots[key].height)
    return flowing <= CHARACTERS_PER_PAGE * (layout.pages[1] - 1)


def _set_to_see(face: Face, renderer: Renderer) -> Iterator[Fault]:
    """Set the face with samples in place of what is not known yet, and tell what did not fit."""
    template, layout = renderer.layout(face)
    texts = dict(_texts(face, layout))
    facts = {key: text for key, text in texts.items() if key in layout.slots or key in face.facts}
    trial = replace(
        face, facts=facts, issuer=texts["issuer"], issued_on=texts["issued_on"], attachment=b"", code_text=""
    )
    setting = renderer.compile(trial, template, layout)
    for spot in setting.spots:
        if spot.kind == "overflow":
            yield _too_long(spot.key, face, layout)
    end = setting.one("end")
    if end and end.page > layout.pages[1]:
        longest = max((key for key in facts if key in face.facts), key=lambda key: len(facts[key]))
        name = label(face, layout, longest)
        yield Fault(
            path=f"facts.{longest}",
            code="too-long",
            label=name,
            message=f"全文排成 {end.page} 页，最多 {layout.pages[1]} 页，请缩短{name}等内容。",
            english=f"the document runs to {end.page} pages of {layout.pages[1]} allowed",
        )


def _too_long(key: str, face: Face, layout: Layout) -> Fault:
    """What the box holds: in characters, or in lines when it is not the characters that are too many."""
    slot, name = layout.slots[key], label(face, layout, key)
    length, lines = len(face.facts.get(key, "")), slot.lines(slot.sizes[-1]) * slot.columns
    if length > slot.capacity:
        told = f"最多排 {slot.capacity} 字，现有 {length} 字，请缩短"
        english = f"the text has {length} characters, its box holds {slot.capacity}"
    else:
        told, english = f"最多排 {lines} 行，请合并或缩短各行", f"the box holds {lines} lines"
    return Fault(
        path=_path(key, face),
        code="too-long",
        label=name,
        message=f"{name}过长：{face.copy_label or '版面'}{told}。",
        english=english,
    )
