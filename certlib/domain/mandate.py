"""Which mandate (权限配置) an item has on a day, and which one a case under way follows.

An annex-1 mandate is in force only from the day of its 承接协议; a case accepted before its mandate ended follows that
mandate until the run-off day. Days are civil days in Shanghai; `until` is exclusive, `run_off` inclusive.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from certlib.domain.civil import civil_date
from certlib.domain.decision import Decision, StepKind
from certlib.domain.kinds import Mandate


def needs_agreement(mandate: Mandate) -> bool:
    """Whether the mandate hangs on a 承接协议: those of annex 1 do (赣蓉办发〔2022〕4号, 二(一))."""
    return mandate.item.startswith("1-")


def has_agreement(mandate: Mandate, day: date) -> bool:
    """Whether the agreement it needs was in place on `day`."""
    if not needs_agreement(mandate):
        return True
    return bool(mandate.agreement) and mandate.agreement_date is not None and mandate.agreement_date <= day


def covering(mandates: Iterable[Mandate], day: date) -> Mandate | None:
    """The mandate whose days cover `day`, agreement or not."""
    return next((m for m in mandates if m.since <= day and (m.until is None or day < m.until)), None)


def mandate_on(mandates: Iterable[Mandate], day: date) -> Mandate | None:
    """The mandate in force on `day`, or None when there is none or its agreement is lacking."""
    mandate = covering(mandates, day)
    return mandate if mandate and has_agreement(mandate, day) else None


def governing(mandates: Sequence[Mandate], accepted_on: date | None, day: date) -> Mandate | None:
    """The mandate that a case accepted on `accepted_on` follows on `day`: the old one until its run-off day.

    The agreement is not asked about; `has_agreement` is.
    """
    old = covering(mandates, accepted_on) if accepted_on else None
    if old and old.until and old.run_off and old.until <= day <= old.run_off:
        return old
    return covering(mandates, day)


def mandate_for(mandates: Sequence[Mandate], decision: Decision, day: date) -> Mandate | None:
    """The mandate under which `decision` is completed on `day`, in force, or None: run-off included."""
    acceptance = decision.step(StepKind.ACCEPTANCE)
    mandate = governing(mandates, civil_date(acceptance.at) if acceptance else None, day)
    return mandate if mandate and has_agreement(mandate, day) else None
