"""What a seal authorisation (用印授权) covers, which of several governs, and when two contradict each other.

An authorisation has a scope (authority, items, types, actions, persons; an empty one is "any") and terms (how many
uses, how many approvers). Of those that cover a use the narrowest governs, as a special rule goes before a general
one; so a limit cannot be got round by a wider authorisation. Two that overlap, neither within the other, must have the
same terms and no limit, or it could not be said which holds: that is a contradiction and refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from certlib.domain.seal import SealAuthorisation


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPurpose:
    """What a seal is to be used for: whose decision, which item, type and action, approved by whom."""

    seal: str
    authority: str
    item: str  # empty: ex officio, or another authority's document
    type: str
    action: str
    persons: tuple[str, ...]  # approvers, none twice


def covers(authorisation: SealAuthorisation, purpose: SealPurpose) -> bool:
    """Whether the purpose lies within the authorisation's scope. Its time, limit and approvers are not asked."""
    return (
        (authorisation.seal, authorisation.authority) == (purpose.seal, purpose.authority)
        and (not authorisation.items or purpose.item in authorisation.items)
        and (not authorisation.types or purpose.type in authorisation.types)
        and (not authorisation.actions or purpose.action in authorisation.actions)
        and (not authorisation.persons or bool(_named(authorisation, purpose)))
    )


def governing(authorisations: Iterable[SealAuthorisation], purpose: SealPurpose) -> tuple[SealAuthorisation, ...]:
    """Of those in force, the ones that cover the purpose and are not wider than another that does."""
    covering = [one for one in authorisations if covers(one, purpose)]
    return tuple(one for one in covering if not any(is_narrower(other, one) for other in covering))


def shortfall(authorisation: SealAuthorisation, purpose: SealPurpose, uses: int) -> str:
    """Why an authorisation that covers the purpose does not allow one more use after `uses` (Chinese); empty if so."""
    if authorisation.limit and uses >= authorisation.limit:
        return f"授权 {authorisation.id} 限用 {authorisation.limit} 次，已用满"
    approvers = _named(authorisation, purpose) if authorisation.persons else purpose.persons
    if len(approvers) < authorisation.approvers:
        return f"授权 {authorisation.id} 须 {authorisation.approvers} 人批准（双人复核），现有 {len(approvers)} 人"
    return ""


def is_narrower(one: SealAuthorisation, other: SealAuthorisation) -> bool:
    """Whether the scope of `one` lies within that of `other` and is not the same."""
    pairs = list(_dimensions(one, other))
    within = all(not wide or (narrow and narrow <= wide) for narrow, wide in pairs)
    return within and any(narrow != wide for narrow, wide in pairs)


def contradicted(new: SealAuthorisation, existing: Sequence[tuple[SealAuthorisation, datetime]]) -> str:
    """Why `new` contradicts one of `existing`, each with the moment it ends (Chinese); empty when it does not."""
    for other, ends in existing:
        if other.id == new.id:
            if other.canonical() != new.canonical():
                return f"已有同号授权 {other.id}，内容不同"
        elif _overlap(new, other, ends) and not (is_narrower(new, other) or is_narrower(other, new)):
            if _terms(new) != _terms(other):
                return f"与授权 {other.id} 的适用范围重叠而条件不同（次数或批准人数）"
            if new.limit:
                return f"与授权 {other.id} 的适用范围重叠，次数无从计算"
    return ""


def _overlap(new: SealAuthorisation, other: SealAuthorisation, ends: datetime) -> bool:
    same = (new.seal, new.authority) == (other.seal, other.authority)
    at_once = new.since < min(ends, other.until) and other.since < new.until
    return same and at_once and all(not one or not two or one & two for one, two in _dimensions(new, other))


def _dimensions(one: SealAuthorisation, two: SealAuthorisation) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    yield frozenset(one.items), frozenset(two.items)
    yield frozenset(one.types), frozenset(two.types)
    yield frozenset(one.actions), frozenset(two.actions)
    yield frozenset(one.persons), frozenset(two.persons)


def _terms(authorisation: SealAuthorisation) -> tuple[int, int]:
    return authorisation.limit, authorisation.approvers


def _named(authorisation: SealAuthorisation, purpose: SealPurpose) -> set[str]:
    return set(purpose.persons) & set(authorisation.persons)
