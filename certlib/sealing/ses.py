"""Making an electronic seal and sealing with it after GB/T 38540-2020, version 4.

    seal = make_seal(spec, maker, holder.certificate, valid_from=…, valid_until=…, created=now)
    signature = seal_beside(pdf, seal, holder, use, at=now, timestamper=timestamper)    # the file's `.ses`

The signature stands beside the PDF, since PDF/A knows no such value inside. What it covers is stated in words that are
ours to define (§7.1): the media type and the range of bytes, all of them.
"""

from __future__ import annotations

from datetime import datetime

from certlib.crypto.attributes import SEAL_USE, SealUse
from certlib.crypto.certificates import Certificate, check_signer
from certlib.crypto.cms import Signer
from certlib.crypto.sm2 import sm3
from certlib.crypto.timestamps import Timestamper
from certlib.domain.seal import SealKind, SealSpec
from certlib.errors import SealFailedError
from certlib.formats.ses import (
    V4,
    Extension,
    Picture,
    SealInfo,
    encode_seal,
    encode_signature,
    encode_tbs,
)
from certlib.formats.ses_reader import read_seal
from certlib.sealing.raster import check_png, seal_png

VENDOR = "CERTLIB"
SUITE = "sm2-sm3"
# 印章类型 has no common list; these are two of the codes in use for organs' seals (01 法定名称章, 99 其他).
TYPES = {SealKind.ORGAN: 1, SealKind.APPROVAL: 99}


def make_seal(
    spec: SealSpec,
    maker: Signer,
    holder: Certificate,
    *,
    valid_from: datetime,
    valid_until: datetime,
    created: datetime,
    png: bytes | None = None,
) -> bytes:
    """SESeal of version 4 in DER: the seal `spec` for the one certificate `holder`, signed by its maker.

    `png` replaces the picture drawn from `spec`. Raises `RenderError` for the picture, `SealFailedError` when maker or
    holder are not fit: another suite, another seal's certificate, a period that the certificate does not cover.
    """
    _require_sm2(maker)
    check_signer(maker.certificate, maker.key.public_key, at=created)
    if holder.common_name != spec.id:
        raise SealFailedError(f"印章 {spec.id} 不能用证书 {holder.common_name} 制作，未制章。")
    if not holder.not_before <= valid_from < valid_until <= holder.not_after:
        raise SealFailedError(f"印章 {spec.id} 的有效期超出其证书的有效期，未制章。")
    info = SealInfo(
        version=V4,
        vendor=VENDOR,
        es_id=spec.id,
        type=TYPES[spec.kind],
        name=spec.name,
        holders=(holder.der,),
        created=created,
        valid_from=valid_from,
        valid_until=valid_until,
        picture=Picture("PNG", check_png(png, spec) if png else seal_png(spec), *_size(spec)),
    ).encode()
    return encode_seal(info, maker.certificate.der, maker.key.sign(info))


def seal_beside(
    original: bytes, seal: bytes, holder: Signer, use: SealUse, *, at: datetime, timestamper: Timestamper | None = None
) -> bytes:
    """SES_Signature of version 4 over all of `original`, with `use` as an extension and a timestamp when there is one.

    Raises `SealFailedError` when the seal is not this holder's or not valid at `at` (§7.2), `KeyUnavailableError`,
    `TimestampUnavailableError`.
    """
    _require_sm2(holder)
    info = read_seal(seal).info
    if holder.certificate.der not in info.holders:
        raise SealFailedError(f"证书已更换，与印章 {info.es_id} 所列的不同，须重新制章；未用印。")
    if not info.valid_from <= at <= info.valid_until:
        raise SealFailedError(f"印章 {info.es_id} 不在有效期内，未用印。")
    if timestamper is not None and timestamper.digest != "sm3":
        raise SealFailedError("国密电子签章须用 SM3 时间戳，未用印。")
    check_signer(holder.certificate, holder.key.public_key, at=at)
    extension = Extension(SEAL_USE, critical=False, value=use.value())
    prop = f"application/pdf;bytes=0-{len(original)}"
    tbs = encode_tbs(seal, at, sm3(original), prop, [extension])
    signature = holder.key.sign(tbs)
    token = timestamper.stamp(sm3(signature), now=at).token if timestamper else b""
    return encode_signature(tbs, holder.certificate.der, signature, token)


def _require_sm2(signer: Signer) -> None:
    if signer.key.suite != SUITE:
        raise SealFailedError(f"国密电子印章须用 {SUITE} 密钥，而不是 {signer.key.suite}；未办理。")


def _size(spec: SealSpec) -> tuple[int, int]:
    return round(spec.diameter), round(spec.diameter)
