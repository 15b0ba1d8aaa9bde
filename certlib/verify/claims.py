"""What a file says it is, for the report: from its attached facts, else from the register."""

from __future__ import annotations

from certlib.domain.holder import Holder, masked_name
from certlib.formats.facts import Facts
from certlib.verify.lookup import RegisterState
from certlib.verify.report import CertificateReport


def claims_of(facts: Facts | None, state: RegisterState | None) -> CertificateReport | None:
    """The certificate or document as it is described, the holder masked; None when nothing describes it."""
    if facts is not None:
        return _from_facts(facts)
    return _from_register(state) if state is not None else None


def _from_facts(facts: Facts) -> CertificateReport:
    return CertificateReport(
        kind=facts.kind,
        identifier=facts.identifier,
        number=facts.number,
        title=facts.title,
        type=facts.type,
        edition=facts.edition,
        n=facts.n,
        holder=_masked(facts),
        issuer=facts.issuer.get("name", ""),
        issued_on=facts.issued_on,
        valid_from=facts.valid_from,
        valid_until=facts.valid_until,
    )


def _from_register(state: RegisterState) -> CertificateReport:
    return CertificateReport(
        identifier=state.identifier,
        number=state.number,
        title=state.title,
        edition=state.edition,
        n=state.n,
        holder=state.holder,
        issuer=state.issuer,
        issued_on=state.issued_on,
        valid_until=state.valid_until,
    )


def _masked(facts: Facts) -> str:
    name = str(facts.holder.get("name", ""))
    try:
        holder = Holder.of({"name": "", "code": "", **facts.holder})
        return "" if holder.is_minor(facts.issued_on) else holder.masked
    except ValueError:
        return masked_name(name, person=True) if name else ""
