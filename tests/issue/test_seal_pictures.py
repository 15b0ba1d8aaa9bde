"""A seal's picture leaves the system only to its keeper, approved, and the journal says so."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from certlib.domain.seal import SealSpec
from certlib.errors import NotFoundError, RequestError
from certlib.formats.leaf import Leaf
from certlib.issue.settings import Settings
from certlib.register.journal_tables import JournalEvent
from certlib.register.tables import AccessRow
from certlib.sealing.raster import check_png
from tests.issue.conftest import Desk

SEAL = "36070000000002"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """One database suffices: nothing here depends on which."""
    return Settings(home=tmp_path / "home", suite="p256-sha256")


def wish(desk: Desk, **changes: Any) -> dict[str, Any]:
    """A request of the keeper that is in order, with changes."""
    keeper = desk.office.seals.seal(SEAL)["keeper"]
    good = {
        "person": keeper,
        "second_person": "李文静",
        "document_number": "赣市行审印〔2026〕9号",
        "reason": "印模备案",
    }
    return {**good, **changes}


def leaves(desk: Desk) -> list[Leaf]:
    """What the journal says of pictures."""
    with desk.office.register.reader() as session:
        bodies = session.exec(select(JournalEvent.body)).all()
    return [leaf for leaf in map(Leaf.decode, bodies) if leaf.kind == "seal:picture-given"]


def test_the_keeper_gets_it_and_it_is_on_record(desk: Desk) -> None:
    """A sound picture; the access log keeps who, why and which bytes, the journal the digest of that line."""
    png = desk.office.seals.picture(SEAL, wish(desk), client="certctl")
    known: SealSpec = desk.office.catalogue.seals[SEAL]
    check_png(png, known)
    with desk.office.register.reader() as session:
        (line,) = session.exec(select(AccessRow).where(AccessRow.subject == f"seal/{SEAL}/picture")).all()
    assert all(part in line.purpose for part in ("印模备案", "李文静", hashlib.sha256(png).hexdigest()))
    (leaf,) = leaves(desk)
    assert (leaf.seal, leaf.commitment) == (SEAL, hashlib.sha256(line.purpose.encode()).digest())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"person": "赵无关"}, "not-the-keeper"),
        ({"reason": ""}, ""),
        ({"document_number": ""}, ""),
        ({"second_person": ""}, ""),
        ({"second_person": "KEEPER"}, "same-person"),
    ],
)
def test_nobody_else_and_for_no_unstated_purpose(desk: Desk, changes: dict[str, str], code: str) -> None:
    """Refused, and nothing is journalled, for nothing was given."""
    raw = wish(desk, **changes)
    if raw["second_person"] == "KEEPER":
        raw["second_person"] = raw["person"]
    with pytest.raises(RequestError) as refused:
        desk.office.seals.picture(SEAL, raw, client="certctl")
    assert {fault.path for fault in refused.value.faults} == set(changes)
    assert not code or [fault.code for fault in refused.value.faults] == [code]
    assert leaves(desk) == []


def test_a_seal_whose_life_is_over_gives_none(desk: Desk) -> None:
    """Revoked, or not on record."""
    raw = wish(desk)
    revoke = {
        "act": "revoke",
        "cause": "medium-lost",
        "person": "王素珍",
        "document_number": "赣市行审印〔2026〕8号",
    }
    desk.office.seals.act(SEAL, revoke, client="certctl")
    with pytest.raises(RequestError, match="未调取"):
        desk.office.seals.picture(SEAL, raw, client="certctl")
    with pytest.raises(NotFoundError):
        desk.office.seals.picture("36070000009999", raw, client="certctl")
