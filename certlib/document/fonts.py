"""Fonts by role: which family sets 宋, 黑, 仿宋, 楷 and titles, what it covers and how wide its characters are.

Roles are data (`fonts.toml` beside the font files). A city's folder is laid over the shipped one: its chains
come first, so that licensed fonts are used where it has them and every other character still finds a glyph.
No font of the machine is ever used: the same face gives the same bytes everywhere.
"""

from __future__ import annotations

import importlib.util
import threading
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import typst
from fontTools.ttLib import TTCollection, TTFont

from certlib.errors import ConfigurationError

FONT_SUFFIXES = frozenset({".ttf", ".otf", ".ttc", ".otc"})


@dataclass(frozen=True, slots=True)
class Role:
    """A chain of font families for one role; `latin` sets digits and Latin letters before the chain is tried."""

    chain: tuple[str, ...]
    latin: str = ""

    @property
    def families(self) -> tuple[str, ...]:
        """Every family the role may use, in the order tried."""
        return ((self.latin,) if self.latin else ()) + self.chain

    def as_typst(self) -> list[str | dict[str, str]]:
        """The chain as typst's `font` argument; `covers` is to become a regex there."""
        latin: list[str | dict[str, str]] = [{"name": self.latin, "covers": "[ -~]"}] if self.latin else []
        return latin + list(self.chain)


class Typeface:
    """One font file's family: which code points it has and how wide they are. Read when first asked."""

    def __init__(self, path: Path, index: int = 0) -> None:
        self.path = path
        self._index = index

    @cached_property
    def _font(self) -> TTFont:
        return TTFont(self.path, fontNumber=self._index, lazy=True)

    @cached_property
    def characters(self) -> Mapping[int, str]:
        """Code point to glyph name."""
        return dict(self._font.getBestCmap() or {})

    @cached_property
    def _metrics(self) -> tuple[Mapping[str, tuple[int, int]], int]:
        return self._font["hmtx"].metrics, self._font["head"].unitsPerEm

    def advance(self, code: int) -> float:
        """The width of the character in ems. Raises KeyError when the font lacks it."""
        metrics, units = self._metrics
        return metrics[self.characters[code]][0] / units


class Fonts:
    """The fonts of a renderer: typst's handle on them, the roles, and coverage and widths for the checks before."""

    def __init__(self, roles: Mapping[str, Role], files: Iterable[Path]) -> None:
        self.files = tuple(files)
        self.roles = dict(roles)
        self._faces = dict(_typefaces(self.files))
        self._lock = threading.Lock()
        self._covers: dict[str, frozenset[int]] = {}
        missing = sorted({f for role in self.roles.values() for f in role.families} - self._faces.keys())
        if missing:
            raise ConfigurationError(f"fonts.toml 引用了不存在的字体：{'、'.join(missing)} (no such font family)")
        # typst takes folders; handed files it finds no font and sets nothing, without a word.
        folders = [str(folder) for folder in dict.fromkeys(path.parent for path in self.files)]
        self.typst = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)

    def role(self, name: str) -> Role:
        """The role's chain. Raises `ConfigurationError` for a role that fonts.toml does not name."""
        if name not in self.roles:
            raise ConfigurationError(f"fonts.toml 没有字体角色 {name} (no such role)")
        return self.roles[name]

    def covers(self, role: str) -> frozenset[int]:
        """Every code point that some font of the role's chain has."""
        with self._lock:
            if role not in self._covers:
                chain = self.role(role).families
                self._covers[role] = frozenset().union(*(self._faces[family].characters for family in chain))
            return self._covers[role]

    def missing(self, text: str, role: str) -> str:
        """The characters of `text` that no font of the role has, in order, each once."""
        covered = self.covers(role)
        return "".join(dict.fromkeys(c for c in text if c != "\n" and ord(c) not in covered))

    def advance(self, text: str, role: str) -> float:
        """The width of `text` set in one line, in ems, without kerning. Missing characters count one em."""
        chain = self.role(role)
        wide = [self._faces[family] for family in chain.chain]
        narrow = [self._faces[chain.latin], *wide] if chain.latin else wide
        with self._lock:
            return sum(_width(ord(c), narrow if c.isascii() else wide) for c in text)


def load_fonts(shipped: Path, city: Path | None = None) -> Fonts:
    """The shipped fonts, with the city's folder laid over them when given.

    Raises `ConfigurationError` when a folder, package or family named is not there.
    """
    data = _read(shipped)
    files = _font_files(shipped) + [f for package in data.get("packages", ()) for f in _package_files(package)]
    roles = {name: _role(entry) for name, entry in data["role"].items()}
    if city is not None:
        files += _font_files(city)
        for name, entry in _read(city)["role"].items():
            first, then = _role(entry), roles.get(name, Role(()))
            roles[name] = Role(tuple(dict.fromkeys(first.chain + then.chain)), first.latin)
    return Fonts(roles, files)


def _width(code: int, faces: Iterable[Typeface]) -> float:
    return next((face.advance(code) for face in faces if code in face.characters), 1.0)


def _role(entry: Mapping[str, object]) -> Role:
    chain, latin = entry.get("chain"), entry.get("latin", "")
    if not isinstance(chain, list) or not isinstance(latin, str):
        raise ConfigurationError("fonts.toml: chain 须为字体名列表，latin 须为字体名 (chain is a list of families)")
    return Role(tuple(str(family) for family in chain), latin)


def _read(folder: Path) -> Mapping[str, dict[str, dict[str, object]]]:
    path = folder / "fonts.toml"
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"读不出字体清单 {path}：{error} (cannot read the list of fonts)") from error
    if not isinstance(data.get("role"), dict):
        raise ConfigurationError(f"字体清单 {path} 没有 [role.…] (it names no role)")
    return data


def _font_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in FONT_SUFFIXES)


def _package_files(package: str) -> list[Path]:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(f"未安装字体包 {package}：请安装 certlib[register] (font package not installed)")
    return [path for place in spec.submodule_search_locations for path in _font_files(Path(place))]


def _typefaces(files: Iterable[Path]) -> Iterable[tuple[str, Typeface]]:
    """Each family with its file; where a file names the family twice (16 and 1, in two languages) all count."""
    for path in files:
        collection = path.suffix.lower() in {".ttc", ".otc"}
        count = len(TTCollection(path, lazy=True).fonts) if collection else 1
        for index in range(count):
            with TTFont(path, fontNumber=index, lazy=True) as font:
                names = {n.toUnicode() for n in font["name"].names if n.nameID in {1, 16}}
            for family in names:
                yield family, Typeface(path, index)
