"""Actions that change a certificate's standing and make no edition: suspend, resume, cancel, withdraw, revoke …

They take effect in one transaction for both carriers, and void an issuance of the certificate that is under way.
A decision document asked for with the act is planned in the same transaction and sealed after it: what goes wrong with
the seal never holds up a revocation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from certlib.catalogue import Catalogue
from certlib.domain.actions import Action, LegalState
from certlib.domain.lifecycle import RULES, Command, decide
from certlib.errors import StaleVersionError
from certlib.issue.draft import decision_json
from certlib.register.certificates import load_certificate, statuses
from certlib.register.commit import apply_event, journal_event, settle_sheets
from certlib.register.deliveries import enqueue
from certlib.register.idempotency import Answer, begin, settle
from certlib.register.intents import open_intent_of, void_intent
from certlib.register.messages import message_of
from certlib.register.store import Register
from certlib.register.subscriptions import tell
from certlib.register.tables import CertificateRow, Intent

_LEAF_NAMES: Mapping[LegalState, str] = {
    LegalState.SUSPENDED: "suspended",
    LegalState.IN_FORCE: "resumed",
    LegalState.CANCELLED: "cancelled",
    LegalState.WITHDRAWN: "withdrawn",
    LegalState.REVOKED: "revoked",
    LegalState.RESCINDED: "rescinded",
    LegalState.VOIDED: "voided",
}


def change_standing(
    register: Register,
    catalogue: Catalogue,
    key: str,
    command: Command,
    *,
    version: int,
    origin: tuple[str, str, str],
    answer: Callable[[Session, CertificateRow, datetime], Mapping[str, Any]],
    open_document: Callable[[Session], Intent] | None = None,
) -> Answer:
    """Commit `command` on the certificate `key`; `origin` is client, idempotency key and body digest.

    `open_document` plans the decision document; the answer then names it under `document`.

    Raises `StaleVersionError` when the certificate has moved on from `version`, `TransitionError` when the law
    refuses.
    """
    client, idempotency_key, digest = origin
    with register.writer() as session:
        row, certificate = load_certificate(session, key, lock=True)
        if row.version != version:
            raise StaleVersionError(f"{row.number} 已有变动（现为第 {row.version} 次登记），请重新读取后再办理。")
        at = register.moment(session, row.updated_at)
        kind = catalogue.certificate_types[row.type]
        event = decide(certificate, kind, command, at=at, calendar=catalogue.calendar)
        owed = _owed(open_document(session)) if open_document else {}
        event = replace(event, detail={**_detail(command), **owed})
        begin(session, client, idempotency_key, digest, intent="", at=at)
        _void_open(session, register, row, command.action, at)
        kept = apply_event(session, row, event, intent=None, client=client)
        settle_sheets(session, row.key, RULES[event.action], command.cause, row.edition + 1)
        session.flush()
        _, after = load_certificate(session, key)
        name = _LEAF_NAMES[event.target]
        kept.leaf = journal_event(
            session, register, row, f"certificate:{name}", at, statuses=statuses(session, after, at)
        )
        message = message_of(session, catalogue, row, kept)
        enqueue(session, certificate=row.key, message=message, now=at)
        tell(session, register.subscriptions, catalogue, row, message, now=at)
        result = Answer(200, {**answer(session, row, at), **owed}, row.version)
        settle(session, client, idempotency_key, result)
    return result


def _void_open(session: Session, register: Register, row: CertificateRow, action: Action, at: datetime) -> None:
    intent = open_intent_of(session, row.key)
    if intent is None:
        return
    message = f"办理期间该证已{RULES[action].label}，本次办理作废。"
    problem = {"code": "certificate-moved-on", "message": message}
    void_intent(session, register, intent, problem, at)
    settle(session, intent.client, intent.key, Answer(409, {"problem": problem}, 0))


def _owed(intent: Intent) -> dict[str, Any]:
    return {"document": {"id": intent.id, "type": intent.type, "number": intent.number, "state": "pending"}}


def _detail(command: Command) -> dict[str, Any]:
    detail = {
        "decision": decision_json(command.decision),
        "cause": command.cause,
        "evidence": list(command.evidence),
        "second_person": command.second_person,
        "case": command.decision.case,
    }
    return {key: value for key, value in detail.items() if value}
