"""The seal across the edges of a document's pages (骑缝章): its circle cut into slices, one at each page's right edge.

Laid side by side, each page pushed a little beyond the next, the slices make the whole circle again; a page taken out
or put in shows. More pages than one circle serves are divided evenly, each group with a circle of its own. The slices
are drawn from the very object that the seal's widget shows, in the same revision, before it is signed: they are
covered by the signature, and no draft or preview has them. They are artifacts (ISO 14289-1, 7.1): the seal is said
once, by its field.
"""

# pyHanko's objects carry no annotations on their constructors.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject, IndirectObject, StreamObject
from pyhanko.pdf_utils.generic import pdf_name as name

from certlib.sealing.outlines import POINTS_PER_MM
from certlib.sealing.widget import Imprint, Update

RESOURCE = "/SealSlice"
CLEAR = 3.0  # millimetres between the slices and the seal at its place


@dataclass(frozen=True, slots=True)
class Slice:
    """What one page bears: from `left` to `right` of the circle's box, as parts of its side."""

    page: int
    left: float
    right: float


def slices(pages: int, most: int) -> Iterator[Slice]:
    """The slices of a document of so many pages, at most `most` of them to a circle; none for one page.

    With `most` at least 3 no circle is left with a single page, which would straddle nothing.
    """
    if pages < 2 or most < 2:
        return
    groups = -(-pages // most)
    first = 1
    for group in range(groups):
        size = pages // groups + (group < pages % groups)
        yield from (Slice(first + k, k / size, (k + 1) / size) for k in range(size))
        first += size


def add_slices(writer: Update, imprint: Imprint, picture: IndirectObject) -> None:
    """Draw the slices of `picture`, the form XObject of the seal, on every page, if the imprint asks for them.

    Raises `ValueError` when a page has no room for them beside the seal.
    """
    wanted = tuple(slices(int(writer.root["/Pages"]["/Count"]), imprint.straddle))
    if not wanted:
        return
    opening = writer.add_object(StreamObject(stream_data=b"q"))
    for one in wanted:
        reference = writer.find_page_for_modification(one.page - 1)[0]
        page = reference.get_object()
        box = [float(value) for value in _inherited(page, "/MediaBox")]
        middle = box[3] - _height(imprint, (box[3] - box[1]) / POINTS_PER_MM) * POINTS_PER_MM
        drawn = writer.add_object(StreamObject(stream_data=_drawing(one, imprint.picture.side, box[2], middle)))
        content = page.raw_get("/Contents")
        held = content.get_object() if isinstance(content, IndirectObject) else content
        before = [held.raw_get(k) for k in range(len(held))] if isinstance(held, ArrayObject) else [content]
        page[name("/Contents")] = ArrayObject([opening, *before, drawn])
        page[name("/Resources")] = _with_picture(_inherited(page, "/Resources"), picture)
        writer.mark_update(reference)


def _drawing(one: Slice, side: float, edge: float, middle: float) -> bytes:
    """The slice, pushed against the page's right edge (points), its circle's centre at the height `middle`."""
    width, bottom = (one.right - one.left) * side, middle - side / 2
    left = edge - width
    return (
        "Q /Artifact BMC q "
        f"{left:.3f} {bottom:.3f} {width:.3f} {side:.3f} re W n "
        f"1 0 0 1 {left - one.left * side:.3f} {bottom:.3f} cm {RESOURCE} Do Q EMC"
    ).encode("ascii")


def _height(imprint: Imprint, page: float) -> float:
    """The height of the circles' centre, mm from the top: the page's middle, or what is nearest clear of the seal."""
    half, place = imprint.picture.diameter / 2, imprint.placement
    reach = half + place.height / 2 + CLEAR
    seal = place.centre[1]
    for height in sorted((page / 2, seal - reach, seal + reach), key=lambda height: abs(height - page / 2)):
        if abs(height - seal) >= reach - 1e-6 and half <= height <= page - half:
            return height
    raise ValueError("页面右边没有骑缝章的位置")


def _with_picture(resources: DictionaryObject, picture: IndirectObject) -> DictionaryObject:
    """A copy of the page's own resources with the picture among its XObjects; the shared one stays as it is."""
    objects = resources.get("/XObject", DictionaryObject())
    if RESOURCE in objects:
        raise ValueError(f"页面已有名为 {RESOURCE} 的资源")
    named = {key: objects.raw_get(key) for key in objects}
    copy = DictionaryObject({key: resources.raw_get(key) for key in resources})
    copy[name("/XObject")] = DictionaryObject({**named, name(RESOURCE): picture})
    return copy


def _inherited(page: DictionaryObject, key: str) -> Any:
    """An attribute of the page or of the nodes above it (ISO 32000-1, 7.7.3.4)."""
    while key not in page:
        page = page["/Parent"]
    return page[key]
