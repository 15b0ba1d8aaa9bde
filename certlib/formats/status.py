"""The status list: one code for every index n, in shards of 131,072, signed.

A token after the IETF's Token Status List (draft-ietf-oauth-status-list, “Status List Token in CWT format”): COSE_Sign1
with tag 18, claims `sub` (the shard's address), `iat`, `exp`, `ttl`, `status_list {bits, lst}`. Two claims of our own
are signed with it: the size of the journal it was computed from, and the highest index n allotted by then. Above that
index, and after `exp`, the list says nothing. We publish four bits an entry; a list of 1, 2 or 8 is written and read as
well (`status_entries`), so that the draft's vectors hold here and another width is one argument.

    packed = pack(pairs, shard=0)                       # 65,536 bytes, filled with 0xF “not in force”
    token = sign_status_list(packed, shard=0, address=…, journal_size=…, high_water=…, key=…, now=…)
    read_status_list(token, trust, at=now).status(n)    # a StatusCode, or None when it cannot say

Codes and their meaning are `certlib.domain.verdict.StatusCode`. A shard is the smallest thing a verifier asks for, so
nobody learns which certificate is being checked.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from certlib.crypto import cbor
from certlib.crypto.cose import KID, TYPE, key_id, read1, sign1
from certlib.crypto.keys import SigningKey
from certlib.domain.verdict import StatusCode, Verdict
from certlib.errors import VerificationError
from certlib.formats.status_entries import deflate, entry, filled, inflate, put, size_of
from certlib.formats.trust import TrustList

BITS = 4
SHARD_SIZE = 1 << 17  # entries
SHARD_BYTES = SHARD_SIZE * BITS // 8
TTL, LIFE = timedelta(seconds=60), timedelta(hours=24)
MEDIA_TYPE = "application/statuslist+cwt"
MAX_TOKEN = SHARD_SIZE + 4096  # bytes; a list of eight bits that does not compress is hardly longer than itself

_SUB, _EXP, _IAT = 2, 4, 6  # RFC 8392 §3.1
_STATUS_LIST, _TTL = 65533, 65534  # draft-ietf-oauth-status-list, CWT claims registration
_JOURNAL_SIZE, _HIGH_WATER = -65537, -65538  # private use, RFC 8392 §9.1
_FUTURE = timedelta(minutes=5)  # a verifier's clock may be that much behind


def shard_of(n: int) -> int:
    """The shard in which index `n` has its entry."""
    return n // SHARD_SIZE


def pack(
    pairs: Iterable[tuple[int, int]], *, shard: int, bits: int = BITS, fill: int = StatusCode.NOT_IN_FORCE
) -> bytes:
    """The entries of a shard from pairs (n, code); a later pair wins, pairs of other shards are passed over.

    `fill` is the code of an entry of which nothing is known. Raises `ValueError` for a code beyond `bits`.
    """
    packed = filled(SHARD_SIZE, bits=bits, code=fill)
    repack(packed, pairs, shard=shard, bits=bits)
    return bytes(packed)


def repack(packed: bytearray, pairs: Iterable[tuple[int, int]], *, shard: int, bits: int = BITS) -> None:
    """Write pairs (n, code) into the entries of a shard in place. Raises `ValueError` for a code beyond `bits`."""
    first = shard * SHARD_SIZE
    for n, code in pairs:
        if 0 <= n - first < SHARD_SIZE:
            put(packed, n - first, code, bits=bits)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusList:
    """A shard as read. `issued` is the time of its data; it says nothing above `high_water`, nor after `expires`."""

    shard: int
    address: str
    issued: datetime
    expires: datetime
    ttl: timedelta
    journal_size: int
    high_water: int
    packed: bytes
    bits: int = BITS
    rolled_back: bool = False  # older than one that its reader has seen before (`certlib.verify.memory`)

    def status(self, n: int) -> StatusCode | None:
        """The code of index `n`; None when it cannot say: another shard, above its high water, unknown code, old."""
        slot = n - self.shard * SHARD_SIZE
        if self.rolled_back or not 0 <= slot < SHARD_SIZE or n > self.high_water:
            return None
        return _CODES.get(entry(self.packed, slot, bits=self.bits))

    def is_fresh(self, at: datetime) -> bool:
        """Whether the list may still be relied on at `at`."""
        return self.issued - _FUTURE <= at < self.expires


_CODES = {code.value: code for code in StatusCode}


def sign_status_list(
    packed: bytes,
    *,
    shard: int,
    address: str,
    journal_size: int,
    high_water: int,
    key: SigningKey,
    now: datetime,
    bits: int = BITS,
) -> bytes:
    """The signed token of a shard. `address` ends in the shard's number, which is thereby signed.

    Raises `ValueError` when the entries are not a shard's or the address is another's, `KeyUnavailableError`.
    """
    if len(packed) != size_of(SHARD_SIZE, bits=bits) or _shard_in(address) != shard:
        raise ValueError("entries or address are not this shard's")
    issued = int(now.timestamp())
    claims = {
        _SUB: address,
        _EXP: issued + int(LIFE.total_seconds()),
        _IAT: issued,
        _STATUS_LIST: {"bits": bits, "lst": deflate(packed)},
        _TTL: int(TTL.total_seconds()),
        _JOURNAL_SIZE: journal_size,
        _HIGH_WATER: high_water,
    }
    headers = {KID: key_id(key.public_key), TYPE: MEDIA_TYPE}
    return sign1(cbor.encode(claims), key, headers, tagged=True)


def read_status_list(data: bytes, trust: TrustList) -> StatusList:
    """Check a token's signature against the trust list and read it. Whether it is still fresh, `is_fresh` says.

    Raises `VerificationError`: `unreadable`, `unknown-issuer` when the key is not listed for status lists or is
    compromised, `signature-invalid`.
    """
    if len(data) > MAX_TOKEN:
        raise _unreadable("过大")
    try:
        message = read1(data, tagged=True)
    except ValueError as error:
        raise _unreadable("不是签名的状态清单") from error
    key = trust.key(message.kid, "status")
    if key is None:
        raise VerificationError("状态清单的签名密钥不在信任清单中，不予采信。", code=Verdict.UNKNOWN_ISSUER)
    try:
        message.verify(key.public_key)
    except VerificationError as error:
        raise VerificationError("状态清单的签名无效，不予采信。") from error
    if message.headers.get(TYPE) != MEDIA_TYPE:
        raise _unreadable("类型不是状态清单")
    try:
        found = _status_list(cbor.decode(message.payload))
    except (LookupError, AttributeError, TypeError, ValueError, OverflowError, OSError, zlib.error) as error:
        raise _unreadable("内容不合格式") from error
    if fault := key.fault(found.issued):
        raise VerificationError(f"状态清单不予采信：{fault}", code=Verdict.UNKNOWN_ISSUER)
    return found


def _status_list(claims: Any) -> StatusList:
    listed = claims[_STATUS_LIST]
    bits = _whole(listed["bits"])
    return StatusList(
        shard=_shard_in(claims[_SUB]),
        address=claims[_SUB],
        issued=datetime.fromtimestamp(claims[_IAT], UTC),
        expires=datetime.fromtimestamp(claims[_EXP], UTC),
        ttl=timedelta(seconds=claims[_TTL]),
        journal_size=_whole(claims[_JOURNAL_SIZE]),
        high_water=_whole(claims[_HIGH_WATER], least=-1),
        packed=inflate(listed["lst"], size_of(SHARD_SIZE, bits=bits)),
        bits=bits,
    )


def _whole(value: object, least: int = 0) -> int:
    if type(value) is not int or value < least:
        raise ValueError("not a whole number")
    return value


def _shard_in(address: str) -> int:
    digits = address.rpartition("/")[2]
    if not digits.isascii() or not digits.isdecimal():
        raise ValueError("the address does not end in a shard's number")
    return int(digits)


def _unreadable(reason: str) -> VerificationError:
    return VerificationError(f"状态清单无法读取：{reason}。", code=Verdict.UNREADABLE)
