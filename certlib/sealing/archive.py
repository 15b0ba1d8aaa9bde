"""B-LTA: a document timestamp of our own over the whole file, with everything to check it by, renewed in time.

    archived = archive_pdf(pdf, material, timestamper, at=now)

One revision is appended: the material, and after it the timestamp, which so is the last thing in the file (the span
guard refuses a file that ends in anything unsigned). Done again before the timestamp's certificate ends or its
algorithm weakens, it renews the proof; the bytes before stay as they are, and DocMDP P=1 allows it (ISO 32000-2
12.8.2.2). A seal's key is not used.
"""

# pyHanko's objects carry no annotations on their constructors.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from datetime import datetime
from io import BytesIO

from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign.fields import SigFieldSpec, enumerate_sig_fields
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import DocumentTimestamp

from certlib.crypto import tokens
from certlib.crypto.certificates import Certificate
from certlib.crypto.material import ValidationMaterial
from certlib.crypto.timestamps import Timestamp, Timestamper
from certlib.errors import SealFailedError
from certlib.sealing.pades import Embedded
from certlib.sealing.selfcheck import check_archived
from certlib.sealing.store import add_material
from certlib.sealing.widget import Update

LABEL = "文档时间戳 Document timestamp"


def archive_pdf(pdf: bytes, material: ValidationMaterial, timestamper: Timestamper, *, at: datetime) -> Embedded:
    """`pdf` at level B-LTA: its bytes, the material that concerns its signatures, and a timestamp over all of it.

    Raises `SealFailedError` when the file bears no seal or the material leaves a certificate without a current
    revocation list, `TimestampUnavailableError` when there is no timestamp to be had.
    """
    try:
        writer = Update(BytesIO(pdf))
        signers = _signers(writer)
        _require(material, signers, at)
        add_material(writer, material.needed_for(signers).with_certificates(signers))
        done = _embed(writer, timestamper, at)
        _require(material, tokens.certificates(done.timestamp.token) if done.timestamp else (), at)
    except (PdfError, SigningError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise SealFailedError(f"待归档的文件结构与预期不符（{error}），未加文档时间戳。") from error
    check_archived(done.pdf, pdf, digest=timestamper.digest)
    return done


def _embed(writer: Update, timestamper: Timestamper, at: datetime) -> Embedded:
    names = [name for name, _, _ in enumerate_sig_fields(writer)]
    field = f"Archive{len(names)}"
    embedding = PdfCMSEmbedder(SigFieldSpec(field, readable_field_name=LABEL)).write_cms(field, writer)
    next(embedding)
    embedding.send(SigObjSetup(sig_placeholder=DocumentTimestamp(bytes_reserved=2 * timestamper.reserve)))
    prepared, output = embedding.send(SigIOSetup(md_algorithm=timestamper.digest))
    stamp: Timestamp = timestamper.stamp(prepared.document_digest, now=at)
    embedding.send(stamp.token)
    return Embedded(output.getvalue(), stamp)


def _require(material: ValidationMaterial, certificates: tuple[Certificate, ...], at: datetime) -> None:
    if missing := material.missing(certificates, at=at):
        raise SealFailedError(f"缺少 {'、'.join(missing)} 的现行吊销列表，未加文档时间戳；请更新吊销列表。")


def _signers(writer: Update) -> tuple[Certificate, ...]:
    """The certificates in all signatures of the file and in the timestamps on them."""
    found: list[Certificate] = []
    for _, value, _ in enumerate_sig_fields(writer):
        if value is None:
            raise ValueError("文件中有空的签名域")
        found.extend(tokens.certificates(bytes(value.get_object()["/Contents"])))
    if not found:
        raise ValueError("文件没有印章")
    return tuple({one.der: one for one in found}.values())
