"""Steps 5 to 13 of the examination: everything about the one seal of a file and the timestamps around it.

Time is judged from the outside in: each document timestamp, and at last the seal's own, is judged at the time that the
one after it proves; the seal's chain at the time its timestamp proves. So a seal stays good after its certificate, and
a timestamp after its authority's, as long as something newer covers it in time (ETSI EN 319 102-1 5.6).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from certlib.crypto.attributes import SealUse, seal_use
from certlib.crypto.certificates import Certificate, RevocationList
from certlib.crypto.suites import suite_of
from certlib.domain.verdict import Verdict
from certlib.errors import VerificationError
from certlib.formats.seal_list import ListedSeal
from certlib.verify.chains import is_named
from certlib.verify.form import (
    AlgorithmError,
    FormError,
    Message,
    Stamp,
    certificate_in,
    digest_of,
    read_message,
    read_token,
)
from certlib.verify.pades import Found, Judgement, Material, Opened, UnreadableError, judge_seal, judge_stamp
from certlib.verify.report import Notes, SealReport
from certlib.verify.roots import TrustRoots
from certlib.verify.span import Guarded, Span, without_padding

CLOCKS_APART = timedelta(minutes=5)
_CHANGES = {"none": "盖章后没有任何改动。", "lta": "盖章后只补充了验证材料和时间戳。"}
_ISSUER_FAULTS = {
    "untrusted": "印章证书不是由登记的机构签发的，不能确认签发机关。",
    "chain": "印章证书的证书链不能通过核验，不能确认签发机关。",
    "usage": "印章证书不是用于电子签章的证书，不能确认签发机关。",
}


@dataclass(slots=True, kw_only=True)
class SealExamination:
    """One seal on its way through its steps.

    `unproved` is the moment to judge it at when nothing in the file proves one; `registered` when the register took the
    file, which its journal proves.
    """

    pdf: bytes
    opened: Opened
    guarded: Guarded
    trust: TrustRoots
    at: datetime
    unproved: datetime
    notes: Notes
    registered: datetime | None = None
    material: Material = field(default_factory=Material)
    used: frozenset[bytes] = frozenset()  # certificates of the chains judged so far,
    traced: bool = True  # and whether each of those chains is known
    proved: datetime | None = None  # by document timestamps
    moment: datetime | None = None  # by the seal's own timestamp as well

    def examine(self, index: int) -> SealReport | None:
        """Steps 5 to 13 for signature `index`; None when its message cannot be read."""
        found = self.opened.found[index]
        span = self._span(found)
        try:
            self.material = self.opened.proof_material()
            message = read_message(span.contents if span else without_padding(found.contents))
        except FormError as error:
            self._refuse("signature" if isinstance(error, AlgorithmError) else "form", str(error), error.certificates)
            return None
        except UnreadableError as error:
            self.notes.failed("form", str(error), Verdict.ALTERED)  # the seal's own message may well hold
            return None
        self._document_timestamps()
        self._seal_timestamp(message)
        digest = digest_of(message.digest, *span.covered(self.pdf)) if span else b""
        judged = judge_seal(message, digest, self.trust, self.moment or self.unproved, self.material)
        self._uses(judged, message)
        self._content_and_signature(message, judged)
        self._changes(index)
        self._store()
        use = self._authorisation(message)
        self._seal_state(message)
        return self._report(message, found, use)

    def _span(self, found: Found) -> Span | None:
        return next((span for span in self.guarded.spans if span.byte_range == found.byte_range), None)

    # (6)
    def _document_timestamps(self) -> None:
        for index in reversed(range(len(self.opened.found))):
            found = self.opened.found[index]
            if found.kind == "/DocTimeStamp":
                self._document_timestamp(index, found)

    def _document_timestamp(self, index: int, found: Found) -> None:
        span = self._span(found)
        try:
            stamp = read_token(span.contents if span else without_padding(found.contents))
        except FormError as error:
            self.notes.failed("time", f"文档时间戳：{error}", Verdict.ALTERED)
            return
        imprint = digest_of(stamp.imprint_algorithm, *span.covered(self.pdf)) if span else b""
        if self._holds(stamp, imprint, "文档时间戳"):
            self.proved = min(self.proved or self.at, stamp.at)
        if span is None or span.end != len(self.pdf):
            self._changes(index)

    def _seal_timestamp(self, message: Message) -> None:
        self.moment = self.proved
        if not message.token:
            self.notes.warn("time", "印章没有时间戳，签章时间待证明。")
            return
        try:
            stamp = read_token(message.token)
        except FormError as error:
            self.notes.failed("time", f"签章时间戳：{error}", Verdict.ALTERED)
            return
        imprint = digest_of(stamp.imprint_algorithm, message.signature)
        if not self._holds(stamp, imprint, "签章时间戳"):
            return
        self.moment = stamp.at
        if stamp.at > self.at + CLOCKS_APART:
            self.notes.failed("time", "所问的时间早于签章时间，当时尚无此文件。", Verdict.NOT_IN_FORCE)
        else:
            self.notes.passed("time", f"签章时间 {stamp.at:%Y-%m-%d %H:%M:%S}Z，有可信时间戳证明。")

    def _holds(self, stamp: Stamp, imprint: bytes, what: str) -> bool:
        if stamp.imprint != imprint:
            self.notes.failed("time", f"{what}所覆盖的不是这份内容。", Verdict.ALTERED)
            return False
        judged = judge_stamp(stamp, imprint, self.trust, max(self.proved or self.at, stamp.at), self.material)
        self._uses(judged, stamp.message)
        if not (judged.sound and judged.intact):
            self.notes.failed("time", f"{what}的签名不成立。", Verdict.ALTERED)
        elif judged.problem in {"expired", "revoked"}:
            self.notes.warn("time", f"{what}的证书已到期或被吊销，时间不再得到证明。")
        elif judged.problem:
            self.notes.failed("time", f"{what}不是可信时间戳机构签发的。", Verdict.ALTERED)
        elif not stamp.message.certificates_used(judged.path):
            self.notes.failed("form", f"{what}带有多余的证书。", Verdict.ALTERED)
        return judged.holds

    # (7), (8)
    def _content_and_signature(self, message: Message, judged: Judgement) -> None:
        notes = self.notes
        if judged.intact:
            notes.passed("content", "文件内容与盖章时一致。")
        else:
            notes.failed("content", "文件内容在盖章后被改动。", Verdict.ALTERED)
        if not judged.sound:
            notes.failed("signature", "印章的签名不成立，疑似伪造。", Verdict.SIGNATURE_INVALID)
        elif judged.problem == "algorithm":
            self._refuse("signature", "签名或证书的算法不在允许之列。", message.certificates)
        else:
            notes.passed("signature", f"{message.signature_algorithm}，{message.digest}")
            self._issuer(message, judged)

    def _refuse(self, check: str, detail: str, certificates: tuple[bytes, ...]) -> None:
        """A message we do not take: a forgery where it names our authorities, else a stranger's own way."""
        if not certificates or is_named(certificates, self.trust.certificates):
            self.notes.failed(check, detail, Verdict.SIGNATURE_INVALID)
        else:
            self.notes.failed(check, detail, Verdict.UNKNOWN_ISSUER)
            self.notes.failed("issuer", _ISSUER_FAULTS["untrusted"], Verdict.UNKNOWN_ISSUER)

    # (9), (10), and the rest of (5)
    def _issuer(self, message: Message, judged: Judgement) -> None:
        notes = self.notes
        if judged.problem in _ISSUER_FAULTS:
            notes.failed("issuer", _ISSUER_FAULTS[judged.problem], Verdict.UNKNOWN_ISSUER)
        elif judged.problem == "expired":
            detail = "签章时印章证书不在有效期内。" if self.moment else "印章证书已到期，又没有时间戳证明签章在先。"
            notes.failed("issuer", detail, Verdict.SIGNATURE_INVALID)
        elif judged.problem == "revoked":
            day = f"（{judged.revoked_at:%Y-%m-%d}）" if judged.revoked_at else ""
            notes.failed("revocation", f"印章证书在签章前已被吊销{day}。", Verdict.SIGNATURE_INVALID)
        else:
            notes.passed("issuer", f"印章证书签发给：{certificate_in(message.certificate).owner}。")
            self._form(message, judged)
            if judged.revocation == "good":
                notes.passed("revocation", "印章证书未被吊销。")
            else:
                notes.unknown("revocation", "没有可用的吊销信息，未核对印章证书是否被吊销。")

    def _form(self, message: Message, judged: Judgement) -> None:
        if not message.certificates_used(judged.path):
            self.notes.failed("form", "签名带有多余的证书。", Verdict.ALTERED)
        elif not any(finding.check == "form" for finding in self.notes.findings):
            self.notes.passed("form", "签名值中没有未受保护的内容。")

    # (11)
    def _changes(self, index: int) -> None:
        found = self.opened.found[index]
        span = self._span(found)
        covers_all = span is not None and span.end == len(self.pdf) and not self.guarded.faults
        changes = "none" if covers_all else self.opened.changes(index)
        if changes == "other":
            self.notes.failed("changes", "盖章后文件被增改。", Verdict.ALTERED)
        elif found.kind == "/Sig":
            self.notes.passed("changes", _CHANGES[changes])

    def _uses(self, judged: Judgement, message: Message) -> None:
        self.used = self.used | {*judged.path, *message.certificates}
        self.traced = self.traced and bool(judged.path)

    def _store(self) -> None:
        """Nothing was added to the store but what the chains of the seal and of the timestamps call for."""
        if not self.traced or len(self.opened.found) == 1:
            return  # where a chain does not hold it cannot be told what belongs to it
        added = self.opened.added_material(self.material)
        known = self.used | set(self.trust.certificates)
        names = {certificate_in(data).subject_name for data in known}
        lists = (RevocationList.load(data, name="crl") for data in added.revocation)
        if not set(added.certificates) <= known or any(one.issuer not in names for one in lists):
            self.notes.failed("changes", "文件所附的验证材料中有与印章和时间戳无关的内容。", Verdict.ALTERED)

    # (12)
    def _authorisation(self, message: Message) -> SealUse | None:
        certificate = certificate_in(message.certificate)
        try:
            use = seal_use(message.info)
        except ValueError:
            self.notes.failed("authorisation", "签名中的用印信息有误。", Verdict.SIGNATURE_INVALID)
            return None
        if use is None:
            self.notes.warn("authorisation", "签名中没有用印信息。")
        elif use.seal != certificate.common_name:
            detail = f"用印信息中的印章 {use.seal} 与证书 {certificate.common_name} 不符。"
            self.notes.failed("authorisation", detail, Verdict.SIGNATURE_INVALID)
        else:
            self.notes.passed("authorisation", f"印章 {use.seal} 第 {use.counter} 次用印。")
        return use

    # (13)
    def _seal_state(self, message: Message) -> None:
        """The seal list knows the certificate, and the seal was in use, uncompromised, at the moment of sealing."""
        if self.trust.seals is None:
            self.notes.unknown("seal", "没有印章清单，未核对签章时印章是否在用。")
            return
        listed = self.trust.seals.seal(hashlib.sha256(message.certificate).digest())
        if listed is None:
            detail = "印章证书不在印章清单中，不是登记的印章。"
            self.notes.failed("seal", detail, Verdict.UNKNOWN_ISSUER)
            return
        fault = seal_fault(listed, min(filter(None, (self.moment, self.registered)), default=None), self.unproved)
        if fault:
            self.notes.failed("seal", fault, Verdict.SIGNATURE_INVALID)
        else:
            self.notes.passed("seal", f"签章时印章在用（{listed.name}，第 {listed.edition} 版）。")

    def _report(self, message: Message, found: Found, use: SealUse | None) -> SealReport:
        certificate = certificate_in(message.certificate)
        return SealReport(
            seal=use.seal if use else certificate.common_name,
            subject=certificate.subject,
            signed_at=found.claimed_at,
            timestamped_at=self.moment,
            level=self._level(),
            suite=_suite(certificate),
            counter=use.counter if use else None,
            authorisation=use.authorisation.hex() if use else "",
            reason=found.reason,
            owner=certificate.owner,
        )

    def _level(self) -> str:
        """ETSI EN 319 142-1 clause 6: what is really in the file, and holds."""
        if self.proved is not None:
            return "B-LTA"
        if self.moment is None:
            return "B-B"
        return "B-LT" if self.material.revocation else "B-T"


def seal_fault(listed: ListedSeal, proved: datetime | None, unproved: datetime) -> str:
    """Why a seal is not believed for what it sealed at the `proved` moment, else said to be `unproved` (Chinese)."""
    if listed.compromised is not None:
        since = f"{listed.compromised:%Y-%m-%d %H:%M:%S}Z"
        if proved is None:
            return f"印章密钥自 {since} 起泄露，又没有时间证明签章在先，不予采信。"
        if proved >= listed.compromised:
            return f"签章在印章密钥泄露（{since}）之后，不予采信。"
    if listed.in_use is not None and not listed.was_in_use(proved or unproved, give=CLOCKS_APART):
        when = "签章时" if proved else "没有时间证明签章在先，而"
        return f"{when}印章不在使用期间（停用、撤销、注销或尚未启用），不予采信。"
    return ""


def _suite(certificate: Certificate) -> str:
    try:
        return suite_of(certificate.spki).name
    except VerificationError:
        return ""
