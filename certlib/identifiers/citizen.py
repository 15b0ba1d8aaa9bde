"""公民身份号码, GB 11643-1999."""

from __future__ import annotations

import re
from datetime import date

from certlib.identifiers.organisation import PROVINCES

_WEIGHTS = tuple(pow(2, 17 - place, 11) for place in range(17))
_CHECK = "10X98765432"
_SHAPE = re.compile(r"[1-9][0-9]{16}[0-9X]", re.ASCII)
_OLD_SHAPE = re.compile(r"[1-9][0-9]{14}", re.ASCII)
# 83: holders of a residence permit from Taiwan; 9: permanent residence card of foreigners, 2023 pattern.
_AREAS = PROVINCES - {"10"} | {"83"}
_EARLIEST = date(1850, 1, 1)


def check_citizen_number(text: str, *, on: date) -> None:
    """Check a 公民身份号码 as of the day `on`: 18 characters, area, a birth date not after `on`, check character.

    Residence permits of Hong Kong, Macao and Taiwan (81, 82, 83) and the 18-digit permanent residence card of
    foreigners (9…) share the form and pass. The scheme is ISO 7064 MOD 11-2: it detects every substitution of one
    digit and every exchange of two neighbours, the check character included.

    Raises `ValueError` with the reason in Chinese; the number itself never stands in the message.
    """
    if len(text) != 18:
        raise ValueError(f"公民身份号码应为 18 位，现为 {len(text)} 位")
    if not _SHAPE.fullmatch(text):
        raise ValueError("公民身份号码前 17 位为数字，末位为数字或大写 X")
    if text[0] != "9" and text[:2] not in _AREAS:
        raise ValueError(f"公民身份号码的行政区划（{text[:2]}）不存在")
    if not _EARLIEST <= _birth(text) <= on:
        raise ValueError("公民身份号码中的出生日期不合理")
    if citizen_check_character(text[:17]) != text[17]:
        raise ValueError("公民身份号码校验位不符，请核对有无错字")


def _birth(text: str) -> date:
    try:
        return date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        raise ValueError("公民身份号码中没有这样的出生日期") from None


def citizen_check_character(body: str) -> str:
    """The check character for the first 17 digits."""
    return _CHECK[sum(int(char) * weight for char, weight in zip(body, _WEIGHTS, strict=True)) % 11]


def modern_citizen_number(text: str) -> str:
    """The 18-character number for a number of the first generation (15 digits, births of the 1900s).

    Raises `ValueError` when `text` is not 15 digits.
    """
    if not _OLD_SHAPE.fullmatch(text):
        raise ValueError("第一代公民身份号码应为 15 位数字")
    body = f"{text[:6]}19{text[6:]}"
    return body + citizen_check_character(body)
