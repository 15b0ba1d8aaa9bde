"""Reading electronic seals and seal signatures of any version (GB/T 38540-2020, GM/T 0031-2025, GM/T 0031-2014).

    signature = read_signature(data)        # raises ValueError
    signature.seal.info.es_id, signature.time, signature.data_hash, signature.signed

Real seals are not always DER (an explicit `critical FALSE`), so reading is tolerant, and whatever is hashed or verified
is a slice of what was received. Versions are told apart by form: a seal of two elements is version 1, of four or five
what its header says.
"""

from __future__ import annotations

from datetime import datetime

from certlib.crypto import der
from certlib.formats.ber import Element, only
from certlib.formats.ses import (
    BY_CERTIFICATE,
    BY_DIGEST,
    Extension,
    Picture,
    Seal,
    SealInfo,
    SealSignature,
)


def read_seal(data: bytes) -> Seal:
    """The seal in these bytes, of any version. Raises `ValueError` naming the part that cannot be read."""
    return _seal(only(data, "印章"))


def read_signature(data: bytes) -> SealSignature:
    """The seal signature in these bytes, of any version. Raises `ValueError` naming the part that cannot be read."""
    whole = only(data, "电子签章")
    parts = whole.children("电子签章", 2, 5)
    tbs = parts[0].children("待签名数据", 5, 7)
    if len(parts) == 2:
        return _signature_v1(whole, parts, tbs)
    if len(tbs) > 6 or len(parts) < 4:
        raise ValueError("待签名数据的字段数不对")
    return SealSignature(
        raw=whole.raw,
        version=tbs[0].integer("版本"),
        seal=_seal(tbs[1]),
        time=tbs[2].time("签章时间"),
        data_hash=tbs[3].bits("原文杂凑值"),
        property=tbs[4].text("原文属性"),
        extensions=_extensions(tbs[5].explicit(0, "扩展")) if len(tbs) == 6 else (),
        signed=parts[0].raw,
        certificate=parts[1].octets("签章者证书"),
        algorithm=parts[2].oid("签名算法"),
        signature=parts[3].bits("签名值"),
        timestamp=parts[4].explicit(0, "时间戳").bits("时间戳") if len(parts) == 5 else b"",
    )


def _signature_v1(whole: Element, parts: list[Element], tbs: list[Element]) -> SealSignature:
    if len(tbs) != 7:
        raise ValueError("待签名数据的字段数不对")
    stated = tbs[2].bits("时间信息")
    at = _time_v1(stated)
    return SealSignature(
        raw=whole.raw,
        version=tbs[0].integer("版本"),
        seal=_seal(tbs[1]),
        time=at,
        data_hash=tbs[3].bits("原文杂凑值"),
        property=tbs[4].text("原文属性"),
        signed=parts[0].raw,
        certificate=tbs[5].octets("签章者证书"),
        algorithm=tbs[6].oid("签名算法"),
        signature=parts[1].bits("签名值"),
        timestamp=b"" if at else stated,
    )


def _time_v1(stated: bytes) -> datetime | None:
    """Version 1 keeps UTCTime or a timestamp token inside a BIT STRING; None for what is no time."""
    try:
        return only(stated, "时间信息").time("时间信息")
    except ValueError:
        return None


def _seal(whole: Element) -> Seal:
    parts = whole.children("印章", 2, 5)
    if len(parts) == 3:
        raise ValueError("印章的字段数不对")
    if len(parts) > 2:
        return Seal(
            raw=whole.raw,
            info=_info(parts[0]),
            signed=parts[0].raw,
            certificate=parts[1].octets("制章者证书"),
            algorithm=parts[2].oid("印章签名算法"),
            signature=parts[3].bits("印章签名值"),
            timestamp=parts[4].explicit(0, "印章时间戳").bits("印章时间戳") if len(parts) == 5 else b"",
        )
    by = parts[1].children("制章人签名", 3, 3)
    return Seal(
        raw=whole.raw,
        info=_info(parts[0]),
        signed=der.sequence(parts[0].raw, by[0].raw, by[1].raw),
        certificate=by[0].octets("制章者证书"),
        algorithm=by[1].oid("印章签名算法"),
        signature=by[2].bits("印章签名值"),
    )


def _info(whole: Element) -> SealInfo:
    header, es_id, properties, picture, *rest = whole.children("印章信息", 4, 5)
    kind, version, vendor = header.children("头信息", 3, 3)
    if kind.text("标识") != "ES":
        raise ValueError("头信息的标识不是 ES")
    values = properties.children("印章属性", 6, 7)
    listed = values[2].integer("证书列表类型") if len(values) == 7 else BY_CERTIFICATE
    if listed not in {BY_CERTIFICATE, BY_DIGEST}:
        raise ValueError(f"证书列表类型 {listed} 不认识")
    created, valid_from, valid_until = values[-3:]
    image = picture.children("印章图像", 4, 4)
    return SealInfo(
        version=version.integer("版本"),
        vendor=vendor.text("厂商标识"),
        es_id=es_id.text("印章标识"),
        type=values[0].integer("印章类型"),
        name=values[1].text("印章名称"),
        list_type=listed,
        holders=_holders(values[-4], listed),
        created=created.time("制作时间"),
        valid_from=valid_from.time("生效时间"),
        valid_until=valid_until.time("失效时间"),
        picture=Picture(
            image[0].text("图像类型"),
            image[1].octets("图像数据"),
            image[2].integer("图像宽度"),
            image[3].integer("图像高度"),
        ),
        extensions=_extensions(rest[0]) if rest else (),
    )


def _holders(listed: Element, kind: int) -> tuple[bytes, ...]:
    entries = listed.children("签章者证书列表", 0, 1000)
    if kind == BY_CERTIFICATE:
        return tuple(entry.octets("签章者证书") for entry in entries)
    return tuple(entry.children("证书杂凑", 2, 2)[1].octets("证书杂凑值") for entry in entries)


def _extensions(whole: Element) -> tuple[Extension, ...]:
    found = []
    for entry in whole.children("扩展", 0, 100):
        oid, *critical, value = entry.children("扩展", 2, 3)
        found.append(
            Extension(
                oid.oid("扩展标识"),
                bool(critical) and critical[0].boolean("扩展的关键性"),
                value.octets("扩展的值"),
            )
        )
    return tuple(found)
