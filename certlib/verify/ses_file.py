"""A `.ses` (signature beside a file) or `.esl` (seal) as `certctl verify` reports it, with the steps as its findings.

    with Sandbox(trust) as sandbox:
        report = sandbox.examine_ses(data, original, national_authorities(folder), at=now, name="licence.ses")

A file from a stranger is examined in a child process (`certlib.verify.sandbox`), which calls `examine_ses_file`.
What a signature covers it says itself (GB/T 38540 §7.1), here as media type and range of bytes. A file that was raised
to B-LTA since begins with what was signed; what follows is the PDF's own to prove, and the report says so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from certlib.crypto import tokens
from certlib.crypto.attributes import SEAL_USE, SealUse
from certlib.crypto.certificates import Certificate, RevocationList, load_certificates
from certlib.crypto.ocsp import read_answer
from certlib.crypto.sm2 import sm3
from certlib.domain.verdict import Finding, Verdict
from certlib.formats.ses import SealSignature
from certlib.verify.chain import Authorities
from certlib.verify.report import Report, SealReport
from certlib.verify.roots import TrustRoots
from certlib.verify.ses import SesReport, examine_seal, examine_ses

SUFFIXES = (".ses", ".esl")
MAX_SIZE = 4 << 20  # bytes; seals in use have some hundred kilobytes of picture
_RANGE = re.compile(r"application/pdf;bytes=0-([0-9]{1,12})")
_STANDS_FOR: Mapping[str, Verdict] = {
    "format": Verdict.UNREADABLE,
    "signature": Verdict.SIGNATURE_INVALID,
    "holder": Verdict.SIGNATURE_INVALID,
    "signer": Verdict.UNKNOWN_ISSUER,
    "hash": Verdict.ALTERED,
    "range": Verdict.ALTERED,
    "seal": Verdict.SIGNATURE_INVALID,
    "maker": Verdict.UNKNOWN_ISSUER,
    "period": Verdict.SIGNATURE_INVALID,
    "timestamp": Verdict.SIGNATURE_INVALID,
}
_WEIGHT = {verdict: place for place, verdict in enumerate(Verdict)}


def national_authorities(folder: Path | None) -> Authorities:
    """Whom to trust for SM2: the roots of a folder of trust, authorities from `ca` beside it; None for development."""
    if folder is None:
        from certlib.crypto.development import development_folder  # noqa: PLC0415  (only when asked for)

        folder = development_folder() / "trust-sm2"
    trust = TrustRoots.load(folder)
    roots = tuple(Certificate.load(der) for der in trust.certificates)
    lists = tuple(RevocationList.load(der, name=folder.name) for der in trust.revocation)
    paths = sorted((folder.parent / "ca").glob("*.pem"))
    between = tuple(load_certificates(path.read_bytes(), name=str(path))[0] for path in paths)
    return Authorities(roots, between, lists, tuple(read_answer(data) for data in trust.answers))


def examine_ses_file(
    data: bytes, original: bytes | None, authorities: Authorities, *, at: datetime, name: str = ""
) -> Report:
    """Examine a signature over `original` (None: not at hand), or the seal in an `.esl`; never raises for that."""
    try:
        found, seals = _found(data, original, authorities, at=at, name=name)
    except Exception as error:  # noqa: BLE001  (whatever a file does to a parser, the answer is that it cannot be read)
        detail = f"核验时出现意外情况（{type(error).__name__}），无法读取此文件。"
        found, seals = SesReport((Finding("format", "fail", detail),)), ()
    failed = [_STANDS_FOR[one.check] for one in found.findings if one.outcome == "fail"]
    return Report(
        file=name,
        verdict=min(failed, key=_WEIGHT.__getitem__, default=Verdict.STATUS_UNKNOWN),
        findings=found.findings,
        seals=seals,
        sha256=hashlib.sha256(data).hexdigest(),
        at=at,
    )


def _found(
    data: bytes, original: bytes | None, authorities: Authorities, *, at: datetime, name: str
) -> tuple[SesReport, tuple[SealReport, ...]]:
    if len(data) > MAX_SIZE:
        return SesReport((Finding("format", "fail", f"文件有 {len(data) >> 20} MB，不是电子签章。"),)), ()
    if name.endswith(".esl"):
        return examine_seal(data, authorities, at=at), ()
    found = _with_range(data, original, authorities, at)
    return found, (_seal(found.signature),) if found.signature else ()


def original_beside(path: Path) -> Path | None:
    """The file a signature stands beside: `a.ses` or `a.pdf.ses` beside `a.pdf`; None when it is not there."""
    stem = path.with_suffix("")
    places = (stem, stem.with_suffix(".pdf"))
    return next((place for place in places if place.suffix == ".pdf" and place.is_file()), None)


def _with_range(data: bytes, original: bytes | None, authorities: Authorities, at: datetime) -> SesReport:
    """Examine over the range that the signature states; a signature of another maker states none we know: the whole."""
    found = examine_ses(data, original, authorities, at=at)
    stated = _RANGE.fullmatch(found.signature.property) if found.signature else None
    if stated is None or original is None or int(stated[1]) == len(original):
        return found
    size = int(stated[1])
    if size > len(original):
        finding = Finding("range", "fail", f"签章覆盖 {size} 字节，原文只有 {len(original)} 字节。")
    else:
        found = examine_ses(data, original[:size], authorities, at=at)
        finding = Finding("range", "warn", "签章之后文件有追加；追加的部分由 PDF 自身的签名和时间戳证明。")
    return SesReport((*found.findings, finding), found.signature)


def _seal(signature: SealSignature) -> SealReport:
    use = _use(signature)
    signer = Certificate.load(signature.certificate)
    return SealReport(
        seal=signature.seal.info.es_id,
        subject=signer.subject,
        signed_at=signature.time,
        timestamped_at=_stamped(signature),
        level=f"v{signature.seal.info.version}",
        suite="sm2-sm3",
        owner=signer.owner,
        counter=use.counter if use else None,
        authorisation=use.authorisation.hex() if use else "",
    )


def _use(signature: SealSignature) -> SealUse | None:
    found = [one.value for one in signature.extensions if one.oid == SEAL_USE]
    try:
        return SealUse.read(found[0]) if found else None
    except (ValueError, TypeError, KeyError):
        return None


def _stamped(signature: SealSignature) -> datetime | None:
    """The time that a token over the signature states; whether it is believed the finding `timestamp` says."""
    try:
        return (
            tokens.check(signature.timestamp, sm3(signature.signature), digest="sm3") if signature.timestamp else None
        )
    except ValueError:
        return None
