"""The holder of a certificate (持证主体) and the types of codes that name one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


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
    """Who holds the certificate; `code` is checked against `code_type` by `certlib.identifiers`."""

    name: str
    code: str
    code_type: HolderCode = HolderCode.USCC

    @property
    def is_person(self) -> bool:
        """Whether the holder is a natural person."""
        return self.code_type not in {HolderCode.USCC, HolderCode.OTHER_ORGANISATION}

    def is_minor(self, on: date) -> bool:
        """Whether a citizen's number names a person under 18 on the day `on`."""
        if self.code_type is not HolderCode.CITIZEN or len(self.code) != 18:
            return False
        year, month, day = int(self.code[6:10]), int(self.code[10:12]), int(self.code[12:14])
        return (on.year - year, on.month, on.day) < (18, month, day)


def masked_name(name: str, *, person: bool) -> str:
    """A person's name as the public may see it: the first character kept (张*, 张**). Organisations are public."""
    return name[:1] + "*" * max(1, len(name) - 1) if person else name
