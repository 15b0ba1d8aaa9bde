"""Changes of bytes by a seeded chance, for the runs without coverage: what a fuzzer does, and always the same."""

import random
from collections.abc import Iterator, Sequence


def mutations(seeds: Sequence[bytes], words: Sequence[bytes], chance: random.Random, count: int) -> Iterator[bytes]:
    """`count` changed seeds, each with one to four changes."""
    for _ in range(count):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            _change(data, seeds, words, chance)
        yield bytes(data)


def _change(data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes], chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    to = min(len(data), at + chance.choice((1, 2, 8, 64, 1024)))
    other = chance.choice(seeds)
    begin = chance.randrange(len(other))
    piece = {
        0: lambda: bytes(byte ^ 1 << chance.randrange(8) for byte in data[at : at + 1]),
        1: lambda: chance.randbytes(to - at),
        2: lambda: b"",
        3: lambda: bytes(data[at:to]) * 2,
        4: lambda: other[begin : begin + to - at],
        5: lambda: chance.choice(words or (b"\x00",)),
        6: lambda: bytes(data[at:to]) + chance.choice(words or (b"\xff",)),
        7: lambda: bytes(data[at:to][::-1]),
    }[chance.randrange(8)]()
    end = at + 1 if len(piece) == 1 else to
    data[at:end] = piece
