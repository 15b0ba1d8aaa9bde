"""The life of a sheet and of a blank."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.domain.certificate import SheetFate
from certlib.domain.paper import (
    BLANK_TRANSITIONS,
    SHEET_PROOFS,
    SHEET_TRANSITIONS,
    Blank,
    BlankAct,
    BlankState,
    SheetAct,
    SheetState,
    decide_sheet,
    move_blank,
    permitted_sheet_acts,
    proof_faults,
)
from certlib.errors import TransitionError


@pytest.mark.parametrize(("state", "act"), list(product(SheetState, SheetAct)))
def test_every_pair_is_either_in_the_table_or_refused(state: SheetState, act: SheetAct) -> None:
    """A sheet goes where the table says; every other act is refused with a Chinese sentence that says what it is."""
    if (state, act) in SHEET_TRANSITIONS:
        assert decide_sheet(state, act).target is SHEET_TRANSITIONS[state, act]
        assert act in permitted_sheet_acts(state)
        return
    with pytest.raises(TransitionError, match=r"此实体证照.*不能"):
        decide_sheet(state, act)


@pytest.mark.parametrize(("state", "act"), list(product(BlankState, BlankAct)))
def test_every_blank_pair_is_either_in_the_table_or_refused(state: BlankState, act: BlankAct) -> None:
    """A blank goes where the table says; a serial once used can never be used again."""
    blank = Blank("GZ000001", "gas-licence", state, "A1")
    if (state, act) in BLANK_TRANSITIONS:
        assert move_blank(blank, act, window="A1").state is BLANK_TRANSITIONS[state, act]
        return
    with pytest.raises(TransitionError, match="空白证照 GZ000001"):
        move_blank(blank, act, window="A1")


def test_no_way_leads_back_to_unused_paper() -> None:
    """From used, spoiled, lost or destroyed no sequence of acts leads to a blank that can be printed on."""
    reached = {BlankState.USED, BlankState.SPOILED, BlankState.LOST, BlankState.DESTROYED}
    while True:
        more = {target for (source, _), target in BLANK_TRANSITIONS.items() if source in reached}
        if more <= reached:
            break
        reached |= more
    assert not reached & {BlankState.STOCK, BlankState.ALLOTTED}


@given(st.lists(st.sampled_from(SheetAct), max_size=12))
def test_a_sheet_once_void_or_lost_is_never_sound_again(acts: list[SheetAct]) -> None:
    """Whatever is done with it, also when it is found again."""
    state, fate, ever = SheetState.TO_PRINT, SheetFate.SOUND, False
    for act in acts:
        try:
            move = decide_sheet(state, act, fate=fate)
        except TransitionError:
            continue
        state, fate = move.target, move.fate
        assert not (ever and fate is SheetFate.SOUND)
        ever = ever or fate is not SheetFate.SOUND
        sound = state in {SheetState.TO_PRINT, SheetState.PRINTED, SheetState.COLLECTED}
        assert sound == (fate is SheetFate.SOUND)


def test_an_old_edition_is_not_printed() -> None:
    """Only the newest edition comes onto paper."""
    with pytest.raises(TransitionError, match="旧版本"):
        decide_sheet(SheetState.TO_PRINT, SheetAct.PRINT, current=False)


def test_a_found_sheet_stays_lost() -> None:
    """A sheet declared lost and found again is taken in, and its verdict stays that of a lost one."""
    move = decide_sheet(SheetState.LOST, SheetAct.SURRENDER, fate=SheetFate.LOST)
    assert (move.target, move.fate) == (SheetState.SURRENDERED, SheetFate.LOST)


def test_printing_uses_a_blank_of_the_right_type_at_the_right_window() -> None:
    """A serial of another type or another window is refused, naming both."""
    blank = move_blank(Blank("GZ000001", "gas-licence"), BlankAct.ALLOT, window="A1")
    act = decide_sheet(SheetState.TO_PRINT, SheetAct.PRINT).blank
    assert act is BlankAct.USE
    with pytest.raises(TransitionError, match="medical-device-licence"):
        move_blank(blank, act, type="medical-device-licence", window="A1")
    with pytest.raises(TransitionError, match="窗口“A2”"):
        move_blank(blank, act, type="gas-licence", window="A2")
    assert move_blank(blank, act, type="gas-licence", window="A1").state is BlankState.USED


def test_a_blank_in_stock_is_allotted_before_it_is_used() -> None:
    """Printing from stock without a window that answers for the sheet is refused."""
    with pytest.raises(TransitionError, match="在库，不能使用"):
        move_blank(Blank("GZ000001", "gas-licence"), BlankAct.USE)
    with pytest.raises(TransitionError, match="窗口"):
        move_blank(Blank("GZ000001", "gas-licence"), BlankAct.ALLOT)


def test_everything_missing_from_a_record_is_named_at_once() -> None:
    """Collection without any particulars names the collector, the relation, the identity paper and the receipt."""
    assert {fault.path for fault in proof_faults(SheetAct.COLLECT, {})} == {
        "collector",
        "relation",
        "document",
        "receipt",
    }
    assert all(fault.label for act in SHEET_PROOFS for fault in proof_faults(act, {}))


def test_a_stranger_may_not_collect() -> None:
    """Nobody but the holder, its legal representative or an agent with an authorisation takes a sheet."""
    given_ = {"collector": "李四", "relation": "neighbour", "document": "x", "receipt": "1"}
    assert [fault.path for fault in proof_faults(SheetAct.COLLECT, given_)] == ["relation"]
    agent = given_ | {"relation": "agent"}
    assert [fault.path for fault in proof_faults(SheetAct.COLLECT, agent)] == ["authorisation"]
    assert proof_faults(SheetAct.COLLECT, agent | {"authorisation": "委托书1"}) == []


def test_nobody_witnesses_their_own_act() -> None:
    """Spoiling and destroying want a second person."""
    record = {"reason": "卡纸", "person": "王五", "witness": "王五"}
    assert [fault.code for fault in proof_faults(SheetAct.SPOIL, record)] == ["same-person"]
    assert proof_faults(SheetAct.SPOIL, record | {"witness": "赵六"}) == []
