"""统一社会信用代码, GB 32100-2015, and the organisation code inside it, GB 11714-1997."""

from __future__ import annotations

import re

# GB 32100-2015, table 2: digits and capitals without I, O, S, V, Z.
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_SHAPE = re.compile(rf"[{USCC_ALPHABET}]{{2}}[0-9]{{6}}[{USCC_ALPHABET}]{{10}}", re.ASCII)

_ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)

# First two digits of a code of GB/T 2260; 10 is the nation (100000).
PROVINCES = frozenset(
    str(code)
    for first, last in ((10, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 82))
    for code in range(first, last + 1)
)


def check_uscc(text: str) -> None:
    """Check a 统一社会信用代码: 18 characters of its alphabet and the check character (GB 32100-2015, 5).

    Detects every substitution of one character and every exchange of two neighbours: the weights are powers of a
    primitive root of the prime 31. It also detects any exchange of two of the first 17 characters, but not the
    exchange of the first character with the check character.

    Raises `ValueError` with the reason in Chinese.
    """
    if len(text) != 18:
        raise ValueError(f"统一社会信用代码应为 18 位，现为 {len(text)} 位")
    if not _SHAPE.fullmatch(text):
        raise ValueError("统一社会信用代码只含数字和大写字母（不含 I、O、S、V、Z），第 3 至 8 位为数字")
    if uscc_check_character(text[:17]) != text[17]:
        raise ValueError("统一社会信用代码校验位不符，请核对有无错字")


def uscc_check_character(body: str) -> str:
    """The check character for the first 17 characters. Raises `ValueError` for a character outside the alphabet."""
    total = sum(USCC_ALPHABET.index(char) * weight for char, weight in zip(body, _USCC_WEIGHTS, strict=True))
    return USCC_ALPHABET[-total % 31]


def uscc_warnings(text: str) -> tuple[str, ...]:
    """What is odd about a sound code, in Chinese: an unknown province, a wrong inner check character (GB 11714).

    These warn and do not refuse, because codes taken over from before 2015 may differ.
    """
    found = []
    if text[2:4] not in PROVINCES:
        found.append(f"行政区划码 {text[2:8]} 不在已知省份之列")
    if organisation_check_character(text[8:16]) != text[16]:
        found.append("主体标识码（组织机构代码）的校验位不符")
    return tuple(found)


def organisation_check_character(body: str) -> str:
    """The check character for the eight characters of an organisation code (GB 11714-1997).

    It detects neither a substitution of characters whose values differ by a multiple of 11 (0 and B) nor their
    exchange. Raises `ValueError` for a character outside 0-9A-Z.
    """
    pairs = zip(body, _ORGANISATION_WEIGHTS, strict=True)
    total = sum(_ORGANISATION_ALPHABET.index(char) * weight for char, weight in pairs)
    return "0123456789X"[-total % 11]
