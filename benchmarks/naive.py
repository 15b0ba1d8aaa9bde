"""What a first script would do: reportlab for the page, pyHanko for the seal, everything loaded anew each time.

It issues nothing: no register, no number, no journal, no check of the page, no PDF/A, no tagged text.
"""

from __future__ import annotations

import io
from pathlib import Path

import qrcode
from PIL import Image, ImageDraw
from pyhanko.keys import load_certs_from_pemder, load_private_key_from_pemder
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

FACTS = {
    "许可证编号": "赣虔药监械经营许20260001号",
    "企业名称": "赣州蓉江康宁医疗器械有限公司",
    "统一社会信用代码": "91360703MAAY4CL12W",
    "法定代表人": "刘建平",
    "企业负责人": "刘建平",
    "住所": "江西省赣州市蓉江新区潭东镇创业路18号3栋201室",
    "经营场所": "江西省赣州市蓉江新区潭东镇创业路18号3栋201室",
    "经营方式": "批发",
    "经营范围": "6821医用电子仪器设备，6822医用光学器具、仪器及内窥镜设备，6840体外诊断试剂",
    "库房地址": "江西省赣州市蓉江新区潭东镇创业路18号3栋102室",
    "发证日期": "2026年3月2日",
}
SEAL = (560, 60, 679, 179)  # points


def page(code: str) -> bytes:
    """The page with its code."""
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=landscape(A4))
    canvas.setFont("STSong-Light", 28)
    canvas.drawCentredString(421, 520, "医疗器械经营许可证")
    canvas.setFont("STSong-Light", 12)
    for line, (label, value) in enumerate(FACTS.items()):
        canvas.drawString(80, 470 - 30 * line, f"{label}：{value}")
    picture = io.BytesIO()
    qrcode.make(code).save(picture)
    canvas.drawImage(ImageReader(picture), 80, 60, 76, 76)
    canvas.save()
    return out.getvalue()


def seal_picture() -> Image.Image:
    """A red circle with a word, as a raster picture."""
    picture = Image.new("RGBA", (496, 496))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((8, 8, 488, 488), outline=(220, 0, 0, 255), width=14)
    draw.regular_polygon((248, 248, 80), 5, fill=(220, 0, 0, 255))
    return picture


def signer_of(path: Path) -> signers.SimpleSigner:
    """Key, certificate and chain from one PEM file."""
    certificate, *chain = load_certs_from_pemder([path])
    registry = SimpleCertificateStore()
    registry.register_multiple(chain)
    return signers.SimpleSigner(certificate, load_private_key_from_pemder(path, None), registry)


def issue(key: Path, authority: Path, code: str) -> bytes:
    """Page, picture, key and time-stamp authority from files, one sealed PDF. `authority` must be RSA."""
    signer, stamper = signer_of(key), signer_of(authority)
    registry = SimpleCertificateStore()
    registry.register_multiple(signer.cert_registry)
    writer = IncrementalPdfFileWriter(io.BytesIO(page(code)))
    fields.append_signature_field(writer, fields.SigFieldSpec("Seal", box=SEAL))
    metadata = signers.PdfSignatureMetadata(
        field_name="Seal", certify=True, subfilter=fields.SigSeedSubFilter.PADES, md_algorithm="sha256"
    )
    style = StaticStampStyle(background=PdfImage(seal_picture()), border_width=0, background_opacity=1)
    times = DummyTimeStamper(stamper.signing_cert, stamper.signing_key, certs_to_embed=registry)
    sealer = signers.PdfSigner(metadata, signer, timestamper=times, stamp_style=style)
    return sealer.sign_pdf(writer).getbuffer().tobytes()
