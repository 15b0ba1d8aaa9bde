"""Verifying an electronic seal signature (GB/T 38540-2020 §6.3, §7.3; GM/T 0031-2014 and -2025), one finding a step.

    report = examine_ses(signature, original, authorities, at=now)
    report.holds, report.findings

| check | asks |
|---|---|
| format | does it parse as the version it says |
| signature | does the signer's signature over TBS_Sign hold |
| holder | is the signer's certificate one that the seal names |
| signer | does its chain reach a root, is it for signing, was it valid and not revoked at the time of sealing |
| hash | is the original's digest the one that was signed |
| seal | does the maker's signature over the seal hold |
| maker | does the maker's chain reach a root, was it valid when that counts |
| period | does the time of sealing lie within the seal's validity |
| timestamp | does the token cover the signature value, and its time agree |

A certificate that ended or was revoked after sealing is a warning. What no list can tell, or no original is there to
compare with, is unknown, and then the whole does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from certlib.crypto import tokens
from certlib.crypto.certificates import Certificate
from certlib.crypto.sm2 import SM2_SM3, as_der, sm3
from certlib.crypto.suites import suite_named
from certlib.domain.verdict import Finding
from certlib.errors import VerificationError
from certlib.formats.ses import BY_CERTIFICATE, V5, Seal, SealSignature
from certlib.formats.ses_reader import read_seal, read_signature
from certlib.verify.chain import Authorities, PathError, outside

ALGORITHMS = frozenset({SM2_SM3, "1.2.156.10197.1.301.1", "1.2.156.10197.1.301"})  # as seals in use write it
SIGNING = frozenset({"digital_signature", "non_repudiation"})  # one of them: GB/T 38540 asks for no more
APART = timedelta(minutes=5)  # a token's time from the time stated

Outcome = tuple[str, str]  # pass | fail | warn | unknown, detail


@dataclass(frozen=True, slots=True)
class SesReport:
    """What was found, step by step, and what the signature says."""

    findings: tuple[Finding, ...]
    signature: SealSignature | None = field(default=None, repr=False)

    @property
    def holds(self) -> bool:
        """Whether every step passed or only warned."""
        return all(finding.outcome in {"pass", "warn"} for finding in self.findings)


def examine_ses(data: bytes, original: bytes | None, authorities: Authorities, *, at: datetime) -> SesReport:
    """Examine the SES_Signature in `data` over `original`, now being `at`; None for an original that is not at hand."""
    try:
        signature = read_signature(data)
        signer, maker = Certificate.load(signature.certificate), Certificate.load(signature.seal.certificate)
    except ValueError as error:
        return SesReport((Finding("format", "fail", f"无法读取：{error}。"),))
    case = _Case(
        seal=signature.seal,
        maker=maker,
        authorities=authorities,
        at=at,
        sealed_at=signature.time or at,  # version 1 may have a token in its place: the moment of asking
        signature=signature,
        signer=signer,
        original=original,
    )
    findings = [Finding("format", "pass", f"第 {signature.seal.info.version} 版电子签章。")]
    for check, step in STEPS.items():
        outcome, detail = step(case)
        if detail:
            findings.append(Finding(check, outcome, detail))
    return SesReport(tuple(findings), signature)


def examine_seal(data: bytes, authorities: Authorities, *, at: datetime) -> SesReport:
    """Examine an SESeal by itself (GB/T 38540-2020 §6.3), now being `at`."""
    try:
        seal = read_seal(data)
        maker = Certificate.load(seal.certificate)
    except ValueError as error:
        return SesReport((Finding("format", "fail", f"无法读取：{error}。"),))
    case = _SealCase(seal=seal, maker=maker, authorities=authorities, at=at, sealed_at=at)
    findings = [
        Finding("format", "pass", f"第 {seal.info.version} 版电子印章，{seal.info.es_id}（{seal.info.name}）。")
    ]
    findings += (Finding(check, *step(case)) for check, step in SEAL_STEPS.items())
    return SesReport(tuple(findings))


@dataclass(frozen=True, kw_only=True)
class _SealCase:
    seal: Seal
    maker: Certificate
    authorities: Authorities
    at: datetime
    sealed_at: datetime


@dataclass(frozen=True, kw_only=True)
class _Case(_SealCase):
    signature: SealSignature
    signer: Certificate
    original: bytes | None


def _signature(case: _Case) -> Outcome:
    signature = case.signature
    if why := _unsigned(case.signer, signature.algorithm, signature.signature, signature.signed):
        return "fail", f"签章的签名不成立：{why}。"
    return "pass", f"签名成立，签章者证书 {case.signer.common_name}。"


def _holder(case: _Case) -> Outcome:
    info, mine = case.seal.info, case.signature.certificate
    wanted = mine if info.list_type == BY_CERTIFICATE else sm3(mine)
    if wanted not in info.holders:
        return "fail", "签章者证书不在印章所列的证书之中。"
    return "pass", f"签章者证书为印章 {info.es_id}（{info.name}）所列。"


def _signer(case: _Case) -> Outcome:
    return _judge(case, case.signer, case.sealed_at, "签章者证书")


def _hash(case: _Case) -> Outcome:
    if case.original is None:
        return "unknown", "原文不在手，未核对其杂凑值。"
    if sm3(case.original) != case.signature.data_hash:
        return "fail", "原文与签章时不同。"
    return "pass", "原文的杂凑值与签章中的一致。"


def _seal(case: _SealCase) -> Outcome:
    seal = case.seal
    if why := _unsigned(case.maker, seal.algorithm, seal.signature, seal.signed):
        return "fail", f"印章的签名不成立：{why}。"
    if seal.timestamp:
        return _token(case, seal.timestamp, seal.signature, lambda stamped: stamped >= seal.info.created, "印章时间戳")
    return "pass", "印章的制章签名成立。"


def _maker(case: _SealCase) -> Outcome:
    """GM/T 0031-2025 judges the maker at the making of the seal, the versions before at the sealing."""
    info = case.seal.info
    return _judge(case, case.maker, info.created if info.version >= V5 else case.sealed_at, "制章者证书")


def _period(case: _SealCase) -> Outcome:
    info = case.seal.info
    if not info.valid_from <= case.sealed_at <= info.valid_until:
        return "fail", f"签章时间不在印章有效期（{info.valid_from:%Y-%m-%d} 至 {info.valid_until:%Y-%m-%d}）之内。"
    if case.at > info.valid_until:
        return "warn", f"签章时印章有效；印章已于 {info.valid_until:%Y-%m-%d} 到期。"
    return "pass", "签章时间在印章有效期之内。"


def _timestamp(case: _Case) -> Outcome:
    signature = case.signature
    if not signature.timestamp:
        return "warn", "签章没有时间戳，签章时间未经证明。"
    stated = signature.time

    def fits(stamped: datetime) -> bool:
        return case.signer.valid_at(stamped) and (stated is None or abs(stamped - stated) <= APART)

    return _token(case, signature.timestamp, signature.signature, fits, "签章时间戳")


def _token(case: _SealCase, token: bytes, over: bytes, fits: Callable[[datetime], bool], what: str) -> Outcome:
    try:
        stamped = tokens.check(token, sm3(over), digest="sm3")
        authority = tokens.signer(token)
    except ValueError as error:
        return "fail", f"{what}：{error}。"
    if not fits(stamped):
        return "fail", f"{what}的时间 {stamped:%Y-%m-%d %H:%M:%S}Z 与所述时间或证书有效期不符。"
    outcome, detail = _judge(case, authority, stamped, f"{what}的证书")
    return (outcome, detail) if outcome != "pass" else ("pass", f"{what}证明的时间是 {stamped:%Y-%m-%d %H:%M:%S}Z。")


SEAL_STEPS: dict[str, Callable[[_SealCase], Outcome]] = {"seal": _seal, "maker": _maker, "period": _period}
STEPS: dict[str, Callable[[_Case], Outcome]] = {
    "signature": _signature,
    "holder": _holder,
    "signer": _signer,
    "hash": _hash,
    **SEAL_STEPS,
    "timestamp": _timestamp,
}


def _unsigned(certificate: Certificate, algorithm: str, signature: bytes, signed: bytes) -> str | None:
    """Why a signature does not hold, or None when it does."""
    if algorithm not in ALGORITHMS:
        return f"签名算法 {algorithm} 不被接受"
    try:
        suite_named("sm2-sm3").verify(certificate.spki, as_der(signature), signed)
    except VerificationError as error:
        return error.message.rstrip("。")
    return None


def _judge(case: _SealCase, certificate: Certificate, moment: datetime, what: str) -> Outcome:
    """Chain and usage must hold; period and revocation at `moment`, with a warning for what came later."""
    try:
        path = case.authorities.path(certificate)
    except PathError as error:
        return "fail", f"{what}：{error}。"
    if not certificate.key_usage & SIGNING:
        return "fail", f"{what}的密钥用途不是签名。"
    if (over := outside(path, moment)) is not None:
        return "fail", f"{what}：{over.common_name} 当时不在有效期内。"
    try:
        return next(_later(case, path, moment, what), ("pass", f"{what}可信，当时有效。"))
    except PathError as error:
        return "unknown", f"{what}：{error}，未能核对是否吊销。"


def _later(case: _SealCase, path: tuple[Certificate, ...], moment: datetime, what: str) -> Iterator[Outcome]:
    revoked = {one.common_name: case.authorities.revoked_at(one) for one in path[:-1]}
    for name, since in revoked.items():
        if since is not None and since <= moment:
            yield "fail", f"{what}：{name} 在此之前已被吊销（{since:%Y-%m-%d}）。"
    for name, since in revoked.items():
        if since is not None:
            yield "warn", f"{what}当时有效；{name} 后于 {since:%Y-%m-%d} 被吊销。"
    if (over := outside(path, case.at)) is not None:
        yield "warn", f"{what}当时有效；{over.common_name} 现已不在有效期内。"
