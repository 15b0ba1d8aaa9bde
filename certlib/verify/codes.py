"""The examination of a signed code: the text of a QR code, with the trust list and at best a status list or a register.

 1. `readable`   the text is one of our codes, in a format and with an algorithm known here
 2. `issuer`     the signing key is on the trust list, and was fit on the day of issue
 3. `signature`  the signature holds
 4. `status`     the state at the moment asked: from the register, else from a status list
                 and the last day the code names, else unknown

Nothing but `valid` is ever green, and a code whose signature does not hold shows none of its fields.
"""

from __future__ import annotations

from datetime import datetime

from certlib.domain.verdict import GENUINE, WORDS, Verdict
from certlib.errors import CertlibError
from certlib.formats.code import CodeError, CodePayload, SignedCode, read_code, verify_code
from certlib.formats.status import StatusList
from certlib.formats.trust import COMPROMISED, TrustedKey, TrustList
from certlib.verify.lookup import RegisterLookup, RegisterState
from certlib.verify.report import CertificateReport, Notes, Report
from certlib.verify.state import listed_state

_CHECK_OF = {"unknown-key": "issuer", "signature": "signature"}


def examine_code(
    text: str,
    trust: TrustList,
    *,
    at: datetime,
    shard: StatusList | None = None,
    lookup: RegisterLookup | None = None,
    name: str = "",
) -> Report:
    """Examine a code's text at the moment `at`; never raises for anything the text holds."""
    notes = Notes()
    try:
        code = read_code(text)
    except CodeError as error:
        notes.failed("readable", error.message, Verdict(error.code))
        return _report(notes, at, name)
    notes.passed("readable")
    try:
        key = verify_code(code, trust)
    except CodeError as error:
        notes.failed(_CHECK_OF[error.reason], error.message, Verdict(error.code))
        return _report(notes, at, name)
    notes.passed("signature", "签名有效。")
    state = _asked(code.payload, notes, lookup, at)
    _judge_key(code, key, state, notes, trust)
    status, detail, status_at = _status(code.payload, state, shard, at)
    _note_status(notes, status, detail)
    if notes.verdict(status) not in GENUINE:
        return _report(notes, at, name)
    return Report(
        file=name,
        verdict=notes.verdict(status),
        findings=tuple(notes.findings),
        certificate=_certificate(code.payload, key, trust, state),
        at=at,
        cause=state.cause if state else "",
        since=state.since if state else None,
        current_edition=state.current_edition if state else 0,
        status_at=status_at,
    )


def _report(notes: Notes, at: datetime, name: str) -> Report:
    """A report that shows nothing of what the code claims."""
    verdict = notes.verdict(Verdict.UNREADABLE)
    return Report(file=name, verdict=verdict, findings=tuple(notes.findings), at=at)


def _judge_key(code: SignedCode, key: TrustedKey, state: RegisterState | None, notes: Notes, trust: TrustList) -> None:
    """(2) What a compromised key signed proves nothing by itself; the register may know it nevertheless."""
    issuer = trust.issuer_of(code.payload.issuer_number, key).chinese
    fault = key.fault_on(code.payload.issued)
    if fault and key.state == COMPROMISED and state is not None and _agrees(code.payload, state):
        notes.warn("issuer", f"{issuer}；签名密钥已泄露，依据证照台账确认。")
    elif fault:
        notes.failed("issuer", fault, Verdict.SIGNATURE_INVALID)
    else:
        notes.passed("issuer", issuer)
    if trust.host and code.host and code.host != trust.host:
        notes.warn("host", f"二维码中的网址不是 {trust.host}，请勿由该网址核验。")


def _asked(payload: CodePayload, notes: Notes, lookup: RegisterLookup | None, at: datetime) -> RegisterState | None:
    """(4) What the register says of the carrier; a code that the register contradicts is not the issuer's."""
    if lookup is None:
        return None
    try:
        state = lookup.by_index(payload.n, at=at)
    except (CertlibError, OSError) as error:
        notes.unknown("register", f"证照台账未能答复：{error}")
        return None
    if state is None:
        notes.failed("register", "证照台账中没有此编号的证照。", Verdict.NOT_THE_ISSUED_FILE)
    elif not _agrees(payload, state):
        notes.failed("register", "二维码所载与证照台账不符。", Verdict.NOT_THE_ISSUED_FILE)
    else:
        notes.passed("register", "与证照台账一致。")
    return state


def _agrees(payload: CodePayload, state: RegisterState) -> bool:
    same_day = state.issued_on is None or state.issued_on == payload.issued
    return state.number == payload.number and state.edition == payload.edition and same_day


def _status(
    payload: CodePayload, state: RegisterState | None, shard: StatusList | None, at: datetime
) -> tuple[Verdict, str, datetime | None]:
    """(4), (5)"""
    if state is not None:
        return state.verdict, f"据证照台账：{WORDS[state.verdict].chinese}。", at
    verdict, detail = listed_state(shard, payload.n, None, payload.expires, at)
    return verdict, detail, shard.issued if shard and verdict is not Verdict.STATUS_UNKNOWN else None


def _note_status(notes: Notes, verdict: Verdict, detail: str) -> None:
    if verdict is Verdict.VALID:
        notes.passed("status", detail)
    elif verdict is Verdict.STATUS_UNKNOWN:
        notes.unknown("status", detail)
    else:
        notes.warn("status", detail)


def _certificate(
    payload: CodePayload, key: TrustedKey, trust: TrustList, state: RegisterState | None
) -> CertificateReport:
    return CertificateReport(
        identifier=state.identifier if state else "",
        number=payload.number,
        title=trust.type_of(payload.type_number).chinese,
        type=str(payload.type_number),
        edition=payload.edition,
        n=payload.n,
        carrier=payload.carrier,
        holder=payload.name,
        issuer=trust.issuer_of(payload.issuer_number, key).chinese,
        issued_on=payload.issued,
        valid_until=payload.expires,
    )
