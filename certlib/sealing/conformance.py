"""Our own lint of a finished file after ISO 19005-3 (PDF/A-3a) and ISO 14289-1 (PDF/UA-1): what sealing could break.

    for finding in lint_sealed(pdf): ...       # one finding a rule, named after the clause

The renderer answers for the page (fonts, tags, colours: `certlib.document.lint`); here are the rules that an
incremental update with a field, a signature, a security store or a timestamp can violate. It reads the bytes as they
will be given out and shares nothing with the code that made them but the PDF reader. No validator stands behind it;
independent ones are run on the results elsewhere.
"""

# pyHanko's objects carry no annotations on their constructors.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from asn1crypto import cms
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader

from certlib.domain.verdict import Finding
from certlib.errors import LintError

HIDDEN, PRINT = 2, 4  # ISO 32000-1 table 165: bits 2 and 3
_SCREEN_ONLY = 1 | 32 | 256  # Invisible, NoView, ToggleNoView
_END = re.compile(rb"%%EOF(?![\r\n]|\Z)")
_PAINTING = frozenset(b"f F f* B B* b b* S s Do sh Tj TJ EI".split())
_HEADER = re.compile(rb"%PDF-1\.[0-7][\r\n]+%[\x80-\xff]{4}")

Rule = Callable[["_File"], Iterator[str]]


@dataclass(frozen=True, slots=True)
class _File:
    pdf: bytes
    reader: PdfFileReader

    @property
    def root(self) -> Any:
        return self.reader.root

    def pages(self) -> Iterator[Any]:
        count = int(self.root["/Pages"]["/Count"])
        return (self.reader.find_page_for_modification(number)[0].get_object() for number in range(count))

    def annotations(self) -> Iterator[tuple[Any, Any, Any]]:
        """Page, reference and dictionary of every annotation."""
        for page in self.pages():
            held = page.get("/Annots", ())
            for number in range(len(held)):
                yield page, held.raw_get(number), held[number]

    def widgets(self) -> Iterator[tuple[Any, Any, Any]]:
        return (one for one in self.annotations() if one[2].get("/Subtype") == "/Widget")

    def metadata(self) -> str:
        return bytes(self.root["/Metadata"].data).decode("utf-8", "replace") if "/Metadata" in self.root else ""


def lint_sealed(pdf: bytes) -> tuple[Finding, ...]:
    """One finding for each rule, in the order of the standards; a file that cannot be read fails the first."""
    try:
        file = _File(pdf, PdfFileReader(BytesIO(pdf), strict=True))
        return tuple(_finding(name, rule, file) for name, rule in RULES.items())
    except PdfError as error:
        return (Finding("readable", "fail", f"不是可读的 PDF：{error}"),)


def require_conformance(pdf: bytes) -> None:
    """Raise `LintError` naming the rules that a file does not keep."""
    failed = [f"{one.check} {one.detail}" for one in lint_sealed(pdf) if one.outcome == "fail"]
    if failed:
        raise LintError(f"成品不再符合 PDF/A-3a、PDF/UA-1（{'；'.join(failed)}），未签发。")


def _finding(name: str, rule: Rule, file: _File) -> Finding:
    try:
        faults = list(rule(file))
    except (PdfError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        faults = [f"无法核对（{type(error).__name__}：{error}）"]
    return Finding(name, "fail" if faults else "pass", "；".join(faults))


def _header(file: _File) -> Iterator[str]:
    if not _HEADER.match(file.pdf):
        yield "文件头不合要求"


def _trailer(file: _File) -> Iterator[str]:
    trailer = file.reader.trailer
    if "/Encrypt" in trailer:
        yield "文件已加密"
    if "/ID" not in trailer:
        yield "文件尾没有 ID"


def _lines(file: _File) -> Iterator[str]:
    """6.1.9: each object on a line of its own; what follows %%EOF begins with an end of line."""
    positions = [found.start() for found in re.finditer(rb"\d+ \d+ obj\b", file.pdf)]
    if any(at and file.pdf[at - 1 : at] not in {b"\n", b"\r"} for at in positions if _is_start(file.pdf, at)):
        yield "有对象没有另起一行"
    if _END.search(file.pdf):
        yield "%%EOF 之后没有换行"


def _is_start(pdf: bytes, at: int) -> bool:
    """Whether a match is an object of the file, not text inside a stream: then nothing but white space or a keyword."""
    before = pdf[max(at - 8, 0) : at].rstrip()
    return before.endswith((b"endobj", b"%%EOF")) or before[-1:].isspace()


def _streams(file: _File) -> Iterator[str]:
    """6.1.7.1: the keyword `stream` is followed by an end of line, the length is the reader's to check."""
    written = file.pdf[file.pdf.find(b"%%EOF") :]
    if re.search(rb">>\s*stream(?!\r?\n)", written):
        yield "stream 之后没有换行"


def _intent(file: _File) -> Iterator[str]:
    """6.2.3: the colours of seals are DeviceRGB, which the output intent defines."""
    intents = file.root.get("/OutputIntents", ())
    if not any(one.get("/S") == "/GTS_PDFA1" and "/DestOutputProfile" in one for one in _members(intents)):
        yield "没有 PDF/A 输出意图"


def _appearances(file: _File) -> Iterator[str]:
    """6.2.11, 6.3.3: a visible widget has a normal appearance, one stream, without fonts and nothing beside it."""
    for _, _, widget in file.widgets():
        if not _visible(widget):
            continue
        appearance = widget.get("/AP")
        if appearance is None or set(appearance) != {"/N"} or not isinstance(appearance["/N"], generic.StreamObject):
            yield f"{widget.get('/T')} 没有唯一的外观"
        elif "/Font" in appearance["/N"].get("/Resources", {}):
            yield f"{widget.get('/T')} 的外观用了字体"


def _flags(file: _File) -> Iterator[str]:
    """6.3.2: annotations print and are never for the screen alone."""
    for _, _, annotation in file.annotations():
        flags = int(annotation.get("/F", 0))
        if not flags & PRINT or flags & _SCREEN_ONLY or (flags & HIDDEN and _visible(annotation)):
            yield f"批注标志 {flags} 不合要求"


def _actions(file: _File) -> Iterator[str]:
    """6.4.1, 6.4.2, 6.5: no actions in fields and catalogue, no XFA, no appearances to be made by the reader."""
    form = file.root.get("/AcroForm", {})
    yield from (f"表单有 {key}" for key in ("/XFA", "/NeedAppearances") if key in form)
    yield from (f"目录有 {key}" for key in ("/AA", "/OpenAction") if key in file.root)
    for _, _, widget in file.widgets():
        yield from (f"{widget.get('/T')} 有 {key}" for key in ("/A", "/AA") if key in widget)


def _signatures(file: _File) -> Iterator[str]:
    """6.4.3: each signature is a DER SignedData with one signer; the last covers the file to its end."""
    found = [widget["/V"] for _, _, widget in file.widgets() if "/V" in widget]
    for value in found:
        signed = cms.ContentInfo.load(bytes(value["/Contents"]))["content"]
        if len(signed["signer_infos"]) != 1:
            yield "签名的签名者不是恰好一个"
    ends = [int(value["/ByteRange"][2]) + int(value["/ByteRange"][3]) for value in found]
    if not ends or max(ends) != len(file.pdf):
        yield "最后的签名没有覆盖到文件末尾"


def _identification(file: _File) -> Iterator[str]:
    """6.6.4; ISO 14289-1 clause 5: the metadata still says PDF/A-3a and PDF/UA-1."""
    text = file.metadata()
    for wanted in ("pdfaid:part", "pdfaid:conformance", "pdfuaid:part"):
        if wanted not in text:
            yield f"元数据没有 {wanted}"


def _tagged(file: _File) -> Iterator[str]:
    """6.7.2, 6.7.3; 7.2: marked, structured, in a language."""
    if not file.root.get("/MarkInfo", {}).get("/Marked"):
        yield "没有 Marked"
    yield from (f"目录没有 {key}" for key in ("/StructTreeRoot", "/Lang") if key not in file.root)


def _artifacts(file: _File) -> Iterator[str]:
    """7.1: what an update adds to a page's content is an artifact; real content would have to be in the structure."""
    for number, page in enumerate(file.pages(), start=1):
        held = page.get("/Contents", ())
        streams = [held.raw_get(k) for k in range(len(held))] if isinstance(held, generic.ArrayObject) else []
        for one in streams:
            if file.reader.xrefs.get_introducing_revision(one.reference) and _paints_unmarked(one.get_object().data):
                yield f"第 {number} 页添加的内容没有标为附属物"


def _paints_unmarked(content: bytes) -> bool:
    """Whether a content stream of plain operators paints anything outside a marked artifact."""
    depth, before = 0, [b"", b""]
    for token in content.split():
        if token in {b"BMC", b"BDC"}:
            depth += 1 if depth or b"/Artifact" in before else 0
        elif token == b"EMC":
            depth -= 1
        elif token in _PAINTING and depth < 1:
            return True
        before = [before[1], token]
    return False


def _attachments(file: _File) -> Iterator[str]:
    """6.8: what is attached says how it belongs, under both names, with its media type."""
    for one in _members(file.root.get("/AF", ())):
        if not {"/AFRelationship", "/F", "/UF", "/EF"} <= set(one):
            yield "附件缺少关系或名称"
        elif "/Subtype" not in one["/EF"]["/F"]:
            yield "附件没有媒体类型"


def _title(file: _File) -> Iterator[str]:
    """7.1: the title is shown, and there is one."""
    if not file.root.get("/ViewerPreferences", {}).get("/DisplayDocTitle"):
        yield "没有 DisplayDocTitle"
    if "dc:title" not in file.metadata():
        yield "元数据没有标题"


def _descriptions(file: _File) -> Iterator[str]:
    """7.18.1: a visible field has /TU, an annotation /Contents or an alternative text."""
    for _, _, widget in file.widgets():
        if _visible(widget) and not str(widget.get("/TU", "")).strip():
            yield f"{widget.get('/T')} 没有 TU"


def _order(file: _File) -> Iterator[str]:
    """7.18.3: the tab order of a page with annotations follows the structure."""
    for page, _, _ in file.annotations():
        if page.get("/Tabs") != "/S":
            yield "有批注的页没有按结构的次序"
            return


def _nesting(file: _File) -> Iterator[str]:
    """7.18.4: a visible widget is nested in a Form element, which the parent tree names and which refers back to it."""
    tree = _parents(file)
    for _, reference, widget in file.widgets():
        if not _visible(widget):
            continue
        element = tree.get(int(widget.get("/StructParent", -1)))
        if element is None or element.get("/S") != "/Form":
            yield f"{widget.get('/T')} 不在 Form 结构元素中"
        elif not _refers(element, reference):
            yield f"{widget.get('/T')} 的 Form 元素没有指向它"
        elif not str(element.get("/Alt", "")).strip():
            yield f"{widget.get('/T')} 的 Form 元素没有替代文字"


def _parents(file: _File) -> dict[int, Any]:
    numbers = file.root["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    return {int(numbers[k]): numbers[k + 1] for k in range(0, len(numbers), 2)}


def _refers(element: Any, reference: Any) -> bool:
    kids = element["/K"] if isinstance(element["/K"], generic.ArrayObject) else [element["/K"]]
    return any(
        isinstance(kid, generic.DictionaryObject)
        and kid.get("/Type") == "/OBJR"
        and kid.raw_get("/Obj").reference == reference.reference
        for kid in kids
    )


def _members(array: Any) -> Iterator[Any]:
    """The members themselves, of an array that may stand behind a reference; iterating over it gives references."""
    array = array.get_object() if isinstance(array, generic.IndirectObject) else array
    return (array[number] for number in range(len(array)))


def _visible(annotation: Any) -> bool:
    left, bottom, right, top = (float(number) for number in annotation["/Rect"])
    return right > left and top > bottom and not int(annotation.get("/F", 0)) & HIDDEN


RULES: dict[str, Rule] = {
    "A-6.1.2": _header,
    "A-6.1.3": _trailer,
    "A-6.1.7": _streams,
    "A-6.1.9": _lines,
    "A-6.2.3": _intent,
    "A-6.3.2": _flags,
    "A-6.3.3": _appearances,
    "A-6.4.1": _actions,
    "A-6.4.3": _signatures,
    "A-6.6.4": _identification,
    "A-6.7": _tagged,
    "A-6.8": _attachments,
    "UA-7.1": _title,
    "UA-7.1-artifact": _artifacts,
    "UA-7.18.1": _descriptions,
    "UA-7.18.3": _order,
    "UA-7.18.4": _nesting,
}
