"""Face numbers (证照编号) after a type's number format, and document numbers (文号)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

_DOCUMENT_NUMBER = re.compile(r"[^\s〔〕0-9]{1,30}〔[12][0-9]{3}〕[1-9][0-9]{0,6}号")


class NumberRule(Protocol):
    """What these functions read of a number format (`certlib.domain.kinds.NumberFormat`)."""

    @property
    def regex(self) -> str:
        """What a whole number looks like."""

    @property
    def pattern(self) -> str:
        """How one is made: `{year}`, `{yy}`, `{serial:04}`, `{word}`, and facts' keys."""

    @property
    def codes(self) -> Mapping[str, Mapping[str, str]]:
        """For a fact's key, what stands in the number for each of its values."""


def format_number(rule: NumberRule, *, year: int, serial: int, facts: Mapping[str, Any]) -> str:
    """The face number for this year, serial and facts.

    Raises `ValueError` when a fact that the number needs is missing or has no code, or the serial has outgrown the
    format.
    """
    values: dict[str, Any] = {"year": year, "yy": f"{year % 100:02}", "serial": serial}
    values |= {key: codes.get(str(facts.get(key, ""))) for key, codes in rule.codes.items()}
    lacking = [key for key, value in values.items() if value is None]
    if lacking:
        raise ValueError(f"编号所需的 {'、'.join(lacking)} 没有对应的代码")
    try:
        number = rule.pattern.format_map({**facts, **values})
    except KeyError as error:
        raise ValueError(f"编号缺少 {error.args[0]}") from None
    if serial < 1 or not re.fullmatch(rule.regex, number):
        raise ValueError(f"编号“{number}”不合规则，流水号 {serial} 可能已超出位数")
    return number


def check_number(rule: NumberRule, number: str) -> None:
    """Check a number that another system or a person allotted. Raises `ValueError` with the reason in Chinese."""
    if not re.fullmatch(rule.regex, number):
        raise ValueError(f"编号 {number[:60]!r} 不符合编号规则")


def document_number(word: str, year: int, serial: int, rule: NumberRule | None = None) -> str:
    """`赣蓉办发〔2022〕4号`: hexagonal brackets, four digits of year, no leading zeros (GB/T 9704-2012, 7.2.5).

    `word` is the authority's; `rule`, when given, says what stands between word and year (赣市行审决字〔2026〕1号).
    Raises `ValueError` when the result is not a document number.
    """
    if rule is not None and rule.pattern:
        return format_number(rule, year=year, serial=serial, facts={"word": word})
    number = f"{word}〔{year}〕{serial}号"
    check_document_number(number)
    return number


def check_document_number(text: str) -> None:
    """Check a 文号 such as 赣市府办发〔2022〕7号. Raises `ValueError` with the reason in Chinese."""
    if not _DOCUMENT_NUMBER.fullmatch(text):
        raise ValueError(f"文号 {text[:60]!r} 不合格式，应如 赣市府办发〔2022〕7号")
