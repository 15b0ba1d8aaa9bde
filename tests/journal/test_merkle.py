"""Hashes, roots and proofs against the published vectors of RFC 6962 (origin: google/certificate-transparency and
transparency-dev/merkle, `proof/verify_test.go`), and against the recursive definition of the RFC for every small tree.
"""

import os
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.errors import VerificationError
from certlib.formats.tlog import (
    EMPTY_ROOT,
    CompactRange,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    node_hash,
    range_root,
    tree_root,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    bytes.fromhex(text)
    for text in (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
# leaf index, tree size, proof
INCLUSION = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
# old size, new size, proof
CONSISTENCY = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
    (
        6,
        7,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
]
HASHES = [leaf_hash(data) for data in LEAVES]
OTHER = leaf_hash(b"another leaf")


def unhex(proof: list[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in proof]


def defined_root(hashes: list[bytes]) -> bytes:
    """The root as RFC 6962 §2.1 defines it, by recursion."""
    if len(hashes) < 2:
        return hashes[0] if hashes else EMPTY_ROOT
    middle = 1 << (len(hashes) - 1).bit_length() - 1
    return node_hash(defined_root(hashes[:middle]), defined_root(hashes[middle:]))


def test_the_empty_tree_has_the_published_root() -> None:
    """SHA-256 of nothing."""
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert CompactRange().root() == EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_the_published_ones(size: int) -> None:
    """The eight reference leaves give the reference roots."""
    assert tree_root(HASHES[:size]) == ROOTS[size - 1]


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSION)
def test_published_inclusion_proofs_hold_and_are_what_we_make(index: int, size: int, proof: list[str]) -> None:
    """Each published proof verifies, and our own proof of the same leaf is the same list."""
    verify_inclusion(index, size, HASHES[index], unhex(proof), ROOTS[size - 1])
    made = [tree_root(HASHES[start:end]) for start, end in inclusion_ranges(index, size)]
    assert made == unhex(proof)


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCY)
def test_published_consistency_proofs_hold_and_are_what_we_make(old: int, new: int, proof: list[str]) -> None:
    """Each published proof verifies, and our own proof between the same sizes is the same list."""
    verify_consistency(old, new, unhex(proof), ROOTS[old - 1], ROOTS[new - 1])
    assert [tree_root(HASHES[start:end]) for start, end in consistency_ranges(old, new)] == unhex(proof)


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSION)
def test_a_corrupted_inclusion_proof_never_holds(index: int, size: int, proof: list[str]) -> None:
    """Another index, size, leaf or root, a hash more, less or changed: all refused."""
    good, root = unhex(proof), ROOTS[size - 1]
    wrong = [
        (index - 1, size, HASHES[index], good, root),
        (index + 1, size, HASHES[index], good, root),
        (index ^ 2, size, HASHES[index], good, root),
        (index, size * 2, HASHES[index], good, root),
        (index, size // 2, HASHES[index], good, root),
        (index, size, OTHER, good, root),
        (index, size, b"short", good, root),
        (index, size, HASHES[index], good, OTHER),
        (index, size, HASHES[index], good, EMPTY_ROOT),
        (index, size, HASHES[index], [*good, b""], root),
        (index, size, HASHES[index], [*good, root], root),
        (index, size, HASHES[index], [root, *good], root),
        *((index, size, HASHES[index], [*good[:at], OTHER, *good[at + 1 :]], root) for at in range(len(good))),
        *((index, size, HASHES[index], good[:-1], root) for _ in good[:1]),
    ]
    for case in wrong:
        with pytest.raises(VerificationError):
            verify_inclusion(*case)


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCY[1:])
def test_a_corrupted_consistency_proof_never_holds(old: int, new: int, proof: list[str]) -> None:
    """Another size, swapped or foreign roots, a hash more, less or changed: all refused."""
    good, first, second = unhex(proof), ROOTS[old - 1], ROOTS[new - 1]
    wrong = [
        (old - 1, new, good, first, second),
        (old + 1, new, good, first, second),
        (old ^ 2, new, good, first, second),
        (old, new * 2, good, first, second),
        (old, new // 2, good, first, second),
        (old, new, good, OTHER, second),
        (old, new, good, first, OTHER),
        (old, new, good, second, first),
        (old, new, [], first, second),
        (old, new, [*good, b""], first, second),
        (old, new, [*good, first], first, second),
        (old, new, [first, *good], first, second),
        (old, new, good[:-1], first, second),
        *((old, new, [*good[:at], OTHER, *good[at + 1 :]], first, second) for at in range(len(good))),
    ]
    for case in wrong:
        with pytest.raises(VerificationError):
            verify_consistency(*case)


@pytest.mark.parametrize(
    ("old", "new", "proof", "first", "second", "holds"),
    [
        (0, 0, [], EMPTY_ROOT, EMPTY_ROOT, True),
        (0, 1, [], EMPTY_ROOT, ROOTS[0], True),
        (0, 1, [], OTHER, ROOTS[0], False),
        (0, 1, [OTHER], EMPTY_ROOT, ROOTS[0], False),
        (1, 1, [], OTHER, ROOTS[0], False),
        (1, 1, [OTHER], ROOTS[0], ROOTS[0], False),
        (1, 2, [], ROOTS[0], ROOTS[1], False),
        (2, 1, [], ROOTS[1], ROOTS[0], False),
    ],
)
def test_trees_of_no_or_equal_growth(
    old: int, new: int, proof: list[bytes], first: bytes, second: bytes, holds: bool
) -> None:
    """The empty tree begins every tree; equal sizes want equal roots; no journal shrinks."""
    if holds:
        verify_consistency(old, new, proof, first, second)
        return
    with pytest.raises(VerificationError):
        verify_consistency(old, new, proof, first, second)


def test_every_proof_of_every_small_tree_holds() -> None:
    """For all trees up to 40 leaves: root as defined, every inclusion and every consistency proof."""
    hashes = [os.urandom(32) for _ in range(40)]
    roots = [defined_root(hashes[:size]) for size in range(41)]

    def node(height: int, place: int) -> bytes:
        return defined_root(hashes[place << height : (place + 1) << height])

    for size in range(41):
        assert tree_root(hashes[:size]) == roots[size]
        for index in range(size):
            proof = [range_root(span, node) for span in inclusion_ranges(index, size)]
            verify_inclusion(index, size, hashes[index], proof, roots[size])
        for old in range(size + 1):
            proof = [range_root(span, node) for span in consistency_ranges(old, size)]
            verify_consistency(old, size, proof, roots[old], roots[size])


@given(st.lists(st.integers(0, 200), min_size=1, max_size=20))
def test_it_does_not_matter_in_which_pieces_a_tree_grows(cuts: list[int]) -> None:
    """However the leaves are cut into appends, every prefix has the root of the whole computed at once."""
    hashes = [leaf_hash(bytes([number])) for number in range(200)]
    tree = CompactRange()
    for start, end in pairwise(sorted({0, *cuts})):
        tree.extend(hashes[start:end])
        assert tree.root() == defined_root(hashes[:end])
