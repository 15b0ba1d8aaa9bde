"""One encoding for one value, one signature for one message."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.crypto import cbor
from certlib.crypto.cose import ALG, KID, algorithm_of, key_id, read1, sign1
from certlib.crypto.development import development_key
from certlib.errors import ConfigurationError, VerificationError

scalars = (
    st.none() | st.booleans() | st.integers(-(1 << 64), (1 << 64) - 1) | st.binary(max_size=40) | st.text(max_size=40)
)
keys = st.integers(-1000, 1000) | st.text(max_size=8)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5), max_leaves=20
)
P256, ED25519 = development_key("code-2026"), development_key("trust-2026")


def depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth, inner), default=0)


@given(values.filter(lambda value: depth(value) <= cbor.MAX_DEPTH))
def test_a_value_is_read_as_it_was_written(value: Any) -> None:
    """Whatever our formats may hold."""
    assert cbor.decode(cbor.encode(value)) == value


@given(st.binary(max_size=60))
def test_what_is_read_has_no_other_encoding(data: bytes) -> None:
    """Any bytes are the one encoding of a value, or refused."""
    try:
        value = cbor.decode(data)
    except ValueError:
        return
    assert cbor.encode(value) == data


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "00"),
        (23, "17"),
        (24, "1818"),
        (1000000000000, "1b000000e8d4a51000"),
        (18446744073709551615, "1bffffffffffffffff"),
        (-1, "20"),
        (-1000, "3903e7"),
        (False, "f4"),
        (None, "f6"),
        (b"\x01\x02\x03\x04", "4401020304"),
        ("水", "63e6b0b4"),
        ([1, [2, 3], [4, 5]], "8301820203820405"),
        ({1: 2, 3: 4}, "a201020304"),
        ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
    ],
)
def test_the_examples_of_rfc_8949_are_reproduced(value: Any, encoded: str) -> None:
    """Appendix A, those of our types."""
    assert cbor.encode(value).hex() == encoded
    assert cbor.decode(bytes.fromhex(encoded)) == value


@pytest.mark.parametrize(
    "encoded",
    [
        "1817",
        "190018",
        "1a00000018",
        "5803010203",
        "9f0102ff",
        "5f42010243030405ff",
        "f93c00",
        "c074323031332d30332d32315432303a30343a30305a",
        "a203040102",
        "a201020103",
        "a1f401",
        "61ff",
        "0000",
        "1c",
        "ff",
        "f7",
        "818181818181818181818100",
        "9bffffffffffffffff00",
    ],
)
def test_another_encoding_is_refused(encoded: str) -> None:
    """Long integers, indefinite lengths, floats, tags, disorder, doubles, bad UTF-8, trailing bytes, depth."""
    with pytest.raises(ValueError, match=r"."):
        cbor.decode(bytes.fromhex(encoded))


@given(st.binary(max_size=100), st.sampled_from([P256, ED25519]), st.booleans())
def test_a_message_is_read_and_holds(payload: bytes, key: Any, tagged: bool) -> None:
    """By either algorithm, with a tag and without."""
    message = read1(sign1(payload, key, {KID: key_id(key.public_key)}, tagged=tagged), tagged=tagged)
    message.verify(key.public_key)
    assert (message.payload, message.kid) == (payload, key_id(key.public_key))
    assert message.algorithm == algorithm_of(key.suite).number


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_byte_of_a_message_can_be_changed(place: int, change: int) -> None:
    """The reader refuses it, or the signature does."""
    data = sign1(b"payload", P256, {KID: b"1234"})
    at = place % len(data)
    spoiled = data[:at] + bytes([data[at] ^ change]) + data[at + 1 :]
    with pytest.raises((ValueError, VerificationError)):
        read1(spoiled).verify(P256.public_key)


def test_the_key_decides_the_algorithm() -> None:
    """A message under one key does not hold under another, of whatever kind."""
    message = read1(sign1(b"", P256, {}))
    for other in (ED25519.public_key, development_key("status-2026").public_key):
        with pytest.raises(VerificationError):
            message.verify(other)
    assert message.headers == {ALG: -7}
    with pytest.raises(ConfigurationError):
        algorithm_of("rsa3072-sha256")
