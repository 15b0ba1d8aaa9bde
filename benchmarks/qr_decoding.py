"""How often the code on our sheets is read: printed, photographed badly, half covered, copied, stamped over.

    python -m benchmarks.qr_decoding [--samples 40] [--page]

A real sheet is rendered and rasterised; into the square of its code go, one after the other, the code of a company and
that of a person as the face draws them, the first also in the usual square, the second in 27 mm, a code like the EU's
vaccination certificates (base45, signed content in full), and a plain address such as an online-only code has. The last
stand in the square of the company's, the address in the person's too, and all meet the same seeds, so columns compare;
the conditions are models of print and capture, not telephones. Read by zxing as it is, and with `--page` ours as our
page reads (red channel first, then all, then sharpened; in Chromium). Results also go to
`.benchmarks/qr_decoding.json`.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import random
import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pypdfium2 as pdfium
import qrcode
import zxingcpp
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.table import Table

from benchmarks.bench_page import CHROMIUM, FLAGS
from benchmarks.serving import serving
from certlib.crypto.development import development_key
from certlib.document.check import sample_faces
from certlib.document.code import draw_code
from certlib.document.renderer import default_renderer
from certlib.formats.code import CodePayload, code_text, sign_code

DPI = 300
DOTS = DPI / 25.4  # printer dots to the millimetre
AROUND = 21.0  # millimetres of the sheet that a photo shows around the code
TEMPLATE = "medical-device-licence"
Picture = Image.Image
Look = Callable[[Picture, random.Random], Picture]


@dataclass(frozen=True)
class Format:
    """One kind of code: its text, its error correction, the side of its square in millimetres."""

    name: str
    text: str
    correction: str
    side: float


def formats() -> list[Format]:
    """What is compared. The payload as issued has the longest usual texts: a company's full name, a Chinese number."""
    payload = CodePayload(
        type_number=2,
        number="赣虔药监械经营许20260017号",
        edition=1,
        name="赣州蓉江新区晴川医疗器械有限公司",
        issued=date(2026, 3, 9),
        expires=date(2031, 3, 8),
        digest=bytes(range(16)),
        n=40_017,
        carrier=1,
        issuer_number=2,
    )
    short = replace(payload, number="2026000017", name="欧***")
    key, noise = development_key("code-2026"), random.Random(11)
    ours, small = (code_text(sign_code(one, key), "zwfw.ganzhou.example") for one in (payload, short))
    base45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
    dcc = "HC1:" + "".join(noise.choice(base45) for _ in range(548))  # the median of issued official samples
    face = default_renderer().templates.template(TEMPLATE).layout("").code
    assert face is not None
    company, person = (draw_code(text, squares=face.sizes, version=9) for text in (ours, small))
    usual = draw_code(ours, squares=face.sizes[:1], version=9)
    address = "https://zwfw.ganzhou.example/c/7K3M9Q2XB4TR"
    return [
        Format("ours, a company", ours, company.correction, company.side),
        Format("ours, a person", small, person.correction, person.side),
        Format("ours, a company, usual square", ours, usual.correction, usual.side),
        Format("ours, a person, 27 mm", small, "M", 26.9),
        Format("like an EU DCC (Q)", dcc, "Q", company.side),
        Format("like an EU DCC, at M", dcc, "M", company.side),
        Format("plain address", address, "M", company.side),
        Format("plain address, usual square", address, "M", person.side),
    ]


# --- what happens to a print ------------------------------------------------------------------------------------


def printed(picture: Picture, chance: random.Random) -> Picture:
    """Toner on paper: dots grow a little, edges are ragged, the paper is not white."""
    grown = picture.convert("L").filter(ImageFilter.GaussianBlur(0.55))
    noise = Image.effect_noise(grown.size, 55)
    ragged = Image.blend(grown, noise, 0.12).point(lambda level: 0 if level < 132 else 255)
    ink = ragged.point(lambda level: 28 if level == 0 else 240)
    return Image.merge("RGB", (ink, ink.point(lambda level: level - 3), ink.point(lambda level: max(0, level - 12))))


def captured(
    picture: Picture,
    chance: random.Random,
    *,
    dots: float = 9.0,
    blur: float = 0.7,
    tilt: float = 0.04,
    noise: float = 9,
    quality: int = 80,
    light: float = 1.0,
) -> Picture:
    """A photo: `dots` pixels to the millimetre, out of focus by `blur` pixels, held askew, in that light."""
    width, height = (max(8, int(side / DOTS * dots)) for side in picture.size)
    small = picture.resize((width, height), Image.Resampling.BOX)
    corners = [(0, 0), (0, height), (width, height), (width, 0)]
    moved = [(x + chance.uniform(-tilt, tilt) * width, y + chance.uniform(-tilt, tilt) * height) for x, y in corners]
    small = small.transform(small.size, Image.Transform.PERSPECTIVE, _coefficients(moved, corners),
                            Image.Resampling.BILINEAR, fillcolor=(200, 196, 188))  # fmt: skip
    small = small.rotate(chance.uniform(-12, 12), Image.Resampling.BILINEAR, expand=True, fillcolor=(200, 196, 188))
    small = small.filter(ImageFilter.GaussianBlur(blur))
    shade = Image.linear_gradient("L").resize(small.size).rotate(chance.choice((0, 90, 180, 270)))
    small = ImageChops.multiply(small, Image.merge("RGB", [shade.point(lambda level: 190 + level // 4)] * 3))
    small = ImageEnhance.Brightness(small).enhance(light)
    grain = Image.effect_noise(small.size, noise)
    small = ImageChops.add(small, Image.merge("RGB", [grain] * 3), 1, -128)
    held = io.BytesIO()
    small.save(held, "JPEG", quality=quality)
    return Image.open(held).convert("RGB")


def _coefficients(source: list[tuple[float, float]], target: list[tuple[float, float]]) -> list[float]:
    """The eight numbers of a perspective that takes `target` to `source`, by elimination."""
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[u, v, 1, 0, 0, 0, -x * u, -x * v, x], [0, 0, 0, u, v, 1, -y * u, -y * v, y]]
    for i in range(8):
        pivot = max(range(i, 8), key=lambda row: abs(rows[row][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for j in range(8):
            if j != i:
                rows[j] = [a - rows[j][i] * b for a, b in zip(rows[j], rows[i], strict=True)]
    return [row[8] for row in rows]


def stamped(picture: Picture, chance: random.Random, *, over: float) -> Picture:
    """An official seal of 40 mm whose middle lies `over` (0 the edge, 1 the middle) into the code."""
    side, radius = picture.width, 20 * DOTS
    away = (1 - over) * (side / 2 - AROUND * DOTS + radius * 0.75)
    turn = chance.uniform(0.6, 0.9)
    middle = (side / 2 + away * turn, side / 2 + away * (2 - turn) / 1.2)
    ink = Image.new("RGB", picture.size, "white")
    pen = ImageDraw.Draw(ink)
    pen.ellipse(
        [c - radius for c in middle] + [c + radius for c in middle], outline=(214, 40, 48), width=int(1.2 * DOTS)
    )
    pen.regular_polygon((*middle, 7 * DOTS), 5, rotation=chance.randrange(72), fill=(214, 40, 48))
    for step in range(14):  # the arc of characters
        angle = 2.4 + step * 0.32
        x, y = middle[0] + radius * 0.78 * _cos(angle), middle[1] + radius * 0.78 * _sin(angle)
        pen.rectangle((x - 1.6 * DOTS, y - 1.6 * DOTS, x + 1.6 * DOTS, y + 1.6 * DOTS), outline=(214, 40, 48), width=5)
    return ImageChops.multiply(picture, ink.filter(ImageFilter.GaussianBlur(0.8)))


def _cos(angle: float) -> float:
    return math.cos(angle)


def _sin(angle: float) -> float:
    return math.sin(angle)


def copied(picture: Picture, chance: random.Random) -> Picture:
    """A photocopy: grey becomes black or white, thin lines thin out or run together."""
    grey = picture.convert("L").filter(ImageFilter.GaussianBlur(1.4))
    limit = chance.randint(105, 150)
    hard = grey.point(lambda level: 20 if level < limit else 245)
    return Image.merge("RGB", [hard.filter(ImageFilter.GaussianBlur(0.8))] * 3)


def covered(picture: Picture, chance: random.Random, *, share: float, side: float) -> Picture:
    """A finger or a label over one part of the code."""
    out, pen_size = picture.copy(), side * DOTS * share**0.5
    first = picture.width / 2 - side * DOTS / 2
    x, y = (first + chance.uniform(0, side * DOTS - pen_size) for _ in range(2))
    ImageDraw.Draw(out).rectangle((x, y, x + pen_size, y + pen_size), fill=(190, 150, 130))
    return out


def worn(picture: Picture, chance: random.Random) -> Picture:
    """Folded and carried about: two creases, and ink rubbed off in spots."""
    out = picture.copy()
    pen = ImageDraw.Draw(out)
    width, height = out.size
    for _ in range(2):
        at = chance.uniform(0.3, 0.7)
        pen.line(
            [(0, height * at), (width, height * (at + chance.uniform(-0.15, 0.15)))], fill=(226, 224, 216), width=5
        )
    for _ in range(700):
        x, y, r = chance.randrange(width), chance.randrange(height), chance.uniform(1.0, 4.0)
        pen.ellipse((x - r, y - r, x + r, y + r), fill=(236, 233, 225))
    return out


def conditions(side: float) -> Mapping[str, tuple[Look, Mapping[str, float]]]:
    """What happens to the paper, and how it is photographed."""
    same: Look = lambda picture, chance: picture  # noqa: E731
    return {
        "clean scan": (same, {"dots": 11.8, "blur": 0, "tilt": 0, "noise": 3, "quality": 95}),
        "typical photo": (same, {}),
        "from afar": (same, {"dots": 6.5}),
        "out of focus": (same, {"blur": 1.7}),
        "further out of focus": (same, {"blur": 2.6}),
        "shaken": (lambda p, c: p.filter(ImageFilter.BoxBlur((2.5, 0))), {"blur": 0.8}),
        "dim light": (same, {"light": 0.5, "noise": 16, "blur": 0.8}),
        "askew": (same, {"tilt": 0.14}),
        "heavily compressed": (same, {"quality": 22, "dots": 8}),
        "seal over the edge": (lambda p, c: stamped(p, c, over=0.0), {}),
        "seal over the middle": (lambda p, c: stamped(p, c, over=1.0), {}),
        "photocopy": (copied, {}),
        "photocopy of a stamped code": (lambda p, c: copied(stamped(p, c, over=0.0), c), {}),
        "5 % covered": (lambda p, c: covered(p, c, share=0.05, side=side), {}),
        "10 % covered": (lambda p, c: covered(p, c, share=0.10, side=side), {}),
        "15 % covered": (lambda p, c: covered(p, c, share=0.15, side=side), {}),
        "worn": (worn, {}),
    }


# --- the sheet and its codes ------------------------------------------------------------------------------------


def sheet() -> tuple[Picture, float]:
    """The part of a real sheet around its code, in printer dots, and the side of the code in millimetres."""
    renderer = default_renderer()
    template = renderer.templates.template(TEMPLATE)
    face = next(face for name, face in sample_faces(template) if name.endswith("sheet"))
    face = replace(face, code_text=formats()[0].text)
    rendered = renderer.render(face)
    box = rendered.code
    if box is None:
        raise SystemExit("the sheet has no code")
    page = pdfium.PdfDocument(rendered.pdf)[box.page - 1]
    whole = page.render(scale=DPI / 72).to_pil().convert("L")
    corner = (box.x - AROUND, box.y - AROUND)
    region = [corner[0], corner[1], box.x + box.width + AROUND, box.y + box.height + AROUND]
    return whole.crop(tuple(int(edge * DOTS) for edge in region)), box.width


def drawn(base: Picture, side: float, format_: Format) -> tuple[Picture, int]:
    """The sheet with another code in the square of its own."""
    level = {"M": qrcode.ERROR_CORRECT_M, "Q": qrcode.ERROR_CORRECT_Q}[format_.correction]
    symbol = qrcode.QRCode(error_correction=level, border=4, box_size=1)
    symbol.add_data(format_.text, optimize=20)
    symbol.make(fit=True)
    modules = symbol.make_image().get_image().convert("L")
    zone = round(format_.side * DOTS * modules.width / (modules.width - 8))
    out, cleared = base.copy(), round(1.15 * side * DOTS)
    out.paste(255, [round(base.width / 2 - cleared / 2)] * 2 + [round(base.width / 2 + cleared / 2)] * 2)
    at = round(base.width / 2 - zone / 2)
    out.paste(modules.resize((zone, zone), Image.Resampling.NEAREST), (at, at))
    return out, symbol.version


def photos(base: Picture, side: float, format_: Format, samples: int) -> Iterator[tuple[str, Picture]]:
    """Every condition `samples` times; the same seeds for every format."""
    whole, _ = drawn(base, side, format_)
    for name, (happens, how) in conditions(format_.side).items():
        for number in range(samples):
            chance = random.Random(f"{name}/{number}")
            random.seed(number)
            yield name, captured(happens(printed(whole, chance), chance), chance, **how)  # type: ignore[arg-type]


# --- readers ------------------------------------------------------------------------------------------------------


def by_zxing(picture: Picture, text: str) -> bool:
    """Whether zxing finds the code in the picture."""
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    return any(one.text == text for one in found)


READ = """async (bytes) => {
  const { fromPhoto } = await import('/v/scan.js');
  try { return await fromPhoto(new Blob([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))])); } catch (error) { return ''; }
}"""  # noqa: E501


@contextmanager
def the_page() -> Iterator[Callable[[Picture, str], bool]]:
    """A reader: the citizen's page in Chromium."""
    from base64 import b64encode  # noqa: PLC0415

    from fastapi import FastAPI  # noqa: PLC0415

    from service.pages.site import citizen_site  # noqa: PLC0415
    from service.routes.pages import pages_router  # noqa: PLC0415

    app = FastAPI()
    host, roots = "zwfw.ganzhou.example", [development_key("trust-p256-2026").public_key]
    app.include_router(pages_router(citizen_site(host=host, roots=roots), host=host))
    with serving(app) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.goto(f"{address}/v")

        def read(picture: Picture, text: str) -> bool:
            held = io.BytesIO()
            picture.save(held, "PNG")
            return page.evaluate(READ, b64encode(held.getvalue()).decode()) == text.partition("#")[2]

        yield read
        browser.close()


def rates(
    base: Picture, side: float, format_: Format, samples: int, read: Callable[[Picture, str], bool]
) -> dict[str, float]:
    """Per cent read, by condition."""
    hits: dict[str, list[bool]] = {}
    for name, picture in photos(base, side, format_, samples):
        hits.setdefault(name, []).append(read(picture, format_.text))
    return {name: 100 * sum(found) / len(found) for name, found in hits.items()}


def main() -> None:
    """Measure, show and keep."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--samples", type=int, default=40)
    options.add_argument("--page", action="store_true", help="read ours with the page as well")
    chosen = options.parse_args()
    base, side = sheet()
    columns: dict[str, dict[str, float]] = {}
    for format_ in formats():
        _, version = drawn(base, side, format_)
        title = f"{format_.name}\nv{version}-{format_.correction}, {format_.side:.1f} mm"
        columns[title] = rates(base, side, format_, chosen.samples, by_zxing)
        Console(stderr=True).print(title, f"{statistics.mean(columns[title].values()):.1f}")
    if chosen.page:
        with the_page() as read:
            for format_ in formats()[:3]:
                columns[f"page: {format_.name}"] = rates(base, side, format_, chosen.samples, read)
    table = Table("% read", *columns, title=f"{chosen.samples} photos each")
    for name in conditions(side):
        table.add_row(name, *(f"{column[name]:.0f}" for column in columns.values()))
    table.add_section()
    table.add_row("mean", *(f"{statistics.mean(column.values()):.1f}" for column in columns.values()))
    Console(width=200).print(table)
    Path(".benchmarks").mkdir(exist_ok=True)
    Path(".benchmarks/qr_decoding.json").write_text(json.dumps(columns, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
