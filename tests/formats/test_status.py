"""The status list: every entry is read as written, and a list says nothing where it cannot know."""

import zlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certlib.crypto.cose import KID, TYPE, key_id, sign1
from certlib.crypto.development import development_key
from certlib.domain.verdict import StatusCode, Verdict
from certlib.errors import VerificationError
from certlib.formats.status import (
    MAX_TOKEN,
    MEDIA_TYPE,
    SHARD_BYTES,
    SHARD_SIZE,
    StatusList,
    pack,
    read_status_list,
    shard_of,
    sign_status_list,
)
from certlib.formats.status_entries import WIDTHS, deflate, inflate
from certlib.formats.trust import COMPROMISED, Names, TrustedKey, TrustList

NOW = datetime(2026, 4, 1, tzinfo=UTC)
STATUS, CODE = development_key("status-2026"), development_key("code-2026")
ADDRESS = "https://zwfw.example.gov.cn/public/status/1"


def trusted(**changes: object) -> TrustList:
    values: dict[str, object] = {"public_key": STATUS.public_key, "uses": ("status",), "issuer": Names("赣州市")}
    return TrustList(seq=1, issued=NOW, keys=(TrustedKey(**{**values, **changes}),))  # type: ignore[arg-type]


def token(pairs: dict[int, int], *, high_water: int = 2 * SHARD_SIZE) -> bytes:
    return sign_status_list(
        pack(pairs.items(), shard=1),
        shard=1,
        address=ADDRESS,
        journal_size=99,
        high_water=high_water,
        key=STATUS,
        now=NOW,
    )


@given(st.dictionaries(st.integers(SHARD_SIZE, 2 * SHARD_SIZE - 1), st.sampled_from(StatusCode), max_size=40))
@settings(max_examples=25)
def test_every_entry_is_read_as_it_was_written(pairs: dict[int, StatusCode]) -> None:
    """Any indices of the shard; the others are not in force."""
    found = read_status_list(token({n: int(code) for n, code in pairs.items()}), trusted())
    assert {n: found.status(n) for n in pairs} == pairs
    free = next(n for n in range(SHARD_SIZE, 2 * SHARD_SIZE) if n not in pairs)
    assert found.status(free) is StatusCode.NOT_IN_FORCE


@pytest.mark.parametrize("one_in", [1000, 100, 12, 3, 1])
def test_a_list_is_read_however_crowded_it_is(one_in: int) -> None:
    """Compressed for size or for speed, the entries are the same, and never larger than a byte for two."""
    packed = pack(((n, (n * 7919) % 16 if n % one_in == 0 else 0) for n in range(SHARD_SIZE)), shard=0, fill=0)
    small = deflate(packed)
    assert inflate(small, SHARD_BYTES) == packed
    assert len(small) < MAX_TOKEN


def test_the_signed_claims_are_those_given() -> None:
    """Journal size, high water, times and address come back; it is fresh for a day."""
    found = read_status_list(token({}, high_water=SHARD_SIZE + 7), trusted())
    assert (found.shard, found.address, found.journal_size, found.high_water) == (1, ADDRESS, 99, SHARD_SIZE + 7)
    assert (found.issued, found.ttl) == (NOW, timedelta(seconds=60))
    assert found.is_fresh(NOW + timedelta(hours=23, minutes=59))
    assert not found.is_fresh(NOW + timedelta(hours=24))
    assert not found.is_fresh(NOW - timedelta(hours=1))


def test_a_list_says_nothing_of_what_it_does_not_reach() -> None:
    """Above its high water, and of other shards."""
    found = read_status_list(token({SHARD_SIZE + 8: 0}, high_water=SHARD_SIZE + 7), trusted())
    assert found.status(SHARD_SIZE + 8) is None
    assert found.status(SHARD_SIZE - 1) is None
    assert found.status(2 * SHARD_SIZE) is None
    assert shard_of(SHARD_SIZE) == 1


def test_a_reserved_code_is_no_state() -> None:
    """A four-bit value without meaning here is not taken for any."""
    assert read_status_list(token({SHARD_SIZE: 0x7}), trusted()).status(SHARD_SIZE) is None


def test_a_full_list_is_as_small_as_the_reference() -> None:
    """One in a hundred revoked, three superseded: about 7 KB for 131,072 entries; untouched: a few hundred bytes."""
    mixed = {SHARD_SIZE + k: 1 if k % 100 == 0 else 3 if k % 33 == 0 else 0 for k in range(SHARD_SIZE)}
    assert len(token(mixed)) < 8000
    assert len(token({})) < 400


@pytest.mark.parametrize(
    ("spoil", "verdict"),
    [
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), Verdict.SIGNATURE_INVALID),
        (lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:], Verdict.SIGNATURE_INVALID),
        (lambda data: data[:-1], Verdict.UNREADABLE),
        (lambda data: data + b"\x00", Verdict.UNREADABLE),
        (lambda data: b"", Verdict.UNREADABLE),
        (lambda data: data[1:], Verdict.UNREADABLE),
        (lambda data: data * 1000, Verdict.UNREADABLE),
    ],
)
def test_a_spoiled_list_is_refused(spoil: object, verdict: Verdict) -> None:
    """A bit changed, cut, lengthened, untagged, too large."""
    with pytest.raises(VerificationError) as caught:
        read_status_list(spoil(token({SHARD_SIZE: 0})), trusted())  # type: ignore[operator]
    assert caught.value.code == verdict


@pytest.mark.parametrize(
    "changes",
    [{"uses": ("code",)}, {"public_key": CODE.public_key}, {"state": COMPROMISED}, {"until": NOW - timedelta(days=1)}],
)
def test_a_list_by_a_key_that_may_not_sign_it_is_refused(changes: dict[str, object]) -> None:
    """Another use, another key, compromised, retired before."""
    with pytest.raises(VerificationError) as caught:
        read_status_list(token({}), trusted(**changes))
    assert caught.value.code == Verdict.UNKNOWN_ISSUER


def test_a_bomb_in_a_good_signature_is_not_inflated() -> None:
    """A list that inflates to more than a shard is malformed, whoever signed it."""
    from certlib.crypto import cbor  # noqa: PLC0415

    claims = {
        2: ADDRESS,
        4: int(NOW.timestamp()) + 1,
        6: int(NOW.timestamp()),
        65533: {"bits": 4, "lst": zlib.compress(bytes(50_000_000))},
        65534: 60,
        -65537: 1,
        -65538: 1,
    }
    data = sign1(cbor.encode(claims), STATUS, {KID: key_id(STATUS.public_key), TYPE: MEDIA_TYPE}, tagged=True)
    with pytest.raises(VerificationError) as caught:
        read_status_list(data, trusted())
    assert caught.value.code == Verdict.UNREADABLE


@pytest.mark.parametrize("payload", [b"\x41\xf6", b"\x80", b"\xf6", b"\x01", b"\x61a", "claims"])
def test_other_claims_in_a_good_signature_are_unreadable(payload: bytes | str) -> None:
    """A string, a list, nothing, a number; an address that is a number: the list's own error, whoever signed it."""
    from certlib.crypto import cbor  # noqa: PLC0415

    claims = cbor.encode({2: 7, 4: 1, 6: 1, 65533: {"bits": 4, "lst": b""}, 65534: 60, -65537: 1, -65538: 1})
    headers = {KID: key_id(STATUS.public_key), TYPE: MEDIA_TYPE}
    data = sign1(claims if isinstance(payload, str) else payload, STATUS, headers, tagged=True)
    with pytest.raises(VerificationError) as caught:
        read_status_list(data, trusted())
    assert caught.value.code == Verdict.UNREADABLE


def test_only_a_shards_entries_and_codes_can_be_packed() -> None:
    """A code beyond four bits and an address of another shard are the issuer's mistakes."""
    with pytest.raises(ValueError, match="4 bits"):
        pack([(0, 16)], shard=0)
    with pytest.raises(ValueError, match="shard"):
        sign_status_list(
            bytes(SHARD_BYTES), shard=0, address=ADDRESS, journal_size=0, high_water=0, key=STATUS, now=NOW
        )


@pytest.mark.parametrize("bits", WIDTHS)
def test_a_list_of_any_width_is_signed_and_read(bits: int) -> None:
    """The widths of the draft: what fits is read as written, what does not fit cannot be packed."""
    codes = [code for code in StatusCode if code < 1 << bits]
    packed = pack([(SHARD_SIZE + n, code) for n, code in enumerate(codes)], shard=1, bits=bits, fill=0)
    data = sign_status_list(
        packed, shard=1, address=ADDRESS, journal_size=9, high_water=2 * SHARD_SIZE, key=STATUS, now=NOW, bits=bits
    )
    found = read_status_list(data, trusted())
    assert (found.bits, [found.status(SHARD_SIZE + n) for n in range(len(codes))]) == (bits, codes)
    with pytest.raises(ValueError, match="status code"):
        pack([(SHARD_SIZE, 1 << bits)], shard=1, bits=bits, fill=0)
    with pytest.raises(ValueError, match="shard"):
        sign_status_list(
            packed[1:], shard=1, address=ADDRESS, journal_size=9, high_water=9, key=STATUS, now=NOW, bits=bits
        )


@pytest.mark.parametrize("bits", [3, 16, 0])
def test_a_width_that_is_none_is_refused(bits: int) -> None:
    """Neither written nor read."""
    with pytest.raises(ValueError, match="1, 2, 4 or 8"):
        pack([], shard=0, bits=bits, fill=0)


def test_a_list_is_a_value() -> None:
    """Read twice it is equal: a cache may keep it."""
    data = token({SHARD_SIZE: 2})
    assert read_status_list(data, trusted()) == read_status_list(data, trusted())
    assert isinstance(read_status_list(data, trusted()), StatusList)
