"""Seal authorisations: what they cover, which of several governs, and which contradict each other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certlib.domain.seal import SealAuthorisation
from certlib.domain.seal_authorisation import SealPurpose, contradicted, covers, governing, is_narrower, shortfall

FROM, TO = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
STANDING = SealAuthorisation(
    id="standing",
    seal="36070000000002",
    authority="ganzhou-approval",
    since=FROM,
    until=TO,
    basis="赣市府办发〔2022〕7号",
)
PURPOSE = SealPurpose(
    seal="36070000000002",
    authority="ganzhou-approval",
    item="2-25",
    type="medical-device-licence",
    action="issue",
    persons=("王素珍",),
)


def auth(name: str, **parts: Any) -> SealAuthorisation:
    return replace(STANDING, id=name, **parts)


@pytest.mark.parametrize(
    ("parts", "covered"),
    [
        ({}, True),
        ({"seal": "36070000000022"}, False),
        ({"authority": "ganzhou-agriculture"}, False),
        ({"items": ("2-25", "2-26")}, True),
        ({"items": ("2-26",)}, False),
        ({"types": ("medical-device-licence",)}, True),
        ({"types": ("gas-licence",)}, False),
        ({"actions": ("issue",)}, True),
        ({"actions": ("change",)}, False),
        ({"persons": ("王素珍", "李文静")}, True),
        ({"persons": ("李文静",)}, False),
    ],
)
def test_every_part_of_the_scope_is_asked(parts: dict[str, Any], covered: bool) -> None:
    """A seal used outside any one of them is not covered."""
    assert covers(auth("a", **parts), PURPOSE) is covered


def test_what_has_no_item_is_not_covered_by_an_authorisation_for_items() -> None:
    """An act ex officio has no item; nobody has authorised it there."""
    assert not covers(auth("a", items=("2-25",)), replace(PURPOSE, item=""))
    assert covers(STANDING, replace(PURPOSE, item=""))


def test_the_narrowest_governs() -> None:
    """A limit on one item holds although a wider authorisation is in force; elsewhere the wider one does."""
    limited = auth("limited", items=("2-25",), limit=2)
    assert governing([STANDING, limited], PURPOSE) == (limited,)
    assert governing([STANDING, limited], replace(PURPOSE, item="2-26")) == (STANDING,)
    assert shortfall(limited, PURPOSE, uses=1) == ""
    assert "用满" in shortfall(limited, PURPOSE, uses=2)


def test_two_approvers_are_two_persons_whom_the_authorisation_names() -> None:
    """One is too few; a second one whom it does not name does not count."""
    double = auth("double", approvers=2)
    assert "双人复核" in shortfall(double, PURPOSE, uses=0)
    assert shortfall(double, replace(PURPOSE, persons=("王素珍", "李文静")), uses=0) == ""
    named = replace(double, persons=("王素珍", "陈志远"))
    assert "双人复核" in shortfall(named, replace(PURPOSE, persons=("王素珍", "李文静")), uses=0)
    assert shortfall(named, replace(PURPOSE, persons=("王素珍", "陈志远")), uses=0) == ""


CONTRADICTIONS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("same scope, other limit", {"limit": 5}, {}, "条件不同"),
    ("same scope, other approvers", {"approvers": 2}, {}, "条件不同"),
    (
        "overlapping items, other limit",
        {"items": ("2-25", "2-26"), "limit": 5},
        {"items": ("2-26", "2-27")},
        "条件不同",
    ),
    (
        "item against type, other approvers",
        {"items": ("2-25",), "approvers": 2},
        {"types": ("medical-device-licence",)},
        "条件不同",
    ),
    ("the same limit twice", {"items": ("2-25",), "limit": 5}, {"items": ("2-25",), "limit": 5}, "无从计算"),
    ("same terms", {"items": ("2-25", "2-26")}, {"items": ("2-26", "2-27")}, ""),
    ("narrower, with a limit", {"items": ("2-25",), "limit": 5}, {}, ""),
    ("wider", {}, {"items": ("2-25",), "limit": 5}, ""),
    ("other items", {"items": ("2-25",), "limit": 5}, {"items": ("2-26",)}, ""),
    ("other persons", {"persons": ("王素珍",), "limit": 5}, {"persons": ("李文静",)}, ""),
    ("other seal", {"seal": "36070000000022", "limit": 5}, {}, ""),
    ("other authority", {"authority": "ganzhou-agriculture", "limit": 5}, {}, ""),
    ("after the other", {"since": TO, "until": TO + timedelta(1), "limit": 5}, {}, ""),
    ("until the other begins", {"since": FROM - timedelta(1), "until": FROM, "limit": 5}, {}, ""),
]


@pytest.mark.parametrize(
    ("new", "old", "why"), [row[1:] for row in CONTRADICTIONS], ids=[row[0] for row in CONTRADICTIONS]
)
def test_what_contradicts(new: dict[str, Any], old: dict[str, Any], why: str) -> None:
    """Overlapping in scope and time, neither within the other, on other terms: it could not be said which holds."""
    existing = auth("old", **old)
    found = contradicted(auth("new", **new), [(existing, existing.until)])
    assert found == "" if not why else why in found and "old" in found


def test_the_same_id_with_other_content_contradicts_and_with_the_same_does_not() -> None:
    """An authorisation is its text: a second one under its name is another."""
    assert "内容不同" in contradicted(auth("old", basis="其他"), [(auth("old"), TO)])
    assert contradicted(auth("old"), [(auth("old"), TO)]) == ""


def test_one_that_was_ended_early_no_longer_stands_in_the_way() -> None:
    """Its time is over when it was ended, not when it would have run out."""
    ended = FROM + timedelta(days=10)
    new = auth("new", since=ended, limit=5)
    assert contradicted(new, [(auth("old"), ended)]) == ""
    assert contradicted(new, [(auth("old"), ended + timedelta(1))])


_SETS = st.lists(st.sampled_from(["a", "b"]), max_size=2, unique=True).map(tuple)
_SCOPES = st.builds(auth, st.sampled_from(["x", "y"]), items=_SETS, types=_SETS, actions=_SETS, persons=_SETS)


@given(_SCOPES, _SCOPES, _SCOPES)
@settings(max_examples=300, deadline=None)
def test_narrower_is_an_order(one: SealAuthorisation, two: SealAuthorisation, three: SealAuthorisation) -> None:
    """Never of itself, never both ways, and passed on."""
    assert not is_narrower(one, one)
    assert not (is_narrower(one, two) and is_narrower(two, one))
    if is_narrower(one, two) and is_narrower(two, three):
        assert is_narrower(one, three)


@given(st.lists(_SCOPES, min_size=1, max_size=5), _SETS)
@settings(max_examples=300, deadline=None)
def test_whatever_is_covered_is_governed(scopes: list[SealAuthorisation], persons: tuple[str, ...]) -> None:
    """Taking the narrowest never leaves a covered use without an authorisation, nor covers another."""
    purpose = replace(PURPOSE, item="a", type="a", action="b", persons=persons)
    found = governing(scopes, purpose)
    assert bool(found) == any(covers(one, purpose) for one in scopes)
    assert all(covers(one, purpose) for one in found)
