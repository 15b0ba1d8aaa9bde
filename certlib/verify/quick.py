"""The issuer's own look at each file it has just sealed, in about a millisecond: no PDF library, no chain building.

It is bound to be our own file, so what a stranger's file needs is left out: the certificates are pinned byte for byte,
nothing may stand behind the one signature, and time is that of the timestamp.

    sealed = quick_check(pdf, certificates=pinned, stamped=True)

The full examination (`certlib.verify.examine`) follows for each template version and a sample.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime

from certlib.crypto.attributes import SealUse, seal_use
from certlib.crypto.certificates import TIME_STAMPING, Certificate
from certlib.crypto.suites import suite_of
from certlib.domain.verdict import Verdict
from certlib.errors import VerificationError
from certlib.verify.chains import is_intact, is_sound
from certlib.verify.form import FormError, Message, certificate_in, digest_of, read_message, read_token
from certlib.verify.span import guard


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickSeal:
    """What the check read on its way: the file's digest, who sealed, which use of the seal, when."""

    sha256: str
    certificate: Certificate
    use: SealUse | None
    timestamped_at: datetime | None


def quick_check(
    pdf: bytes,
    *,
    certificates: Container[bytes],
    stamped: bool,
    authorities: Container[bytes] | None = None,
    chains: Container[bytes] | None = None,
) -> QuickSeal:
    """Check a file we have just sealed ourselves.

    `certificates` are the seals' own X.509 certificates (DER) that may have sealed it; `authorities` those of the
    timestamp authorities, `chains` those above either, any when None; `stamped` whether there must be a timestamp.
    Raises `VerificationError` whose `code` is the verdict.
    """
    guarded = guard(pdf)
    if guarded.faults or len(guarded.spans) != 1:
        detail = guarded.faults[0].detail if guarded.faults else "签名不是恰好一个。"
        raise VerificationError(f"刚用印的文件不合规范：{detail}", code=Verdict.ALTERED)
    span = guarded.spans[0]
    try:
        message = read_message(span.contents)
        certificate = _check_message(message, b"".join(span.covered(pdf)), certificates)
        _check_chain(message, chains)
        at = _check_stamp(message, authorities, chains, stamped=stamped)
        return QuickSeal(
            sha256=hashlib.sha256(pdf).hexdigest(),
            certificate=certificate,
            use=seal_use(message.info),
            timestamped_at=at,
        )
    except FormError as error:
        raise VerificationError(f"刚用印的文件：{error}", code=Verdict.SIGNATURE_INVALID) from error
    except ValueError as error:
        raise VerificationError(f"刚用印的文件：{error}。", code=Verdict.SIGNATURE_INVALID) from error


def _check_message(message: Message, covered: bytes, pinned: Container[bytes]) -> Certificate:
    certificate = certificate_in(message.certificate)
    if message.certificate not in pinned:
        raise VerificationError(f"印章证书 {certificate.common_name} 不是配置的证书。", code=Verdict.UNKNOWN_ISSUER)
    _check_signature(message, covered, certificate)
    return certificate


def _check_signature(message: Message, content: bytes, certificate: Certificate) -> None:
    suite = suite_of(certificate.spki)
    if message.digest != suite.digest or message.info["signature_algorithm"].dump() != suite.signature_algorithm:
        raise VerificationError("签名算法与证书的密码套件不符。", code=Verdict.SIGNATURE_INVALID)
    if not is_intact(message, suite.hash(content)):
        raise VerificationError("签名的摘要与内容不符。", code=Verdict.ALTERED)
    if not is_sound(message):
        raise VerificationError("签名与所签内容不符。", code=Verdict.SIGNATURE_INVALID)


def _check_chain(message: Message, chains: Container[bytes] | None) -> None:
    above = [data for data in message.certificates if data != message.certificate]
    if chains is not None and not all(data in chains for data in above):
        raise VerificationError("签名所带的上级证书不是配置的证书。", code=Verdict.UNKNOWN_ISSUER)


def _check_stamp(
    message: Message, authorities: Container[bytes] | None, chains: Container[bytes] | None, *, stamped: bool
) -> datetime | None:
    if bool(message.token) != stamped:
        raise VerificationError("时间戳与约定的级别不符。", code=Verdict.SIGNATURE_INVALID)
    if not message.token:
        return None
    stamp = read_token(message.token)
    certificate = certificate_in(stamp.message.certificate)
    pinned = authorities is None or stamp.message.certificate in authorities
    if not pinned or TIME_STAMPING not in certificate.extended_usage:
        raise VerificationError("时间戳不是配置的机构签发的。", code=Verdict.SIGNATURE_INVALID)
    if stamp.imprint != digest_of(stamp.imprint_algorithm, message.signature):
        raise VerificationError("时间戳所覆盖的不是这个签名。", code=Verdict.SIGNATURE_INVALID)
    _check_signature(stamp.message, stamp.message.content or b"", certificate)
    _check_chain(stamp.message, chains)
    return stamp.at
