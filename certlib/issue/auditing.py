"""What an auditor is shown of the register: look-up, ledger with counters, use of seals over time, accesses.

Every function narrows to the certificates and seals of `authority` when one is given. That the view is for a purpose,
and is logged, is the caller's part (`certlib.register.access_log`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from certlib.domain.actions import LegalState
from certlib.domain.civil import SHANGHAI, civil_date
from certlib.domain.lifecycle import STATE_WORDS
from certlib.errors import NotFoundError
from certlib.issue.anomalies import CLOSES, OPENS, is_office_time
from certlib.issue.office import Office
from certlib.issue.views import files_of, key_of, part_of
from certlib.register import audit_uses
from certlib.register.audit_search import Wanted, find_certificates, find_documents
from certlib.register.audit_uses import Lines
from certlib.register.row_tables import AccessDigestRow
from certlib.register.seal_uses import moment_text, use_view
from certlib.register.tables import AccessRow, CertificateRow, DocumentRow, FileRow

_STATES = ("used", "reserved", "released", "denied")


def look_up(office: Office, wanted: Wanted, *, limit: int) -> dict[str, Any]:
    """Certificates, documents and lines of the ledger that fit; `more` where there are others beyond `limit`."""
    lines = Lines(
        authority=wanted.authority,
        seal=wanted.seal,
        number=wanted.number,
        person=wanted.person,
        since=wanted.since,
        until=wanted.until,
    )
    with office.register.reader() as session:
        found = {
            "certificates": [_certificate(office, row) for row in find_certificates(session, wanted, limit=limit + 1)],
            "documents": [_document(office, session, row) for row in find_documents(session, wanted, limit=limit + 1)],
            "uses": [use_view(row) for row in audit_uses.newest_uses(session, lines, limit=limit + 1)],
        }
    more = [name for name, rows in found.items() if len(rows) > limit]
    return {**{name: rows[:limit] for name, rows in found.items()}, "more": more}


def certificate_file(office: Office, identifier: str, at: datetime | None = None) -> dict[str, Any]:
    """A certificate's whole record with every use of a seal for it and everybody who has looked at it."""
    record = office.certificate(identifier, at)
    with office.register.reader() as session:
        uses = audit_uses.newest_uses(session, Lines(number=record["number"]), limit=500)
        seen = select(AccessRow).where(AccessRow.subject == key_of(identifier)).order_by(col(AccessRow.id).desc())
        accesses = session.exec(seen.limit(200)).all()
    steps = [step for step in record["decision"].values() if isinstance(step, dict) and "authority" in step]
    return {
        "certificate": record,
        "authorities": {
            step["authority"]: office.catalogue.authorities[step["authority"]].name
            for step in steps
            if step["authority"] in office.catalogue.authorities
        },
        "uses": [use_view(row) for row in uses],
        "accesses": [_access(row) for row in accesses],
    }


def ledger(office: Office, lines: Lines, *, before: int, limit: int) -> dict[str, Any]:
    """Lines of the ledger, the newest first; `next` continues, 0 on the last page."""
    with office.register.reader() as session:
        rows = audit_uses.newest_uses(session, lines, before=before, limit=limit + 1)
    following = rows[limit - 1].id if len(rows) > limit else 0
    return {"uses": [use_view(row) for row in rows[:limit]], "next": following}


def seal_counts(office: Office, lines: Lines) -> list[dict[str, Any]]:
    """Each seal with its counter, its uses by kind and state within the period, and the numbers its ledger lacks."""
    counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
    with office.register.reader() as session:
        for seal, kind, state, count in audit_uses.counted_uses(session, replace(lines, seal="")):
            counted[seal][state] += count
            counted[seal][kind] += count if state == "used" else 0
        last = audit_uses.counters(session)
        gaps = {seal: audit_uses.counter_gaps(session, seal, number) for seal, number in last.items()}
    return [
        {
            **{name: view[name] for name in ("id", "owner", "kind_words", "copy", "keeper", "state", "state_words")},
            "counter": last.get(view["id"], 0),
            "gaps": [list(run) for run in gaps.get(view["id"], ())],
            **{name: counted[view["id"]][name] for name in (*_STATES, "electronic", "printed", "stamped")},
        }
        for view in office.seals.seals(authority=lines.authority)
    ]


def usage(office: Office, lines: Lines, since: date, until: date) -> dict[str, Any]:
    """Uses by Shanghai day, and by weekday and hour, of the days from `since` to `until`, both included."""
    days = {since + timedelta(days=n): Counter[str]() for n in range((until - since).days + 1)}
    grid = [[0] * 24 for _ in range(7)]
    outside = 0
    with office.register.reader() as session:
        for hour, state, count in audit_uses.hourly_uses(session, lines):
            local = hour.astimezone(SHANGHAI)
            if local.date() in days:
                days[local.date()][state] += count
            if state == "used":
                grid[local.weekday()][local.hour] += count
                outside += 0 if is_office_time(office.catalogue.calendar, hour) else count
    return {
        "days": [
            {
                "day": day.isoformat(),
                "working": office.catalogue.calendar.is_working(day),
                **{state: counts[state] for state in _STATES},
            }
            for day, counts in days.items()
        ],
        "hours": grid,
        "outside": outside,
        "open_from": OPENS,
        "open_until": CLOSES,
    }


def accesses(office: Office, *, before: int, limit: int) -> dict[str, Any]:
    """The access log, the newest first, with the digest that holds each hour and its place in the journal."""
    with office.register.reader() as session:
        query = select(AccessRow).order_by(col(AccessRow.id).desc())
        rows = session.exec((query.where(col(AccessRow.id) < before) if before else query).limit(limit + 1)).all()
        wanted = {row.digest for row in rows if row.digest is not None}
        digests = session.exec(select(AccessDigestRow).where(col(AccessDigestRow.id).in_(wanted))).all()
        places = {row.id: office.journal.index_of(session, row.leaf) for row in digests}
    return {
        "accesses": [{**_access(row), "leaf": places.get(row.digest)} for row in rows[:limit]],
        "next": rows[limit - 1].id if len(rows) > limit else 0,
    }


def file_place(office: Office, sha256: str) -> tuple[frozenset[str], str]:
    """Whose a registered file is, and the key or id of what it is of. Raises `NotFoundError`."""
    with office.register.reader() as session:
        file = session.get(FileRow, sha256)
        row = (
            None
            if file is None
            else session.get(CertificateRow, file.certificate)
            if file.certificate
            else session.get(DocumentRow, file.document)
        )
    if row is None:
        raise NotFoundError("没有登记这一文件。")
    return frozenset({row.authority}), row.key if isinstance(row, CertificateRow) else row.id


def _certificate(office: Office, row: CertificateRow) -> dict[str, Any]:
    return {
        "key": row.key,
        "identifier": row.identifier,
        "number": row.number,
        "name": office.catalogue.certificate_types[row.type].name,
        "holder": row.holder_name,
        "issuer": office.catalogue.authorities[row.authority].name,
        "state": row.state,
        "state_words": STATE_WORDS[LegalState(row.state)],
        "edition": row.edition,
        "updated_at": moment_text(row.updated_at),
        "updated_on": civil_date(row.updated_at).isoformat(),
    }


def _document(office: Office, session: Session, row: DocumentRow) -> dict[str, Any]:
    return {
        "key": row.id,
        "id": row.id,
        "number": row.number,
        "name": office.catalogue.document_types[row.type].name,
        "holder": row.holder["name"],
        "issuer": office.catalogue.authorities[row.authority].name,
        "case": row.case,
        "issued_on": row.issued_on.isoformat(),
        "sha256": part_of(files_of(session, FileRow.document == row.id), "file").sha256,
    }


def _access(row: AccessRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": moment_text(row.at),
        "client": row.client,
        "subject": row.subject,
        "purpose": row.purpose,
        "outcome": row.outcome,
        "digest": row.digest,
    }
