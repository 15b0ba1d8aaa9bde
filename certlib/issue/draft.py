"""A draft: everything an issuance fixes except its numbers, which the first transaction gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from certlib.domain.decision import Decision, Step
from certlib.domain.holder import Holder
from certlib.domain.kinds import NumberFormat


@dataclass(frozen=True, slots=True)
class PlannedSheet:
    """One sheet an edition will have: 正本, or 副本 number `copy_number`."""

    kind: str
    label: str
    copy_number: int
    seal: str  # "printed" | "stamped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A checked issuance. `facts` are the request's, `texts` the same as they will be printed.

    `certificate` and `certificate_version` name the certificate a new edition belongs to; empty for a first one.
    `template` is the face's folder; `seal` the seal's id; `persons` who approved.
    """

    kind: str  # certificate | document
    type: str
    type_code: str
    code_number: int
    name: str  # of the type: 医疗器械经营许可证
    english: str
    template: str
    action: str
    label: str  # 新办, 延续 …
    item: str
    case: str
    decision: Decision
    persons: tuple[str, ...]
    authority: str
    issuer: str
    issuer_code: str
    issuer_number: int  # in the signed code
    document_word: str
    seal: str
    seal_kind: str
    holder: Holder
    facts: Mapping[str, Any]
    texts: Mapping[str, str]
    labels: Mapping[str, str]
    numbering: NumberFormat
    number: str = ""  # an existing certificate's, or one allotted elsewhere
    certificate: str = ""
    certificate_version: int = 0
    edition: int = 1
    issued_on: date
    effective_from: date
    valid_from: date
    valid_until: date | None
    sheets: tuple[PlannedSheet, ...] = ()
    paper_waived: bool = False
    cause: str = ""
    evidence: tuple[str, ...] = ()
    second_person: str = ""
    outward: bool = True
    owed: str = ""  # the event of a certificate whose decision this document is: `key/version`
    request: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """What the seal is used for, as the signature's reason and the ledger say it."""
        return f"{self.label}{self.name}" if self.kind == "certificate" else f"制发{self.name}"


def decision_json(decision: Decision) -> dict[str, Any]:
    """A decision as JSON, the form in which it is stored, attached and shown to auditors."""
    values: dict[str, Any] = {"kind": decision.kind.value, "item": decision.item, "case": decision.case}
    values |= {step.kind.value: _step_json(step) for step in decision.steps}
    values |= {
        "basis": decision.basis,
        "grounds": decision.grounds,
        "document_number": decision.document_number,
        "authority": decision.authority,
        "decided_at": decision.decided_at.isoformat() if decision.decided_at else "",
        "file_sha256": decision.file_sha256,
        "deemed": decision.deemed,
    }
    return {key: value for key, value in values.items() if value}


def _step_json(step: Step) -> dict[str, str]:
    values = {
        "authority": step.authority,
        "person": step.person,
        "at": step.at.isoformat(),
        "opinion": step.opinion,
    }
    return {key: value for key, value in values.items() if value}


def moment_text(at: datetime) -> str:
    """A moment in ISO 8601, UTC, whole seconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
