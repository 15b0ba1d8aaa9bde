"""What a harness is: one reader, where to start from, and what must hold whatever it gets."""

from collections.abc import Callable
from dataclasses import dataclass

Seeds = tuple[bytes, ...]


@dataclass(frozen=True)
class Harness:
    """One reader: seeds to start from, what to do with bytes, words of its format, and what a round may cost.

    `rounds` is how many changed seeds `make test` tries.
    """

    name: str
    seeds: Callable[[], Seeds]
    check: Callable[[bytes], None]
    words: tuple[bytes, ...] = ()
    rounds: int = 400
    max_length: int = 1 << 16  # bytes
