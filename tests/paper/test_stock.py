"""The stock of blanks as a double-entry ledger."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.domain.paper import BLANK_TRANSITIONS, BlankState
from certlib.domain.stock import SUPPLIER, Balance, Movement, SerialRange, StockLedger, account, balance, compare
from certlib.errors import TransitionError

TYPES = ("gas-licence", "medical-device-licence")
ACCOUNTS = (SUPPLIER, "stock", "allotted:A1", "allotted:A2", "used", "spoiled", "lost", "destroyed")


def movement(first: int, last: int, source: str, target: str, kind: str = "gas-licence") -> Movement:
    return Movement(kind, SerialRange("GZ", 6, first, last), source, target)


def _is_a_way(one: Movement) -> bool:
    source, target = (name.partition(":")[0] for name in (one.source, one.target))
    ways = {(str(start), str(end)) for (start, _), end in BLANK_TRANSITIONS.items()}
    return (source, target) in ways | {(SUPPLIER, "stock")}


movements = st.builds(
    lambda first, count, source, target, kind: movement(first, first + count, source, target, kind),
    st.integers(0, 30),
    st.integers(0, 8),
    st.sampled_from(ACCOUNTS),
    st.sampled_from(ACCOUNTS),
    st.sampled_from(TYPES),
)


@given(st.lists(movements, max_size=40))
def test_ranges_say_the_same_as_counting_sheet_by_sheet(wanted: list[Movement]) -> None:
    """The ledger accepts, refuses and places exactly what a model of single sheets does, and always balances."""
    ledger, model = StockLedger(), dict[str, tuple[str, str]]()
    for one in wanted:
        expected = None if one.source == SUPPLIER else (one.type, one.source)
        fits = all(model.get(serial) == expected for serial in one.serials)
        try:
            ledger.post(one)
        except TransitionError:
            assert not (fits and _is_a_way(one))
            continue
        assert fits
        assert _is_a_way(one)
        model |= dict.fromkeys(one.serials, (one.type, one.target))
    assert all(ledger.where(f"GZ{number:06d}") == model.get(f"GZ{number:06d}") for number in range(45))
    book = balance(ledger.movements)
    for kind, present in book.items():
        states = Counter(place.partition(":")[0] for found, place in model.values() if found == kind)
        assert {state: present.of(state) for state in BlankState} == {state: states[state] for state in BlankState}
        assert (present.difference, present.overdrawn) == (0, ())
        assert present.received == sum(states.values())


def test_a_whole_year_balances() -> None:
    """Received = stock + allotted + used + spoiled + lost + destroyed."""
    ledger = StockLedger()
    for one in (
        movement(1, 500, SUPPLIER, "stock"),
        movement(1, 100, "stock", "allotted:A1"),
        movement(1, 60, "allotted:A1", "used"),
        movement(61, 61, "allotted:A1", "spoiled"),
        movement(62, 62, "allotted:A1", "lost"),
        movement(91, 100, "allotted:A1", "stock"),
        movement(3, 3, "used", "destroyed"),
        movement(61, 61, "spoiled", "destroyed"),
    ):
        ledger.post(one)
    present = balance(ledger.movements)["gas-licence"]
    assert {str(state): present.of(state) for state in BlankState} == {
        "stock": 410,
        "allotted": 28,
        "used": 59,
        "spoiled": 0,
        "lost": 1,
        "destroyed": 2,
    }
    assert (present.received, present.difference) == (500, 0)


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (movement(90, 120, SUPPLIER, "stock"), "GZ000090 已经入库，编号重叠"),
        (movement(101, 101, "stock", "allotted:A1"), "GZ000101 从未入库"),
        (movement(1, 1, "allotted:A2", "used"), "GZ000001 现为“已领用（A1）”"),
        (movement(50, 50, "allotted:A1", "used", "medical-device-licence"), "是“gas-licence”的空白"),
        (movement(50, 50, "stock", "used"), "不能由“在库”转为“已使用”"),
        (movement(2, 2, "used", "stock"), "不能由“已使用”转为“在库”"),
        (movement(50, 50, "stock", "allotted"), "没有“allotted”这个账户"),
        (movement(50, 50, "shelf", "stock"), "shelf"),
        (movement(200, 210, SUPPLIER, "used"), "不能由“印制单位”转为“已使用”"),
    ],
)
def test_a_wrong_movement_names_the_serial_and_books_nothing(one: Movement, sentence: str) -> None:
    """A range overlapping another, a serial never received, of another window or type, or a way that is not one."""
    ledger = StockLedger()
    ledger.post(movement(1, 100, SUPPLIER, "stock"))
    ledger.post(movement(1, 10, "stock", "allotted:A1"))
    ledger.post(movement(2, 2, "allotted:A1", "used"))
    with pytest.raises(TransitionError, match=sentence):
        ledger.post(one)
    assert len(ledger.movements) == 3


def test_a_sheet_missing_from_the_shelf_is_found_at_night() -> None:
    """The nightly check compares the book with the blanks counted one by one and names the account."""
    book = balance([movement(1, 100, SUPPLIER, "stock"), movement(1, 10, "stock", account(BlankState.ALLOTTED, "A1"))])
    counted = {("gas-licence", BlankState.STOCK): 90, ("gas-licence", BlankState.ALLOTTED): 10}
    assert [finding.outcome for finding in compare(book, counted)] == ["pass"]
    short = compare(book, counted | {("gas-licence", BlankState.STOCK): 89})
    assert [(finding.outcome, finding.detail) for finding in short] == [("fail", "在库账面 90 张，实数 89 张")]
    stray = compare(book, counted | {("gas-licence", BlankState.USED): 1})
    assert stray[0].detail == "已使用账面 0 张，实数 1 张"


def test_a_book_that_does_not_balance_is_found() -> None:
    """An account that gave more than it had, or a total that does not add up, is a breach of its own."""
    forged = {"gas-licence": Balance({SUPPLIER: -10, "stock": 12, "allotted:A1": -1})}
    details = [finding.detail for finding in compare(forged, {("gas-licence", BlankState.STOCK): 12})]
    assert any("差 -1 张，透支账户 allotted:A1" in detail for detail in details)


@pytest.mark.parametrize(
    ("first", "last", "reason"),
    [
        ("GZ000010", "GZ000001", "不得大于"),
        ("GZ000001", "GX000010", "字头"),
        ("GZ000001", "GZ0000010", "位数"),
        ("GZ", "GZ", "数字"),
        ("GZ0000001", "GZ9000000", "最多"),
    ],
)
def test_a_range_that_is_none_is_refused(first: str, last: str, reason: str) -> None:
    """Both ends share prefix and width, count up, and are not absurdly far apart."""
    with pytest.raises(ValueError, match=reason):
        SerialRange.of(first, last)


def test_a_range_knows_its_serials() -> None:
    """It gives them in order, knows what belongs to it and what it shares with another."""
    span = SerialRange.of("赣燃 No.0098", "赣燃 No.0102")
    assert list(span) == ["赣燃 No.0098", "赣燃 No.0099", "赣燃 No.0100", "赣燃 No.0101", "赣燃 No.0102"]
    assert "赣燃 No.0100" in span
    assert "赣燃 No.00100" not in span
    assert span.overlaps(SerialRange.of("赣燃 No.0102", "赣燃 No.0200"))
    assert not span.overlaps(SerialRange.of("赣燃 No.0103", "赣燃 No.0200"))
    assert not span.overlaps(SerialRange.of("0102", "0200"))
