"""The holder of a certificate (持证主体) and the types of codes that name one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any


class HolderCode(StrEnum):
    """持证主体代码类型代码, GB/T 36903-2018 Annex A (as deployed systems use it)."""

    USCC = "001"
    OTHER_ORGANISATION = "099"
    CITIZEN = "111"
    OFFICER = "114"
    PASSPORT = "414"
    TAIWAN_PERMIT = "511"
    HONG_KONG_MACAO_PERMIT = "516"
    OTHER_PERSON = "999"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the certificate; `code` is checked against `code_type` by `certlib.identifiers`.

    `others` hold it together with the first (共同持证); they have no others of their own.
    """

    name: str
    code: str
    code_type: HolderCode = HolderCode.USCC
    others: tuple[Holder, ...] = ()

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Holder:
        """The holder as `json` gave it. Raises `ValueError`, `KeyError` when it is none."""
        others = tuple(cls.of(other) for other in stored.get("others", ()))
        code_type = HolderCode(str(stored.get("code_type", HolderCode.USCC)))
        return cls(str(stored["name"]), str(stored["code"]), code_type, others)

    @property
    def json(self) -> dict[str, Any]:
        """The holder as it is stored and told; `others` only when there are some."""
        own = {"name": self.name, "code": self.code, "code_type": self.code_type.value}
        return {**own, "others": [other.json for other in self.others]} if self.others else own

    @property
    def all(self) -> tuple[Holder, ...]:
        """Each who holds it, the first first."""
        return (replace(self, others=()), *self.others)

    @property
    def masked(self) -> str:
        """The name as the public may see it; of several the first and how many there are (张*等3人)."""
        count = len(self.others) + 1
        return masked_name(self.name, person=self.is_person) + (f"等{count}人" if self.others else "")

    @property
    def is_person(self) -> bool:
        """Whether the holder is a natural person."""
        return self.code_type not in {HolderCode.USCC, HolderCode.OTHER_ORGANISATION}

    def is_minor(self, on: date) -> bool:
        """Whether a citizen's number, of any of the holders, names a person under 18 on the day `on`."""
        return any(other.is_minor(on) for other in self.others) or self._is_minor(on)

    def _is_minor(self, on: date) -> bool:
        if self.code_type is not HolderCode.CITIZEN or len(self.code) != 18:
            return False
        year, month, day = int(self.code[6:10]), int(self.code[10:12]), int(self.code[12:14])
        return (on.year - year, on.month, on.day) < (18, month, day)


def masked_name(name: str, *, person: bool) -> str:
    """A person's name as the public may see it: the first character kept (张*, 张**). Organisations are public."""
    return name[:1] + "*" * max(1, len(name) - 1) if person else name
