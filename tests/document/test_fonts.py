"""Fonts by role."""

import shutil
from pathlib import Path

import pytest

from certlib.document.fonts import load_fonts
from certlib.document.renderer import Renderer, city_renderer
from certlib.document.templates import find_templates
from certlib.errors import ConfigurationError

SHIPPED = find_templates() / "fonts"
GB2312 = "".join(
    text
    for row in range(0xB0, 0xF8)
    for cell in range(0xA1, 0xFF)
    for text in [bytes([row, cell]).decode("gb2312", errors="ignore")]
    if text
)


def city_folder(folder: Path, toml: str) -> Path:
    """A city's font folder: the shipped Kai under the folder, as if it were its licensed FangSong."""
    folder.mkdir()
    shutil.copy(SHIPPED / "CertlibKai.ttf", folder)
    (folder / "fonts.toml").write_text(toml, "utf-8")
    return folder


@pytest.mark.parametrize("role", ["song", "hei", "kai", "fangsong", "title"])
def test_every_role_has_all_of_gb2312_and_rare_characters_of_names(role: str, renderer: Renderer) -> None:
    """No character of GB/T 2312-1980 is missing, nor those of names that once could not be typed."""
    assert len(GB2312) == 6763
    assert renderer.fonts.missing(GB2312 + "䶮㛃𬱖喆犇㼆鿍", role) == ""


def test_missing_characters_are_told_once_each_in_order(renderer: Renderer) -> None:
    """𠮷 and a private-use character are in no shipped font."""
    assert renderer.fonts.missing("𠮷家\ue000𠮷", "song") == "𠮷\ue000"


def test_a_citys_folder_comes_first_and_the_shipped_fonts_after(tmp_path: Path) -> None:
    """The city's FangSong sets what it has; every other character still finds a glyph."""
    folder = city_folder(tmp_path / "fonts", '[role.fangsong]\nchain = ["Certlib Kai"]\n')
    fonts = city_renderer(folder).fonts
    assert fonts.role("fangsong").chain == ("Certlib Kai", "Noto Serif SC")
    assert fonts.role("song").chain == ("Noto Serif SC",)
    assert fonts.missing("䶮仿", "fangsong") == ""


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ('[role.song]\nchain = ["FangSong_GB2312"]\n', "FangSong_GB2312"),
        ('[role.song]\nchain = "Certlib Kai"\n', "chain"),
        ("[role", "读不出"),
        ('packages = ["x"]\n', "role"),
    ],
)
def test_a_wrong_list_of_fonts_says_what_is_wrong(tmp_path: Path, toml: str, told: str) -> None:
    """A family that is not there, a chain that is no list, a file that is no TOML."""
    with pytest.raises(ConfigurationError, match=told):
        load_fonts(SHIPPED, city_folder(tmp_path / "fonts", toml))


def test_widths_are_those_of_the_font_that_sets_the_character(renderer: Renderer) -> None:
    """Ideographs are one em; digits come from the role's Latin font and are narrower."""
    assert renderer.fonts.advance("赣州", "kai") == pytest.approx(2.0)
    assert renderer.fonts.advance("0123456789", "kai") == renderer.fonts.advance("0123456789", "song") < 6.5


def test_the_committed_fonts_obey_their_licence() -> None:
    """Renamed without the Reserved Font Names, the licence beside them, small enough to fetch."""
    fonts = sorted(SHIPPED.glob("*.ttf"))
    licence = (SHIPPED / "OFL.txt").read_text("utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    assert all(font.name in licence for font in fonts)
    assert sum(font.stat().st_size for font in fonts) < 7_000_000
    for family in ("Certlib Kai", "Certlib Song Title"):
        assert not any(reserved in family for reserved in ("LXGW", "霞鹜"))
