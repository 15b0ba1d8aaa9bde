"""Reading a TimeStampToken (RFC 3161 §2.4.2) far enough to know that it is ours to use.

Raises `TokenError`, with a Chinese reason, throughout: whoever asked for the token decides what a bad one means.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from certlib.crypto.certificates import TIME_STAMPING, Certificate
from certlib.crypto.cms import SIGNATURE_TIMESTAMP
from certlib.crypto.sm2 import SM3, Sm2PublicKey
from certlib.crypto.suites import SHA256, load_public_key, suite_named
from certlib.errors import VerificationError

# By object identifier, because asn1crypto has no name for SM3.
_HASHES: dict[str, hashes.HashAlgorithm] = {
    SHA256: hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
    SM3: hashes.SM3(),
}
IMPRINTS = {"sha256": SHA256, "sm3": SM3}


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


def check(token: bytes, imprint: bytes, *, digest: str = "sha256", nonce: int | None = None) -> datetime:
    """The time a token states, once its imprint, nonce, signer's purpose and signature have been checked.

    `imprint` is made by `digest`, "sha256" or "sm3".
    """
    try:
        signed, content = _opened(token)
        info = tsp.TSTInfo.load(content, strict=True)
        _check_info(info, IMPRINTS[digest], imprint, nonce)
        _check_signature(signed, content)
        return _aware(info["gen_time"].native)
    except TokenError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise TokenError("时间戳的结构有误") from error


def certificates(message: bytes) -> tuple[Certificate, ...]:
    """The certificates in a CMS message, and in the timestamp on its signature if there is one.

    The bytes may be followed by padding. Raises `ValueError` when they are no SignedData.
    """
    signed = cms.ContentInfo.load(message)["content"]
    found = [Certificate.load(one.dump()) for one in signed["certificates"]]
    for attribute in signed["signer_infos"][0]["unsigned_attrs"] or ():
        if attribute["type"].dotted == SIGNATURE_TIMESTAMP:
            found.extend(certificates(attribute["values"][0].dump()))
    return tuple(found)


def signer(token: bytes) -> Certificate:
    """The certificate of the authority that made a token. Raises `ValueError` when it is not in there."""
    signed = _opened(token)[0]
    return Certificate.load(_signer(signed, signed["signer_infos"][0]).dump())


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


def _check_info(info: tsp.TSTInfo, algorithm: str, imprint: bytes, nonce: int | None) -> None:
    stated = info["message_imprint"]
    if stated["hash_algorithm"]["algorithm"].dotted != algorithm or stated["hashed_message"].native != imprint:
        raise TokenError("时间戳所覆盖的不是所问的摘要")
    if nonce is not None and info["nonce"].native != nonce:
        raise TokenError("时间戳的随机数与所问的不同")


def _check_signature(signed: cms.SignedData, content: bytes) -> None:
    info = signed["signer_infos"][0]
    certificate = _signer(signed, info)
    purposes = certificate.extended_key_usage_value
    if purposes is None or TIME_STAMPING not in {purpose.dotted for purpose in purposes}:
        raise TokenError("时间戳证书的用途不是时间戳")
    digest = info["digest_algorithm"]["algorithm"].dotted
    if digest not in _HASHES:
        raise TokenError(f"时间戳的摘要算法 {digest} 不被接受")
    attributes = {one["type"].native: one["values"] for one in info["signed_attrs"]}
    if attributes["message_digest"][0].native != _digest(_HASHES[digest], content):
        raise TokenError("时间戳的内容被改动")
    signing = info["signed_attrs"].untag().dump()
    _verify(certificate, info, signing, _HASHES[digest])


def _digest(algorithm: hashes.HashAlgorithm, content: bytes) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(content)
    return digest.finalize()


def _signer(signed: cms.SignedData, info: cms.SignerInfo) -> asn1.Certificate:
    wanted = info["sid"].chosen
    for choice in signed["certificates"]:
        certificate = choice.chosen
        if certificate.serial_number == wanted["serial_number"].native and certificate.issuer == wanted["issuer"]:
            return certificate
    raise TokenError("时间戳中没有其签名证书")


def _verify(certificate: asn1.Certificate, info: cms.SignerInfo, message: bytes, digest: hashes.HashAlgorithm) -> None:
    """Check the signature under the certificate's key, whichever of the accepted kinds it is."""
    algorithm, signature = info["signature_algorithm"], info["signature"].native
    try:
        key = load_public_key(certificate.public_key.dump())
        if isinstance(key, Sm2PublicKey):
            suite_named("sm2-sm3").verify(key.spki, signature, message)
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), _signature_hash(algorithm, digest))
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(_signature_hash(algorithm, digest)))
        else:
            raise TokenError("时间戳证书的密钥类型不被接受")
    except (InvalidSignature, VerificationError) as error:
        raise TokenError("时间戳的签名不成立") from error


def _signature_hash(algorithm: algos.SignedDigestAlgorithm, digest: hashes.HashAlgorithm) -> hashes.HashAlgorithm:
    """The hash of the signature; the rsaEncryption OID alone leaves it to the digest algorithm (RFC 3370 §3.2)."""
    if algorithm["algorithm"].native == "rsassa_pkcs1v15":
        return digest
    named = _HASHES.get(algos.DigestAlgorithmId(algorithm.hash_algo).dotted)
    if named is None:
        raise TokenError(f"时间戳的签名算法 {algorithm['algorithm'].native} 不被接受")
    return named
