"""From an intent on record to an outcome in force: render, lint, seal, check, store, commit.

Any worker may run it again after a crash: it either finishes what the intent planned or voids it with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from sqlmodel import Session, select

from certlib.catalogue import Catalogue
from certlib.document.face import Carrier, Face, Rendered
from certlib.document.lint import lint, require
from certlib.document.renderer import Renderer
from certlib.domain.actions import Action
from certlib.domain.certificate import Certificate
from certlib.domain.decision import Decision
from certlib.domain.lifecycle import RULES, Command, Event, decide
from certlib.errors import CertlibError, RenderError, SealDeniedError, TransitionError, VerificationError
from certlib.formats.facts import facts_attachment
from certlib.issue.draft import moment_text
from certlib.issue.owncheck import OwnCheck
from certlib.issue.requests import Reading, read_decision
from certlib.register.certificates import load_certificate, statuses
from certlib.register.commit import (
    Registered,
    add_document,
    add_edition,
    add_file,
    add_parts,
    add_sheets,
    apply_event,
    blank_certificate,
    check_version,
    fence,
    finish_intent,
    journal_event,
    new_row,
    planned_edition,
    settle_sheets,
)
from certlib.register.deliveries import enqueue
from certlib.register.idempotency import Answer, settle
from certlib.register.intents import void_intent
from certlib.register.messages import message_of
from certlib.register.store import Register
from certlib.register.subscriptions import tell, tell_of_document
from certlib.register.tables import CertificateRow, Intent
from certlib.sealing.order import Sealed, SealOrder


class Seals(Protocol):
    """The one seam through which a seal is used."""

    def seal(self, intent: str, *, now: datetime) -> tuple[SealOrder, Sealed]:
        """See `certlib.sealing.sealer.Sealer.seal`."""


@dataclass(frozen=True, slots=True)
class Finishing:
    """What finishing needs: the register, the catalogue, the renderer, the sealer and the check of its work."""

    register: Register
    catalogue: Catalogue
    renderer: Renderer
    sealer: Seals
    check: OwnCheck
    caption: str
    answer: Callable[[Session, Intent], Mapping[str, Any]]


# A plan that cannot be set, is not authorised or is no longer lawful will not become so by trying again.
_FINAL = (RenderError, SealDeniedError, TransitionError, VerificationError)


def finish(work: Finishing, intent: Intent) -> Answer:
    """Bring `intent` into force and return the answer that is kept for its key.

    Raises what stopped it: after a final reason the intent is voided, after a passing one (timestamp authority,
    token, disk) it stays open for the same key or the sweep to go on with.
    """
    try:
        rendered = prepare(work, intent)
        work.register.files.spool(intent.id, rendered.pdf, _about(rendered))
        order, sealed = work.sealer.seal(intent.id, now=work.register.now())
        work.check(order, sealed, rendered.template_version, now=work.register.now())
        for data in (sealed.pdf, *(part.data for part in sealed.parts)):
            work.register.files.create(data)
        answer = _commit(work, Registered(order, sealed))
    except _FINAL as error:
        void(work.register, intent.id, error)
        raise
    work.register.files.unspool(intent.id)
    return answer


def prepare(work: Finishing, intent: Intent) -> Rendered:
    """The unsealed file of an intent, linted. Raises `RenderError` or `LintError`."""
    silent = work.renderer.templates.template(intent.plan["template"]).silent
    face = face_of(intent, work.caption, silent)
    rendered = work.renderer.render(face)
    require(lint(rendered, face, renderer=work.renderer))
    return rendered


def face_of(intent: Intent, caption: str, silent: Iterable[str]) -> Face:
    """The electronic face of an intent."""
    plan = intent.plan
    return Face(
        template=plan["template"],
        title=plan["title"],
        carrier=Carrier.FILE,
        facts=plan["printed"],
        labels=plan["labels"],
        issuer=plan["issuer"],
        issued_on=plan["printed"]["issued_on"],
        code_text=plan["code_text"],
        code_caption=caption,
        attachment=attachment_of(intent, silent),
        made_at=moment_text(intent.created_at),
    )


def attachment_of(intent: Intent, silent: Iterable[str]) -> bytes:
    """The machine-readable facts of an intent, with the salt of the code's hash and the decision's chain."""
    plan = intent.plan
    return facts_attachment(
        kind=intent.kind,
        type_key=intent.type,
        title=plan["title"],
        identifier=intent.identifier,
        number=intent.number,
        edition=intent.edition,
        n=intent.n,
        salt=intent.code_salt,
        facts=plan["printed"],
        holder=plan["holder"],
        issuer={"name": plan["issuer"], "code": plan["issuer_code"]},
        issued_on=plan["issued_on"],
        valid_from=plan["valid_from"],
        valid_until=plan["valid_until"],
        decision=plan["decision"],
        silent=set(silent) & set(plan["printed"]),
    )


def _about(rendered: Rendered) -> dict[str, Any]:
    if rendered.seal is None:
        raise RenderError("版式没有印章位置，不能用印。")
    return {
        "placement": asdict(rendered.seal),
        "straddle": rendered.straddle,
        "template_version": rendered.template_version,
    }


def _commit(work: Finishing, registered: Registered) -> Answer:
    with work.register.writer() as session:
        intent = fence(session, registered.order)
        at = work.register.moment(session, intent.created_at)
        commit = _commit_document if intent.kind == "document" else _commit_edition
        version = commit(session, work, intent, registered, at)
        session.flush()
        answer = Answer(201, work.answer(session, intent), version)
        settle(session, intent.client, intent.key, answer)
    return answer


def _commit_document(session: Session, work: Finishing, intent: Intent, registered: Registered, at: datetime) -> int:
    add_document(session, intent, at)
    add_file(session, registered, intent, at)
    finish_intent(session, work.register, intent, registered, at)
    file = bytes.fromhex(registered.sealed.sha256)
    journal_event(session, work.register, intent, "document:sealed", at, statuses=((intent.n, 0),), file=file)
    add_parts(session, work.register, registered, intent, chain=intent.chain, at=at)
    tell_of_document(session, work.register.subscriptions, work.catalogue, intent.id, now=at)
    return 1


def _commit_edition(session: Session, work: Finishing, intent: Intent, registered: Registered, at: datetime) -> int:
    row, certificate = _present(session, intent, at)
    at = work.register.moment(session, row.updated_at)
    event = _event(work, intent, certificate, at)
    kept = apply_event(session, row, event, intent=intent, client=intent.client)
    edition = add_edition(session, intent, event)
    settle_sheets(session, row.key, RULES[event.action], intent.plan["cause"] or event.cause, intent.edition)
    add_sheets(session, intent, at)
    add_file(session, registered, intent, at)
    finish_intent(session, work.register, intent, registered, at)
    _, now_certificate = load_certificate(session, row.key)
    kept.leaf = journal_event(
        session,
        work.register,
        row,
        f"certificate:{_kind_of(event, edition.activated)}",
        at,
        statuses=statuses(session, now_certificate, at),
        file=bytes.fromhex(registered.sealed.sha256),
    )
    add_parts(session, work.register, registered, intent, chain=row.chain, at=at)
    message = message_of(session, work.catalogue, row, kept, sha256=registered.sealed.sha256)
    enqueue(session, certificate=row.key, message=message, now=at, file=registered.sealed.sha256)
    tell(session, work.register.subscriptions, work.catalogue, row, message, now=at)
    return row.version


def _present(session: Session, intent: Intent, at: datetime) -> tuple[CertificateRow, Certificate]:
    if intent.action in {Action.ISSUE, Action.IMPORT}:
        row = new_row(intent, at)
        session.add(row)
        session.flush()
        return row, blank_certificate(intent)
    row, certificate = load_certificate(session, intent.certificate, lock=True)
    check_version(intent, row)
    return row, certificate


def _event(work: Finishing, intent: Intent, certificate: Certificate, at: datetime) -> Event:
    plan = intent.plan
    command = Command(
        action=Action(intent.action),
        decision=command_decision(plan["decision"]),
        cause=plan["cause"],
        edition=planned_edition(intent),
        second_person=plan["second_person"],
        evidence=tuple(plan["evidence"]),
    )
    kind = work.catalogue.certificate_types[intent.type]
    event = decide(certificate, kind, command, at=at, calendar=work.catalogue.calendar)
    detail = {
        "decision": plan["decision"],
        "cause": plan["cause"],
        "evidence": plan["evidence"],
        "second_person": plan["second_person"],
        "case": intent.case,
    }
    return replace(event, detail={key: value for key, value in detail.items() if value})


def command_decision(stored: Mapping[str, Any]) -> Decision:
    """The decision of a stored plan, as far as the law's table asks for it."""
    values = {key: value for key, value in stored.items() if key not in {"item", "case"}}
    return read_decision(Reading(values, "decision"))


def _kind_of(event: Event, activated: bool) -> str:
    names = {Action.ISSUE: "in-force", Action.IMPORT: "imported"}
    past = {
        Action.RENEW: "renewed",
        Action.REPLACE: "replaced",
        Action.CHANGE: "changed",
        Action.TRANSFER: "transferred",
        Action.CORRECT: "corrected",
        Action.REISSUE: "reissued",
        Action.RETAIN: "retained",
    }
    return (names | past)[event.action] if activated else f"{past.get(event.action, 'planned')}-ahead"


def void(register: Register, intent_id: str, error: CertlibError) -> None:
    """Void an unfinished intent and keep the problem as the answer under its key."""
    problem = {"code": error.code, "message": error.message}
    with register.writer() as session:
        intent = session.exec(select(Intent).where(Intent.id == intent_id).with_for_update()).one()
        at = register.moment(session, intent.created_at)
        void_intent(session, register, intent, problem, at)
        settle(session, intent.client, intent.key, Answer(409, {"problem": problem}, 0))
    register.files.unspool(intent_id)
