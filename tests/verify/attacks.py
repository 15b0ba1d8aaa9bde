"""Further families of a forger's workshop, from what was published against certified and signed PDFs since 2019.

`ALL` holds these beside those of `tests.verify.forgeries`; each makes (variant, bytes) of a sealed file and another.

| family | idea |
|---|---|
| evil annotation | EAA: an annotation with an appearance of its own covers what was certified |
| sneaky signature | SSA: a further signature whose visible appearance covers what was certified |
| permissions | change what the certification permits, which fields it locks, or what `/Perms` says |
| forms | XFA, computed fields, a form that asks viewers to draw it anew |
| layers | optional content, switched or moved to another layer by an update |
| pages | pages turned, cropped, scaled, left out, put in, or with metadata and actions of their own |
| attachments | the attached facts replaced, doubled, taken out, or another document shown in their place |
| actions | scripts, links and launches in places that act by themselves |
| contents | the signature value written so that readers disagree: odd digits, comments, references, twice |
| revisions | cross-reference tables that go back, in circles, or past an object; objects defined twice |
| shared value | one signature in several fields, or one field in several places |
| store | validation material of strangers, and what is not material at all, under cover of it |
| cover | what no table lists and nothing refers to, with a good timestamp over it |
| message | the parts of the signature message that nothing signs: certificates, attributes, encoding, timestamp |
"""

import re
from collections.abc import Callable, Iterator
from io import BytesIO

from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name as name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import SigFieldSpec
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import DocumentTimestamp

from certlib.crypto import der
from certlib.crypto.cms import SIGNED_DATA
from certlib.crypto.development import development_folder
from certlib.sealing.widget import Update
from tests.verify.forgeries import FAMILIES, WHITE, Made, approve, archive, ranges, stamper_for, update
from tests.verify.samples import SEALED, attachment, signer
from tests.verify.strangers import encrypted, saved_anew

Change = Callable[[IncrementalPdfFileWriter], object]


def evil_annotation(sealed: bytes, _other: bytes) -> Made:
    """EAA ("Attacks on Certified Documents", 2021): what P=3 would allow, drawn by the forger."""
    for kind in (
        "/FreeText",
        "/Stamp",
        "/Redact",
        "/Line",
        "/Square",
        "/FileAttachment",
        "/Popup",
        "/3D",
        "/RichMedia",
    ):
        yield kind[1:], update(sealed, _cover(kind))
    yield "hidden until printed", update(sealed, _cover("/Stamp", flags=0x20))
    yield "in the place of the seal's widget", update(sealed, lambda writer: _put_first(writer, "/Annots"))
    yield "stamp, then a good timestamp", archive(update(sealed, _cover("/Stamp")))


def sneaky_signature(sealed: bytes, _other: bytes) -> Made:
    """SSA: what P=2 would allow, a second signature, lies over the page as a picture."""
    for label in ("seal-foreign", "seal-ganzhou-approval-approval-1"):
        signed = approve(update(sealed, _signature_field(WHITE)), label, field="Evil")
        yield f"{label}, visible", signed
        yield f"{label}, then a good timestamp", archive(signed)
    yield "an empty field that covers the page", update(sealed, _signature_field(WHITE))


def permissions(sealed: bytes, _other: bytes) -> Made:
    """Change what the certification permits (DocMDP, FieldMDP, Lock, UR3), beside it or in its own dictionary."""
    for level in (b"2", b"3", b"9"):
        yield f"P={level.decode()} in place", re.sub(rb"(/P )1(?=[^\d])", rb"\g<1>" + level, sealed, count=1)
    yield "P=2 by an update", update(sealed, lambda writer: _redefine(writer, "/Reference", _reference(2)))
    yield "usage rights", update(sealed, lambda writer: _perms(writer, "/UR3"))
    yield "usage rights alone", update(sealed, lambda writer: _perms(writer, "/UR3", alone=True))
    yield "no permissions", update(sealed, lambda writer: _drop(writer, "/Perms"))
    yield "a lock that includes nothing", update(sealed, lambda writer: _lock(writer, "/Include"))
    yield "a lock that excludes all", update(sealed, lambda writer: _lock(writer, "/Exclude"))
    yield "a legal attestation", update(sealed, lambda writer: _put(writer, "/Legal", generic.DictionaryObject()))
    yield "requirements", update(sealed, lambda writer: _put(writer, "/Requirements", generic.ArrayObject()))


def forms(sealed: bytes, _other: bytes) -> Made:
    """Let the form say something else: XFA shown in place of the pages, values drawn anew by the viewer."""
    stream = generic.StreamObject(stream_data=b"<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'/>")
    yield "XFA", update(sealed, lambda writer: _form(writer, "/XFA", writer.add_object(stream)))
    yield "drawn anew", update(sealed, lambda writer: _form(writer, "/NeedAppearances", generic.BooleanObject(True)))
    yield "order of computing", update(sealed, lambda writer: _form(writer, "/CO", generic.ArrayObject()))
    yield "flags of signatures gone", update(sealed, lambda writer: _form(writer, "/SigFlags", generic.NumberObject(0)))
    yield "a resource", update(sealed, lambda writer: _form(writer, "/DR", generic.DictionaryObject()))
    yield "no fields", update(sealed, lambda writer: _form(writer, "/Fields", generic.ArrayObject()))
    yield "the seal's field renamed", update(sealed, lambda writer: _widget_entry(writer, "/T", _text("Other")))
    yield "the seal's widget moved", update(sealed, lambda writer: _widget_entry(writer, "/Rect", _numbers(0, 0, 9, 9)))
    yield (
        "the seal's widget hidden",
        update(sealed, lambda writer: _widget_entry(writer, "/F", generic.NumberObject(2))),
    )


def layers(sealed: bytes, _other: bytes) -> Made:
    """Shadow by optional content: the update carries no new text, it only switches what is shown."""
    yield "a layer switched off", update(sealed, lambda writer: _layer(writer, "/OFF"))
    yield "a layer switched on", update(sealed, lambda writer: _layer(writer, "/ON"))
    yield "the page's form in a layer", update(sealed, lambda writer: _page_entry(writer, "/OC", _group(writer)))
    yield "the seal in a layer", update(sealed, lambda writer: _widget_entry(writer, "/OC", _group(writer)))
    yield "a layer, then a good timestamp", archive(update(sealed, lambda writer: _layer(writer, "/OFF")))


def pages(sealed: bytes, _other: bytes) -> Made:
    """Leave every signed stream alone and change what the page tree says of it."""
    values: dict[str, generic.PdfObject] = {
        "/Rotate": generic.NumberObject(180),
        "/CropBox": _numbers(0, 0, 100, 100),
        "/MediaBox": _numbers(0, 0, 100, 100),
        "/UserUnit": generic.NumberObject(10),
        "/Resources": generic.DictionaryObject(),
        "/Annots": generic.ArrayObject(),
        "/Tabs": name("/S"),
        "/PieceInfo": generic.DictionaryObject(),
    }
    for key, value in values.items():
        yield key[1:], update(sealed, lambda writer, key=key, value=value: _page_entry(writer, key, value))
    for key in ("/Metadata", "/Thumb"):
        yield key[1:], update(sealed, lambda writer, key=key: _page_stream(writer, key))
    yield "opened by a script", update(sealed, lambda writer: _page_entry(writer, "/AA", _script("/O")))
    yield "a page put in", update(sealed, _second_page)
    yield "all pages left out", update(sealed, _no_pages)
    yield (
        "turned, then a good timestamp",
        archive(update(sealed, lambda writer: _page_entry(writer, "/Rotate", generic.NumberObject(180)))),
    )


def attachments(sealed: bytes, _other: bytes) -> Made:
    """Make the attached facts, or the document that a viewer opens first, another than the sealed one."""
    evil = attachment(number="赣虔药监械经营许20269999号")
    yield "facts replaced", update(sealed, lambda writer: _facts(writer, evil))
    yield "facts taken out", update(sealed, lambda writer: _drop(writer, "/Names"))
    yield "association taken out", update(sealed, lambda writer: _drop(writer, "/AF"))
    yield "a second facts.json", update(sealed, lambda writer: _embed(writer, "facts.json", evil))
    yield "a portfolio that opens another document", update(sealed, _portfolio)
    yield "facts replaced, then a good timestamp", archive(update(sealed, lambda writer: _facts(writer, evil)))


def actions(sealed: bytes, _other: bytes) -> Made:
    """Let something happen when the file is opened, printed or closed."""
    for moment in ("/WC", "/WS", "/WP", "/DP"):
        yield (
            f"script at {moment[1:]}",
            update(sealed, lambda writer, moment=moment: _put(writer, "/AA", _script(moment))),
        )
    yield "script by name", update(sealed, lambda writer: _names(writer, "/JavaScript", _script()))
    for kind in ("/Launch", "/GoToR", "/URI", "/SubmitForm", "/ImportData", "/Hide", "/SetOCGState"):
        action = generic.DictionaryObject({name("/S"): name(kind)})
        yield kind[1:], update(sealed, lambda writer, action=action: _put(writer, "/OpenAction", action))
    for key in ("/Outlines", "/Dests", "/Threads", "/StructTreeRoot", "/MarkInfo", "/ViewerPreferences", "/Extensions"):
        yield key[1:], update(sealed, lambda writer, key=key: _put(writer, key, generic.DictionaryObject()))


def contents(sealed: bytes, _other: bytes) -> Made:
    """Write the value of the signature so that one reader takes other digits, or another value, than the next."""
    a, b, _ = ranges(sealed)
    gap = sealed[a:b]
    for variant, end in {
        "an odd number of digits": b" >",
        "a comment": b"%\n>",
        "ended twice": b">>",
        "begun twice": b"<>",
        "a letter": b"g>",
        "a null byte": b"\x00>",
        "a line break": b"\n>",
        "digits that count": b"1>",
    }.items():
        yield variant, sealed[:a] + gap[: -len(end)] + end + sealed[b:]
    yield "a space before the digits", sealed[:a] + b"< " + gap[1:-2] + b">" + sealed[b:]
    yield "as a string", sealed[:a] + b"(" + gap[1:-1] + b")" + sealed[b:]
    yield "as an array", sealed[:a] + b"[<" + gap[1:-3] + b">]" + sealed[b:]
    for variant, value in {
        "as a reference": lambda writer: writer.add_object(generic.ByteStringObject(bytes.fromhex(gap[1:-1].decode()))),
        "the same, in another place": lambda _writer: generic.ByteStringObject(bytes.fromhex(gap[1:-1].decode())),
    }.items():
        yield variant, update(sealed, lambda writer, value=value: _redefine(writer, "/Contents", value(writer)))
    key = sealed.rindex(b"/Contents", 0, a)
    yield "key written otherwise", sealed[:key] + b"/Content#73"[: len(b"/Contents")] + sealed[key + 9 :]
    twice = b"/Contents <00> "
    yield "named twice", sealed[:key] + twice + sealed[key:]


def revisions(sealed: bytes, _other: bytes) -> Made:
    """Send readers along other cross-reference tables than the signed ones."""
    starts = [int(number) for number in re.findall(rb"startxref\s+(\d+)", sealed)]
    last, size = starts[-1], _trailer(sealed)
    root = b"/Root %d 0 R" % PdfFileReader(BytesIO(sealed)).root_ref.idnum

    def appended(entries: bytes, rows: bytes = b"0 0\n") -> bytes:
        at = len(sealed) + 1
        tail = b"trailer\n<<%s %s/Size %d>>\nstartxref\n%d\n%%%%EOF\n" % (entries, root, size, at)
        return sealed + b"\nxref\n" + rows + tail

    yield "back to the first table", sealed + b"startxref\n%d\n%%%%EOF\n" % starts[0]
    yield "ended twice", sealed + b"startxref\n%d\n%%%%EOF\n" % last
    yield "a table before itself", appended(b"/Prev %d" % (len(sealed) + 1))
    yield "a table before nothing", appended(b"")
    yield "a table before the whole", appended(b"/Prev 0")
    yield "a table before the end", appended(b"/Prev %d" % (len(sealed) + 999_999))
    yield "past the sealed revision", appended(b"/Prev %d" % starts[0])
    yield "a real number", appended(b"/Prev %d.0" % last)
    yield "a negative number", appended(b"/Prev -%d" % last)
    yield "a good table, empty", appended(b"/Prev %d" % last)
    field, value = _numbers_of(sealed)
    yield "the signature freed", appended(b"/Prev %d" % last, b"%d 1\n0000000000 00001 f \n" % value)
    yield "the field freed", appended(b"/Prev %d" % last, b"%d 1\n0000000000 00001 f \n" % field)
    yield (
        "another generation",
        appended(b"/Prev %d" % last, b"%d 1\n%010d 00001 n \n" % (value, sealed.rindex(b"obj", 0, last))),
    )
    yield "an identifier of another file", appended(b"/Prev %d/ID[<00><00>]" % last)
    yield "encrypted in name", appended(b"/Prev %d/Encrypt<</Filter/Standard/V 1/R 2/O<00>/U<00>/P -4>>" % last)
    yield "a table that names a stream beside it", appended(b"/Prev %d/XRefStm 0" % last)
    double = b"\n%d 0 obj\n<</Type/Page/MediaBox[0 0 9 9]>>\nendobj\n" % value
    yield "an object defined twice, found by no table", sealed + double + b"startxref\n%d\n%%%%EOF\n" % last
    yield "saved anew", saved_anew(sealed)
    yield "under a password", encrypted(sealed, user="", owner="owner")


def shared_value(sealed: bytes, _other: bytes) -> Made:
    """One signature for several fields: the forger's field shows another place, reason or name for it."""
    yield "a second field with the seal's value", update(sealed, lambda writer: _twin(writer, "Twin"))
    yield "a second field of the same name", update(sealed, lambda writer: _twin(writer, None))
    yield "the field listed twice", update(sealed, _listed_twice)
    yield "the field as its own child", update(sealed, _own_child)
    yield "the value copied into another object", update(sealed, lambda writer: _twin(writer, "Copy", copied=True))
    yield "the field's value on its parent", update(sealed, _parent_value)
    yield "a second field, then a good timestamp", archive(update(sealed, lambda writer: _twin(writer, "Twin")))


def store(sealed: bytes, _other: bytes) -> Made:
    """What comes as validation material and is a stranger's, is none, or hides behind it (ETSI EN 319 142-1 5.4.2)."""
    certificate = signer("seal-foreign").certificate.der
    yield "a stranger's certificate", update(sealed, _material("/Certs", certificate))
    yield "a stranger's certificate, then a good timestamp", archive(update(sealed, _material("/Certs", certificate)))
    for key in ("/Certs", "/CRLs", "/OCSPs"):
        yield f"junk in {key[1:]}, then a good timestamp", archive(update(sealed, _material(key, WHITE)))
    yield "a list of no known version, then a good timestamp", archive(update(sealed, _material("/CRLs", odd_list())))
    yield "a page in the store, then a good timestamp", archive(update(sealed, _page_in_store))
    yield "an unknown key, then a good timestamp", archive(update(sealed, _material("/Evil", WHITE)))
    yield "junk by signature, then a good timestamp", archive(update(sealed, _related))
    yield "a store that is no dictionary", update(sealed, lambda writer: _put(writer, "/DSS", generic.NumberObject(1)))


def cover(sealed: bytes, _other: bytes) -> Made:
    """Put what no table lists or nothing refers to behind the seal, and a good timestamp over it."""
    for variant, more in {
        "a line break more": b"\n\n\n",
        "spaces": b" " * 99,
        "a comment": b"\n% hello\n",
        "zeros": bytes(64),
        "an archive": b"PK\x05\x06" + bytes(18),
        "an object": b"\n9000 0 obj\n<</Type/Page>>\nendobj\n",
        "a second end": sealed[sealed.rindex(b"startxref") :],
    }.items():
        yield f"{variant} between", archive(sealed + more)
    for variant, change in {
        "a stream that nothing refers to": lambda writer: writer.add_object(generic.StreamObject(stream_data=WHITE)),
        "nothing changed": lambda writer: writer.update_root(),
        "title": _retitle,
        "an extension": lambda writer: _put(writer, "/Extensions", _extension()),
        "version": lambda writer: _put(writer, "/Version", name("/2.0")),
    }.items():
        yield f"{variant}, then a good timestamp", archive(update(sealed, change))
    yield "title, in the update of the timestamp", _stamped(sealed, _retitle)
    yield "XMP, in the update of the timestamp", _stamped(sealed, lambda writer: _metadata(writer, b"<x/>"))
    yield (
        "a stream, in the update of the timestamp",
        _stamped(sealed, lambda writer: writer.add_object(generic.StreamObject(stream_data=WHITE))),
    )
    yield (
        "an extension, in the update of the timestamp",
        _stamped(sealed, lambda writer: _put(writer, "/Extensions", _extension())),
    )
    yield "a timestamp that shows a picture", _stamped(sealed, box=(0, 0, 595, 842))
    yield (
        "a stranger's certificate, in the update of the timestamp",
        _stamped(sealed, _material("/Certs", signer("seal-foreign").certificate.der)),
    )
    yield "junk by signature, in the update of the timestamp", _stamped(sealed, _related)


def message(sealed: bytes, other: bytes) -> Made:
    """Change the message where its own signature does not cover it, and fill the gap up again."""
    a, b, _ = ranges(sealed)
    x, y, _ = ranges(other)
    value = bytes.fromhex(sealed[a + 1 : b - 1].decode())
    theirs = bytes.fromhex(other[x + 1 : y - 1].decode())
    mine, their = (cms.ContentInfo.load(one)["content"] for one in (value, theirs))
    info = their["signer_infos"][0]
    junk = der.sequence(der.oid("1.2.3.4"), der.set_of([der.octets(b"junk")]))
    for variant, changed in {
        "a stranger's certificate": _rebuilt(mine, more=signer("seal-foreign").certificate.der),
        "the chain left out": _rebuilt(mine, certificates=mine["certificates"][0].chosen.dump()),
        "another signer beside": _rebuilt(mine, beside=info.dump()),
        "another file's attributes": _rebuilt(mine, attributes=info["signed_attrs"].contents),
        "another file's signature value": _rebuilt(mine, signature=info["signature"].native),
        "another file's timestamp": _rebuilt(mine, unsigned=info["unsigned_attrs"].contents),
        "an unsigned attribute more": _rebuilt(mine, unsigned=_unsigned(mine["signer_infos"][0]) + junk),
        "another version": _rebuilt(mine, version=5),
        "a revocation list beside": _rebuilt(mine, crls=der.tlv(0xA1, der.sequence())),
    }.items():
        digits = changed.hex().encode()
        if len(digits) <= b - a - 2:
            yield variant, sealed[: a + 1] + digits.ljust(b - a - 2, b"0") + sealed[b - 1 :]
    whole = value[4 : 4 + int.from_bytes(value[2:4], "big")]
    for variant, written in {
        "of indefinite length": b"\x30\x80" + whole + bytes(2),
        "of a length in more bytes": b"\x30\x83\x00" + value[2:4] + whole,
        "as a set": b"\x31" + value[1:4] + whole,
    }.items():
        yield variant, sealed[: a + 1] + written.hex().encode().ljust(b - a - 2, b"0") + sealed[b - 1 :]


MORE: dict[str, Callable[[bytes, bytes], Made]] = {
    "evil annotation": evil_annotation,
    "sneaky signature": sneaky_signature,
    "permissions": permissions,
    "forms": forms,
    "layers": layers,
    "pages": pages,
    "attachments": attachments,
    "actions": actions,
    "contents": contents,
    "revisions": revisions,
    "shared value": shared_value,
    "store": store,
    "cover": cover,
    "message": message,
}
ALL = FAMILIES | MORE


def forged(sealed: bytes, other: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Every forgery of every family."""
    for family, make in ALL.items():
        for variant, pdf in make(sealed, other):
            yield family, variant, pdf


def _text(text: str) -> generic.TextStringObject:
    return generic.TextStringObject(text)


def _numbers(*values: int) -> generic.ArrayObject:
    return generic.ArrayObject(map(generic.NumberObject, values))


def _page(writer: IncrementalPdfFileWriter) -> generic.DictionaryObject:
    return writer.find_page_for_modification(0)[0].get_object()


def _page_entry(writer: IncrementalPdfFileWriter, key: str, value: generic.PdfObject) -> None:
    page = _page(writer)
    page[name(key)] = value
    writer.update_container(page)


def _page_stream(writer: IncrementalPdfFileWriter, key: str) -> None:
    _page_entry(writer, key, writer.add_object(generic.StreamObject(stream_data=b"<x/>")))


def _put(writer: IncrementalPdfFileWriter, key: str, value: generic.PdfObject) -> None:
    writer.root[name(key)] = value
    writer.update_root()


def _drop(writer: IncrementalPdfFileWriter, key: str) -> None:
    writer.root.pop(name(key), None)
    writer.update_root()


def _widget(writer: IncrementalPdfFileWriter) -> generic.DictionaryObject:
    return writer.root["/AcroForm"]["/Fields"][0]


def _widget_entry(writer: IncrementalPdfFileWriter, key: str, value: generic.PdfObject) -> None:
    widget = _widget(writer)
    widget[name(key)] = value
    writer.update_container(widget)


def _form(writer: IncrementalPdfFileWriter, key: str, value: generic.PdfObject) -> None:
    form = writer.root["/AcroForm"]
    form[name(key)] = value
    writer.update_container(form)


def _redefine(writer: IncrementalPdfFileWriter, key: str, value: generic.PdfObject) -> None:
    signature = _widget(writer)["/V"]
    signature[name(key)] = value
    writer.update_container(signature)


def _appearance(writer: IncrementalPdfFileWriter, drawing: bytes) -> generic.DictionaryObject:
    form = {name("/Type"): name("/XObject"), name("/Subtype"): name("/Form"), name("/BBox"): _numbers(0, 0, 595, 842)}
    drawn = writer.add_object(generic.StreamObject(form, stream_data=drawing))
    return generic.DictionaryObject({name("/N"): drawn})


def _cover(kind: str, flags: int = 4) -> Change:
    def change(writer: IncrementalPdfFileWriter) -> None:
        note = {
            name("/Type"): name("/Annot"),
            name("/Subtype"): name(kind),
            name("/Rect"): _numbers(0, 0, 595, 842),
            name("/F"): generic.NumberObject(flags),
            name("/Contents"): _text("批准"),
            name("/AP"): _appearance(writer, WHITE),
        }
        page = _page(writer)
        page["/Annots"].append(writer.add_object(generic.DictionaryObject(note)))
        writer.update_container(page["/Annots"])

    return change


def _put_first(writer: IncrementalPdfFileWriter, key: str) -> None:
    page = _page(writer)
    note = {name("/Type"): name("/Annot"), name("/Subtype"): name("/Stamp"), name("/Rect"): _numbers(0, 0, 595, 842)}
    page[name(key)] = generic.ArrayObject([writer.add_object(generic.DictionaryObject(note)), *page[key]])
    writer.update_container(page)


def _signature_field(drawing: bytes) -> Change:
    def change(writer: IncrementalPdfFileWriter) -> None:
        page = writer.find_page_for_modification(0)[0]
        field = {
            name("/FT"): name("/Sig"),
            name("/T"): _text("Evil"),
            name("/Type"): name("/Annot"),
            name("/Subtype"): name("/Widget"),
            name("/Rect"): _numbers(0, 0, 595, 842),
            name("/F"): generic.NumberObject(132),
            name("/P"): page,
            name("/AP"): _appearance(writer, drawing),
        }
        reference = writer.add_object(generic.DictionaryObject(field))
        form = writer.root["/AcroForm"]
        form["/Fields"].append(reference)
        writer.update_container(form["/Fields"])
        page.get_object()["/Annots"].append(reference)
        writer.update_container(page.get_object()["/Annots"])

    return change


def _reference(level: int) -> generic.ArrayObject:
    parameters = {name("/Type"): name("/TransformParams"), name("/P"): generic.NumberObject(level)}
    parameters[name("/V")] = name("/1.2")
    reference = {name("/Type"): name("/SigRef"), name("/TransformMethod"): name("/DocMDP")}
    reference[name("/TransformParams")] = generic.DictionaryObject(parameters)
    return generic.ArrayObject([generic.DictionaryObject(reference)])


def _perms(writer: IncrementalPdfFileWriter, key: str, *, alone: bool = False) -> None:
    value = _widget(writer).raw_get("/V")
    kept = {} if alone else {name("/DocMDP"): value}
    _put(writer, "/Perms", generic.DictionaryObject({**kept, name(key): value}))


def _lock(writer: IncrementalPdfFileWriter, action: str) -> None:
    lock = {name("/Type"): name("/SigFieldLock"), name("/Action"): name(action), name("/Fields"): generic.ArrayObject()}
    _widget_entry(writer, "/Lock", writer.add_object(generic.DictionaryObject(lock)))


def _group(writer: IncrementalPdfFileWriter) -> generic.IndirectObject:
    return writer.add_object(generic.DictionaryObject({name("/Type"): name("/OCG"), name("/Name"): _text("a")}))


def _layer(writer: IncrementalPdfFileWriter, state: str) -> None:
    group = _group(writer)
    default = generic.DictionaryObject({name(state): generic.ArrayObject([group])})
    content = {name("/OCGs"): generic.ArrayObject([group]), name("/D"): default}
    _put(writer, "/OCProperties", generic.DictionaryObject(content))


def _script(moment: str = "") -> generic.DictionaryObject:
    action = generic.DictionaryObject({name("/S"): name("/JavaScript"), name("/JS"): _text("app.alert(1)")})
    return generic.DictionaryObject({name(moment): action}) if moment else action


def _second_page(writer: IncrementalPdfFileWriter) -> None:
    tree = writer.root["/Pages"]
    page = {name("/Type"): name("/Page"), name("/Parent"): writer.root.raw_get("/Pages")}
    page[name("/MediaBox")] = _numbers(0, 0, 595, 842)
    tree["/Kids"].append(writer.add_object(generic.DictionaryObject(page)))
    tree[name("/Count")] = generic.NumberObject(len(tree["/Kids"]))
    writer.update_container(tree)
    writer.update_container(tree["/Kids"])


def _no_pages(writer: IncrementalPdfFileWriter) -> None:
    tree = writer.root["/Pages"]
    tree[name("/Kids")], tree[name("/Count")] = generic.ArrayObject(), generic.NumberObject(0)
    writer.update_container(tree)


def _names(writer: IncrementalPdfFileWriter, key: str, value: generic.PdfObject) -> None:
    names = writer.root["/Names"]
    tree = generic.DictionaryObject({name("/Names"): generic.ArrayObject([_text("a"), writer.add_object(value)])})
    names[name(key)] = writer.add_object(tree)
    writer.update_container(names)


def _files(writer: IncrementalPdfFileWriter) -> generic.ArrayObject:
    tree = writer.root["/Names"]["/EmbeddedFiles"]
    while "/Names" not in tree:
        tree = tree["/Kids"][0]
    return tree["/Names"]


def _facts(writer: IncrementalPdfFileWriter, data: bytes) -> None:
    specification = _files(writer)[1]
    embedded = writer.add_object(generic.StreamObject({name("/Type"): name("/EmbeddedFile")}, stream_data=data))
    for key in ("/F", "/UF"):
        specification["/EF"][name(key)] = embedded
    writer.update_container(specification["/EF"])


def _embed(writer: IncrementalPdfFileWriter, title: str, data: bytes) -> None:
    embedded = writer.add_object(generic.StreamObject({name("/Type"): name("/EmbeddedFile")}, stream_data=data))
    specification = {
        name("/Type"): name("/Filespec"),
        name("/F"): _text(title),
        name("/UF"): _text(title),
        name("/EF"): generic.DictionaryObject({name("/F"): embedded}),
    }
    files = _files(writer)
    files.append(_text("zz"))
    files.append(writer.add_object(generic.DictionaryObject(specification)))
    writer.update_container(files)


def _portfolio(writer: IncrementalPdfFileWriter) -> None:
    _embed(writer, "licence.pdf", b"%PDF-1.7\n%%EOF\n")
    collection = {name("/Type"): name("/Collection"), name("/D"): _text("zz"), name("/View"): name("/H")}
    _put(writer, "/Collection", generic.DictionaryObject(collection))


def _trailer(pdf: bytes) -> int:
    return int(PdfFileReader(BytesIO(pdf)).trailer["/Size"])


def _numbers_of(pdf: bytes) -> tuple[int, int]:
    """The object numbers of the seal's field and of its signature."""
    reader = PdfFileReader(BytesIO(pdf))
    fields = reader.root["/AcroForm"]["/Fields"]
    return fields.raw_get(0).idnum, fields[0].raw_get("/V").idnum


def _twin(writer: IncrementalPdfFileWriter, title: str | None, *, copied: bool = False) -> None:
    widget = _widget(writer)
    value = writer.add_object(generic.DictionaryObject(dict(widget["/V"]))) if copied else widget.raw_get("/V")
    field = {
        name("/FT"): name("/Sig"),
        name("/T"): _text(title or str(widget["/T"])),
        name("/V"): value,
        name("/Type"): name("/Annot"),
        name("/Subtype"): name("/Widget"),
        name("/Rect"): _numbers(0, 0, 200, 200),
    }
    fields = writer.root["/AcroForm"]["/Fields"]
    fields.append(writer.add_object(generic.DictionaryObject(field)))
    writer.update_container(fields)


def _listed_twice(writer: IncrementalPdfFileWriter) -> None:
    fields = writer.root["/AcroForm"]["/Fields"]
    fields.append(fields.raw_get(0))
    writer.update_container(fields)


def _own_child(writer: IncrementalPdfFileWriter) -> None:
    fields = writer.root["/AcroForm"]["/Fields"]
    _widget_entry(writer, "/Kids", generic.ArrayObject([fields.raw_get(0)]))


def _parent_value(writer: IncrementalPdfFileWriter) -> None:
    fields, widget = writer.root["/AcroForm"]["/Fields"], _widget(writer)
    child = fields.raw_get(0)
    parent = {name("/T"): _text("Parent"), name("/FT"): name("/Sig"), name("/V"): widget.raw_get("/V")}
    parent[name("/Kids")] = generic.ArrayObject([child])
    reference = writer.add_object(generic.DictionaryObject(parent))
    _widget_entry(writer, "/Parent", reference)
    fields[0] = reference
    writer.update_container(fields)


def odd_list() -> bytes:
    """A revocation list of our own authority that says version 6: one reader takes it, another does not."""
    pem = (development_folder() / "crl" / "issuing.p256.crl").read_bytes()
    good = x509.load_pem_x509_crl(pem) if pem.startswith(b"-----") else x509.load_der_x509_crl(pem)
    return good.public_bytes(Encoding.DER).replace(b"\x02\x01\x01", b"\x02\x01\x05", 1)


def store_with_odd_list(sealed: bytes) -> bytes:
    """The file with such a list in its store, behind the seal."""
    return update(sealed, _material("/CRLs", odd_list()))


def _material(key: str, data: bytes) -> Change:
    def change(writer: IncrementalPdfFileWriter) -> None:
        held = writer.root["/DSS"] if "/DSS" in writer.root else generic.DictionaryObject()
        more = writer.add_object(generic.StreamObject(stream_data=data))
        held[name(key)] = generic.ArrayObject([*held.get(key, ()), more])
        _put(writer, "/DSS", writer.add_object(generic.DictionaryObject(dict(held))))

    return change


def _page_in_store(writer: IncrementalPdfFileWriter) -> None:
    page = generic.DictionaryObject({name("/Type"): name("/Page"), name("/MediaBox"): _numbers(0, 0, 9, 9)})
    _put(writer, "/DSS", generic.DictionaryObject({name("/Certs"): generic.ArrayObject([writer.add_object(page)])}))


def _related(writer: IncrementalPdfFileWriter) -> None:
    junk = writer.add_object(generic.StreamObject(stream_data=WHITE))
    entry = generic.DictionaryObject({name("/Cert"): generic.ArrayObject([junk])})
    related = generic.DictionaryObject({name("/" + "0" * 40): writer.add_object(entry)})
    _put(writer, "/DSS", generic.DictionaryObject({name("/VRI"): related}))


def _unsigned(info: cms.SignerInfo) -> bytes:
    return b"" if info["unsigned_attrs"].native is None else info["unsigned_attrs"].contents


def _rebuilt(
    signed: cms.SignedData,
    *,
    version: int = 1,
    certificates: bytes | None = None,
    more: bytes = b"",
    attributes: bytes | None = None,
    signature: bytes | None = None,
    unsigned: bytes | None = None,
    beside: bytes = b"",
    crls: bytes = b"",
) -> bytes:
    """The message anew, but for what is given."""
    info = signed["signer_infos"][0]
    extra = _unsigned(info) if unsigned is None else unsigned
    own = der.sequence(
        der.integer(1),
        info["sid"].dump(),
        info["digest_algorithm"].dump(),
        der.tlv(0xA0, attributes or info["signed_attrs"].contents),
        info["signature_algorithm"].dump(),
        der.octets(signature or info["signature"].native),
        der.tlv(0xA1, extra) if extra else b"",
    )
    data = der.sequence(
        der.integer(version),
        signed["digest_algorithms"].dump(),
        signed["encap_content_info"].dump(),
        der.tlv(0xA0, (certificates or signed["certificates"].contents) + more),
        crls,
        der.set_of([own, beside] if beside else [own]),
    )
    return der.sequence(der.oid(SIGNED_DATA), der.explicit(0, data))


def _retitle(writer: IncrementalPdfFileWriter) -> None:
    info = writer.trailer["/Info"]
    info[name("/Title")] = _text("营业执照")
    writer.update_container(info)


def _metadata(writer: IncrementalPdfFileWriter, data: bytes) -> None:
    stream = writer.root["/Metadata"]
    stream._data, stream._encoded_data = data, None
    writer.update_container(stream)


def _extension() -> generic.DictionaryObject:
    extension = {name("/BaseVersion"): name("/1.7"), name("/ExtensionLevel"): generic.NumberObject(9)}
    return generic.DictionaryObject({name("/EVIL"): generic.DictionaryObject(extension)})


def _stamped(pdf: bytes, change: Change = lambda _writer: None, box: tuple[int, ...] = (0, 0, 0, 0)) -> bytes:
    """`pdf` with a good document timestamp, and a change in the very update that brings it."""
    writer, stamper = Update(BytesIO(pdf), strict=False), stamper_for(pdf)
    change(writer)
    field = SigFieldSpec("Archive9", box=box, on_page=0)
    embedding = PdfCMSEmbedder(field).write_cms("Archive9", writer)
    reference = next(embedding)
    if any(box):
        widget = reference.get_object()
        widget[name("/AP")] = _appearance(writer, WHITE)
        writer.update_container(widget)
    embedding.send(SigObjSetup(sig_placeholder=DocumentTimestamp(bytes_reserved=2 * stamper.reserve)))
    prepared, output = embedding.send(SigIOSetup(md_algorithm=stamper.digest))
    embedding.send(stamper.stamp(prepared.document_digest, now=SEALED).token)
    return output.getvalue()  # type: ignore[no-any-return]
