"""PAdES (ETSI EN 319 142-1) on the renderer's PDF.

pyHanko reads the file and writes the incremental update; the CMS comes from `certlib.crypto.cms`, so that a signature
costs one use of the key and nothing is parsed, estimated or signed twice. The file stays PDF/A-3a and PDF/UA-1: the
base gets the end-of-line after `%%EOF` that ISO 19005-3 6.1.9 asks for before the update's first object, `widget` does
the rest, and document information and XMP stay as the renderer wrote them, and so agree.

| level | has besides the signature |
|---|---|
| B-B | – |
| B-T | a timestamp over its value |
| B-LT | the material to check both by, in the same revision: the file still ends with its signature |
"""

# pyHanko's objects carry no annotations on their constructors.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from zoneinfo import ZoneInfo

from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigMDPSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import SignatureObject

from certlib.crypto.cms import SIGNATURE_TIMESTAMP, Signer, attribute, sign, size
from certlib.crypto.material import ValidationMaterial
from certlib.crypto.suites import DIGESTS
from certlib.crypto.timestamps import Timestamp, Timestamper
from certlib.errors import SealFailedError, TimestampUnavailableError
from certlib.sealing.store import add_material
from certlib.sealing.straddle import add_slices
from certlib.sealing.widget import FIELD, Imprint, Update, add_field

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Embedded:
    """A signed file and the timestamp inside it, None at level B-B."""

    pdf: bytes = field(repr=False)
    timestamp: Timestamp | None


def seal_pdf(
    pdf: bytes,
    imprint: Imprint,
    signer: Signer,
    *,
    at: datetime,
    timestamper: Timestamper | None,
    attributes: tuple[bytes, ...] = (),
    material: ValidationMaterial | None = None,
    pending: bool = False,
) -> Embedded:
    """Certify `pdf` (DocMDP P=1) with a visible seal, at B-B, with `timestamper` B-T, with `material` too B-LT.

    With `pending` a file whose timestamp is not to be had is made without, by the same use of the key.
    Raises `SealFailedError` for a file that is not the renderer's, `KeyUnavailableError`, `TimestampUnavailableError`.
    """
    signing = _Signing(signer=signer, at=at, timestamper=timestamper, attributes=attributes, pending=pending)
    base = pdf if pdf.endswith(b"\n") else pdf + b"\n"
    try:
        writer = Update(BytesIO(base))
        add_slices(writer, imprint, add_field(writer, imprint))
        if material is not None:
            add_material(writer, material)
        return _embed(writer, imprint, signing)
    except (PdfError, SigningError, KeyError, TypeError, ValueError) as error:
        raise SealFailedError(f"待用印的文件结构与预期不符（{error}），未用印。") from error


def signature_size(signer: Signer, attributes: tuple[bytes, ...], timestamper: Timestamper | None) -> int:
    """The bytes to reserve for the signature in the file: fixed beforehand, so that no rehearsal is needed."""
    stamped = timestamper.reserve + 64 if timestamper else 0
    return size(signer, attributes=sum(map(len, attributes)), unsigned=stamped)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signing:
    """What the signature itself is made with."""

    signer: Signer
    at: datetime
    timestamper: Timestamper | None
    attributes: tuple[bytes, ...]
    pending: bool


def _embed(writer: Update, imprint: Imprint, signing: _Signing) -> Embedded:
    """Write the update with a hole for the signature, sign its digest, fill the hole."""
    signer, stamps = signing.signer, []
    placeholder = SignatureObject(
        timestamp=signing.at.astimezone(SHANGHAI),
        subfilter=SigSeedSubFilter.PADES,
        name=imprint.name,
        location=imprint.location,
        reason=imprint.reason,
        bytes_reserved=2 * signature_size(signer, signing.attributes, signing.timestamper),
    )
    digest = signer.suite.digest
    certify = SigMDPSetup(md_algorithm=digest, certify=True, docmdp_perms=MDPPerm.NO_CHANGES)
    embedding = PdfCMSEmbedder().write_cms(FIELD, writer, existing_fields_only=True)
    next(embedding)
    embedding.send(SigObjSetup(sig_placeholder=placeholder, mdp_setup=certify))
    prepared, output = embedding.send(SigIOSetup(md_algorithm=digest))

    def stamp(signature: bytes) -> list[bytes]:
        if signing.timestamper is not None:
            imprint = DIGESTS[signing.timestamper.digest](signature)
            try:
                stamps.append(signing.timestamper.stamp(imprint, now=signing.at))
            except TimestampUnavailableError:
                if not signing.pending:
                    raise
        return [attribute(SIGNATURE_TIMESTAMP, one.token) for one in stamps]

    message = sign(signer, prepared.document_digest, attributes=signing.attributes, unsigned=stamp)
    embedding.send(message.der)
    return Embedded(output.getvalue(), stamps[0] if stamps else None)
