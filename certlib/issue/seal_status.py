"""The public status of the seals (公布印章状态): what verifiers are told of each X.509 certificate of a seal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlmodel import Session, select

from certlib.catalogue import Catalogue
from certlib.crypto.certificates import RevocationList
from certlib.domain.seal_life import SealState
from certlib.formats.seal_list import ListedSeal
from certlib.register import seal_store
from certlib.register.seal_tables import SealCertificateRow, SealEditionRow, SealEventRow, SealRow
from certlib.verify.form import certificate_in

Span = tuple[datetime, datetime | None]


def listed_seals(session: Session, catalogue: Catalogue, crls: Iterable[RevocationList]) -> Iterator[ListedSeal]:
    """Every certificate of every seal that was made, in the order of the seals and editions."""
    lists = tuple(crls)
    for row in session.exec(select(SealRow).order_by(SealRow.id)).all():
        editions, events = seal_store.editions(session, row.id), seal_store.history(session, row.id)
        enabled = spans_in_use(events)
        names = {edition.index: str(edition.spec["name"]) for edition in editions}
        for bound in seal_store.certificates(session, row.id):
            certificate = certificate_in(bound.der)
            stopped = (*(crl.revoked_at(certificate) for crl in lists), row.compromised_since)
            revoked = [at for at in stopped if at is not None]
            yield ListedSeal(
                sha256=bytes.fromhex(bound.sha256),
                seal=row.id,
                name=names[bound.edition],
                english=catalogue.authorities[row.authority].english,
                since=bound.not_before,
                until=bound.not_after,
                revoked=min(revoked, default=None),
                edition=bound.edition,
                state=row.state,
                in_use=tuple(_within(enabled, _bound(editions, bound))),
                compromised=row.compromised_since,
            )


def spans_in_use(events: Sequence[SealEventRow]) -> tuple[Span, ...]:
    """When the seal was enabled, out of its history."""
    spans: list[Span] = []
    for event in events:
        if event.target == event.origin:
            continue
        if event.target == SealState.ENABLED.value:
            spans.append((_second(event.at), None))
        elif event.origin == SealState.ENABLED.value:
            spans[-1] = (spans[-1][0], _second(event.at))
    return tuple(spans)


def _bound(editions: Sequence[SealEditionRow], certificate: SealCertificateRow) -> Span:
    """From the edition that brought the certificate to the one that no longer has it."""
    later = [one for one in editions if one.index > certificate.edition]
    left = [one.created_at for one in later if certificate.sha256 not in one.certificates.values()]
    began = next(one.created_at for one in editions if one.index == certificate.edition)
    return _second(began), _second(left[0]) if left else None


def _within(spans: Iterable[Span], bound: Span) -> Iterator[Span]:
    for since, until in spans:
        start = max(since, bound[0])
        ends = [one for one in (until, bound[1]) if one is not None]
        end = min(ends) if ends else None
        if end is None or start < end:
            yield start, end


def _second(at: datetime) -> datetime:
    """Lists state whole seconds."""
    return at.replace(microsecond=0)
