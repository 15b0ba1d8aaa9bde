"""Template folders: what a face is made of, as data.

A folder `<type key>/` holds `template.toml` (this module reads it), the typst sources it names, pictures and
`sample.json`. A new kind of certificate is such a folder and no code. A template has one or more layouts, chosen
by the label of the copy (正本, 副本, or none for the electronic file and for documents).

Typst sources may import `@certlib/face:1.0.0` (the folder `packages/` beside the templates) and nothing else from
outside their own folder; `read` and `image` cannot leave it either.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from certlib.errors import ConfigurationError

# A package import from anywhere but our own folder would reach for the network.
FOREIGN_IMPORT = re.compile(r'"@(?!certlib/)[^"]*"')

# Half of the widest seal drawn here, a municipal government's of 45 mm (国发〔1999〕25号): over two pages, so much of
# each page's right margin is covered.
WIDEST_SLICE = 22.5

USUAL_CODE = 31.0  # millimetres: a code of 142 bytes at level Q, in modules of 6 dots of 300 dpi


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of one fact. Lengths in millimetres, sizes in points, `pitch` the line pitch in ems.

    The sizes are tried in turn until the text fits `height`; a slot without height runs on. `sample` is set in
    place of a fact that is not known yet, such as the number; `prefix` is a text of the face before it. A list may
    stand in up to `columns` columns, 4 mm apart, before the next smaller size is tried.
    """

    key: str
    label: str = ""
    font: str = "song"
    width: float = 0.0
    height: float = 0.0
    sizes: tuple[float, ...] = (12.0,)
    pitch: float = 1.5
    prefix: str = ""
    justify: bool = False
    columns: int = 1
    sample: str = ""

    def lines(self, size: float) -> int:
        """How many lines of that size the slot holds: the first is one em high, each further one a pitch."""
        em = size * 25.4 / 72
        return int((self.height / em - 1) / self.pitch + 1 + 1e-6) if self.height >= em - 1e-6 else 0

    @property
    def capacity(self) -> int:
        """How many full-width characters the slot holds at its smallest size."""
        size = self.sizes[-1]
        column = (self.width - 4.0 * (self.columns - 1)) / self.columns
        return self.lines(size) * self.columns * int(column / (size * 25.4 / 72) + 1e-6)


@dataclass(frozen=True, slots=True)
class CodeSpec:
    """The sides that the code may have without quiet zone, in millimetres, its least version and error correction.

    The sides are tried in turn; `certlib.document.code.draw_code` says by what measure.
    """

    sizes: tuple[float, ...] = (USUAL_CODE,)
    version: int = 9
    correction: str = "M"


@dataclass(frozen=True, slots=True)
class SealSpec:
    """How the seal lies: `over` names the facts it covers, `line` the most millimetres from the text above it.

    With a `keyword` its middle is where the finished pages read that word; else where the source says.

    `straddle` is the most pages over which one circle is cut along their right edges (骑缝章); 0 for none.
    """

    over: tuple[str, ...] = ("issuer", "issued_on")
    line: float = 0.0  # 0: not measured (certificates)
    straddle: int = 0
    keyword: str = ""


@dataclass(frozen=True, slots=True)
class Fold:
    """A line along which the paper is folded: at `at` millimetres from the left (`x`) or from the top (`y`)."""

    axis: str  # "x" | "y"
    at: float


@dataclass(frozen=True, slots=True)
class Layout:
    """One arrangement of the face: which copies it serves, its source, page, slots, and what it must read."""

    name: str
    copies: tuple[str, ...]
    main: str
    page: tuple[float, float]
    margins: tuple[float, float, float, float]  # left, top, right, bottom: no text beyond
    pages: tuple[int, int]
    slots: Mapping[str, Slot]
    reads: tuple[str, ...]
    code: CodeSpec | None
    seal: SealSpec | None
    folds: tuple[Fold, ...] = ()  # no code and no seal upon them
    running: str = ""  # the head of a table, which each page that it runs on to begins with


@dataclass(frozen=True)
class Template:
    """A template folder, read and checked. `version` is its SHA-256, first 16 hex digits."""

    folder: Path
    key: str
    title: str
    english: str
    layouts: tuple[Layout, ...]
    silent: frozenset[str]  # facts that are attached but not printed
    texts: Mapping[str, Any]  # the template's own texts, such as the remedies clause
    version: str

    def layout(self, copy_label: str) -> Layout:
        """The layout that serves this copy. Raises `ConfigurationError` when none does."""
        for layout in self.layouts:
            if copy_label in layout.copies:
                return layout
        raise ConfigurationError(
            f"版式 {self.key} 没有“{copy_label or '电子文件'}”的排版，请补充 template.toml (no layout for this copy)"
        )

    @cached_property
    def source(self) -> Mapping[str, Any]:
        """template.toml as read, for the typst side."""
        return tomllib.loads((self.folder / "template.toml").read_text("utf-8"))


class Templates:
    """The folder of templates. Each is read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._read: dict[str, Template] = {}

    @property
    def packages(self) -> Path:
        """Where typst finds `@certlib/…`: beside the templates, or the shipped ones for a folder elsewhere."""
        own = self.root / "packages"
        return own if own.is_dir() else find_templates() / "packages"

    def __iter__(self) -> Iterator[str]:
        """The keys of all templates, in order."""
        return iter(self.keys())

    def keys(self) -> tuple[str, ...]:
        """The keys of all templates, in order."""
        return tuple(sorted(path.parent.name for path in self.root.glob("*/template.toml")))

    def template(self, key: str) -> Template:
        """The template of this key. Raises `ConfigurationError` when there is none or it is wrong."""
        if key not in self._read:
            if not re.fullmatch(r"[a-z0-9-]+", key) or not (self.root / key / "template.toml").is_file():
                raise ConfigurationError(f"没有版式 {key}：{self.root} 下应有同名文件夹 (no such template)")
            self._read[key] = load_template(self.root / key, self.packages)
        return self._read[key]


def find_templates() -> Path:
    """The shipped templates: in the wheel under certlib/data, in a checkout at the top.

    Raises `ConfigurationError` when neither is there.
    """
    with importlib.resources.as_file(importlib.resources.files("certlib")) as package:
        for place in (package / "data" / "templates", package.parent / "templates"):
            if (place / "fonts" / "fonts.toml").is_file():
                return place
    raise ConfigurationError("找不到版式文件夹 templates，请重新安装 certlib (the templates are not installed)")


def load_template(folder: Path, packages: Path) -> Template:
    """Read and check one template folder. Raises `ConfigurationError` naming what is wrong with it."""
    path = folder / "template.toml"
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        template = Template(
            folder=folder,
            key=data["key"],
            title=data["title"],
            english=data["english"],
            layouts=tuple(_layout(name, entry, data) for name, entry in data["layout"].items()),
            silent=frozenset(data.get("silent", ())),
            texts=data.get("texts", {}),
            version=_digest(folder, packages),
        )
    except KeyError as error:
        raise ConfigurationError(f"版式 {path} 缺少 {error} (a key is missing)") from error
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(f"版式 {path} 有误：{error} (the template is wrong)") from error
    _check(template)
    return template


def _layout(name: str, entry: Mapping[str, Any], data: Mapping[str, Any]) -> Layout:
    slots = {**data.get("slots", {}), **entry.get("slots", {})}
    return Layout(
        name=name,
        copies=tuple(entry.get("copies", ("",))),
        main=entry["main"],
        page=(float(entry["page"][0]), float(entry["page"][1])),
        margins=tuple(float(side) for side in entry["margins"]),  # type: ignore[arg-type]
        pages=(entry.get("pages", [1, 1])[0], entry.get("pages", [1, 1])[1]),
        slots={key: _slot(key, slot) for key, slot in slots.items()},
        reads=tuple(entry["reads"]),
        folds=_folds(entry),
        running=entry.get("running", ""),
        code=_code(entry["code"]) if "code" in entry else None,
        seal=_seal(entry["seal"]) if "seal" in entry else None,
    )


def _code(entry: Mapping[str, Any]) -> CodeSpec:
    """`size` is one side or a list of sides, each larger than the one before."""
    values = dict(entry)
    given = values.pop("size", USUAL_CODE)
    sizes = tuple(float(side) for side in (given if isinstance(given, list) else [given]))
    if not sizes or sizes[0] <= 0 or any(after <= before for before, after in pairwise(sizes)):
        raise ValueError(f"code.size 须是一个边长，或由小到大的几个边长（毫米），而不是 {given}")
    return CodeSpec(sizes=sizes, **values)


def _seal(entry: Mapping[str, Any]) -> SealSpec:
    if unknown := set(entry) - {"over", "line", "straddle", "keyword"}:
        raise ValueError(f"seal 有不认识的 {'、'.join(sorted(unknown))}")
    straddle = entry.get("straddle", 0)
    if not isinstance(straddle, int) or straddle < 0 or straddle in {1, 2}:
        raise ValueError(f"seal.straddle 须是一枚骑缝章最多跨的页数（3 以上），或 0 表示不盖，而不是 {straddle}")
    keyword = str(entry.get("keyword", ""))
    if "keyword" in entry and not keyword.strip():
        raise ValueError("seal.keyword 为空")
    over = entry.get("over", ()) if keyword else entry["over"]
    return SealSpec(over=tuple(over), line=float(entry.get("line", 0)), straddle=straddle, keyword=keyword)


def _folds(entry: Mapping[str, Any]) -> tuple[Fold, ...]:
    """The layout's folds. A certificate is folded once across its longer side unless its template says otherwise; a
    paper that runs on, over as many pages as it needs, lies flat.
    """
    if "folds" in entry:
        return tuple(Fold(axis, float(at)) for fold in entry["folds"] for axis, at in fold.items())
    width, height = entry["page"]
    least, most = entry.get("pages", [1, 1])
    if least != most:
        return ()
    return (Fold("x", width / 2) if width > height else Fold("y", height / 2),)


def _slot(key: str, entry: Mapping[str, Any]) -> Slot:
    values = {**entry, "sizes": tuple(float(size) for size in entry.get("sizes", (12.0,)))}
    return Slot(key=key, **values)


def _check(template: Template) -> None:
    """What would otherwise come to light on somebody's certificate. Raises `ConfigurationError`."""
    if template.key != template.folder.name:
        raise ConfigurationError(
            f"版式文件夹 {template.folder.name} 的 key 写作 {template.key}，须与文件夹同名 (key ≠ folder)"
        )
    for layout in template.layouts:
        if len(layout.margins) != 4 or not (template.folder / layout.main).is_file():
            raise ConfigurationError(
                f"版式 {template.key} 的 {layout.name}：缺少 {layout.main} 或四边页边距 (source or margins)"
            )
        if layout.seal and layout.seal.keyword and layout.copies != ("",):
            raise ConfigurationError(
                f"版式 {template.key} 的 {layout.name}：套印的印章不能按关键字定位 (no keyword for printed seals)"
            )
        if layout.seal and layout.seal.straddle and layout.margins[2] < WIDEST_SLICE:
            raise ConfigurationError(
                f"版式 {template.key} 的 {layout.name}：盖骑缝章须留右边距 {WIDEST_SLICE:g} 毫米以上，"
                f"而不是 {layout.margins[2]:g} (no room for a straddling seal)"
            )
    for path in sorted(template.folder.rglob("*.typ")):
        if found := FOREIGN_IMPORT.search(path.read_text("utf-8")):
            raise ConfigurationError(f"版式 {path} 引用了外部包 {found.group()}，只可引用 @certlib (foreign package)")


def _digest(folder: Path, packages: Path) -> str:
    """One digest over names and bytes of the folder and of the parts every face shares."""
    digest = hashlib.sha256()
    for place in (folder, packages):
        for path in sorted(p for p in place.rglob("*") if p.is_file()):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(place).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]
