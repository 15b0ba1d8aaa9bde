"""What the Sealer makes sure of in its own result before anybody gets it, from the finished bytes alone.

The full verification (`certlib.verify`) follows in the issuance; this one is close to the key and costs a millisecond.
"""

from __future__ import annotations

import re

from asn1crypto import cms

from certlib.crypto import tokens
from certlib.crypto.cms import SIGNATURE_TIMESTAMP, Signer
from certlib.crypto.suites import DIGESTS
from certlib.errors import SealFailedError, VerificationError

_BYTE_RANGE = re.compile(rb"/ByteRange ?\[0 (\d+) (\d+) (\d+)\]")


def check_sealed(sealed: bytes, base: bytes, signer: Signer, *, stamped: str | None) -> bytes:
    """Check that `sealed` is `base` with one signature by `signer` over all of it, and give the signature value.

    With a timestamp over the signature's digest by `stamped` ("sha256" or "sm3"), with none when that is None.
    Raises `SealFailedError` naming what does not hold.
    """
    try:
        covered, padded = _appended(sealed, base)
        return _check_signature(_read(padded), covered, signer, stamped)
    except (ValueError, TypeError, KeyError, VerificationError) as error:
        raise SealFailedError(f"用印结果自检未通过（{error}），文件已丢弃。") from error


def check_archived(archived: bytes, base: bytes, *, digest: str) -> None:
    """Check that `archived` is `base` with one document timestamp over all of it.

    Raises `SealFailedError` naming what does not hold.
    """
    try:
        covered, padded = _appended(archived, base)
        _read(padded)
        tokens.check(cms.ContentInfo.load(padded).dump(), DIGESTS[digest](covered), digest=digest)
    except (ValueError, TypeError, KeyError, VerificationError) as error:
        raise SealFailedError(f"文档时间戳自检未通过（{error}），文件已丢弃。") from error


def _appended(whole: bytes, base: bytes) -> tuple[bytes, bytes]:
    """What the one signature behind `base` covers, which must be everything but itself, and its padded message."""
    if not whole.startswith(base):
        raise ValueError("原文件的字节有变化")
    found = _BYTE_RANGE.findall(whole, len(base))
    if len(found) != 1:
        raise ValueError("签名不是恰好一个")
    before, after, rest = map(int, found[0])
    if after + rest != len(whole) or whole[before : before + 1] + whole[after - 1 : after] != b"<>":
        raise ValueError("签名没有覆盖整个文件")
    return whole[:before] + whole[after:], bytes.fromhex(whole[before + 1 : after - 1].decode("ascii"))


def _check_signature(signed: cms.SignedData, covered: bytes, signer: Signer, stamped: str | None) -> bytes:
    if {one.dump() for one in signed["certificates"]} != {one.der for one in (signer.certificate, *signer.chain)}:
        raise ValueError("签名所附的证书有变化")
    info = signed["signer_infos"][0]
    attributes = {one["type"].native: one["values"] for one in info["signed_attrs"]}
    if attributes["message_digest"][0].native != signer.suite.hash(covered):
        raise ValueError("签名的摘要与文件不符")
    signature: bytes = info["signature"].native
    signer.suite.verify(signer.certificate.spki, signature, info["signed_attrs"].untag().dump())
    found = [one for one in info["unsigned_attrs"] or () if one["type"].dotted == SIGNATURE_TIMESTAMP]
    if len(found) != bool(stamped):
        raise ValueError("时间戳与约定的级别不符")
    if stamped:
        tokens.check(found[0]["values"][0].dump(), DIGESTS[stamped](signature), digest=stamped)
    return signature


def _read(padded: bytes) -> cms.SignedData:
    """The message at the start of its hole; all that follows must be zero."""
    message = cms.ContentInfo.load(padded)
    if padded[len(message.dump()) :].strip(b"\x00"):
        raise ValueError("签名之后的空位不为零")
    return message["content"]
