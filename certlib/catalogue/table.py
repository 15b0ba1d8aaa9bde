"""A table of a data file, read by name and then closed: whatever nobody asked for is an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from certlib.errors import ConfigurationError

_ABSENT = object()


class Table:
    """One TOML table. `where` is its place for messages; every reader raises `ConfigurationError` on a wrong value."""

    def __init__(self, inner: Mapping[str, Any], where: str) -> None:
        self.inner, self.where = inner, where
        self._read: set[str] = set()

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self.inner

    def text(self, key: str, default: str | None = None) -> str:
        """A text; required without a default."""
        return str(self._take(key, str, default))

    def number(self, key: str, default: int | None = None) -> int:
        """A whole number; required without a default."""
        value: int = self._take(key, int, default)
        return value

    def decimal(self, key: str, default: float) -> float:
        """A number."""
        return float(self._take(key, (int, float), default))

    def flag(self, key: str, *, default: bool = False) -> bool:
        """True or false."""
        return bool(self._take(key, bool, default))

    def day(self, key: str) -> date:
        """A day."""
        value: date = self._take(key, date, None)
        return value

    def optional_day(self, key: str) -> date | None:
        """A day, or None when absent."""
        return self.day(key) if self.has(key) else None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty when absent."""
        return tuple(self._list(key, str))

    def days(self, key: str) -> tuple[date, ...]:
        """A list of days; empty when absent."""
        return tuple(self._list(key, date))

    def spans(self, key: str) -> tuple[tuple[date, date], ...]:
        """A list of first and last days."""
        return tuple((first, last) for first, last in self._list(key, list))

    def numbers(self, key: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """A list of whole numbers."""
        return tuple(self._list(key, int)) if self.has(key) else default

    def mapping(self, key: str) -> Mapping[str, Any]:
        """A table as it is; empty when absent."""
        value: Mapping[str, Any] = self._take(key, dict, {})
        return value

    def table(self, key: str) -> Table:
        """A table within; empty when absent."""
        return Table(self.mapping(key), f"{self.where} [{key}]")

    def entries(self, key: str) -> tuple[str | Mapping[str, Any], ...]:
        """A list of texts and tables."""
        return tuple(self._list(key, (str, dict)))

    def rows(self, key: str) -> Iterator[Table]:
        """The tables of a list of tables."""
        for index, row in enumerate(self._list(key, dict), start=1):
            yield Table(row, f"{self.where} [{key} {index}]")

    def tables(self) -> Iterator[tuple[str, Table]]:
        """Every table within, by key."""
        for key in self.inner:
            yield key, self.table(key)

    def close(self) -> None:
        """Refuse what nobody asked for. Raises `ConfigurationError`."""
        unread = sorted(set(self.inner) - self._read)
        if unread:
            raise ConfigurationError(f"{self.where}：不认识的项 {'、'.join(unread)} (unknown keys)")

    def _take(self, key: str, kinds: Any, default: Any) -> Any:
        self._read.add(key)
        value = self.inner.get(key, _ABSENT)
        if value is _ABSENT:
            if default is None:
                raise ConfigurationError(f"{self.where}：缺少 {key} (missing key)")
            return default
        if not isinstance(value, kinds):
            raise ConfigurationError(f"{self.where}：{key} 的类型不对 (wrong type)")
        return value

    def _list(self, key: str, kinds: Any) -> list[Any]:
        values: list[Any] = self._take(key, list, [])
        if not all(isinstance(value, kinds) for value in values):
            raise ConfigurationError(f"{self.where}：{key} 的元素类型不对 (wrong type in list)")
        return values
