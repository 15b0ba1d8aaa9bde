"""Electronic seals and seal signatures: GB/T 38540-2020 (version 4), GM/T 0031-2025 (5), GM/T 0031-2014 (1).

The values of all versions, and the writing of version 4, which all readers know; `certlib.formats.ses_reader` reads.

| signed | version 1 | versions 4, 5 |
|---|---|---|
| seal | SEQUENCE{ info, certificate, algorithm } | info |
| signature | TBS_Sign | TBS_Sign |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from certlib.crypto import der
from certlib.crypto.sm2 import SM2_SM3

V1, V4, V5 = 1, 4, 5
BY_CERTIFICATE, BY_DIGEST = 1, 2  # certListType


@dataclass(frozen=True, slots=True)
class Extension:
    """ExtData: what it is, whether it must be understood, its value."""

    oid: str
    critical: bool
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Picture:
    """SES_ESPictureInfo; width and height in millimetres."""

    kind: str
    data: bytes = field(repr=False)
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SealInfo:
    """SES_SealInfo: what the maker of a seal states.

    `holders` are the certificates (DER) that may sign with it when `list_type` is BY_CERTIFICATE, else their digests.
    """

    version: int
    vendor: str
    es_id: str
    type: int
    name: str
    list_type: int = BY_CERTIFICATE
    holders: tuple[bytes, ...] = field(repr=False)
    created: datetime
    valid_from: datetime
    valid_until: datetime
    picture: Picture
    extensions: tuple[Extension, ...] = ()

    def encode(self) -> bytes:
        """SES_SealInfo of version 4 in DER, certificates listed in full."""
        properties = der.sequence(
            der.integer(self.type),
            der.utf8(self.name),
            der.integer(BY_CERTIFICATE),
            der.sequence(*map(der.octets, self.holders)),
            *map(der.generalized_time, (self.created, self.valid_from, self.valid_until)),
        )
        picture = self.picture
        return der.sequence(
            der.sequence(der.ia5("ES"), der.integer(self.version), der.ia5(self.vendor)),
            der.ia5(self.es_id),
            properties,
            der.sequence(
                der.ia5(picture.kind),
                der.octets(picture.data),
                der.integer(picture.width),
                der.integer(picture.height),
            ),
            _encode_extensions(self.extensions) if self.extensions else b"",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """SESeal. `raw` is all of it, `signed` the slice (version 1: the composition) that the maker signed."""

    raw: bytes = field(repr=False)
    info: SealInfo
    signed: bytes = field(repr=False)
    certificate: bytes = field(repr=False)  # the maker's, DER
    algorithm: str
    signature: bytes = field(repr=False)
    timestamp: bytes = field(default=b"", repr=False)  # version 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SealSignature:
    """SES_Signature. `signed` is the slice TBS_Sign, `property` what of the original is covered.

    `time` is None when version 1 has a timestamp in its place, which then is `timestamp`.
    """

    raw: bytes = field(repr=False)
    version: int
    seal: Seal
    time: datetime | None
    data_hash: bytes = field(repr=False)
    property: str
    extensions: tuple[Extension, ...] = ()
    signed: bytes = field(repr=False)
    certificate: bytes = field(repr=False)  # the signer's, DER
    algorithm: str
    signature: bytes = field(repr=False)
    timestamp: bytes = field(default=b"", repr=False)


def encode_seal(info: bytes, certificate: bytes, signature: bytes) -> bytes:
    """SESeal of version 4: what the maker stated and signed, and his certificate."""
    return der.sequence(info, der.octets(certificate), der.oid(SM2_SM3), der.bits(signature))


def encode_tbs(seal: bytes, at: datetime, data_hash: bytes, prop: str, extensions: Sequence[Extension] = ()) -> bytes:
    """TBS_Sign of version 4, the bytes that are signed."""
    return der.sequence(
        der.integer(V4),
        seal,
        der.generalized_time(at),
        der.bits(data_hash),
        der.ia5(prop),
        der.explicit(0, _encode_extensions(extensions)) if extensions else b"",
    )


def encode_signature(tbs: bytes, certificate: bytes, signature: bytes, timestamp: bytes = b"") -> bytes:
    """SES_Signature of version 4; `timestamp` is a token over the signature value."""
    stamped = der.explicit(0, der.bits(timestamp)) if timestamp else b""
    return der.sequence(tbs, der.octets(certificate), der.oid(SM2_SM3), der.bits(signature), stamped)


def _encode_extensions(extensions: Sequence[Extension]) -> bytes:
    """ExtensionDatas. `critical` is always written: a reader in use fails when its default is left out."""
    return der.sequence(
        *(der.sequence(der.oid(one.oid), der.boolean(one.critical), der.octets(one.value)) for one in extensions)
    )
