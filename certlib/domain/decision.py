"""What entitles the city to act: the decision and its chain of steps.

依申请 (on application): item, case, acceptance, review, approval. 依职权 (ex officio): law and grounds.
他机关文书 (another authority's document): number, authority, file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DecisionKind(StrEnum):
    """On whose initiative a decision is made (design: Decision 决定)."""

    APPLICATION = "application"  # 依申请
    EX_OFFICIO = "ex-officio"  # 依职权
    OTHER_AUTHORITY = "other-authority"  # 他机关文书


class StepKind(StrEnum):
    """The steps of a case, in their order."""

    ACCEPTANCE = "acceptance"  # 受理
    REVIEW = "review"  # 审核
    APPROVAL = "approval"  # 批准


@dataclass(frozen=True, slots=True)
class Step:
    """One step: which authority, which person, when, with what opinion."""

    kind: StepKind
    authority: str  # key of the authority in the catalogue
    person: str
    at: datetime  # aware
    opinion: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The entitlement. Fields that a kind does not use stay empty."""

    kind: DecisionKind
    item: str = ""  # "2-25"
    case: str = ""  # 办件编号
    steps: tuple[Step, ...] = ()
    basis: str = ""  # law and article
    grounds: str = ""  # 理由
    document_number: str = ""  # 文号 of this or of the other authority's document
    authority: str = ""  # ordering authority: key, or the other authority's name
    decided_at: datetime | None = None
    file_sha256: str = ""  # of the other authority's document
    deemed: bool = False  # granted by law because it was not decided in time (视为准予)

    def step(self, kind: StepKind) -> Step | None:
        """The step of that kind, if the chain has it."""
        return next((step for step in self.steps if step.kind is kind), None)
