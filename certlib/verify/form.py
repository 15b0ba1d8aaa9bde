"""The one form of a signature message: every byte of it is signed, checked or fixed.

A CMS message (RFC 5652) has parts that its signature does not cover: version numbers, algorithm identifiers outside
the signed attributes, embedded certificates, unsigned attributes. A byte changed there would go unnoticed. So the
message is built again, in DER, from the parts that are checked elsewhere and from the few values allowed for the
rest, and must come out byte for byte as it was read.

Checked elsewhere: signed attributes and content (by the signature), signature and certificates (by chain validation,
which must have used every certificate; `certificates_used`), a timestamp token among the unsigned attributes (by the
same rules, as a message of its own).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from asn1crypto import cms, core, tsp
from asn1crypto import x509 as asn1
from cryptography.hazmat.primitives import hashes

from certlib.crypto import der
from certlib.crypto.certificates import Certificate
from certlib.crypto.cms import DATA, SIGNATURE_TIMESTAMP, SIGNED_DATA, TST_INFO
from certlib.crypto.sm2 import SM2_SM3, SM3

# Digest algorithms that are accepted, by object identifier; SM3 because asn1crypto has no name for it.
_NAMES = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    SM3: "sm3",
}
HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sm3": hashes.SM3(),
}
DIGESTS: dict[bytes, str] = {
    der.algorithm(dotted, null=null): name for dotted, name in _NAMES.items() for null in (False, True)
}
SIGNATURES: dict[bytes, str] = {
    der.algorithm("1.2.840.113549.1.1.1", null=True): "rsa",  # the digest is the digest algorithm's, RFC 3370 §3.2
    der.algorithm("1.2.840.113549.1.1.11", null=True): "rsa-sha256",
    der.algorithm("1.2.840.113549.1.1.12", null=True): "rsa-sha384",
    der.algorithm("1.2.840.113549.1.1.13", null=True): "rsa-sha512",
    der.algorithm("1.2.840.10045.4.3.2"): "ecdsa-sha256",
    der.algorithm("1.2.840.10045.4.3.3"): "ecdsa-sha384",
    der.algorithm("1.2.840.10045.4.3.4"): "ecdsa-sha512",
    der.algorithm(SM2_SM3): "sm2-sm3",
    der.algorithm(SM2_SM3, null=True): "sm2-sm3",
}


_CAPACITY = 512  # certificates


@lru_cache(maxsize=_CAPACITY)
def certificate_in(data: bytes) -> Certificate:
    """The certificate in these DER bytes, read once. Raises `ValueError` when they hold none."""
    return Certificate.load(data)


class FormError(ValueError):
    """The message is not in its one form; the text says what differs, in Chinese.

    `certificates` are those embedded in it, as far as they can be read: they tell whose message it means to be.
    """

    certificates: tuple[bytes, ...] = ()


class AlgorithmError(FormError):
    """The message uses an algorithm outside the allow-list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message in its one form. `attributes` are the signed ones as SET OF, as they are hashed and signed."""

    content_type: str
    content: bytes | None
    digest: str
    signature_algorithm: str
    attributes: bytes = field(repr=False)
    message_digest: bytes
    signature: bytes = field(repr=False)
    certificate: bytes = field(repr=False)  # the signer's
    certificates: tuple[bytes, ...] = field(repr=False)  # all embedded ones
    token: bytes = field(repr=False)  # the signature timestamp, empty when there is none
    signed_data: cms.SignedData = field(repr=False)

    @property
    def info(self) -> cms.SignerInfo:
        """The one signer's part."""
        return self.signed_data["signer_infos"][0]

    def certificates_used(self, path: Iterable[bytes]) -> bool:
        """Whether every embedded certificate stands on the validated `path`."""
        return set(self.certificates) <= set(path)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a timestamp token states: its message, the time, and the digest it covers."""

    message: Message
    at: datetime
    imprint: bytes
    imprint_algorithm: str


def digest_of(algorithm: str, *parts: bytes | memoryview) -> bytes:
    """The digest of the parts, one after another, by an algorithm of `HASHES`."""
    digest = hashes.Hash(HASHES[algorithm])
    for part in parts:
        digest.update(part)
    return digest.finalize()


def read_message(data: bytes, content_type: str = DATA) -> Message:
    """Read a message and hold it to its form. Raises `FormError`."""
    try:
        content_info = cms.ContentInfo.load(data, strict=True)
        signed = content_info["content"]
        return _message(data, signed, _only_signer(content_info), content_type)
    except FormError as error:
        error.certificates = _embedded(content_info)
        raise
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        raise FormError("签名值的结构有误。") from error


def read_token(data: bytes) -> Stamp:
    """Read a TimeStampToken (RFC 3161 §2.4.2) and hold it to its form. Raises `FormError`."""
    message = read_message(data, TST_INFO)
    try:
        info = tsp.TSTInfo.load(message.content or b"", strict=True)
        at, imprint = info["gen_time"].native, info["message_imprint"]
        algorithm = _NAMES.get(imprint["hash_algorithm"]["algorithm"].dotted, "")
        hashed = imprint["hashed_message"].native
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise FormError("时间戳的内容有误。") from error
    if not algorithm:
        raise AlgorithmError("时间戳的摘要算法不在允许之列。")
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise FormError("时间戳没有写明时区的时间。")
    return Stamp(message, at, hashed, algorithm)


def _embedded(content_info: cms.ContentInfo) -> tuple[bytes, ...]:
    try:
        return tuple(choice.chosen.dump() for choice in content_info["content"]["certificates"])
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError):
        return ()


def _only_signer(content_info: cms.ContentInfo) -> cms.SignerInfo:
    infos = content_info["content"]["signer_infos"]
    if content_info["content_type"].dotted != SIGNED_DATA or len(infos) != 1:
        raise FormError("签名值不是单一签名者的 CMS 签名。")
    return infos[0]


def _message(data: bytes, signed: cms.SignedData, info: cms.SignerInfo, content_type: str) -> Message:
    certificates = tuple(choice.chosen for choice in signed["certificates"])
    if not certificates or any(not isinstance(certificate, asn1.Certificate) for certificate in certificates):
        raise FormError("签名中没有签名证书。")
    for certificate in certificates:
        _check_certificate(certificate)
    signer = _signer(info, certificates)
    content = _content(signed, content_type)
    explicit = b"" if content is None else der.explicit(0, der.octets(content))
    token = _token(info)
    if _rebuilt(signed, info, signer, der.sequence(der.oid(content_type), explicit), token) != data:
        raise FormError("签名值中有未受签名保护的改动。")
    signed_attributes = info["signed_attrs"]
    digests = [one["values"] for one in signed_attributes if one["type"].native == "message_digest"]
    if len(digests) != 1 or len(digests[0]) != 1:
        raise FormError("签名没有唯一的摘要属性。")
    return Message(
        content_type=content_type,
        content=content,
        digest=_allowed(DIGESTS, info["digest_algorithm"].dump(), "摘要"),
        signature_algorithm=_allowed(SIGNATURES, info["signature_algorithm"].dump(), "签名"),
        attributes=der.tlv(der.SET, signed_attributes.contents),
        message_digest=digests[0][0].native,
        signature=info["signature"].native,
        certificate=signer.dump(),
        certificates=tuple(certificate.dump() for certificate in certificates),
        token=token,
        signed_data=signed,
    )


def _rebuilt(
    signed: cms.SignedData, info: cms.SignerInfo, signer: asn1.Certificate, encapsulated: bytes, token: bytes
) -> bytes:
    digest, signature = info["digest_algorithm"].dump(), info["signature_algorithm"].dump()
    _allowed(DIGESTS, digest, "摘要")
    _allowed(SIGNATURES, signature, "签名")
    timestamp = der.sequence(der.oid(SIGNATURE_TIMESTAMP), der.set_of([token])) if token else b""
    signer_info = der.sequence(
        der.integer(1),
        der.sequence(signer["tbs_certificate"]["issuer"].dump(), signer["tbs_certificate"]["serial_number"].dump()),
        digest,
        der.tlv(0xA0, info["signed_attrs"].contents),
        signature,
        der.octets(info["signature"].native),
        der.tlv(0xA1, timestamp) if token else b"",
    )
    version = 1 if signed["encap_content_info"]["content_type"].dotted == DATA else 3  # RFC 5652 §5.1
    return der.sequence(
        der.oid(SIGNED_DATA),
        der.explicit(
            0,
            der.sequence(
                der.integer(version),
                der.set_of([digest]),
                encapsulated,
                der.tlv(0xA0, *(choice.chosen.dump() for choice in signed["certificates"])),
                der.set_of([signer_info]),
            ),
        ),
    )


def _check_certificate(certificate: asn1.Certificate) -> None:
    """The signed part names the algorithm as well (RFC 5280 §4.1.1.2); nothing else is outside it."""
    inner = certificate["tbs_certificate"]["signature"].dump()
    rebuilt = der.sequence(certificate["tbs_certificate"].dump(), inner, der.tlv(0x03, b"\x00", certificate.signature))
    if rebuilt != certificate.dump():
        raise FormError("签名所带的证书不是规范编码。")
    certificate_in(certificate.dump())  # all of it, since asn1crypto reads a name only when it is asked for


def _signer(info: cms.SignerInfo, certificates: tuple[asn1.Certificate, ...]) -> asn1.Certificate:
    sid = info["sid"]
    if sid.name != "issuer_and_serial_number":
        raise FormError("签名没有按颁发者和序列号指明签名证书。")
    found = [
        certificate
        for certificate in certificates
        if certificate.serial_number == sid.chosen["serial_number"].native
        and certificate["tbs_certificate"]["issuer"].dump() == sid.chosen["issuer"].dump()
    ]
    if len(found) != 1:
        raise FormError("签名中没有唯一的签名证书。")
    return found[0]


def _content(signed: cms.SignedData, content_type: str) -> bytes | None:
    encapsulated = signed["encap_content_info"]
    if encapsulated["content_type"].dotted != content_type:
        raise FormError("签名的内容类型不对。")
    content = encapsulated["content"]
    if content_type == DATA:
        if content.native is not None:
            raise FormError("签名值中不应带有内容。")
        return None
    return bytes(content.contents)


def _token(info: cms.SignerInfo) -> bytes:
    unsigned = info["unsigned_attrs"]
    if isinstance(unsigned, core.Void):
        return b""
    if len(unsigned) != 1 or unsigned[0]["type"].dotted != SIGNATURE_TIMESTAMP or len(unsigned[0]["values"]) != 1:
        raise FormError("签名带有时间戳以外的未签名属性。")
    return bytes(unsigned[0]["values"][0].dump())


def _allowed(table: dict[bytes, str], algorithm: bytes, what: str) -> str:
    if algorithm not in table:
        raise AlgorithmError(f"{what}算法不在允许之列。")
    return table[algorithm]
