"""The public look-up: a proof in, the register's verdict out. The proof is a signed code, or number and check code.

What fails answers alike, whatever failed: the same bytes, at the same time after the question.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from certlib.domain.civil import SHANGHAI
from certlib.domain.verdict import REVOKED_WORDS, WORDS, Verdict
from certlib.errors import NotFoundError
from certlib.formats.code import CodeError, read_code, verify_code
from certlib.formats.trust import TrustList
from certlib.verify.lookup import RegisterLookup, RegisterState

_CAUSES = {
    "request": "持证主体申请",
    "expiry": "有效期届满未延续",
    "termination": "主体终止",
    "impossibility": "因不可抗力无法实施",
}
EVEN = 0.03  # seconds after the question at which every failed look-up answers; a look-up takes a tenth of it


def by_code(text: str, *, trust: TrustList, lookup: RegisterLookup, at: datetime) -> dict[str, Any]:
    """The verdict on a signed code. A code that proves nothing gets its verdict without any field."""
    try:
        code = read_code(text)
        verify_code(code, trust)
    except CodeError as error:
        return bare_verdict(Verdict(error.code), at, reason=error.reason)
    state = lookup.by_index(code.payload.n, at=at)
    if state is None:
        return bare_verdict(Verdict.NOT_IN_FORCE, at)
    # a minor's code carries no name, and its look-up shows no more than the code
    return verdict_view(state, at, holder=bool(code.payload.name))


def found_or_even(state: RegisterState | None, at: datetime, *, began: float) -> dict[str, Any]:
    """The verdict, or `NotFoundError` after a time that tells nothing; `began` is when it was asked (monotonic)."""
    if state is not None:
        return verdict_view(state, at)
    time.sleep(max(0.0, began + EVEN - time.monotonic()))
    raise NotFoundError("没有查到：编号与校验码不符，请对照证照重新输入。")


def bare_verdict(verdict: Verdict, at: datetime, *, reason: str = "") -> dict[str, Any]:
    """A verdict about which nothing more is to be said."""
    view: dict[str, Any] = {"verdict": verdict.value, "words": _words(verdict, ""), "at": at.isoformat(), "fields": []}
    return view | ({"reason": reason} if reason else {})


def verdict_view(state: RegisterState, at: datetime, *, holder: bool = True) -> dict[str, Any]:
    """What the public may see of one carrier: its verdict and the register's masked fields, in the paper's order."""
    return {
        "verdict": state.verdict.value,
        "cause": state.cause,
        "words": _words(state.verdict, state.cause),
        "at": at.isoformat(),
        "edition": state.edition,
        "n": state.n,
        "current_edition": state.current_edition,
        "imported": state.imported,
        "fields": [
            {"label": label, "english": english, "value": value}
            for label, english, value in _fields(state, holder)
            if value
        ],
    }


def _words(verdict: Verdict, cause: str) -> dict[str, str]:
    words = REVOKED_WORDS.get(cause, WORDS[verdict]) if verdict is Verdict.REVOKED else WORDS[verdict]
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
