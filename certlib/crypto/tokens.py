"""Reading a TimeStampToken (RFC 3161 §2.4.2) far enough to know that it is ours to use.

Raises `TokenError`, with a Chinese reason, throughout: whoever asked for the token decides what a bad one means.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import ClassVar

from asn1crypto import cms, core, tsp
from asn1crypto import x509 as asn1
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from certlib.crypto.certificates import TIME_STAMPING
from certlib.crypto.suites import load_public_key
from certlib.errors import VerificationError

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


class TokenError(ValueError):
    """A timestamp, or the answer it came in, is not what was asked for."""


class _Response(core.Sequence):  # type: ignore[misc]
    """TimeStampResp; the token is absent when the status is not granted (RFC 3161 §2.4.2)."""

    _fields: ClassVar[list[tuple[object, ...]]] = [
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


def granted(response: bytes) -> bytes:
    """The token of a TimeStampResp whose status is granted."""
    try:
        answer = _Response.load(response, strict=True)
        status = answer["status"]["status"].native
        token = answer["time_stamp_token"].dump()
    except (ValueError, TypeError, KeyError) as error:
        raise TokenError("应答不是 RFC 3161 时间戳") from error
    if status not in {"granted", "granted_with_mods"}:
        raise TokenError(f"时间戳服务拒绝了请求（{status}）")
    return bytes(token)


def check(token: bytes, imprint: bytes, *, nonce: int | None = None) -> datetime:
    """The time a token states, once its imprint, nonce, signer's purpose and signature have been checked."""
    try:
        signed, content = _opened(token)
        info = tsp.TSTInfo.load(content, strict=True)
        _check_info(info, imprint, nonce)
        _check_signature(signed, content)
        return _aware(info["gen_time"].native)
    except TokenError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise TokenError("时间戳的结构有误") from error


def _opened(token: bytes) -> tuple[cms.SignedData, bytes]:
    signed = cms.ContentInfo.load(token, strict=True)["content"]
    encapsulated = signed["encap_content_info"]
    if encapsulated["content_type"].native != "tst_info" or len(signed["signer_infos"]) != 1:
        raise TokenError("应答不是 RFC 3161 时间戳")
    return signed, bytes(encapsulated["content"].contents)


def _aware(at: object) -> datetime:
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise TokenError("时间戳没有写明时区的时间")
    return at


def _check_info(info: tsp.TSTInfo, imprint: bytes, nonce: int | None) -> None:
    stated = info["message_imprint"]
    if stated["hash_algorithm"]["algorithm"].native != "sha256" or stated["hashed_message"].native != imprint:
        raise TokenError("时间戳所覆盖的不是所问的摘要")
    if nonce is not None and info["nonce"].native != nonce:
        raise TokenError("时间戳的随机数与所问的不同")


def _check_signature(signed: cms.SignedData, content: bytes) -> None:
    info = signed["signer_infos"][0]
    certificate = _signer(signed, info)
    purposes = certificate.extended_key_usage_value
    if purposes is None or TIME_STAMPING not in {purpose.dotted for purpose in purposes}:
        raise TokenError("时间戳证书的用途不是时间戳")
    digest = info["digest_algorithm"]["algorithm"].native
    if digest not in _HASHES:
        raise TokenError(f"时间戳的摘要算法 {digest} 不被接受")
    attributes = {one["type"].native: one["values"] for one in info["signed_attrs"]}
    if attributes["message_digest"][0].native != hashlib.new(digest, content).digest():
        raise TokenError("时间戳的内容被改动")
    signing = info["signed_attrs"].untag().dump()
    _verify(certificate, info["signature"].native, signing, _HASHES[_signature_hash(info, digest)]())


def _signature_hash(info: cms.SignerInfo, digest: str) -> str:
    """The hash of the signature; the rsaEncryption OID alone leaves it to the digest algorithm (RFC 3370 §3.2)."""
    algorithm = info["signature_algorithm"]
    name = digest if algorithm["algorithm"].native == "rsassa_pkcs1v15" else str(algorithm.hash_algo)
    if name not in _HASHES:
        raise TokenError(f"时间戳的签名算法 {name} 不被接受")
    return name


def _signer(signed: cms.SignedData, info: cms.SignerInfo) -> asn1.Certificate:
    wanted = info["sid"].chosen
    for choice in signed["certificates"]:
        certificate = choice.chosen
        if certificate.serial_number == wanted["serial_number"].native and certificate.issuer == wanted["issuer"]:
            return certificate
    raise TokenError("时间戳中没有其签名证书")


def _verify(certificate: asn1.Certificate, signature: bytes, message: bytes, algorithm: hashes.HashAlgorithm) -> None:
    try:
        key = load_public_key(certificate.public_key.dump())
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(algorithm))
        else:
            raise TokenError("时间戳证书的密钥类型不被接受")
    except (InvalidSignature, VerificationError) as error:
        raise TokenError("时间戳的签名不成立") from error
