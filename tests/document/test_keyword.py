"""A seal placed where the finished pages read its keyword."""

from pathlib import Path

import pypdfium2
import pytest

from certlib.document.check import check_template, sample_faces
from certlib.document.glyphs import read_glyphs
from certlib.document.renderer import Renderer
from certlib.document.templates import Templates
from certlib.errors import ConfigurationError, RenderError

from .test_templates import NEW_KIND, folder_of

SIGNED = "#place(bottom + right, dy: -15mm, signed())"
AT_WORD = '#place(bottom + right, dx: -14mm, dy: -28mm)[（ 盖 章 处 ）]\n#fact("issuer")#fact("issued_on")'


def folder(tmp_path: Path, *, words: str = AT_WORD, keyword: str = "（盖章处）", copies: str = "") -> Path:
    """The new kind of certificate with its seal at a keyword."""
    seal = 'seal = { over = ["issuer", "issued_on"] }'
    toml = NEW_KIND["template.toml"].replace(seal, f'{copies}\nseal = {{ keyword = "{keyword}" }}')
    toml = toml.replace('"{issuer}{issued_on}"', '"（盖章处）{issuer}{issued_on}"')
    return folder_of(tmp_path, {"template.toml": toml, "face.typ": NEW_KIND["face.typ"].replace(SIGNED, words)})


def rendered(place: Path, renderer: Renderer):
    """The folder's plain sample as an electronic file."""
    own = Renderer(Templates(place.parent), renderer.fonts)
    return own.render(dict(sample_faces(own.templates.template(place.name)))["plain/电子/file"])


def test_the_seal_lies_about_the_middle_of_its_keyword(tmp_path: Path, renderer: Renderer) -> None:
    """Wherever typesetting puts the word, spaces inside it or not; the folder passes its check."""
    place = folder(tmp_path)
    made = rendered(place, renderer)
    glyphs = [one for one in read_glyphs(pypdfium2.PdfDocument(made.pdf)[0]) if one.text in "（盖章处）"]
    assert made.seal
    left, right = min(one.left for one in glyphs), max(one.right for one in glyphs)
    assert made.seal.centre[0] == pytest.approx((left + right) / 2, abs=0.01)
    assert glyphs[0].top < made.seal.centre[1] < glyphs[0].bottom
    assert made.seal.width == made.seal.height == 42
    failed = [one for one in check_template(place) if one.outcome == "fail"]
    assert failed == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"keyword": "（盖章）"}, "没有找到"),
        ({"words": AT_WORD + "\n（盖章处）"}, "出现 2 处"),
        ({"words": AT_WORD.replace("dx: -14mm", "dx: 0mm")}, "太靠近页边"),
    ],
)
def test_a_keyword_that_gives_no_place_is_told(
    tmp_path: Path, renderer: Renderer, changes: dict[str, str], told: str
) -> None:
    """Missing, ambiguous, or without room: nothing is guessed, and the keyword is named."""
    with pytest.raises(RenderError, match=told) as refused:
        rendered(folder(tmp_path, **changes), renderer)
    assert changes.get("keyword", "（盖章处）") in refused.value.message


@pytest.mark.parametrize(("changes", "told"), [({"keyword": " "}, "为空"), ({"copies": 'copies = ["正本"]'}, "套印")])
def test_a_keyword_that_cannot_work_is_refused_with_its_template(
    tmp_path: Path, changes: dict[str, str], told: str
) -> None:
    """An empty word, and a seal printed with the sheet, which the source itself must place."""
    with pytest.raises(ConfigurationError, match=told):
        Templates(tmp_path).template(folder(tmp_path, **changes).name)


def test_a_seal_has_no_other_keys(tmp_path: Path) -> None:
    """A misspelt key would otherwise leave the seal where nobody wants it."""
    toml = NEW_KIND["template.toml"].replace("seal = { over", 'seal = { keywords = "章", over')
    with pytest.raises(ConfigurationError, match="keywords"):
        Templates(tmp_path).template(folder_of(tmp_path, {"template.toml": toml}).name)
