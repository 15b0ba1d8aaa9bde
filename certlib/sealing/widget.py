"""The seal on the page: a signature field whose widget shows the picture and has its place in the structure.

What ISO 19005-3 (PDF/A-3) and ISO 14289-1 (PDF/UA-1) ask of it: an appearance of vectors without fonts in colours that
the file's output intent defines; a `Form` structure element with an object reference to the widget, `/StructParent`
and an entry in the parent tree; `/TU` and `/Contents` in words; a tab order that follows the structure.
"""

# pyHanko's objects carry no annotations on their constructors.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from dataclasses import dataclass

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject, IndirectObject, NumberObject, TextStringObject
from pyhanko.pdf_utils.generic import pdf_name as name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from certlib.domain.page import Box
from certlib.sealing.emblem import Stencil
from certlib.sealing.outlines import POINTS_PER_MM
from certlib.sealing.picture import BLEND, EMBLEM, SealPicture

FIELD = "Seal1"
PRINT_AND_LOCKED = 4 | 128  # ISO 32000-1 table 165


@dataclass(frozen=True, slots=True, kw_only=True)
class Imprint:
    """What is put on the page and into the signature's dictionary: picture, place, and texts for people."""

    picture: SealPicture
    placement: Box
    name: str  # the seal's name; also what a screen reader says
    reason: str
    location: str
    straddle: int = 0  # the most pages one further circle is cut over, along their right edges; 0: none


class Update(IncrementalPdfFileWriter):
    """An incremental update that leaves document information and XMP as they are.

    Rewriting them would put this machine's clock into the file and cost more than the signature.
    """

    def _update_meta(self) -> None:
        pass


def add_field(writer: Update, imprint: Imprint) -> IndirectObject:
    """The signature field, merged with its widget, on its page, in the form and in the structure tree.

    Gives the picture's form XObject, for what else is drawn from it.
    """
    if "/AcroForm" in writer.root:
        raise ValueError("文件中已有表单或签名")
    if imprint.placement.page < 1:
        raise ValueError("页码从 1 起")
    page_ref = writer.find_page_for_modification(imprint.placement.page - 1)[0]
    page, picture = page_ref.get_object(), writer.add_object(_appearance(writer, imprint.picture))
    label = TextStringObject(f"{imprint.name}，电子签章")
    widget = DictionaryObject(
        {
            name("/Type"): name("/Annot"),
            name("/Subtype"): name("/Widget"),
            name("/FT"): name("/Sig"),
            name("/T"): TextStringObject(FIELD),
            name("/TU"): label,
            name("/Contents"): label,
            name("/F"): NumberObject(PRINT_AND_LOCKED),
            name("/P"): page_ref,
            name("/Rect"): _rectangle(page, imprint),
            name("/AP"): DictionaryObject({name("/N"): picture}),
        }
    )
    reference = writer.add_object(widget)
    _append(writer, page, "/Annots", reference)
    page[name("/Tabs")] = name("/S")
    writer.update_container(page)
    form = {name("/Fields"): ArrayObject([reference]), name("/SigFlags"): NumberObject(3)}
    writer.root[name("/AcroForm")] = DictionaryObject(form)
    writer.update_root()
    if "/StructTreeRoot" in writer.root:
        widget[name("/StructParent")] = _add_structure(writer, reference, page_ref, label)
    return picture


def _rectangle(page: DictionaryObject, imprint: Imprint) -> ArrayObject:
    """The picture's box in the page's own space, in points, exactly the picture's size about the place's middle."""
    left, _, _, top = (float(value) for value in page["/MediaBox"])
    side, (x, y) = imprint.picture.side, imprint.placement.centre
    x0, y0 = left + x * POINTS_PER_MM - side / 2, top - y * POINTS_PER_MM - side / 2
    return ArrayObject(generic.FloatObject(f"{value:.3f}") for value in (x0, y0, x0 + side, y0 + side))


def _appearance(writer: Update, picture: SealPicture) -> generic.StreamObject:
    """The form XObject of the seal: vectors in DeviceRGB, which the file's output intent defines; no fonts.

    Artwork in its middle that is no vectors is a mask through which the same red is painted.
    """
    side = generic.FloatObject(f"{picture.side:.3f}")
    blend = DictionaryObject({name("/Type"): name("/ExtGState"), name("/BM"): name(f"/{BLEND}")})
    resources = {name("/ExtGState"): DictionaryObject({name(f"/{BLEND}"): blend})}
    if picture.stencil is not None:
        stencil = writer.add_object(_mask(picture.stencil))
        resources[name("/XObject")] = DictionaryObject({name(f"/{EMBLEM}"): stencil})
    return generic.StreamObject(
        {
            name("/Type"): name("/XObject"),
            name("/Subtype"): name("/Form"),
            name("/BBox"): ArrayObject([NumberObject(0), NumberObject(0), side, side]),
            name("/Resources"): DictionaryObject(resources),
            name("/Filter"): name("/FlateDecode"),
        },
        encoded_data=picture.form,
    )


def _mask(stencil: Stencil) -> generic.StreamObject:
    """The stencil as an image mask (ISO 32000-1, 8.9.6.2): it has no colour of its own, 0 is where ink goes."""
    return generic.StreamObject(
        {
            name("/Type"): name("/XObject"),
            name("/Subtype"): name("/Image"),
            name("/ImageMask"): generic.BooleanObject(True),
            name("/Width"): NumberObject(stencil.side),
            name("/Height"): NumberObject(stencil.side),
            name("/BitsPerComponent"): NumberObject(1),
            name("/Filter"): name("/FlateDecode"),
        },
        encoded_data=stencil.bits,
    )


def _add_structure(
    writer: Update, widget: IndirectObject, page: IndirectObject, label: TextStringObject
) -> NumberObject:
    """A Form element at the end of the document's structure that holds the widget; the widget's parent-tree key."""
    root = writer.root["/StructTreeRoot"]
    document_ref = root["/K"].raw_get(0) if isinstance(root["/K"], ArrayObject) else root.raw_get("/K")
    content = {name("/Type"): name("/OBJR"), name("/Obj"): widget, name("/Pg"): page}
    element = writer.add_object(
        DictionaryObject(
            {
                name("/Type"): name("/StructElem"),
                name("/S"): name("/Form"),
                name("/P"): document_ref,
                name("/Pg"): page,
                name("/Alt"): label,
                name("/K"): DictionaryObject(content),
            }
        )
    )
    document = document_ref.get_object()
    _append(writer, document, "/K", element)
    writer.update_container(document)
    key = _next_key(root)
    tree = root["/ParentTree"]
    if "/Nums" not in tree:
        raise ValueError("结构树的父树不是单层")
    tree["/Nums"].extend([key, element])
    root[name("/ParentTreeNextKey")] = NumberObject(key + 1)
    for changed in (tree["/Nums"], tree, root):
        writer.update_container(changed)
    return key


def _next_key(root: DictionaryObject) -> NumberObject:
    pairs = root["/ParentTree"]["/Nums"]
    after = [int(pairs[k]) + 1 for k in range(0, len(pairs), 2)]
    return NumberObject(max([int(root.get("/ParentTreeNextKey", 0)), *after]))


def _append(writer: Update, holder: DictionaryObject, key: str, entry: IndirectObject) -> None:
    """Add to an array that may be missing, a single value, or an object of its own."""
    present = holder.get(key)
    if present is None:
        holder[name(key)] = ArrayObject([entry])
    elif isinstance(present, ArrayObject):
        present.append(entry)
        writer.update_container(present)
    else:
        holder[name(key)] = ArrayObject([holder.raw_get(key), entry])
