"""The office's look at its own work before it is registered: quick at every file, in full at each new combination.

Quick: span guard, CMS signature, digest, pinned certificates, timestamp. In full (with pyHanko): the first file of each
template version and suite in this process, and a standing sample of the rest.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from certlib.domain.verdict import Verdict
from certlib.errors import VerificationError
from certlib.sealing.order import Sealed, SealOrder
from certlib.verify.examine import examine
from certlib.verify.quick import quick_check
from certlib.verify.roots import TrustRoots

SAMPLE = 200  # every so many files one is examined in full


@dataclass(slots=True)
class OwnCheck:
    """`certificates` are the DER certificates of the office's seals; `trust` the roots a verifier would have."""

    certificates: Container[bytes]
    trust: TrustRoots
    _seen: set[tuple[str, str]] = field(default_factory=set)
    _count: int = 0
    _lock: Lock = field(default_factory=Lock)

    def __call__(self, order: SealOrder, sealed: Sealed, template: str, *, now: datetime) -> None:
        """Return when the file is what it should be. Raises `VerificationError` naming what is not."""
        read = quick_check(sealed.pdf, certificates=self.certificates, stamped=sealed.level != "B-B")
        used = read.use and (read.use.seal, read.use.counter)
        if used != (order.seal, order.counter):
            raise VerificationError("签名中的用印记录与登记的不符，未签发。", code=Verdict.SIGNATURE_INVALID)
        if self._is_due(template, order.suite):
            self._in_full(sealed, now)
            with self._lock:
                self._seen.add((template, order.suite))

    def _is_due(self, template: str, suite: str) -> bool:
        with self._lock:
            self._count += 1
            return (template, suite) not in self._seen or self._count % SAMPLE == 0

    def _in_full(self, sealed: Sealed, now: datetime) -> None:
        report = examine(sealed.pdf, trust=self.trust, at=now)
        if not report.is_genuine:  # an edition renewed ahead is genuine and not in force yet
            failed = "；".join(finding.detail for finding in report.findings if finding.outcome == "fail")
            raise VerificationError(f"成品核验未通过（{report.words.chinese}）：{failed}", code=report.verdict)
