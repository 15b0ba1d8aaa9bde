"""The details of findings in English, with their own numbers, names and times.

Findings are worded once, in Chinese, where they are come to. `data/english.txt` has the English of each wording, a line
each; `{}` stands for what is of the file at hand, which is carried over, or put into English itself where it is a
wording of ours. A test reads the verifier's sources and demands a line for each.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files

from certlib.domain.verdict import REVOKED_WORDS, WORDS

_LONGEST, _DEEPEST = 500, 3  # characters of a detail that are looked at, and wordings within it: some is a stranger's


def english(detail: str) -> str:
    """The detail in English; empty for one that has no wording here."""
    return _said(detail, _DEEPEST)


def _said(detail: str, deep: int) -> str:
    if len(detail) > _LONGEST or not deep:
        return ""
    for pattern, words in _rows():
        if found := pattern.fullmatch(detail):
            said = words.format(*(_carried(part, deep) for part in found.groups()))
            return said[:1].upper() + said[1:] if words.startswith("{}") else said
    return ""


def _carried(part: str, deep: int) -> str:
    """What is of the file at hand: a wording of ours in English, a list with commas, anything else as it is."""
    return _said(part, deep - 1) or part.replace("、", ", ")


@lru_cache(maxsize=1)
def _rows() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Patterns with their English words, those with most of their own text first."""
    table = (files("certlib.verify") / "data" / "english.txt").read_text(encoding="utf-8")
    rows = [tuple(line.split(" | ")) for line in table.splitlines()]
    rows += [(words.chinese, words.english) for words in (*WORDS.values(), *REVOKED_WORDS.values())]
    rows.sort(key=lambda row: (-len(row[0].replace("{}", "")), row[0].count("{}")))
    return tuple((re.compile(re.escape(zh).replace(r"\{\}", "(.+?)"), re.DOTALL), en) for zh, en in rows)
