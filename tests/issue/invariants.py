"""What must hold of a register at every moment, whatever was killed: each breach is one sentence."""

from __future__ import annotations

import hashlib
from collections import Counter as Count
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from certlib.domain.actions import Action, LegalState
from certlib.domain.certificate import Certificate, SheetFate, edition_verdict, sheet_verdict
from certlib.domain.delivery import REPLACE_FILE
from certlib.domain.lifecycle import Event, replay
from certlib.domain.seal import SealAuthorisation
from certlib.domain.seal_life import Seal, SealAct, SealEvent, SealState
from certlib.domain.seal_life import replay as replay_seal
from certlib.domain.verdict import Verdict
from certlib.issue.office import Office
from certlib.register import seal_store
from certlib.register.certificates import load_certificate, sheets_of, to_edition
from certlib.register.delivery_table import DeliveryRow
from certlib.register.seal_tables import SealAuthorisationRow, SealEventRow, SealRow
from certlib.register.tables import CertificateRow, EditionRow, EventRow, FileRow, Intent, SealUseRow, SheetRow


def breaches(office: Office, *, at: datetime) -> list[str]:
    """Every breach of the promises of an issuance; empty when they all hold."""
    with office.register.reader() as session:
        return [
            *_numbers(session),
            *_files(session, office),
            *_uses(session),
            *_seals(session),
            *_histories(session),
            *_carriers(session, at),
            *_deliveries(session),
        ]


def breaches_of(office: Office, key: str, *, at: datetime) -> list[str]:
    """Every breach of what one certificate's rows promise: quick enough to be asked after each act on it."""
    with office.register.reader() as session:
        return [*_histories(session, key), *_carriers(session, at, key), *_deliveries(session, key)]


def _own(statement: Any, column: Any, key: str) -> Any:
    """The statement, of one certificate where `key` names one."""
    return statement.where(column == key) if key else statement


def _numbers(session: Session) -> Iterator[str]:
    intents = session.exec(select(Intent)).all()
    planned = [n for intent in intents for n in (intent.n, *(sheet["n"] for sheet in intent.plan["sheets"]))]
    others = {*session.exec(select(SheetRow.n)).all(), *session.exec(select(EditionRow.n)).all()} - set(planned)
    indices = sorted([*planned, *others])  # others: reprints, and existing certificates
    if indices != list(range(1, len(indices) + 1)):
        yield "the indices n have a gap or a double"
    firsts = [intent.number for intent in intents if intent.action == Action.ISSUE]
    yield from (f"number {number} was given twice" for number, count in Count(firsts).items() if count > 1)
    serials = Count((intent.certificate, intent.edition) for intent in intents if intent.state == "done")
    yield from (f"edition {key} was made twice" for key, count in serials.items() if count > 1)


def _files(session: Session, office: Office) -> Iterator[str]:
    rows = {row.sha256: row for row in session.exec(select(FileRow)).all()}
    done = {intent.n for intent in session.exec(select(Intent).where(Intent.state == "done")).all()}
    done |= set(session.exec(select(SheetRow.n).where(SheetRow.serial != None)).all())  # noqa: E711  in SQL
    for sha256, row in rows.items():
        data = office.register.files.read(sha256)
        if hashlib.sha256(data).hexdigest() != sha256:
            yield f"file {sha256} is not what was registered"
        if row.n not in done:
            yield f"file {sha256} has no finished intent"
        before = rows.get(row.predecessor or "")
        if row.predecessor and (before is None or not data.startswith(office.register.files.read(before.sha256))):
            yield f"file {sha256} does not begin with its predecessor"
        if before is not None and (before.n, before.part) != (row.n, row.part):
            yield f"file {sha256} follows a file of another document"
    planned = {intent.id for intent in session.exec(select(Intent)).all()}
    uses = {use.intent for use in session.exec(select(SealUseRow)).all() if use.kind == "electronic"}
    yield from (f"a seal was used for {intent} without an intent" for intent in uses - planned)


def _uses(session: Session) -> Iterator[str]:
    uses = session.exec(select(SealUseRow)).all()
    for seal in {use.seal for use in uses}:
        counters = sorted(use.counter for use in uses if use.seal == seal and use.counter is not None)
        if counters != list(range(1, len(counters) + 1)):
            yield f"the counter of seal {seal} has a gap or a double"
    files = {row.sha256 for row in session.exec(select(FileRow)).all()}
    with_file = [use for use in uses if use.state == "used" and use.kind != "stamped"]
    yield from (f"use {use.id} has no file" for use in with_file if use.output_sha256 not in files)
    counts = Count(use.authorisation for use in uses if use.state in {"reserved", "used"})
    for authorisation in session.exec(select(SealAuthorisationRow)).all():
        limit = SealAuthorisation.read(authorisation.canonical).limit
        if authorisation.uses != counts[authorisation.id] or (limit and authorisation.uses > limit):
            yield f"authorisation {authorisation.id} was used {counts[authorisation.id]} times and says otherwise"


def _seals(session: Session) -> Iterator[str]:
    for row in session.exec(select(SealRow)).all():
        seal = seal_store.to_seal(row)
        events = [_seal_event(event) for event in seal_store.history(session, row.id)]
        if replay_seal(Seal(id=row.id, name=row.name), events) != seal:
            yield f"seal {row.id}: the history does not replay to the state"
        if [event.version for event in events] != list(range(1, len(events) + 1)):
            yield f"seal {row.id}: the history has a gap"
        if [edition.index for edition in seal_store.editions(session, row.id)] != list(range(1, row.edition + 1)):
            yield f"seal {row.id}: the editions have a gap"


def _seal_event(row: SealEventRow) -> SealEvent:
    return SealEvent(
        seal=row.seal,
        version=row.version,
        act=SealAct(row.act),
        origin=SealState(row.origin),
        target=SealState(row.target),
        edition=row.edition,
        at=row.at,
        person=row.person,
        compromised_since=row.compromised_since,
    )


def _histories(session: Session, key: str = "") -> Iterator[str]:
    for row in session.exec(_own(select(CertificateRow), CertificateRow.key, key)).all():
        _, certificate = load_certificate(session, row.key)
        events = session.exec(
            select(EventRow).where(EventRow.certificate == row.key).order_by(EventRow.version)  # type: ignore[arg-type]
        ).all()
        editions = {
            edition.index: to_edition(edition)
            for edition in session.exec(select(EditionRow).where(EditionRow.certificate == row.key)).all()
        }
        blank = Certificate(key=row.key, type=row.type, number=row.number)
        replayed = replay(blank, [_event(event, editions) for event in events])
        if replayed != certificate:
            yield f"{row.number}: the history does not replay to the state"
        if [event.version for event in events] != list(range(1, len(events) + 1)):
            yield f"{row.number}: the history has a gap"


def _event(event: EventRow, editions: dict[int, object]) -> Event:
    return Event(
        key=event.certificate,
        version=event.version,
        action=Action(event.action),
        origin=LegalState(event.origin),
        target=LegalState(event.target),
        cause=event.cause,
        at=event.at,
        edition=editions[event.edition] if event.edition is not None else None,  # type: ignore[arg-type]
    )


def _carriers(session: Session, at: datetime, key: str = "") -> Iterator[str]:
    order = list(Verdict)
    for row in session.exec(_own(select(CertificateRow), CertificateRow.key, key)).all():
        _, certificate = load_certificate(session, row.key)
        for sheet in sheets_of(session, row.key):
            of_file = edition_verdict(certificate, sheet.edition, at)
            of_sheet = sheet_verdict(of_file, SheetFate(sheet.fate))
            if order.index(of_sheet) > order.index(of_file):
                yield f"{row.number}: a sheet is worth more than its file"
        paper = {sheet.edition for sheet in sheets_of(session, row.key)}
        editions = session.exec(select(EditionRow).where(EditionRow.certificate == row.key)).all()
        for edition in editions:
            if not edition.paper_waived and edition.index not in paper:
                yield f"{row.number}: edition {edition.index} has a file and no sheets"


def _deliveries(session: Session, key: str = "") -> Iterator[str]:
    rows = session.exec(_own(select(DeliveryRow), DeliveryRow.certificate, key)).all()
    happened = session.exec(_own(select(EventRow), EventRow.certificate, key)).all()
    events = {(event.certificate, event.version) for event in happened}
    own = [(row.certificate, row.message["version"]) for row in rows if row.operation != REPLACE_FILE]
    yield from (f"event {event} has no delivery" for event in sorted(events - set(own)))
    yield from (f"delivery {row} has no event" for row in sorted(set(own) - events))
    yield from (f"event {row} is delivered twice" for row, count in Count(own).items() if count > 1)
    for certificate in {row.certificate for row in rows}:
        places = sorted(row.sequence for row in rows if row.certificate == certificate)
        if places != list(range(1, len(places) + 1)):
            yield f"the deliveries of {certificate} have a gap or a double"
    files = session.exec(_own(select(FileRow), FileRow.certificate, key)).all()
    successors = {file.sha256 for file in files if file.predecessor}
    exchanged = [row.file for row in rows if row.operation == REPLACE_FILE]
    yield from (f"delivery of {file} exchanges nothing" for file in sorted(set(exchanged) - successors))
