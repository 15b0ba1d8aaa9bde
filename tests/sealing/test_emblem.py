"""A seal with artwork in its middle: a neutral device invented here, as a file a city would supply."""

import re
import zlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image, ImageDraw

from certlib.crypto.development import development_timestamps
from certlib.domain.page import Box
from certlib.domain.seal import SealSpec
from certlib.errors import ConfigurationError, RenderError
from certlib.formats.ses_reader import read_seal
from certlib.sealing.conformance import RULES, lint_sealed
from certlib.sealing.emblem import MAX_BYTES, load_emblem, read_emblem
from certlib.sealing.identities import SealIdentity
from certlib.sealing.pades import seal_pdf
from certlib.sealing.picture import EMBLEM_WIDTH, SealPicture, seal_picture
from certlib.sealing.raster import check_png, seal_png
from certlib.sealing.ses import make_seal
from certlib.sealing.widget import Imprint
from tests.sealing.conftest import NOW

# A ring with a bar in it, beside a wedge with round corners: lines, cubic and quadratic curves, arcs, an even-odd hole.
RING = "M10 50 A40 40 0 1 1 90 50 A40 40 0 1 1 10 50 Z M20 50 A30 30 0 1 0 80 50 A30 30 0 1 0 20 50 Z"
BAR = "M30 45 H70 V55 H30 Z M48 30 C48 28 52 28 52 30 L52 45 Q50 47 48 45 Z"
DEVICE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!-- invented -->'
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" width="100" height="100"><title>Device</title>'
    f'<g fill="#000"><path fill-rule="evenodd" d="{RING}"/><path d="{BAR}"/></g></svg>'
)


def png(side: int = 600, **changes: object) -> bytes:
    """The ring again, as a picture; the white inside it is opaque, and no ink."""
    image = Image.new("RGBA", (side, changes.get("height", side)), changes.get("ground", (0, 0, 0, 0)))  # type: ignore[arg-type]
    if changes.get("drawn", True):
        draw, part = ImageDraw.Draw(image), side // 10
        draw.ellipse((part, part, 9 * part, 9 * part), fill=(255, 0, 0, 255))
        draw.ellipse((2 * part, 2 * part, 8 * part, 8 * part), fill=(255, 255, 255, 255))
        draw.rectangle((3 * part, 9 * part // 2, 7 * part, 11 * part // 2), fill=(200, 0, 0, 255))
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture(params=["svg", "png"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The artwork in either form."""
    path = tmp_path / f"device.{request.param}"
    path.write_bytes(DEVICE.encode() if request.param == "svg" else png())
    return path


@pytest.fixture
def bearing(spec: SealSpec, file: Path) -> SealSpec:
    """A seal of 45 mm with the artwork."""
    return replace(spec, centre="emblem", emblem=load_emblem(file), diameter=45.0, lines=())


def _spots(image: Image.Image) -> dict[str, bool]:
    """Whether there is ink in the ring, in the gap between ring and bar, in the bar, and outside the artwork."""
    side = image.width

    def inked(x: float, y: float) -> bool:  # of the artwork's square, as parts of its side
        place = [round(side / 2 + (value - 0.5) * EMBLEM_WIDTH * side) for value in (x, y)]
        red, green, _ = image.getpixel((place[0], place[1]))  # type: ignore[misc]
        return bool(red == 255 and green < 128)

    places = {"ring": (0.15, 0.5), "gap": (0.25, 0.5), "below": (0.5, 0.7), "bar": (0.5, 0.5), "outside": (0.03, 0.03)}
    return {name: inked(*place) for name, place in places.items()}


DRAWN = {"ring": True, "gap": False, "below": False, "bar": True, "outside": False}


def test_the_artwork_stands_in_the_middle_of_the_png(bearing: SealSpec) -> None:
    """Transparent, in the seal's red, holes open; square, circle to the edge."""
    made = seal_png(bearing)
    check_png(made, bearing)
    image = Image.open(BytesIO(made))
    assert {pixel[:3] for pixel in image.get_flattened_data()} == {(255, 0, 0)}
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    assert _spots(Image.alpha_composite(white, image).convert("RGB")) == DRAWN


def test_the_artwork_stands_in_the_sealed_file(bearing: SealSpec, page: bytes, identity: SealIdentity) -> None:
    """On the page under the signature, whose file is still PDF/A and PDF/UA by our own lint; vectors stay vectors."""
    imprint = Imprint(
        picture=seal_picture(bearing),
        placement=Box(1, 100, 60, 45, 45),
        name=bearing.name,
        reason="批复",
        location="江西省赣州市",
        straddle=2,
    )
    stamps = development_timestamps(identity.suite)
    sealed = seal_pdf(page, imprint, identity.signer(at=NOW), at=NOW, timestamper=stamps).pdf
    assert {one.check: one.outcome for one in lint_sealed(sealed)} == dict.fromkeys(RULES, "pass")
    document = pypdfium2.PdfDocument(sealed)
    document.init_forms()
    image = document[0].render(scale=600 / 72).to_pil().convert("RGB")
    box = [round(value / 25.4 * 600) for value in (100, 60, 145, 105)]
    assert _spots(image.crop((box[0], box[1], box[2], box[3]))) == DRAWN
    assert (b"/ImageMask" in sealed) == (imprint.picture.stencil is not None)
    if imprint.picture.stencil is None:
        assert b" f*" in zlib.decompress(imprint.picture.form).replace(b"\n", b" ")


def test_the_artwork_stands_in_the_picture_for_print(bearing: SealSpec) -> None:
    """Paths in the SVG, with their rule, for paths; the red picture for a picture; nothing that refers elsewhere."""
    picture = seal_picture(bearing)
    if picture.stencil is None:
        assert picture.svg.count("<path") == 3
        assert 'fill-rule="evenodd"' in picture.svg
    else:
        assert re.search(r'<image [^>]*href="data:image/png;base64,', picture.svg)
    assert not re.search(r'href="(?!data:image/png)', picture.svg)


def test_both_forms_agree(tmp_path: Path, spec: SealSpec) -> None:
    """The same device drawn by hand as paths and as dots covers the same part of the seal."""
    inks = []
    for name, data in (("a.svg", DEVICE.encode()), ("a.png", png())):
        (tmp_path / name).write_bytes(data)
        made = seal_png(replace(spec, centre="emblem", emblem=load_emblem(tmp_path / name)))
        inks.append(sum(Image.open(BytesIO(made)).getchannel("A").get_flattened_data()))
    assert inks[0] == pytest.approx(inks[1], rel=0.02)


def test_a_seal_after_the_standard_has_it_too(bearing: SealSpec, keys: Path) -> None:
    """GB/T 38540: the picture inside the seal is the one with the artwork, 45 mm wide."""
    from certlib.crypto.certificates import load_certificates  # noqa: PLC0415
    from certlib.crypto.cms import Signer  # noqa: PLC0415
    from certlib.crypto.keys import open_key  # noqa: PLC0415
    from tests.sealing.test_ses import FROM, UNTIL  # noqa: PLC0415

    path = keys / "seals" / "seal-maker.sm2.pem"
    maker, *chain = load_certificates(path.read_bytes(), name="maker")
    holder_path = keys / "seals" / "seal-ganzhou-approval-approval-1.sm2.pem"
    holder = load_certificates(holder_path.read_bytes(), name="holder")[0]
    signer = Signer(open_key(f"pem:{path}"), maker, tuple(chain))
    made = read_seal(make_seal(bearing, signer, holder, valid_from=FROM, valid_until=UNTIL, created=NOW))
    assert (made.info.picture.width, made.info.picture.data) == (45, seal_png(bearing))


def test_the_picture_is_a_function_of_the_data(bearing: SealSpec, file: Path) -> None:
    """The data keep the file's bytes: what happens to the file afterwards changes no edition."""
    before = seal_png(bearing)
    file.write_bytes(b"gone")
    assert seal_png(replace(bearing)) == before
    assert isinstance(seal_picture(bearing), SealPicture)
    assert "base64" not in repr(bearing)


def svg(body: str, box: str = "0 0 100 100", head: str = "") -> bytes:
    return f'{head}<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{body}</svg>'.encode()


PATH = '<path d="M10 10H90V90H10Z"/>'
ENTITY = '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:' + '///etc/passwd">]>'  # no committed line names a place
WRONG = {
    "a script": (svg(f"<script>alert(1)</script>{PATH}"), "script"),
    "an event": (svg('<path onload="alert(1)" d="M0 0H9V9Z"/>'), "onload"),
    "a picture elsewhere": (svg('<image href="http://example.com/a.png"/>'), "image"),
    "a reference": (svg('<use href="other.svg#a"/>'), "use"),
    "a link": (svg(f'<a href="http://example.com">{PATH}</a>'), "元素 a"),
    "a style": (svg('<path style="fill:url(http://example.com)" d="M0 0H9V9Z"/>'), "style"),
    "an entity": (svg(PATH, head=ENTITY), "实体"),
    "a style sheet": (svg(PATH, head='<?xml-stylesheet href="http://example.com/a.css"?>'), "处理指令"),
    "a style sheet behind the declaration": (
        svg(PATH, head='<?xml version="1.0"?><?xml-stylesheet href="a.css"?>'),
        "处理指令",
    ),
    "text": (svg("<text>国</text>"), "text"),
    "a stroke": (svg('<path stroke="red" d="M0 0H9V9Z"/>'), "stroke"),
    "a transform": (svg(f'<g transform="scale(2)">{PATH}</g>'), "transform"),
    "two colours": (svg('<path fill="#ffd700" d="M0 0H9V9Z"/>'), "单色"),
    "no square": (svg(PATH, box="0 0 100 120"), "正方形"),
    "no box": (b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0H9V9Z"/></svg>', "viewBox"),
    "a box of nonsense": (svg(PATH, box="0 0 inf inf"), "正方形"),
    "beyond the box": (svg('<path d="M10 10H190V90H10Z"/>'), "超出"),
    "a path of nonsense": (svg('<path d="M10 spam"/>'), "路径无法读取"),
    "no path": (svg(""), "没有路径"),
    "too many segments": (svg(f'<path d="M0 0{"L1 1L2 0" * 10_001}Z"/>'), "20000 段"),
    "too large": (svg(PATH + "<!--" + "x" * MAX_BYTES + "-->"), "256 KB"),
    "another language": (b"<html><body/></html>", "不是 SVG"),
    "no XML": (b"<svg", "无法读取"),
    "opaque": (png(ground=(255, 255, 255, 255)), "不透明"),
    "an oblong picture": (png(height=700), "正方形"),
    "too few dots": (png(200), "200 点"),
    "too many dots": (png(3000), "3000 点"),
    "blank": (png(drawn=False), "空白"),
    "a broken picture": (png()[:200], "无法读取"),
    "a photograph": (b"\xff\xd8\xff\xe0 a photograph", "SVG 矢量文件或透明底 PNG"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_fit_is_refused_by_name(name: str, tmp_path: Path) -> None:
    """The file and what is wrong with it; scripts and references of every kind among it."""
    data, why = WRONG[name]
    path = tmp_path / "artwork"
    path.write_bytes(data)
    with pytest.raises(ConfigurationError, match=re.escape(why)) as refused:
        load_emblem(path)
    assert "artwork" in refused.value.message


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """Which one."""
    with pytest.raises(ConfigurationError, match=r"none\.svg"):
        load_emblem(tmp_path / "none.svg")


def test_what_is_no_artwork_in_the_data_is_refused() -> None:
    """A seal's data that were tampered with draw nothing."""
    for url in ("emblem.svg", "data:image/svg+xml;base64,***", "data:text/html;base64,PGE+"):
        with pytest.raises(RenderError, match="不能使用"):
            read_emblem(url)
