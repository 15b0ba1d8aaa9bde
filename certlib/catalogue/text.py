"""Which characters may stand in a text that will be printed, sealed and read back: those a reader sees as they are.

Refused are texts that are not in NFC, and characters that are invisible, turn the direction of writing, belong to
no standard, or are written on top of others. Two texts that look alike to a clerk are then alike to the register.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from certlib.errors import Fault


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a character may not stand in a text: stable code, and what to say of it in Chinese and English."""

    code: str
    chinese: str
    english: str


_CONTROL = Objection("control-character", "含控制字符", "holds a control character")
_BIDI = Objection("bidi-character", "含改变书写方向的字符", "holds a character that turns the writing direction")
_INVISIBLE = Objection("invisible-character", "含不可见字符", "holds an invisible character")
_SURROGATE = Objection("lone-surrogate", "含残缺的字符编码", "holds half of a character's code")
_PRIVATE = Objection(
    "private-character", "含自造字（专用区编码），请改用国家标准编码", "holds a character of private use"
)
_UNASSIGNED = Objection("unassigned-character", "含未定义的字符", "holds a character that no standard defines")
_COMBINING = Objection("combining-mark", "含叠加符号", "holds a mark written on top of another character")
_SPACE = Objection("odd-space", "含特殊空格，请用普通空格", "holds a space other than the plain one")
_NOT_NFC = Objection("not-nfc", "含兼容字或未合成的字符，请改用规范字", "is not in Unicode normal form C")

_OF_CATEGORY: Mapping[str, Objection] = {
    "Cc": _CONTROL,
    "Cf": _INVISIBLE,
    "Zl": _CONTROL,
    "Zp": _CONTROL,
    "Cs": _SURROGATE,
    "Co": _PRIVATE,
    "Cn": _UNASSIGNED,
    "Mn": _COMBINING,
    "Mc": _COMBINING,
    "Me": _COMBINING,
}
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Letters, marks and symbols by category that show nothing: joiners, fillers, selectors, the blank Braille cell.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))


def objection(char: str, *, lines: bool = False) -> Objection | None:
    """Why `char` may not stand in a text, or None when it may. `lines` allows the line feed."""
    if char == " " or (lines and char == "\n"):
        return None
    if char in _BIDI_CONTROLS:
        return _BIDI
    if char in _BLANKS or any(ord(char) in selectors for selectors in _SELECTORS):
        return _INVISIBLE
    category = unicodedata.category(char)
    return _SPACE if category == "Zs" else _OF_CATEGORY.get(category)


def check_text(text: str, *, path: str = "", label: str = "", lines: bool = False) -> list[Fault]:
    """Every objection to `text`, one fault for each kind, naming up to three of the characters by code point."""
    found: dict[Objection, list[str]] = {}
    for char in dict.fromkeys(text):
        reason = objection(char, lines=lines)
        if reason is not None:
            found.setdefault(reason, []).append(f"U+{ord(char):04X}")
    if not found and not unicodedata.is_normalized("NFC", text):
        found[_NOT_NFC] = [f"U+{ord(char):04X}" for char in text if not unicodedata.is_normalized("NFC", char)]
    return [_fault(path, label, reason, points) for reason, points in found.items()]


def _fault(path: str, label: str, reason: Objection, points: list[str]) -> Fault:
    named = "、".join(points[:3])
    chinese = f"{label or path or '文字'}：{reason.chinese}{f'（{named}）' if named else ''}。"
    english = f"{path or 'text'} {reason.english}{f' ({named})' if named else ''}."
    return Fault(path, reason.code, chinese, label, english)
