"""Invented enterprises, persons and places with sound check digits, the same ones for the same seed.

Organisation codes begin with MAY or MBY, which nobody has been allotted; citizen numbers carry the area 360799,
which does not exist. Nothing here is a real identifier, and every one passes the checks of `certlib.identifiers`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from certlib.identifiers import citizen_check_character, organisation_check_character, uscc_check_character

_SERIALS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_AREA = "360799"


def invented_uscc(serial: int, prefix: str = "91360700") -> str:
    """A sound USCC that belongs to nobody: `prefix` (kind and area) and an organisation code MAY…, by `serial`."""
    digits = ""
    for _ in range(5):
        serial, place = divmod(serial, len(_SERIALS))
        digits = _SERIALS[place] + digits
    body = f"MAY{digits}"
    code = prefix + body + organisation_check_character(body)
    return code + uscc_check_character(code)


def invented_citizen_number(serial: int, born: date) -> str:
    """A sound citizen number that belongs to nobody: born on `born`, in an area that does not exist."""
    body = f"{_AREA}{born:%Y%m%d}{serial % 999 + 1:03}"
    return body + citizen_check_character(body)


@dataclass(frozen=True, slots=True)
class Pools:
    """The characters and words that names and places are drawn from."""

    first: str
    second: str
    surnames: str
    given: str
    towns: tuple[str, ...]
    streets: tuple[str, ...]
    villages: tuple[str, ...]


class Invention(Mapping[str, str]):
    """The placeholders of one example. `serial` names it: different serials give different names and codes.

    `brand`, `person`, `address`, `code` and `company` may carry a number from 2 for a further one; `digits6` is six
    digits. What the example itself knows (`holder`, `case`, dates) is given as `known` and comes first.
    """

    def __init__(self, pools: Pools, serial: int, known: Mapping[str, str]) -> None:
        self._pools, self._serial, self._known = pools, serial, dict(known)

    def __getitem__(self, key: str) -> str:
        if key in self._known:
            return self._known[key]
        name = key.rstrip("0123456789")
        if name not in _DRAWN:
            raise KeyError(key)
        return _DRAWN[name](self, int(key[len(name) :] or 1))

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def fill(self, text: str) -> str:
        """`text` with its placeholders filled. Raises `KeyError` for one that nobody knows."""
        return text.format_map(self)

    def know(self, **known: str) -> None:
        """Add what has become known."""
        self._known.update(known)

    def draw(self, what: str, below: int) -> int:
        """A number below `below`, always the same for the same serial and purpose."""
        digest = hashlib.sha256(f"{self._serial}:{what}".encode()).digest()
        return int.from_bytes(digest[:8]) % below

    def brand(self, n: int) -> str:
        """Two characters; the first brands of successive serials differ until the pool is used up."""
        first, second = self._pools.first, self._pools.second
        number = (self._serial * 787 + (n - 1) * 611) % (len(first) * len(second))
        return first[number % len(first)] + second[number // len(first)]

    def person(self, n: int) -> str:
        """A person's name."""
        surnames, given = self._pools.surnames, self._pools.given
        surname = surnames[(self.draw("surname", len(surnames)) + n) % len(surnames)]
        return surname + "".join(given[self.draw(f"given {n} {place}", len(given))] for place in range(2))

    def code(self, n: int) -> str:
        """An enterprise's USCC."""
        return invented_uscc(self._serial * 8 + n)

    def company(self, n: int) -> str:
        """An enterprise's name."""
        return f"赣州{self.brand(n)}实业有限公司"

    def street(self, n: int) -> str:
        """A street of the new district."""
        streets = self._pools.streets
        return streets[(self.draw("street", len(streets)) + n) % len(streets)]

    def address(self, n: int) -> str:
        """A full address."""
        number, room = self.draw(f"number {n}", 180) + 1, self.draw(f"room {n}", 800) + 101
        return f"江西省赣州市蓉江新区{self.street(n)}{number}号{self.brand(n)}大厦{room}室"

    def place(self, n: int) -> str:
        """Where something is built."""
        return f"赣州蓉江新区{self.street(n)}与{self.street(n + 1)}交叉口{'东西南北'[self.draw('side', 4)]}侧"

    def digits(self, n: int) -> str:
        """`n` digits, the first not 0."""
        low = 10 ** (n - 1)
        return str(low + self.draw(f"digits {n}", 9 * low))

    def town(self, _n: int) -> str:
        """A town of the new district."""
        return self._pools.towns[self.draw("town", len(self._pools.towns))]

    def village(self, _n: int) -> str:
        """An invented village."""
        return self._pools.villages[self.draw("village", len(self._pools.villages))]

    def unit_number(self, _n: int) -> str:
        """A 不动产单元号 of 28 characters with an area that does not exist."""
        return f"{_AREA}{self.digits(6)}GB{self.draw('parcel', 90000) + 10000:05}F{self.draw('unit', 9999_9999):08}"

    def born(self, today: date, *, minor: bool) -> date:
        """A birth date of an adult, or of a pupil of fifteen."""
        years, spread = (15, 300) if minor else (30, 9000)
        return today - timedelta(days=years * 365 + self.draw("born", spread))


_DRAWN: Mapping[str, Callable[[Invention, int], str]] = {
    "brand": Invention.brand,
    "person": Invention.person,
    "code": Invention.code,
    "company": Invention.company,
    "street": Invention.street,
    "address": Invention.address,
    "place": Invention.place,
    "digits": Invention.digits,
    "small": Invention.digits,
    "town": Invention.town,
    "village": Invention.village,
    "unit_number": Invention.unit_number,
    "number": lambda self, n: str(self.draw(f"number {n}", 180) + 1),
    "brand_letters": lambda self, n: "".join(
        "ABCDEFGHJKLMNPQRSTUVWXYZ"[self.draw(f"letter {n} {i}", 24)] for i in (1, 2)
    ),
}
