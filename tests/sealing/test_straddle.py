"""The seal across the pages' edges: slices that make the whole circle, inside the sealed revision, as artifacts."""

import itertools
from collections.abc import Callable
from io import BytesIO

import pypdfium2
import pytest
import typst
from PIL import Image, ImageChops, ImageStat
from pyhanko.pdf_utils.reader import PdfFileReader
from pylopdf_fonts_zh_cn import serif_path

from certlib.crypto.development import development_timestamps
from certlib.domain.page import Box
from certlib.sealing.conformance import lint_sealed, require_conformance
from certlib.sealing.identities import SealIdentity
from certlib.sealing.sealer import Sealer
from certlib.sealing.straddle import slices

from .conftest import NOW, PAGE, MemoryLedger

DPMM = 8  # pixels a millimetre
FAR = Box(1, 60, 20, 42, 42)  # a seal away from the right edge


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Three pages as the renderer makes them."""
    source = tmp_path_factory.mktemp("page") / "page.typ"
    source.write_text(PAGE + "\n#pagebreak()\n第三页\n", encoding="utf-8")
    fonts = [str(serif_path().parent)]
    return bytes(typst.compile(str(source), font_paths=fonts, pdf_standards=["a-3a", "ua-1"], ignore_system_fonts=True))


@pytest.fixture
def seal(identity: SealIdentity, suite: str, ledger: MemoryLedger, ordered: Callable[..., str], three: bytes):
    """Seal the three pages; the keywords replace parts of a good order."""
    sealer = Sealer({identity.spec.id: identity}, development_timestamps(suite), ledger)

    def one(**changes: object) -> bytes:
        return sealer.seal(ordered(**{"pdf": three, "suite": suite, **changes}), now=NOW)[1].pdf

    return one


def red(pdf: bytes) -> list[Image.Image]:
    """The red of each page: white where there is ink of the seal, else black."""
    document = pypdfium2.PdfDocument(pdf)
    document.init_forms()
    pages = [page.render(scale=DPMM * 25.4 / 72).to_pil().convert("RGB").split() for page in document]
    return [ImageChops.subtract(r, g).point(lambda value: 255 if value > 100 else 0) for r, g, _ in pages]


def edges(pdf: bytes, width: float) -> list[Image.Image]:
    """The strip of `width` millimetres at each page's right edge."""
    return [page.crop((page.width - round(width * DPMM), 0, *page.size)) for page in red(pdf)]


def rows_of(strip: Image.Image) -> tuple[float, float]:
    """Where the ink begins and ends, in millimetres from the top."""
    box = strip.getbbox()
    assert box
    return box[1] / DPMM, box[3] / DPMM


def test_the_slices_side_by_side_make_the_whole_circle(seal: Callable[..., bytes]) -> None:
    """Put together, the right edges show the picture that the seal's own place shows, as large."""
    pdf = seal(placement=FAR, straddle=8)
    strips = edges(pdf, 14)
    joined = Image.new("L", (3 * strips[0].width, strips[0].height))
    for number, strip in enumerate(strips):
        joined.paste(strip, (number * strip.width, 0))
    first, last = rows_of(joined)
    assert last - first == pytest.approx(42, abs=0.3)
    circle = joined.crop((0, round(first * DPMM), joined.width, round(first * DPMM) + 42 * DPMM))
    own = red(pdf)[0].crop(tuple(round(side * DPMM) for side in (FAR.x, FAR.y, FAR.x + 42, FAR.y + 42)))
    difference = ImageStat.Stat(ImageChops.difference(circle, own)).mean[0] / ImageStat.Stat(own).mean[0]
    assert difference < 0.15  # the smoothing of edges at half a pixel, no more


def test_the_file_keeps_its_conformance_and_one_signature(seal: Callable[..., bytes], three: bytes) -> None:
    """PDF/A-3a and PDF/UA-1 by our lint; what was rendered stays as it was, and all of the rest is signed."""
    pdf = seal(straddle=8)
    require_conformance(pdf)
    assert pdf.startswith(three)
    (signature,) = PdfFileReader(BytesIO(pdf)).embedded_regular_signatures
    signature.compute_integrity_info()
    assert signature.summarise_integrity_info()["coverage"].name == "ENTIRE_FILE"


def test_content_added_as_no_artifact_is_found(seal: Callable[..., bytes]) -> None:
    """The lint looks into what the update draws on the pages."""
    spoiled = seal(straddle=8).replace(b"Q /Artifact BMC q", b"Q /Artefact BMC q")
    assert [one.check for one in lint_sealed(spoiled) if one.outcome == "fail"] == ["UA-7.1-artifact"]


def test_the_slices_keep_clear_of_the_seal(seal: Callable[..., bytes]) -> None:
    """A seal at the right edge in the middle of the page pushes the slices aside, on every page alike."""
    place = Box(3, 165, 127, 42, 42)
    strips = edges(seal(placement=place, straddle=8), 14)
    first, last = rows_of(strips[0])
    assert last < place.y or first > place.y + place.height
    assert all(strip.crop((0, round(first * DPMM), strip.width, round(last * DPMM))).getbbox() for strip in strips)


def test_a_document_without_the_wish_has_none(seal: Callable[..., bytes]) -> None:
    """Nothing is drawn at the edges unless the template asks for it."""
    assert not any(strip.getbbox() for strip in edges(seal(placement=FAR), 14))


@pytest.mark.parametrize(
    ("pages", "most", "groups"),
    [(1, 8, []), (2, 8, [2]), (8, 8, [8]), (9, 8, [5, 4]), (17, 8, [6, 6, 5]), (4, 3, [2, 2]), (5, 0, [])],
)
def test_many_pages_share_several_circles(pages: int, most: int, groups: list[int]) -> None:
    """Each circle is whole, none is on a single page, and every page of several bears a slice."""
    cut = list(slices(pages, most))
    assert [one.page for one in cut] == list(range(1, sum(groups) + 1))
    begins = [k for k, one in enumerate(cut) if one.left == 0] + [len(cut)]
    assert [end - begin for begin, end in itertools.pairwise(begins)] == groups
    for begin, end in itertools.pairwise(begins):
        part = cut[begin:end]
        assert part[-1].right == 1
        assert all(one.right == pytest.approx(after.left) for one, after in itertools.pairwise(part))
