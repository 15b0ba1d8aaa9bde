"""The examination of a sealed PDF: every check in its order, each with its finding, and one verdict.

The steps, which are also the checks of the report:

 1. `register`       the register knows exactly these bytes (when a register is asked)
 2. `readable`       it is a PDF of at most 20 MB, not encrypted
 3. `span`           the span guard on the raw bytes (`certlib.verify.span`, rules 1 to 5)
 4. `fields`         one seal, which certifies (DocMDP P=1); besides only document timestamps; nothing else
 5. `form`           every byte of each signature message is signed, checked or fixed (`certlib.verify.form`)
 6. `time`           timestamps: sound, of a trusted authority, in order; the moment at which the seal is judged
 7. `content`        the bytes covered are the bytes sealed
 8. `signature`      the seal's signature is sound, by an algorithm we allow
 9. `issuer`         the seal's X.509 chain ends in a trusted root, and the certificate is meant for seals
10. `revocation`     no certificate of the chain was revoked by then
11. `changes`        after sealing nothing was added but proof material
12. `authorisation`  the signed attribute names the seal, its use and its authorisation
13. `seal`           the seal list has the certificate, and the seal was in use at the moment of sealing
14. `facts`          the attached facts are those printed, and those of the register
15. `status`         the state of the certificate at the moment asked

    report = examine(pdf, trust=TrustRoots.load(folder), at=now, lookup=register)
    report.verdict, report.as_json()

`examine` never raises for anything the file holds; `verify` raises unless the file is genuine and valid. Files from
strangers are examined in a child process (`certlib.verify.sandbox`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from certlib.domain.civil import day_start
from certlib.domain.verdict import WORDS, Verdict
from certlib.errors import CertlibError, VerificationError
from certlib.formats.facts import FILE_NAME, Facts, read_facts
from certlib.verify.claims import claims_of
from certlib.verify.lookup import RegisterLookup, RegisterState
from certlib.verify.pades import DOCUMENT_TIMESTAMP, SEAL, EncryptedError, Found, Opened, UnreadableError
from certlib.verify.printed import missing, read_printed
from certlib.verify.report import Notes, Report, SealReport
from certlib.verify.roots import TrustRoots
from certlib.verify.seals import SealExamination
from certlib.verify.span import MAX_SIGNATURES, Fault, Guarded, guard
from certlib.verify.state import listed_state

MAX_SIZE = 20 << 20  # bytes
# Facts that a face need not show when facts.json does not say which it leaves out.
_SUPPLIED = frozenset({"identifier", "edition", "check_code", "valid_from", "valid_until", "issuer", "issued_on"})
_TAIL = 2048  # bytes at the end among which a PDF says where its cross-reference table stands
_NO_END = "文件末尾没有 PDF 的结束标记：没有下载完整，或末尾被追加了别的内容。请重新取得原件。"
_HEAD = 1024  # bytes at the beginning after which no viewer looks for a PDF any more
_OFFICE, _OLD_OFFICE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
# First bytes, a part that must occur as well, and what such a file is.
_OTHERS = (
    (_OFFICE, b"word/", "这是 Word 文件"),
    (_OFFICE, b"xl/", "这是 Excel 文件"),
    (_OFFICE, b"OFD.xml", "这是 OFD 文件"),
    (_OFFICE, b"", "这是压缩包，或 Word 一类的办公文件"),
    (_OLD_OFFICE, "WordDocument".encode("utf-16-le"), "这是 Word 文件"),
    (_OLD_OFFICE, b"", "这是 Word、WPS 或 Excel 文件"),
    (b"{\\rtf", b"", "这是 Word 文件（RTF）"),
    (b"\xff\xd8", b"", "这是照片"),
    (b"\x89PNG", b"", "这是图片"),
    (b"II*\x00", b"", "这是图片（扫描件）"),
    (b"MM\x00*", b"", "这是图片（扫描件）"),
    (b"<", b"", "这是网页或 XML 文件"),
)


def examine(
    pdf: bytes, *, trust: TrustRoots, at: datetime, lookup: RegisterLookup | None = None, name: str = ""
) -> Report:
    """Examine a file at the moment `at`; `name` is what the report calls it.

    Without `lookup` the state comes from the status lists of `trust`, or remains unknown.
    """
    work = _Examination(pdf=pdf, trust=trust, at=at, lookup=lookup, name=name)
    try:
        work.run()
    except _Stop:
        pass
    except Exception as error:  # noqa: BLE001  (whatever a file does to a parser, the answer is that it cannot be read)
        detail = f"核验时出现意外情况（{type(error).__name__}），无法读取此文件。"
        work.notes.failed("readable", detail, Verdict.UNREADABLE)
    return work.report()


def verify(
    pdf: bytes, *, trust: TrustRoots, at: datetime, lookup: RegisterLookup | None = None, name: str = ""
) -> Report:
    """Examine a file and return the report when it is genuine and valid.

    Without a register and status list `status-unknown` passes. Raises `VerificationError` whose `code` is the verdict.
    """
    report = examine(pdf, trust=trust, at=at, lookup=lookup, name=name)
    passing = {Verdict.VALID} if lookup or trust.shards else {Verdict.VALID, Verdict.STATUS_UNKNOWN}
    if report.verdict not in passing:
        failed = next((finding.detail for finding in report.findings if finding.outcome == "fail"), "")
        raise VerificationError(f"{report.words.chinese}。{failed}", code=report.verdict, extra=report.as_json())
    return report


class _Stop(Exception):  # noqa: N818  (not an error: nothing more can be examined)
    """Leave the remaining steps out."""


@dataclass(slots=True, kw_only=True)
class _Examination:
    """One file on its way through the steps."""

    pdf: bytes
    trust: TrustRoots
    at: datetime
    lookup: RegisterLookup | None
    name: str
    notes: Notes = field(default_factory=Notes)
    seals: list[SealReport] = field(default_factory=list)
    sha256: str = ""
    asked: bool = False  # the register answered
    state: RegisterState | None = None
    facts: Facts | None = None
    status: Verdict = Verdict.STATUS_UNKNOWN
    status_at: datetime | None = None

    def run(self) -> None:
        """Steps 1 to 15."""
        self._register()
        opened = self._readable()
        guarded = guard(self.pdf)
        self._sealed(opened, guarded)
        self._span(opened, guarded)
        self._fields(opened)
        self._seals(opened, guarded)
        self._facts()
        self._status()

    def report(self) -> Report:
        """What has been found so far."""
        verdict = self.notes.verdict(self.status)
        return Report(
            file=self.name,
            verdict=verdict,
            findings=tuple(self.notes.findings),
            seals=tuple(self.seals),
            certificate=claims_of(self.facts, self.state),
            sha256=self.sha256,
            at=self.at,
            cause=self.state.cause if self.state else "",
            since=self.state.since if self.state else None,
            current_edition=self.state.current_edition if self.state else 0,
            status_at=self.status_at,
        )

    # (1)
    def _register(self) -> None:
        self.sha256 = hashlib.sha256(self.pdf).hexdigest()
        if self.lookup is None:
            return
        try:
            self.state = self.lookup.by_sha256(self.sha256, at=self.at)
        except (CertlibError, OSError) as error:
            self.notes.unknown("register", f"证照台账未能答复：{error}")
            return
        self.asked = True
        if self.state is not None:
            self.notes.passed("register", "与签发的文件逐字节一致。")
        else:
            detail = "证照台账中没有此文件：不是签发的原件，或签发后被改动、另存。"
            self.notes.failed("register", detail, Verdict.NOT_THE_ISSUED_FILE)

    # (2)
    def _readable(self) -> Opened:
        why = _not_a_pdf(self.pdf)
        if why:
            self.notes.failed("readable", why, Verdict.UNREADABLE)
            raise _Stop
        if b"startxref" not in self.pdf[-_TAIL:]:
            self._broken(_NO_END)  # to look for it further up would cost seconds
            raise _Stop
        try:
            opened = Opened(self.pdf)
        except EncryptedError as error:
            self.notes.failed("readable", str(error), Verdict.UNREADABLE)
            raise _Stop from error
        except UnreadableError as error:
            self._broken(str(error))
            raise _Stop from error
        self.notes.passed("readable", f"{len(self.pdf)} 字节")
        return opened

    def _broken(self, why: str) -> None:
        """What cannot be read is unreadable; what was signed, is whole to its end and cannot be read, was altered."""
        guarded = guard(self.pdf)
        if guarded.spans or (guarded.faults and b"%%EOF" in self.pdf[-_TAIL:]):
            self.notes.failed(
                "readable", "文件带有签名，但结构已被破坏，不能读取：签章后被改动或追加。", Verdict.ALTERED
            )
            self._span_faults(guarded.faults)
        else:
            self.notes.failed("readable", why, Verdict.UNREADABLE)

    def _sealed(self, opened: Opened, guarded: Guarded) -> None:
        if opened.found or opened.broken or guarded.spans or guarded.faults:
            return
        if self.state is not None and self.state.imported:
            self.notes.unknown("signature", "补录登记的证照，未由本系统签发，没有电子印章。")
        else:
            self.notes.failed(
                "signature",
                "文件没有电子印章，不能据以认定真伪；扫描件和打印件也是如此，请扫描纸面上的二维码核验。",
                Verdict.UNSEALED,
            )
        self._status()
        raise _Stop

    # (3)
    def _span(self, opened: Opened, guarded: Guarded) -> None:
        faults = list(guarded.faults)
        if differs := guarded.agrees(found.byte_range for found in opened.found):
            faults.append(differs)
        self._span_faults(faults)
        if not faults:
            self.notes.passed("span", "签名覆盖文件的全部字节。")

    def _span_faults(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.notes.failed("span", f"规则 {fault.rule}：{fault.detail}", Verdict.ALTERED)

    # (4)
    def _fields(self, opened: Opened) -> None:
        faults = _field_faults(opened)
        for fault in faults:
            self.notes.failed("fields", fault, Verdict.ALTERED)
        if not faults:
            self.notes.passed("fields", f"一个印章，{len(opened.found) - 1} 个文档时间戳。")

    # (5) to (13)
    def _seals(self, opened: Opened, guarded: Guarded) -> None:
        places = [index for index, found in enumerate(opened.found) if found.kind == "/Sig"]
        if opened.crowded:
            self._status()
            raise _Stop  # judging each would only cost time
        for number, index in enumerate(places, start=1):
            notes = self.notes if len(places) == 1 else self.notes.of(f"第 {number} 个签名：")
            if number > 1:  # whoever signed what somebody had sealed before: that it was done is what counts
                notes = replace(notes, instead=Verdict.ALTERED)
            self._seal(opened, guarded, index, notes)

    def _seal(self, opened: Opened, guarded: Guarded, index: int, notes: Notes) -> None:
        examination = SealExamination(
            pdf=self.pdf,
            opened=opened,
            guarded=guarded,
            trust=self.trust,
            at=self.at,
            unproved=self._unproved(),
            notes=notes,
            registered=self.state.registered_at if self.state else None,
        )
        report = examination.examine(index)
        if report is not None:
            self.seals.append(report)

    def _unproved(self) -> datetime:
        """The moment to judge a seal at whose time nothing proves: the day the register holds, else the one asked."""
        if self.state is not None and self.state.issued_on is not None:
            return day_start(self.state.issued_on) + timedelta(hours=12)
        return self.at

    # (14)
    def _facts(self) -> None:
        try:
            printed = read_printed(self.pdf, beside=FILE_NAME)  # a stranger's pages say nothing here
            data = printed.attachment(FILE_NAME)
            self.facts = read_facts(data) if data is not None else None
        except ValueError:
            self.notes.failed("facts", "文件所附的数据无法读取，或不合格式。", Verdict.ALTERED)
            return
        if self.facts is None:
            self.notes.warn("facts", f"文件没有附带签发数据（{FILE_NAME}），无法与版面核对。")
            return
        unseen = set(missing(printed, self.facts.printed)) - (self.facts.silent or _SUPPLIED)
        if self.state is not None and self.state.n != self.facts.n:
            self.notes.failed("facts", "文件所附的编号与证照台账不符。", Verdict.ALTERED)
        elif unseen and (self.facts.silent is not None or "number" in unseen):
            self.notes.failed("facts", f"所附数据与版面不符：{'、'.join(sorted(unseen))}。", Verdict.ALTERED)
        elif unseen:
            self.notes.warn("facts", f"版面上没有：{'、'.join(sorted(unseen))}。")
        else:
            self.notes.passed("facts", "所附数据与版面文字一致。")

    # (15)
    def _status(self) -> None:
        if self.state is not None:
            self.status, self.status_at = self.state.verdict, self.at
            detail = f"据证照台账：{WORDS[self.status].chinese}。"
        elif self.facts is None or self.asked:
            detail = "状态未核对。"
        else:
            shard, facts = self.trust.shard(self.facts.n), self.facts
            self.status, detail = listed_state(shard, facts.n, facts.valid_from, facts.valid_until, self.at)
            self.status_at = shard.issued if shard and self.status is not Verdict.STATUS_UNKNOWN else None
        if self.status is Verdict.VALID:
            self.notes.passed("status", detail)
        elif self.status is Verdict.STATUS_UNKNOWN:
            self.notes.unknown("status", detail)
        else:
            self.notes.warn("status", detail)


def _not_a_pdf(pdf: bytes) -> str:
    """Why the bytes are not worth parsing (Chinese); empty when they may be a PDF."""
    if len(pdf) > MAX_SIZE:
        return f"文件超过 {MAX_SIZE >> 20} MB，不予核验。"
    if not pdf:
        return "文件为空：没有下载完整。请重新取得原件。"
    if pdf.startswith(b"%PDF-"):
        return ""
    if (more := pdf.find(b"%PDF-", 0, _HEAD)) > 0:
        return f"文件在 PDF 之前多出 {more} 字节，不是签发的原件，无法核验。请重新取得原件。"
    kinds = (words for prefix, part, words in _OTHERS if pdf.startswith(prefix) and part in pdf)
    return f"{next(kinds, '文件不是 PDF')}，只能核验 PDF 格式的电子证照原件。"


def _field_faults(opened: Opened) -> list[str]:
    """What about the signature fields is outside our profile."""
    seals = [found for found in opened.found if found.kind == "/Sig"]
    others = [found for found in opened.found if found.kind != "/Sig"]
    faults = []
    if opened.lenient:
        faults.append("文件结构有错误，签发的文件不会如此。")
    if opened.crowded:
        return [f"文件有 {MAX_SIGNATURES} 个以上的签名，应当恰好一个印章；不再逐个核验。"]
    if opened.broken:
        faults.append(f"文件有 {opened.broken} 个签名缺少必要的内容，或写法不对，不成其为签名。")
    if opened.empty_fields:
        faults.append("文件有未签署的签名域。")
    if len(seals) != 1:
        faults.append(f"文件有 {len(seals)} 个印章签名，应当恰好一个。")
    if len({found.field_name for found in opened.found}) != len(opened.found):
        faults.append("不同的签名用了同一个签名域。")
    if any(found.subfilter != DOCUMENT_TIMESTAMP or found.kind != "/DocTimeStamp" for found in others):
        faults.append("文件有印章和时间戳以外的签名。")
    if seals and not _certifies(seals[0], opened):
        faults.append("印章不是对全文的认证签名，或允许他人改动。")
    return faults


def _certifies(seal: Found, opened: Opened) -> bool:
    first = opened.found[0] is seal and seal.is_author
    return first and seal.subfilter == SEAL and seal.permission == 1
