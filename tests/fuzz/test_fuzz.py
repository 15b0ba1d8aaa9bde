"""A little of the fuzzing in every run of the tests: the same changes each time, without a fuzzer."""

import random

import pytest

from .harnesses import HARNESSES, Harness
from .mutate import mutations


@pytest.mark.parametrize("harness", HARNESSES.values(), ids=HARNESSES)
def test_changed_bytes_are_refused_as_documented(harness: Harness) -> None:
    """No exception beside the reader's own, and nothing genuine that is not the untouched seed."""
    seeds = harness.seeds()
    for seed in seeds:
        harness.check(seed)
    for data in (b"", *mutations(seeds, harness.words, random.Random(harness.name), harness.rounds)):
        harness.check(data)
