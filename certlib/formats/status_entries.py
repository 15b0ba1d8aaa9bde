"""The entries of a status list as bytes: 1, 2, 4 or 8 bits each, the first in the lowest bits, compressed with zlib.

draft-ietf-oauth-status-list, sections 4.1 and 4.2. The city publishes four bits; a list of any width can be written and
read.

    packed = filled(16, bits=1)
    put(packed, 3, 1, bits=1)
    entry(packed, 3, bits=1)                            # 1
    inflate(deflate(bytes(packed)), len(packed))        # the same bytes
"""

from __future__ import annotations

import zlib

WIDTHS = (1, 2, 4, 8)
"""Bits of an entry that the draft knows."""

_DENSE = 13_000  # bytes of a list of which about one entry in twelve is no longer valid


def size_of(entries: int, *, bits: int) -> int:
    """Bytes of a list. Raises `ValueError` when `bits` is no width."""
    if bits not in WIDTHS:
        raise ValueError(f"a status has 1, 2, 4 or 8 bits, not {bits}")
    return -(-entries * bits // 8)


def filled(entries: int, *, bits: int, code: int = 0) -> bytearray:
    """A list whose entries are all `code`. Raises `ValueError` for a code that does not fit."""
    size = size_of(entries, bits=bits)
    byte = sum(_fitting(code, bits) << at for at in range(0, 8, bits))
    return bytearray([byte]) * size


def put(packed: bytearray, slot: int, code: int, *, bits: int) -> None:
    """Write entry number `slot`. Raises `ValueError` for a code that does not fit."""
    at, low = divmod(slot * bits, 8)
    mask = (1 << bits) - 1
    packed[at] = packed[at] & ~(mask << low) | _fitting(code, bits) << low


def entry(packed: bytes | bytearray, slot: int, *, bits: int) -> int:
    """Entry number `slot`."""
    at, low = divmod(slot * bits, 8)
    return packed[at] >> low & (1 << bits) - 1


def deflate(packed: bytes) -> bytes:
    """A list compressed (RFC 1950): as small as it gets while few entries differ, quickly where many do."""
    coded = _compressed(packed, zlib.Z_HUFFMAN_ONLY)
    # looking for repetitions then gains nothing any more and takes 60 ms
    return coded if len(coded) > _DENSE else _compressed(packed, zlib.Z_DEFAULT_STRATEGY)


def _compressed(data: bytes, strategy: int) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL + 1, strategy)
    return compressor.compress(data) + compressor.flush()


def inflate(data: bytes, size: int) -> bytes:
    """Undo the compression of a list of exactly `size` bytes. Raises `ValueError` for any other, without reading on."""
    inflater = zlib.decompressobj()
    try:
        packed = inflater.decompress(data, size + 1)
    except zlib.error as error:
        raise ValueError("not a compressed list") from error
    if len(packed) != size or not inflater.eof or inflater.unused_data:
        raise ValueError("a list of another size")
    return packed


def _fitting(code: int, bits: int) -> int:
    if code >> bits:
        raise ValueError(f"{code} is no status code of {bits} bits")
    return code
