"""Seals in the register: their rows as values, their history with its journal leaves, their editions.

Whoever changes a seal, its editions or its authorisations holds the lock on the seal's row; so does whoever reserves a
use of it. So there is one order in which all of that happened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from certlib.crypto.certificates import Certificate
from certlib.crypto.suites import suite_of
from certlib.domain.seal import SealKind, SealSpec
from certlib.domain.seal_life import SEAL_RULES, Seal, SealEvent, SealState
from certlib.errors import NotFoundError
from certlib.formats.facts import canonical
from certlib.formats.leaf import Leaf
from certlib.register.seal_tables import SealCertificateRow, SealEditionRow, SealEventRow, SealRow
from certlib.register.store import Register

_CLOSED = (SealState.REVOKED.value, SealState.CANCELLED.value)


def find_seal(session: Session, seal: str, *, lock: bool = False) -> SealRow | None:
    """The seal's row, locked for change when `lock`, or None."""
    query = select(SealRow).where(SealRow.id == seal)
    return session.exec(query.with_for_update() if lock else query).one_or_none()


def get_seal(session: Session, seal: str, *, lock: bool = False) -> SealRow:
    """The seal's row. Raises `NotFoundError`."""
    row = find_seal(session, seal, lock=lock)
    if row is None:
        raise NotFoundError(f"没有登记编号为 {seal[:20]} 的印章。")
    return row


def live_seal(session: Session, seal: str) -> str:
    """The seal that now stands for `seal`: itself, or the one made in its place once it is revoked or cancelled."""
    row = find_seal(session, seal)
    if row is None or row.state not in _CLOSED:
        return seal
    query = (
        select(SealRow.id)
        .where(SealRow.authority == row.authority, SealRow.kind == row.kind, SealRow.copy_number == row.copy_number)
        .where(col(SealRow.state).not_in(_CLOSED))
    )
    return session.exec(query.order_by(col(SealRow.created_at).desc())).first() or seal


def to_seal(row: SealRow) -> Seal:
    """The seal as a value."""
    return Seal(
        id=row.id,
        name=row.name,
        version=row.version,
        state=SealState(row.state),
        edition=row.edition,
        since=row.since,
        compromised_since=row.compromised_since,
    )


def new_seal(session: Session, register: Register, spec: SealSpec, at: datetime) -> SealRow:
    """The row of a seal that comes into being, before its first event."""
    row = SealRow(
        id=spec.id,
        authority=spec.authority,
        kind=spec.kind.value,
        copy_number=spec.copy,
        name=spec.name,
        keeper=spec.keeper,
        state=SealState.NONE.value,
        chain=register.open_chain(session),
        created_at=at,
        updated_at=at,
    )
    session.add(row)
    session.flush()
    return row


def apply_event(session: Session, register: Register, row: SealRow, event: SealEvent, *, client: str) -> SealEventRow:
    """Write what an event does to its seal, the event itself, and its leaf."""
    row.version, row.state, row.edition = event.version, event.target.value, event.edition
    row.compromised_since, row.updated_at = event.compromised_since, event.at
    if event.target is not event.origin:
        row.since, row.cause = event.at, event.cause
    kept = SealEventRow(
        seal=row.id,
        version=event.version,
        act=event.act.value,
        origin=event.origin.value,
        target=event.target.value,
        edition=event.edition,
        cause=event.cause,
        at=event.at,
        person=event.person,
        second_person=event.second_person,
        document=event.document,
        compromised_since=event.compromised_since,
        client=client,
        detail=dict(event.detail),
    )
    leaf = Leaf(kind=f"seal:{SEAL_RULES[event.act].past}", at=event.at, seal=row.id)
    kept.leaf = register.link(session, row.chain, leaf)
    session.add_all([row, kept])
    return kept


def history(session: Session, seal: str) -> Sequence[SealEventRow]:
    """The events of a seal in their order."""
    query = select(SealEventRow).where(SealEventRow.seal == seal).order_by(col(SealEventRow.version))
    return session.exec(query).all()


def add_edition(
    session: Session, row: SealRow, spec: SealSpec, certificates: Iterable[Certificate], *, maker: str, at: datetime
) -> SealEditionRow:
    """Write the edition after the seal's newest; the event that makes it follows in the same transaction.

    A certificate that an earlier edition was bound to already (a new picture, the same key) is kept with that one.
    """
    index = row.edition + 1
    rows = [_certificate_row(spec.id, index, certificate) for certificate in certificates]
    edition = SealEditionRow(
        seal=spec.id,
        index=index,
        spec=spec_json(spec),
        certificates={one.suite: one.sha256 for one in rows},
        sha256="",
        maker=maker,
        created_at=at,
    )
    edition.sha256 = hashlib.sha256(canonical(edition_text(edition))).hexdigest()
    session.add(edition)
    session.add_all(one for one in rows if session.get(SealCertificateRow, one.sha256) is None)
    session.flush()
    return edition


def edition_text(edition: SealEditionRow) -> dict[str, Any]:
    """What an edition is: what an eSeal file (esl) would hold, as canonical JSON."""
    parts = {"seal": edition.seal, "index": edition.index, "spec": edition.spec, "certificates": edition.certificates}
    return {**parts, "maker": edition.maker}


def _certificate_row(seal: str, edition: int, certificate: Certificate) -> SealCertificateRow:
    return SealCertificateRow(
        sha256=certificate.sha256.hex(),
        seal=seal,
        edition=edition,
        suite=suite_name(certificate),
        serial=f"{certificate.serial:x}",
        subject=certificate.subject,
        key_sha256=key_digest(certificate),
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        der=certificate.der,
    )


def suite_name(certificate: Certificate) -> str:
    """The cipher suite of a certificate's key. Raises `VerificationError` for a key of none."""
    return suite_of(certificate.spki).name


def key_digest(certificate: Certificate) -> str:
    """What a key is known by: SHA-256 of its SubjectPublicKeyInfo, hexadecimal."""
    return hashlib.sha256(certificate.spki).hexdigest()


def current_edition(session: Session, row: SealRow) -> SealEditionRow | None:
    """The newest edition of a seal, or None before it is made."""
    return session.get(SealEditionRow, (row.id, row.edition)) if row.edition else None


def editions(session: Session, seal: str) -> Sequence[SealEditionRow]:
    """The editions of a seal in their order."""
    query = select(SealEditionRow).where(SealEditionRow.seal == seal).order_by(col(SealEditionRow.index))
    return session.exec(query).all()


def certificates(session: Session, seal: str) -> Sequence[SealCertificateRow]:
    """The X.509 certificates of all editions of a seal."""
    query = select(SealCertificateRow).where(SealCertificateRow.seal == seal)
    return session.exec(query.order_by(col(SealCertificateRow.edition), col(SealCertificateRow.suite))).all()


def spec_json(spec: SealSpec) -> dict[str, Any]:
    """A seal's data as JSON."""
    return {**asdict(spec), "kind": spec.kind.value, "lines": list(spec.lines)}


def read_spec(values: Mapping[str, Any]) -> SealSpec:
    """A seal's data from `spec_json`."""
    return SealSpec(**{**values, "kind": SealKind(values["kind"]), "lines": tuple(values["lines"])})
