"""The picture of a seal as a transparent PNG, for the seal as an object of its own (GB/T 38540).

A seal's picture is given to nobody but its keeper; previews carry none. This is for making the seal.
"""

from __future__ import annotations

from contextlib import closing
from io import BytesIO

import pypdfium2
from PIL import Image

from certlib.domain.seal import SealSpec
from certlib.errors import RenderError
from certlib.formats.pdfium import PDFIUM
from certlib.sealing.picture import BLEND, EMBLEM, SealPicture, seal_picture

MAX_BYTES = 512 * 1024


def seal_png(spec: SealSpec, *, dpi: int = 600) -> bytes:
    """The picture in pure red, its darkness as opacity, `diameter` wide at `dpi`. Raises `RenderError`."""
    picture = seal_picture(spec)
    side = round(picture.diameter / 25.4 * dpi)
    with PDFIUM, closing(pypdfium2.PdfDocument(_page(picture))) as document:
        drawn = document[0].render(scale=dpi / 72).to_pil().convert("RGB")
    grey = drawn.getchannel("G").resize((side, side))
    image = Image.new("RGBA", (side, side), (255, 0, 0, 0))
    image.putalpha(grey.point(lambda value: 255 - value))
    out = BytesIO()
    image.save(out, "PNG", dpi=(dpi, dpi), optimize=True)
    return check_png(out.getvalue(), spec)


def check_png(png: bytes, spec: SealSpec) -> bytes:
    """The same bytes, when they are a seal's picture: square, transparent, circle to the edge, not too large.

    Raises `RenderError` naming what is wrong.
    """
    try:
        image = Image.open(BytesIO(png), formats=["PNG"]).convert("RGBA")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise RenderError(f"印章“{spec.name}”的图像不是 PNG，或无法读取。") from error
    alpha = image.getchannel("A")
    faults = (
        (len(png) > MAX_BYTES, f"有 {len(png) // 1024} KB，超过 {MAX_BYTES // 1024} KB"),
        (image.width != image.height, "不是正方形"),
        (image.width < spec.diameter / 25.4 * 300 - 1, "低于每英寸 300 点"),
        (alpha.getextrema()[0] != 0 or alpha.getpixel((0, 0)) != 0, "背景不透明"),
        (alpha.getbbox() != (0, 0, *image.size), "外圆没有到图像边缘，尺寸将与法定直径不符"),
    )
    for wrong, why in faults:
        if wrong:
            raise RenderError(f"印章“{spec.name}”的图像{why}，不能用于制章。")
    return png


def _page(picture: SealPicture) -> bytes:
    """A PDF of one page, just the size of the picture, with the form's operators as its content."""
    side, stencil = b"%.3f" % picture.side, picture.stencil
    named = b"/XObject<</%s 5 0 R>>" % EMBLEM.encode() if stencil else b""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %s %s]/Contents 4 0 R"
        b"/Resources<</ExtGState<</%s<</BM/Normal>>>>%s>>>>" % (side, side, BLEND.encode(), named),
        _stream(b"", picture.form),
    ]
    if stencil is not None:
        size = b"/Width %d/Height %d" % (stencil.side, stencil.side)
        objects.append(_stream(b"/Type/XObject/Subtype/Image/ImageMask true/BitsPerComponent 1" + size, stencil.bits))
    out, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    count = len(objects) + 1
    table = b"0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = b"trailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF\n" % (count, len(out))
    return out + b"xref\n0 %d\n" % count + table + end


def _stream(entries: bytes, deflated: bytes) -> bytes:
    return b"<<%s/Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (entries, len(deflated), deflated)
