"""Leaves: one encoding each, commitments only."""

from datetime import UTC, datetime, timedelta

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certlib.formats.leaf import Leaf, statuses_of

AT = datetime(2026, 3, 2, 1, 0, 0, 123000, tzinfo=UTC)
leaves = st.builds(
    Leaf,
    kind=st.sampled_from(["certificate:planned", "seal:used", "certificate:in-force"]),
    at=st.integers(1, 4_000_000_000_000).map(lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)),
    commitment=st.sampled_from([b"", b"c" * 32]),
    chain=st.sampled_from([b"", b"k" * 16]),
    step=st.integers(0, 2**40),
    previous=st.sampled_from([b"", b"p" * 32]),
    statuses=st.lists(st.tuples(st.integers(0, 2**40), st.integers(0, 15)), max_size=4).map(tuple),
    file=st.sampled_from([b"", b"f" * 32]),
    seal=st.sampled_from(["", "36070000000003"]),
    use=st.integers(0, 2**40),
)


@given(leaves)
def test_a_leaf_reads_as_it_writes(leaf: Leaf) -> None:
    """To the millisecond, in canonical CBOR (RFC 8949, 4.2.1)."""
    data = leaf.encode()
    assert Leaf.decode(data) == leaf
    assert data == cbor2.dumps(cbor2.loads(data), canonical=True)


@given(leaves)
def test_the_statuses_alone_are_those_of_the_whole(leaf: Leaf) -> None:
    """What the status lists are computed from is what the leaf says."""
    assert statuses_of(leaf.encode()) == leaf.statuses


@given(st.binary(max_size=60))
def test_no_statuses_are_seen_in_other_bytes(data: bytes) -> None:
    """Pairs of index and code, or an error of one kind."""
    try:
        found = statuses_of(data)
    except ValueError:
        return
    assert all(n >= 0 and 0 <= code < 16 for n, code in found)


@given(st.binary(max_size=60))
def test_any_other_bytes_are_refused_with_a_value_error(data: bytes) -> None:
    """Nothing but a leaf's own encoding is taken for a leaf."""
    try:
        leaf = Leaf.decode(data)
    except ValueError:
        return
    assert leaf.encode() == data


@pytest.mark.parametrize(
    "data",
    [
        cbor2.dumps({1: "a:b"}),  # no time
        cbor2.dumps({2: 1}),  # no kind
        cbor2.dumps({2: 1, 1: "a:b"}),  # keys out of order
        cbor2.dumps({1: "a:b", 2: 1, 11: 1}),  # an unknown key
        cbor2.dumps({1: "a:b", 2: 1, 5: 0}),  # an empty value
        bytes.fromhex("a2f563613a620201"),  # true for the key 1
        bytes.fromhex("a2f93c0063613a620201"),  # 1.0 for it
        bytes.fromhex("a2e163613a620201"),  # simple(1) for it
        cbor2.dumps({1: b"a:b", 2: 1}),
        cbor2.dumps({1: "a:b", 2: 1.0}),
        cbor2.dumps({1: "a:b", 2: True}),
        cbor2.dumps({1: "a:b", 2: -1}),
        cbor2.dumps({1: "a:b", 2: 2**80}),
        cbor2.dumps({1: "a:b", 2: 2**53 - 1}),  # a time no calendar has
        cbor2.dumps({1: "a:b", 2: 1, 7: [[1]]}),
        cbor2.dumps({1: "a:b", 2: 1, 7: [[1, 16]]}),
        cbor2.dumps({1: "a:b", 2: 1, 7: [[-1, 0]]}),
        cbor2.dumps({1: "a:b", 2: 1, 7: [["1", 0]]}),
        cbor2.dumps({1: "a:b", 2: 1, 7: ["ab"]}),
        bytes.fromhex("a20163613a620218ff") + b"\x00",  # something behind it
        bytes.fromhex("a20163613a62021900ff"),  # 255 not in the shortest form
        bytes.fromhex("bf0163613a620201ff"),  # indefinite length
        bytes.fromhex("a30163613a6202010201"),  # a key twice
        b"\x81" * 60_000,
        b"",
    ],
)
def test_a_second_spelling_or_a_wrong_type_is_no_leaf(data: bytes) -> None:
    """Two byte strings never mean the same event."""
    with pytest.raises(ValueError, match=r"leaf|value|status|type"):
        Leaf.decode(data)


def test_a_leaf_holds_no_empty_values() -> None:
    """The smallest leaf is kind and time."""
    assert cbor2.loads(Leaf(kind="key:added", at=AT).encode()) == {1: "key:added", 2: 1772413200123}


def read_the_long_way(data: bytes) -> Leaf | None:
    try:
        return Leaf._by_map(data)
    except ValueError:
        return None


@given(leaves, st.data())
@settings(max_examples=300)
def test_the_short_way_reads_what_the_long_way_reads(leaf: Leaf, data: st.DataObject) -> None:
    """Byte by byte changed, taken away or put in: the two never disagree on what a leaf is, nor on what it says."""
    Leaf.decode(leaf.encode())  # its kind is known from here on
    for _ in range(8):
        entry = leaf.encode()
        at, byte = data.draw(st.integers(0, len(entry))), data.draw(st.binary(max_size=1))
        entry = entry[:at] + byte + entry[at + data.draw(st.integers(0, 1)) :]
        try:
            found = Leaf.decode(entry)
        except ValueError:
            found = None
        assert found == read_the_long_way(entry)
