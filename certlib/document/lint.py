"""Looks at a rendered file as a stranger would, before it is sealed.

The checks read the file's own bytes through PDFium, not what the typesetter meant:

    structure   PDF/A-3a and PDF/UA-1 declared, tagged, fonts embedded, nothing active and nothing from outside
    pages       as many as the layout allows
    text        all pages together read exactly what the template and the facts say, and nothing else
    facts       every fact given is printed, or declared silent by the template
    margins     no character beyond the margins
    overlap     no character upon another
    attachment  facts.json is there, once, byte for byte
    seal        inside its page, clear of every text but issuer and date, away from the code, never alone on a page
    quiet       no character upon the code or in its quiet zone
    place       code and seal clear of the page's edges and of its folds
    code        decodes from the page at 150 dpi to exactly the code's text (full look only)

`require(lint(…))` raises `LintError` when one fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import pypdfium2 as pdfium
import zxingcpp

from certlib.document.face import Carrier, Face, Rendered
from certlib.document.glyphs import MILLIMETRE, Glyph, indices_of, read_glyphs
from certlib.document.reading import expected_text, plain, printed_facts
from certlib.document.renderer import Renderer, default_renderer
from certlib.document.templates import Layout, Template
from certlib.domain.page import Box
from certlib.domain.verdict import Finding
from certlib.errors import LintError
from certlib.formats.pdfium import PDFIUM

CODE_DPI = 150
EDGE = {"二维码": 8.0, "印章": 5.0}  # millimetres of paper around a code, and around a seal, that a cutter may take
FOLD = 3.0  # millimetres on either side of a fold
SEAL_TO_CODE = 25.0  # millimetres: a red ring over the quiet zone is what keeps telephones from reading
CELL = 6.0  # millimetres, for finding neighbours
INK = 1.5  # millimetres by which ink may end short of its line

STREAM = re.compile(rb"stream\r?\n.*?endstream", re.DOTALL)
ACTIVE = re.compile(
    rb"/(JavaScript|JS|AcroForm|Launch|URI|GoToR|GoToE|SubmitForm|RichMedia|OpenAction|AA|XFA|Annots)\b"
)
IDENTIFIERS = re.compile(rb"/ID\s*\[.*?\]", re.DOTALL)  # base64 of chance, in which a name such as /AA may stand
NEEDED = {
    "StructTreeRoot": re.compile(rb"/StructTreeRoot \d+ \d+ R"),
    "MarkInfo": re.compile(rb"/MarkInfo\s*<<\s*/Marked true"),
    "Lang": re.compile(rb"/Lang\s*\(zh"),
}
DECLARED = (b"<pdfaid:part>3</pdfaid:part>", b"<pdfaid:conformance>A</pdfaid:conformance>", b"<pdfuaid:part>1<")


class Look:
    """A rendered file opened once, with the face it should bear. To be closed by `with`."""

    def __init__(self, rendered: Rendered, face: Face, template: Template, layout: Layout) -> None:
        self.rendered, self.face, self.template, self.layout = rendered, face, template, layout
        self.document = pdfium.PdfDocument(rendered.pdf)

    def __enter__(self) -> Look:
        return self

    def __exit__(self, *_: object) -> None:
        self.document.close()

    @cached_property
    def skeleton(self) -> bytes:
        """The file without its streams and its identifiers: its objects, not their contents."""
        return IDENTIFIERS.sub(b"", STREAM.sub(b"", self.rendered.pdf))

    @cached_property
    def pages(self) -> tuple[tuple[Glyph, ...], ...]:
        """Every character with ink, page by page, in the order of the file."""
        return tuple(tuple(read_glyphs(self.document[i])) for i in range(len(self.document)))

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """What each page reads."""
        return tuple(self.document[i].get_textpage().get_text_range() for i in range(len(self.document)))


def lint(rendered: Rendered, face: Face, *, full: bool = True, renderer: Renderer | None = None) -> tuple[Finding, ...]:
    """Every check with its outcome. `full` also rasterises the code and reads it."""
    template, layout = (renderer or default_renderer()).layout(face)
    checks = CHECKS if full else {name: check for name, check in CHECKS.items() if name != "code"}
    with PDFIUM, Look(rendered, face, template, layout) as look:
        return tuple(_finding(name, check(look)) for name, check in checks.items())


def require(findings: Iterable[Finding]) -> None:
    """Return when no finding failed. Raises `LintError` naming all that did."""
    failed = [finding for finding in findings if finding.outcome == "fail"]
    if failed:
        told = "；".join(finding.detail for finding in failed)
        raise LintError(
            f"成品检查未通过，未用印：{told} (the rendered page is not what was asked for)",
            extra={"findings": [finding.as_json() for finding in failed]},
        )


def _finding(name: str, problems: Iterable[str]) -> Finding:
    told = "；".join(problems)
    return Finding(name, "fail" if told else "pass", told)


def _structure(look: Look) -> Iterator[str]:
    for declared in DECLARED:
        if declared not in look.rendered.pdf:
            yield f"缺少声明 {declared.decode()}"
    for name, needed in NEEDED.items():
        if not needed.search(look.skeleton):
            yield f"缺少 /{name}"
    for found in sorted({match.decode() for match in ACTIVE.findall(look.skeleton)}):
        yield f"含有 /{found}，成品不得含脚本、表单、批注或外部引用"
    if look.skeleton.count(b"/FontFile") < look.skeleton.count(b"/Type/FontDescriptor"):
        yield "有字体未嵌入"


def _pages(look: Look) -> Iterator[str]:
    least, most = look.layout.pages
    count = len(look.document)
    if not least <= count <= most:
        yield f"共 {count} 页，应为 {least}–{most} 页"
    if count != look.rendered.pages:
        yield f"文件有 {count} 页，记录为 {look.rendered.pages} 页"


def _text(look: Look) -> Iterator[str]:
    read = ""
    for text in look.texts:
        read += _page_text(text, look, read)
    wanted = expected_text(look.face, look.template, look.layout)
    if read != wanted:
        at = next(
            (i for i, (a, b) in enumerate(zip(read, wanted, strict=False)) if a != b), min(len(read), len(wanted))
        )
        yield f"版面文字与要件不符：第 {at + 1} 字起应为“{wanted[at : at + 16]}”，实为“{read[at : at + 16]}”"


def _page_text(text: str, look: Look, before: str) -> str:
    """A page's text without the mark across it, the head of a table that runs on, and the page number under it."""
    read = plain(text).removeprefix(plain(look.face.mark))
    running = plain(look.layout.running)
    if running and running in before:
        read = read.removeprefix(running)
    return re.sub(r"—\d+—$", "", read) if look.layout.pages[1] > 1 else read


def _facts(look: Look) -> Iterator[str]:
    printed = printed_facts(look.layout) | look.template.silent
    for key, value in look.face.facts.items():
        if value and key not in printed:
            yield f"要件 {look.face.labels.get(key, key)} 未排入版面"


def _margins(look: Look) -> Iterator[str]:
    left, top, right, bottom = look.layout.margins
    width, height = look.layout.page
    mark = set(look.face.mark)
    for number, glyphs in enumerate(look.pages, 1):
        beyond = [
            g.text
            for g in glyphs
            if (g.left < left or g.top < top or g.right > width - right or g.bottom > height - bottom)
            and g.text not in mark
        ]
        if beyond:
            yield f"第 {number} 页有文字超出版心：“{''.join(beyond[:16])}”"


def _overlap(look: Look) -> Iterator[str]:
    mark = set(look.face.mark)
    for number, glyphs in enumerate(look.pages, 1):
        upon = [glyph.text for glyph in _upon_others([g for g in glyphs if g.text not in mark])]
        if upon:
            yield f"第 {number} 页有文字重叠：“{''.join(upon[:16])}”"


def _upon_others(glyphs: list[Glyph]) -> Iterator[Glyph]:
    """Each glyph whose middle lies in the ink of another. Only neighbours are compared, by cells of the page."""
    cells: dict[tuple[int, int], list[Glyph]] = {}
    for glyph in glyphs:
        for column in range(int(glyph.left // CELL), int(glyph.right // CELL) + 1):
            for row in range(int(glyph.top // CELL), int(glyph.bottom // CELL) + 1):
                cells.setdefault((column, row), []).append(glyph)
    for glyph in glyphs:
        x, y = glyph.middle
        near = cells.get((int(x // CELL), int(y // CELL)), ())
        if any(o is not glyph and o.left < x < o.right and o.top < y < o.bottom for o in near):
            yield glyph


def _attachment(look: Look) -> Iterator[str]:
    wanted = look.face.attachment if look.face.carrier is Carrier.FILE else b""
    count = look.document.count_attachments()
    if count != (1 if wanted else 0):
        yield f"附件有 {count} 个，应为 {1 if wanted else 0} 个"
    elif wanted:
        attached = look.document.get_attachment(0)
        if attached.get_name() != "facts.json" or bytes(attached.get_data()) != wanted:
            yield "附件 facts.json 与要件数据不符"
        if b"/AFRelationship/Data" not in look.skeleton.replace(b" ", b""):
            yield "附件没有注明与正文的关系 (AFRelationship)"


def _seal(look: Look) -> Iterator[str]:
    spec, box = look.layout.seal, look.rendered.seal
    if spec is None:
        return
    if box is None:
        yield "版面没有印章位置"
        return
    width, height = look.layout.page
    if box.x < 0 or box.y < 0 or box.x + box.width > width or box.y + box.height > height:
        yield "印章超出页面"
    if look.rendered.code and look.rendered.code.page == box.page and _gap(box, look.rendered.code) < SEAL_TO_CODE:
        yield f"印章距二维码不足 {SEAL_TO_CODE:g} 毫米"
    yield from _around_seal(look, box, look.pages[box.page - 1])


def _around_seal(look: Look, box: Box, glyphs: tuple[Glyph, ...]) -> Iterator[str]:
    """Under the seal only what it covers by rule; above it, within a line, text of the document."""
    spec = look.layout.seal
    allowed = indices_of(glyphs, [*(_over(look, key) for key in spec.over), plain(spec.keyword)]) if spec else set()
    (x, y), radius = box.centre, box.width / 2
    covered = [
        g.text
        for i, g in enumerate(glyphs)
        if i not in allowed
        and (g.middle[0] - x) ** 2 + (g.middle[1] - y) ** 2 < radius**2
        and g.text not in look.face.mark
    ]
    if covered:
        yield f"印章压住了正文“{''.join(covered[:16])}”"
    if not spec or not spec.line:
        return
    above = [g.bottom for i, g in enumerate(glyphs) if i not in allowed and g.bottom < box.y + INK]
    if not above:
        yield "印章所在页没有正文"
    elif box.y - max(above) > spec.line + INK:
        yield f"印章顶端距正文 {box.y - max(above):.1f} 毫米，超过一行"


def _over(look: Look, key: str) -> str:
    own = {"issuer": look.face.issuer, "issued_on": look.face.issued_on}
    return plain(own.get(key) or look.face.facts.get(key, ""))


def _gap(one: Box, other: Box) -> float:
    across = max(one.x - (other.x + other.width), other.x - (one.x + one.width), 0.0)
    down = max(one.y - (other.y + other.height), other.y - (one.y + one.height), 0.0)
    return float((across**2 + down**2) ** 0.5)


def _quiet(look: Look) -> Iterator[str]:
    zone = _with_quiet_zone(look.rendered)
    if zone is None:
        return
    upon = [
        g.text
        for g in look.pages[zone.page - 1]
        if g.right > zone.x
        and g.left < zone.x + zone.width
        and g.bottom > zone.y
        and g.top < zone.y + zone.height
        and g.text not in look.face.mark
    ]
    if upon:
        yield f"二维码及其空白区内有文字“{''.join(upon[:16])}”"


def _place(look: Look) -> Iterator[str]:
    """Edges and folds, for the code with its quiet zone and for the seal."""
    width, height = look.layout.page
    for name, box in (("二维码", _with_quiet_zone(look.rendered)), ("印章", look.rendered.seal)):
        if box is None:
            continue
        spans = {"x": (box.x, box.x + box.width, width), "y": (box.y, box.y + box.height, height)}
        if any(first < EDGE[name] or end > side - EDGE[name] for first, end, side in spans.values()):
            yield f"{name}距页边不足 {EDGE[name]:g} 毫米"
        if any(spans[fold.axis][0] - FOLD < fold.at < spans[fold.axis][1] + FOLD for fold in look.layout.folds):
            yield f"{name}压住折痕，或距折痕不足 {FOLD:g} 毫米"


def _with_quiet_zone(rendered: Rendered) -> Box | None:
    """The code with its quiet zone."""
    box, quiet = rendered.code, rendered.quiet
    if box is None:
        return None
    return Box(box.page, box.x - quiet, box.y - quiet, box.width + 2 * quiet, box.height + 2 * quiet)


def _code(look: Look) -> Iterator[str]:
    if not look.face.code_text or look.layout.code is None:
        return
    box = look.rendered.code
    if box is None:
        yield "版面没有二维码"
        return
    found = _read_code(look.document[box.page - 1], box)
    if found is None:
        yield f"二维码在 {CODE_DPI} dpi 下识读不出"
    elif found != look.face.code_text:
        yield "二维码内容与核验码不符"


def _read_code(page: Any, box: Box) -> str | None:
    """The code's text, read from the page's picture around the place where the code should be."""
    quiet = 5.0
    width, height = page.get_size()
    sides = (box.x - quiet, height / MILLIMETRE - box.y - box.height - quiet)
    far = (width / MILLIMETRE - box.x - box.width - quiet, box.y - quiet)
    crop = tuple(max(0.0, side * MILLIMETRE) for side in (*sides, *far))
    bitmap = page.render(scale=CODE_DPI / 72, crop=crop, grayscale=True)
    view = zxingcpp.ImageView(
        memoryview(bitmap.buffer), bitmap.width, bitmap.height, zxingcpp.ImageFormat.Lum, bitmap.stride
    )
    read = zxingcpp.read_barcodes(view, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    return read[0].text if len(read) == 1 else None


CHECKS: Mapping[str, Callable[[Look], Iterator[str]]] = {
    "structure": _structure,
    "pages": _pages,
    "text": _text,
    "facts": _facts,
    "margins": _margins,
    "overlap": _overlap,
    "attachment": _attachment,
    "seal": _seal,
    "place": _place,
    "quiet": _quiet,
    "code": _code,
}
