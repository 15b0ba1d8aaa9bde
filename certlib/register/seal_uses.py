"""Lines of the ledger of seal uses (用印日志): how one is opened and closed, and how they are read.

A line says who used which seal in which edition, for which matter under which mandate and authorisation, approved by
whom, on which document at which place, with which result (国发〔1999〕25号 25, 电子签名法13, and registers of seals).
Paper is a use like any other: `printed` with the sheet (套印), `stamped` by hand (加盖实物印章).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlmodel import Session, col, or_, select

from certlib.catalogue import Catalogue
from certlib.domain.civil import civil_date
from certlib.domain.mandate import governing
from certlib.domain.seal_authorisation import SealPurpose
from certlib.formats.leaf import Leaf
from certlib.register.seal_grants import Grant
from certlib.register.seal_store import find_seal
from certlib.register.seal_tables import SealAuthorisationRow, SealCertificateRow, SealUseRow
from certlib.register.store import Register

ELECTRONIC, PRINTED, STAMPED = "electronic", "printed", "stamped"
KIND_WORDS: Mapping[str, str] = {ELECTRONIC: "电子签章", PRINTED: "套印", STAMPED: "加盖实物印章"}
STATE_WORDS: Mapping[str, str] = {"reserved": "已预留", "used": "已用印", "released": "已释放", "denied": "已拒绝"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What a seal is wanted for, as the ledger will say it."""

    kind: str  # electronic | printed | stamped
    purpose: SealPurpose
    outcome: str  # certificate | document
    case: str
    number: str
    decision: Mapping[str, Any]
    document: Mapping[str, Any]  # name, identifier, edition, carrier …
    operator: Mapping[str, Any]  # client, worker, person …
    place: Mapping[str, Any] = field(default_factory=dict)
    intent: str = ""
    attempt: int = 0
    sheet: int | None = None
    input_sha256: str = ""


def open_line(occasion: Occasion, at: datetime) -> SealUseRow:
    """A line for the occasion, its state still to be set."""
    purpose = occasion.purpose
    return SealUseRow(
        seal=purpose.seal,
        kind=occasion.kind,
        intent=occasion.intent,
        attempt=occasion.attempt,
        sheet=occasion.sheet,
        state="",
        item=purpose.item,
        case=occasion.case,
        type=purpose.type,
        action=purpose.action,
        number=occasion.number,
        persons={"approvers": list(purpose.persons)},
        input_sha256=occasion.input_sha256,
        record={
            "authority": purpose.authority,
            "document": dict(occasion.document),
            "approval": _approval(occasion.decision),
            "operator": dict(occasion.operator),
            **({"place": dict(occasion.place)} if occasion.place else {}),
        },
        reserved_at=at,
    )


def deny(session: Session, register: Register, occasion: Occasion, why: str, at: datetime) -> None:
    """Record that a use was asked for and not allowed; it has no counter, since the key was not reached."""
    line = open_line(occasion, at)
    line.state, line.why, line.closed_at = "denied", why, at
    session.add(line)
    register.journal.append(session, Leaf(kind="seal:denied", at=at, seal=line.seal))


def reserve(
    session: Session, register: Register, catalogue: Catalogue, occasion: Occasion, granted: Grant, *, at: datetime
) -> SealUseRow:
    """Count a use of the seal and of its authorisation, and open its line."""
    line, authorisation, seal, edition = open_line(occasion, at), granted.authorisation, granted.seal, granted.edition
    authorisation.uses += 1
    line.state, line.counter = "reserved", register.next(session, f"seal:{line.seal}")
    line.seal_edition = edition.index
    line.authorisation, line.authorisation_sha256 = authorisation.id, authorisation.sha256
    named = {"name": seal.name, "number": seal.copy_number, "keeper": seal.keeper, "edition_sha256": edition.sha256}
    mandate = mandate_text(catalogue, line.item, occasion.decision, civil_date(at))
    line.record = {**line.record, "seal_detail": named, **({"mandate": mandate} if mandate else {})}
    session.add_all([line, authorisation])
    session.flush()
    return line


def name_certificate(line: SealUseRow, certificate: SealCertificateRow) -> None:
    """Add to a line with which X.509 certificate the seal is used."""
    named = {"certificate": certificate.sha256, "certificate_serial": certificate.serial}
    line.record = {**line.record, "seal_detail": {**line.record["seal_detail"], **named}}


def close(
    session: Session,
    register: Register,
    line: SealUseRow,
    state: str,
    *,
    at: datetime,
    why: str = "",
    result: Mapping[str, Any] | None = None,
) -> None:
    """Close a reserved line as `used` or `released`; a released use is given back to its authorisation."""
    line.state, line.why, line.closed_at = state, why, at
    if result:
        line.record = {**line.record, "result": dict(result)}
    session.add(line)
    used = state == "used"
    if not used:
        find_seal(session, line.seal, lock=True)  # before the authorisation, as everybody does
        authorisation = session.get_one(SealAuthorisationRow, line.authorisation, with_for_update=True)
        authorisation.uses -= 1
        session.add(authorisation)
    register.journal.append(
        session,
        Leaf(
            kind=f"seal:{state}",
            at=at,
            seal=line.seal,
            use=line.counter or 0,
            file=bytes.fromhex(line.output_sha256) if used else b"",
            commitment=bytes.fromhex(line.authorisation_sha256),
        ),
    )


def mandate_text(catalogue: Catalogue, item: str, decision: Mapping[str, Any], day: date) -> dict[str, str]:
    """On which mandate the matter rests: way of handling, basis, agreement, days; empty without an item."""
    accepted = decision.get("acceptance", {}).get("at")
    accepted_on = civil_date(datetime.fromisoformat(accepted)) if accepted else None
    mandate = governing(catalogue.mandates.get(item, ()), accepted_on, day)
    if mandate is None:
        return {}
    texts = {
        "title": catalogue.items[item].title,
        "handling": catalogue.items[item].handling.value,
        "decides": mandate.decides,
        "basis": mandate.basis,
        "agreement": mandate.agreement,
        "since": mandate.since.isoformat(),
        "until": mandate.until.isoformat() if mandate.until else "",
    }
    return {key: text for key, text in texts.items() if text}


def _approval(decision: Mapping[str, Any]) -> dict[str, Any]:
    """Who answers for the use: the steps of the case, or the order it rests on."""
    keys = ("acceptance", "review", "approval", "authority", "decided_at", "document_number")
    return {key: decision[key] for key in keys if decision.get(key)}


def use_view(line: SealUseRow) -> dict[str, Any]:
    """A line as the ledger shows it."""
    return {
        "id": line.id,
        "seal": line.seal,
        "seal_edition": line.seal_edition,
        "counter": line.counter,
        "kind": line.kind,
        "kind_words": KIND_WORDS[line.kind],
        "state": line.state,
        "state_words": STATE_WORDS[line.state],
        "why": line.why,
        "reserved_at": moment_text(line.reserved_at),
        "closed_at": moment_text(line.closed_at),
        "item": line.item,
        "case": line.case,
        "type": line.type,
        "action": line.action,
        "number": line.number,
        "persons": line.persons.get("approvers", []),
        "authorisation": line.authorisation,
        "authorisation_sha256": line.authorisation_sha256,
        "intent": line.intent,
        "attempt": line.attempt,
        "sheet": line.sheet,
        "input_sha256": line.input_sha256,
        "output_sha256": line.output_sha256,
        **line.record,
    }


def moment_text(at: datetime | None) -> str:
    """A moment in whole milliseconds of UTC; empty for none."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds") if at else ""


def find_uses(
    session: Session,
    seal: str,
    *,
    after: int = 0,
    limit: int = 50,
    state: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> Sequence[SealUseRow]:
    """Lines of one seal in their order. `since` is inclusive and looks at the closing, or the opening while open."""
    query = select(SealUseRow).where(SealUseRow.seal == seal, col(SealUseRow.id) > after)
    closed, opened = col(SealUseRow.closed_at), col(SealUseRow.reserved_at)
    if state:
        query = query.where(SealUseRow.state == state)
    if since is not None:
        query = query.where(or_(closed >= since, closed.is_(None) & (opened >= since)))
    if until is not None:
        query = query.where(opened < until)
    return session.exec(query.order_by(col(SealUseRow.id)).limit(limit)).all()
