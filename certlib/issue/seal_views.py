"""What is shown of a seal and of its authorisations: to clerks, to auditors, over the API."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from certlib.catalogue import Catalogue
from certlib.domain.seal import SealAuthorisation, SealKind
from certlib.domain.seal_life import CAUSE_WORDS, SEAL_RULES, SEAL_STATE_WORDS, SealAct, SealState, permitted
from certlib.register import seal_grants, seal_store
from certlib.register.seal_grants import KIND_WORDS
from certlib.register.seal_tables import SealAuthorisationRow, SealCertificateRow, SealEventRow, SealRow


def seal_view(session: Session, row: SealRow, catalogue: Catalogue, *, at: datetime | None = None) -> dict[str, Any]:
    """A seal as it stands; with `at` also its editions, history, authorisations and what may be done next."""
    shown = {
        "id": row.id,
        "authority": row.authority,
        "owner": catalogue.authorities[row.authority].name,
        "kind": row.kind,
        "kind_words": KIND_WORDS[SealKind(row.kind)],
        "name": row.name,
        "copy": row.copy_number,
        "keeper": row.keeper,
        "state": row.state,
        "state_words": SEAL_STATE_WORDS[SealState(row.state)],
        "cause": row.cause,
        "since": _time(row.since),
        "version": row.version,
        "edition": row.edition,
        "filing_number": row.filing,
        "compromised_since": _time(row.compromised_since),
    }
    return shown if at is None else {**shown, **_detail(session, row, at)}


def _detail(session: Session, row: SealRow, at: datetime) -> dict[str, Any]:
    permits = permitted(seal_store.to_seal(row))
    certificates = {one.sha256: one for one in seal_store.certificates(session, row.id)}
    return {
        "editions": [
            {
                "index": edition.index,
                "sha256": edition.sha256,
                "seal": _words_only(edition.spec),
                "maker": edition.maker,
                "at": _time(edition.created_at),
                "certificates": [_certificate(certificates[name]) for name in edition.certificates.values()],
            }
            for edition in seal_store.editions(session, row.id)
        ],
        "history": [_event(event) for event in seal_store.history(session, row.id)],
        "authorisations": [authorisation_view(one, at) for one in seal_grants.authorisations(session, row.id)],
        "permitted": [{"act": one.act.value, "label": one.label} for one in permits if one.allowed],
        "refused": [
            {"act": one.act.value, "label": one.label, "reason": one.reason} for one in permits if not one.allowed
        ],
    }


def _words_only(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A seal's data without its artwork, of which the digest is told: no view gives pictures."""
    artwork = str(spec.get("emblem", ""))
    shown = {name: value for name, value in spec.items() if name != "emblem"}
    return {**shown, "emblem_sha256": hashlib.sha256(_bytes_of(artwork)).hexdigest()} if artwork else shown


def _bytes_of(url: str) -> bytes:
    return base64.b64decode(url.partition(";base64,")[2])


def _certificate(row: SealCertificateRow) -> dict[str, Any]:
    return {
        "suite": row.suite,
        "sha256": row.sha256,
        "serial": row.serial,
        "subject": row.subject,
        "not_before": _time(row.not_before),
        "not_after": _time(row.not_after),
    }


def _event(row: SealEventRow) -> dict[str, Any]:
    values: Mapping[str, Any] = {
        "version": row.version,
        "act": row.act,
        "label": SEAL_RULES[SealAct(row.act)].label,
        "from": row.origin,
        "to": row.target,
        "edition": row.edition,
        "at": _time(row.at),
        "cause": row.cause,
        "cause_words": CAUSE_WORDS.get(row.cause, ""),
        "person": row.person,
        "second_person": row.second_person,
        "document_number": row.document,
        "compromised_since": _time(row.compromised_since),
        "client": row.client,
        **{key: value for key, value in row.detail.items() if key != "seal"},
    }
    return {key: value for key, value in values.items() if value != ""}


def authorisation_view(row: SealAuthorisationRow, at: datetime) -> dict[str, Any]:
    """An authorisation: its terms, its digest, whether it is in force at `at`, how often it was used."""
    terms = SealAuthorisation.read(row.canonical)
    ends = min(row.ended_at or row.until, row.until)
    state = "pending" if at < row.since else "in-force" if at < ends else "ended" if row.ended_at else "over"
    return {
        "id": row.id,
        "seal": row.seal,
        "authority": row.authority,
        "items": list(terms.items),
        "types": list(terms.types),
        "actions": list(terms.actions),
        "persons": list(terms.persons),
        "since": _time(row.since),
        "until": _time(row.until),
        "limit": terms.limit,
        "uses": row.uses,
        "approvers": terms.approvers,
        "basis": terms.basis,
        "sha256": row.sha256,
        "state": state,
        "ended_at": _time(row.ended_at),
        "record": row.record,
    }


def _time(at: datetime | None) -> str:
    return at.isoformat() if at else ""
