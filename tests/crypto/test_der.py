"""The DER writer against an independent reader."""

from datetime import UTC, datetime

from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from certlib.crypto import der


@given(st.integers(min_value=0, max_value=2**200))
def test_an_integer_reads_back_in_its_shortest_form(value: int) -> None:
    """INTEGERs are what an independent encoder writes."""
    assert der.integer(value) == core.Integer(value).dump()


@given(st.lists(st.integers(min_value=0, max_value=2**130), min_size=1, max_size=6))
def test_an_object_identifier_reads_back(arcs: list[int]) -> None:
    """Object identifiers of any arc size, UUID arcs included, are what an independent encoder writes."""
    dotted = ".".join(map(str, (2, 25, *arcs)))
    assert core.ObjectIdentifier.load(der.oid(dotted)).native == dotted


@given(st.binary(max_size=70_000))
def test_lengths_of_every_size_are_definite_and_shortest(body: bytes) -> None:
    """Octet strings are what an independent encoder writes."""
    assert der.octets(body) == core.OctetString(body).dump()


@given(st.lists(st.binary(min_size=1, max_size=20).map(der.octets), max_size=6))
def test_a_set_is_in_ascending_order(parts: list[bytes]) -> None:
    """The order of what goes in does not matter: DER has one."""
    assert der.set_of(parts) == der.set_of(reversed(parts))
    assert der.set_of(parts) == der.tlv(der.SET, *sorted(parts))


def test_a_time_is_utc_in_whole_seconds() -> None:
    """GeneralizedTime carries no fraction and ends in Z."""
    assert der.generalized_time(datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)) == b"\x18\x0f20260102030405Z"
