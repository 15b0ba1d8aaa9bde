"""The public look-up: a proof in, the register's verdict out. The proof is a signed code, or number and check code.

What fails answers alike, whatever failed: the same bytes, at the same time after the question. So does what has no
public look-up, such as a minor's certificate.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from certlib.domain.civil import SHANGHAI
from certlib.domain.verdict import REVOKED_WORDS, WORDS, Verdict, Words
from certlib.errors import Fault, NotFoundError, RequestError
from certlib.issue.inspecting import PublicRegister
from certlib.verify.codes import examine_code
from certlib.verify.lookup import RegisterLookup, RegisterState
from certlib.verify.report import CertificateReport, Report
from service.running import Running

_CAUSES = {
    "request": "持证主体申请",
    "expiry": "有效期届满未延续",
    "termination": "主体终止",
    "impossibility": "因不可抗力无法实施",
}
NOTHING_FOUND = "没有查到：编号与校验码不符，请对照证照重新输入；未成年人等不公开的证照不提供公众查询。"
EVEN = 0.03  # seconds after the question at which every failed look-up answers; a look-up takes a tenth of it


_LONGEST_PROOF = 2000  # characters
_PROOFS = ({"code"}, {"number", "check"})
Proof = Mapping[str, str]


@dataclass(slots=True)
class Remembering:
    """A `RegisterLookup` that remembers the last answer, so that the register is asked once."""

    register: RegisterLookup
    state: RegisterState | None = None

    def by_sha256(self, sha256: str, *, at: datetime) -> RegisterState | None:
        """See `RegisterLookup`."""
        self.state = self.register.by_sha256(sha256, at=at)
        return self.state

    def by_index(self, n: int, *, at: datetime) -> RegisterState | None:
        """See `RegisterLookup`."""
        self.state = self.register.by_index(n, at=at)
        return self.state


@dataclass(frozen=True, slots=True)
class Found:
    """What a proof opened: the report on a code, and the state of what it names, None when it opened nothing."""

    state: RegisterState | None
    report: Report | None = None


def find(service: Running, proof: Proof, *, at: datetime, public: bool = True) -> Found:
    """Look up by a signed code (`code`), or by `number` and `check`; for the public, or for officers.

    Raises `NotPublicError` for what the public may not look up by its code.
    """
    register = PublicRegister.of(service.office) if public else None
    with service.looking:
        if "code" not in proof:
            return Found((register or service.office.lookup).by_number(proof["number"], proof["check"], at=at))
        asked = Remembering(service.office.lookup)
        report = examine_code(proof["code"], service.trust, at=at, lookup=asked)
        state = asked.state if report.certificate else None
        return Found(register.shown(state, at=at) if register else state, report)


def read_proof(service: Running, raw: Mapping[str, Any], address: str) -> Proof:
    """The proof in a request, counted against the limits of its address and its number.

    Raises `RequestError` for what is neither a code nor number and check code, `TooManyRequestsError`.
    """
    service.counting.per_minute("lookup", address, service.settings.lookups_per_minute)
    given = {name: value for name, value in raw.items() if value != ""}
    wrong = [name for name, value in given.items() if not isinstance(value, str) or len(value) > _LONGEST_PROOF]
    if set(given) not in _PROOFS or wrong:
        message = "请提供二维码文字，或证照编号与校验码。"
        raise RequestError([Fault("", "no-proof", message, "查验凭据", "A code, or number and check code.")])
    if "number" in given:
        service.counting.per_hour("number", given["number"], service.settings.lookups_per_number)
    return given


def verdict_on(service: Running, proof: Proof, *, at: datetime) -> dict[str, Any]:
    """The verdict on what the proof names, with the register's fields when it is genuine and the register knows it.

    A code's report is given also when it opens nothing. Raises `NotFoundError` for a number that is not found and for
    what has no public look-up; `evenly` gives both the same face.
    """
    found = find(service, proof, at=at)
    if found.state is None:
        if found.report is None:
            raise NotFoundError(NOTHING_FOUND)
        return report_view(found.report)
    shown = found.report is None or found.report.certificate is None or bool(found.report.certificate.holder)
    return verdict_view(found.state, at, holder=shown)


@contextmanager
def evenly(began: float) -> Iterator[None]:
    """Whatever is not found inside raises one `NotFoundError` at one time after `began` (monotonic)."""
    try:
        yield
    except NotFoundError as error:
        time.sleep(max(0.0, began + EVEN - time.monotonic()))
        raise NotFoundError(NOTHING_FOUND) from error


def report_view(report: Report) -> dict[str, Any]:
    """An examination as the public may see it: what is not genuine shows why, and nothing of what it claims."""
    words = report.words
    found = report.certificate
    why = [finding.detail for finding in report.findings if finding.outcome == "fail" and finding.detail]
    fields = [] if found is None or not report.is_genuine else _claimed(found)
    fields += [("说明", "Reason", text) for text in why]
    return {
        "verdict": report.verdict.value,
        "cause": report.cause,
        "words": _words(words),
        "at": report.at.isoformat(),
        "fields": [_field(*field) for field in fields if field[2]],
    }


def _claimed(found: CertificateReport) -> list[tuple[str, str, str]]:
    return [
        ("证照名称", "Certificate", found.title),
        ("编号", "Number", found.number),
        ("证照标识", "Identifier", found.identifier),
        ("此件版本", "This version", f"{found.edition:03d}"),
        ("持证主体", "Holder", found.holder),
        ("签发机关", "Issuer", found.issuer),
        ("签发日期", "Issued on", found.issued_on.isoformat() if found.issued_on else ""),
        ("有效期至", "Valid until", found.valid_until.isoformat() if found.valid_until else ""),
    ]


def verdict_view(state: RegisterState, at: datetime, *, holder: bool = True) -> dict[str, Any]:
    """What the public may see of one carrier: its verdict and the register's masked fields, in the paper's order."""
    revoked = state.verdict is Verdict.REVOKED and state.cause in REVOKED_WORDS
    words = REVOKED_WORDS[state.cause] if revoked else WORDS[state.verdict]
    return {
        "verdict": state.verdict.value,
        "cause": state.cause,
        "words": _words(words),
        "at": at.isoformat(),
        "n": state.n,
        "edition": state.edition,
        "current_edition": state.current_edition,
        "imported": state.imported,
        "registered_at": state.registered_at.isoformat() if state.registered_at else None,
        "fields": [_field(*field) for field in _fields(state, holder) if field[2]],
    }


def _field(label: str, english: str, value: str) -> dict[str, str]:
    return {"label": label, "english": english, "value": value}


def _words(words: Words) -> dict[str, str]:
    return {"zh": words.chinese, "en": words.english, "tone": words.tone}


def _fields(state: RegisterState, holder: bool) -> Iterator[tuple[str, str, str]]:
    yield "证照名称", "Certificate", state.title
    yield "编号", "Number", state.number
    yield "证照标识", "Identifier", state.identifier if state.identifier != state.number else ""
    yield "此件版本", "This version", f"{state.edition:03d}"
    yield "当前版本", "Current version", f"{state.current_edition:03d}" if state.current_edition else ""
    yield "持证主体", "Holder", state.holder if holder else ""
    yield "签发机关", "Issuer", state.issuer
    yield "签发日期", "Issued on", state.issued_on.isoformat() if state.issued_on else ""
    yield "有效期至", "Valid until", state.valid_until.isoformat() if state.valid_until else ""
    yield "状态变动时间", "Changed at", _moment(state.since)
    yield "原因", "Cause", _CAUSES.get(state.cause, state.cause) if state.verdict is Verdict.CANCELLED else ""
    yield "登记方式", "Registered as", "补录登记，未由本系统签发" if state.imported else ""


def _moment(at: datetime | None) -> str:
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M（北京时间）") if at else ""
