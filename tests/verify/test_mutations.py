"""One byte changed anywhere, and the file is no longer genuine."""

import random

import pytest

from certlib.domain.verdict import GENUINE
from certlib.verify.examine import examine
from certlib.verify.roots import TrustRoots
from tests.verify.forgeries import archive, ranges
from tests.verify.samples import NOW, seal, signer


def mutations(pdf: bytes, count: int, seed: int) -> list[tuple[int, bytes]]:
    """`count` files with one byte changed: half anywhere, half within the signature value and its surroundings."""
    chance = random.Random(seed)
    a, b, _ = ranges(pdf)
    value = pdf[a:b].rstrip(b"0>")
    places = [chance.randrange(len(pdf)) for _ in range(count - count // 2)]
    places += [a - 200 + chance.randrange(len(value) + 400) for _ in range(count // 2)]
    changes = [chance.choice((1 << chance.randrange(8), chance.randrange(1, 256))) for _ in places]
    return [
        (at, pdf[:at] + bytes([pdf[at] ^ change]) + pdf[at + 1 :]) for at, change in zip(places, changes, strict=True)
    ]


def assert_none_is_genuine(pdf: bytes, count: int, seed: int, trust: TrustRoots) -> None:
    assert examine(pdf, trust=trust, at=NOW).verdict in GENUINE
    for at, changed in mutations(pdf, count, seed):
        report = examine(changed, trust=trust, at=NOW)
        assert report.verdict not in GENUINE, (at, pdf[at], changed[at], report.as_line())


def test_no_mutation_is_genuine(sealed: bytes, trust: TrustRoots) -> None:
    """Two hundred random changes of one byte, half of them where the signature itself stands."""
    assert_none_is_genuine(sealed, 200, 1, trust)


@pytest.mark.slow
@pytest.mark.parametrize("suite", ["p256", "rsa"])
@pytest.mark.parametrize("level", ["B-B", "B-T", "B-LTA"])
def test_no_mutation_of_ten_thousand_is_genuine(suite: str, level: str, trust: TrustRoots) -> None:
    """The same ten thousand times, at every level and in both suites together."""
    pdf = seal(by=signer(suite=suite), stamped=level != "B-B")
    pdf = archive(pdf) if level == "B-LTA" else pdf
    assert_none_is_genuine(pdf, 1700, sum(map(ord, suite + level)), trust)


@pytest.mark.slow
def test_no_byte_of_the_signature_value_can_be_changed(sealed: bytes, trust: TrustRoots) -> None:
    """Every single digit of the signature value, changed in its lowest bit or its letter case."""
    a, b, _ = ranges(sealed)
    end = a + len(sealed[a:b].rstrip(b"0>"))
    for at in range(a, end):
        for change in (0x01, 0x20):
            changed = sealed[:at] + bytes([sealed[at] ^ change]) + sealed[at + 1 :]
            verdict = examine(changed, trust=trust, at=NOW).verdict
            assert verdict not in GENUINE, (at, sealed[at], changed[at], verdict)
