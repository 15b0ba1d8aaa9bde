"""A sealed file, held against independent judges and against the rules it must keep."""

import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
from asn1crypto import cms
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from certlib.crypto.attributes import SealUse, seal_use
from certlib.crypto.certificates import load_certificates, load_revocation_lists
from certlib.crypto.development import development_timestamps
from certlib.crypto.suites import SUITES
from certlib.domain.page import Box
from certlib.domain.seal import SealSpec
from certlib.errors import SealFailedError
from certlib.sealing.identities import SealIdentity
from certlib.sealing.pades import seal_pdf
from certlib.sealing.picture import seal_picture
from certlib.sealing.widget import Imprint

USE = SealUse("36070000000002", 17, hashlib.sha256(b"authorisation").digest(), "intent-1")
Seal = Callable[..., bytes]

NOW = datetime.fromisoformat("2026-01-02T03:04:05Z")

PLACE = Box(1, 130, 60, 42, 42)


@pytest.fixture(scope="module")
def seal(page: bytes, spec: SealSpec, identity: SealIdentity) -> Seal:
    """Seal the page, or other bytes, at B-T or B-B."""

    def make(pdf: bytes = page, *, level: str = "B-T", placement: Box = PLACE) -> bytes:
        imprint = Imprint(
            picture=seal_picture(spec),
            placement=placement,
            name=spec.name,
            reason="核发医疗器械经营许可证",
            location="江西省赣州市",
        )
        timestamper = development_timestamps(identity.suite) if level == "B-T" else None
        signer = identity.signer(at=NOW)
        return seal_pdf(pdf, imprint, signer, at=NOW, timestamper=timestamper, attributes=(USE.encode(),)).pdf

    return make


@pytest.fixture(scope="module", params=["B-B", "B-T"])
def sealed(seal: Seal, request: pytest.FixtureRequest) -> bytes:
    """The page sealed at each level in each suite."""
    return seal(level=request.param)


@pytest.fixture
def short(suite: str) -> str:
    """The suite's name in files."""
    return SUITES[suite].short


def test_the_rendered_file_is_kept_byte_for_byte(sealed: bytes, page: bytes) -> None:
    """Sealing appends one revision, after the end-of-line that ISO 19005-3 6.1.9 asks for."""
    assert sealed.startswith(page + (b"" if page.endswith(b"\n") else b"\n"))
    assert sealed.count(b"%%EOF") == 2
    assert re.search(rb"%%EOF\n\d+ 0 obj", sealed)


def test_pyhanko_finds_it_trusted_and_untouched(sealed: bytes, keys: Path, short: str) -> None:
    """Chain with revocation, coverage, certification and timestamp, as another reader of the standard sees them."""
    status = _validate(sealed, keys, short)
    assert status.bottom_line
    assert status.trusted
    assert status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    assert status.modification_level is ModificationLevel.NONE
    assert status.docmdp_ok


def test_the_timestamp_is_there_when_asked_for_and_only_then(seal: Seal, keys: Path, short: str) -> None:
    """B-T has one trusted timestamp of the given time, B-B none."""
    stamped = _validate(seal(level="B-T"), keys, short).timestamp_validity
    assert stamped is not None
    assert stamped.trusted
    assert stamped.timestamp == NOW
    assert _validate(seal(level="B-B"), keys, short).timestamp_validity is None


def test_the_signature_names_its_use_and_authorisation(sealed: bytes) -> None:
    """The signed attribute reads back."""
    assert seal_use(_signer_info(sealed)) == USE


def test_the_certificate_is_bound_by_its_hash_and_no_time_is_claimed(sealed: bytes) -> None:
    """ETSI EN 319 142-1: signing-certificate-v2 is signed, signing-time is not among the attributes, one certificate
    chain is embedded without the root."""
    info = _signer_info(sealed)
    names = {one["type"].native for one in info["signed_attrs"]}
    assert {"content_type", "message_digest", "signing_certificate_v2", "cms_algorithm_protection"} < names
    assert "signing_time" not in names
    assert len(_signed_data(sealed)["certificates"]) == 2


def test_the_dictionary_says_who_why_where_when(sealed: bytes) -> None:
    """Name, reason and location in Chinese, time with Shanghai's offset, SubFilter of PAdES, DocMDP P=1."""
    signature = PdfFileReader(BytesIO(sealed)).embedded_signatures[0].sig_object
    texts = [signature[key] for key in ("/Name", "/Reason", "/Location", "/M", "/SubFilter")]
    assert texts == [
        "赣州市行政审批局行政审批专用章",
        "核发医疗器械经营许可证",
        "江西省赣州市",
        "D:20260102110405+08'00'",
        "/ETSI.CAdES.detached",
    ]
    assert signature["/Reference"][0]["/TransformParams"]["/P"] == 1


def test_the_widget_is_part_of_the_structure(sealed: bytes) -> None:
    """ISO 14289-1 7.18: Form element with object reference, StructParent that leads back to it, TU, alternative text,
    tab order by structure."""
    root = PdfFileReader(BytesIO(sealed)).root
    field = root["/AcroForm"]["/Fields"][0]
    page = field["/P"]
    assert page["/Tabs"] == "/S"
    assert [page["/Annots"][k]["/Subtype"] for k in range(2)] == ["/Link", "/Widget"]
    nums = root["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    parents = {int(nums[k]): nums[k + 1] for k in range(0, len(nums), 2)}
    element = parents[int(field["/StructParent"])]
    assert element["/S"] == "/Form"
    assert element["/K"].raw_get("/Obj") == root["/AcroForm"]["/Fields"].raw_get(0)
    assert element["/Alt"] == field["/TU"] == field["/Contents"] == "赣州市行政审批局行政审批专用章，电子签章"
    siblings = element["/P"]["/K"]
    assert element in [siblings[k] for k in range(len(siblings))]
    assert int(root["/StructTreeRoot"]["/ParentTreeNextKey"]) == max(parents) + 1
    assert len(parents) == len(nums) // 2


def test_the_appearance_is_vectors_without_fonts_and_stays_in_its_box(sealed: bytes) -> None:
    """ISO 19005-3: no font or image, a normal appearance only, printed and not hidden; the box is the circle's."""
    field = PdfFileReader(BytesIO(sealed)).root["/AcroForm"]["/Fields"][0]
    form = field["/AP"]["/N"]
    assert set(field["/AP"]) == {"/N"}
    assert set(form["/Resources"]) == {"/ExtGState"}
    assert int(field["/F"]) == 4 | 128
    left, bottom, right, top = (float(value) for value in field["/Rect"])
    assert (right - left, top - bottom) == pytest.approx((42 / 25.4 * 72,) * 2, abs=0.01)
    assert (left, top) == pytest.approx((130 / 25.4 * 72, 841.89 - 60 / 25.4 * 72), abs=0.01)
    assert [float(value) for value in form["/BBox"]] == pytest.approx([0, 0, right - left, top - bottom], abs=0.01)


def test_the_seal_is_seen_where_it_was_put(seal: Seal) -> None:
    """Rasterised, the red lies in the given square on the given page, and nowhere else."""
    pages = pypdfium2.PdfDocument(seal(placement=Box(2, 20.5, 200, 42, 42)))
    pages.init_forms()
    ink = [_red_box(pages[k]) for k in range(2)]
    assert ink[0] is None
    assert ink[1] == pytest.approx((20.5, 200, 62.5, 242), abs=0.3)


def test_text_under_the_seal_stays_legible(page: bytes, seal: Seal) -> None:
    """The seal is ink on ink: black beneath it stays black."""
    before, after = (_render(pdf, Box(1, 130, 55, 42, 42)) for pdf in (page, seal(placement=Box(1, 130, 55, 42, 42))))
    dark = [k for k, (red, _, _) in enumerate(before) if red < 60]
    assert len(dark) > 100
    assert all(after[k][0] < 90 for k in dark)


@pytest.mark.skipif(shutil.which("qpdf") is None, reason="qpdf is not installed")
def test_qpdf_finds_no_fault(sealed: bytes, tmp_path: Path) -> None:
    """`qpdf --check` has nothing to say."""
    (tmp_path / "sealed.pdf").write_bytes(sealed)
    done = subprocess.run(["qpdf", "--check", tmp_path / "sealed.pdf"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not shutil.which("pdfsig") or not shutil.which("certutil"), reason="pdfsig or certutil is missing")
def test_pdfsig_finds_it_valid_and_trusted(sealed: bytes, tmp_path: Path, keys: Path) -> None:
    """poppler over NSS, with the development roots, without network."""
    (tmp_path / "sealed.pdf").write_bytes(sealed)
    database = tmp_path / "nss"
    database.mkdir()
    subprocess.run(["certutil", "-N", "-d", f"sql:{database}", "--empty-password"], check=True, capture_output=True)
    for root in (keys / "trust").glob("*.pem"):
        add = ["certutil", "-A", "-d", f"sql:{database}", "-n", root.stem, "-t", "CT,C,C", "-i", root]
        subprocess.run(add, check=True, capture_output=True)
    command = ["pdfsig", "-nssdir", database, tmp_path / "sealed.pdf"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid." in said
    assert "Certificate is Trusted." in said
    assert "Total document signed" in said
    assert "36070000000002" in said


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_verifies_the_cms_and_its_timestamp(seal: Seal, tmp_path: Path, keys: Path, short: str) -> None:
    """`openssl cms -verify` with the chain, `openssl ts -verify` of the signature value."""
    sealed, root = seal(), keys / "trust" / f"{short}.pem"
    before, after, _ = _range(sealed)
    (tmp_path / "content").write_bytes(sealed[:before] + sealed[after:])
    (tmp_path / "cms").write_bytes(_message(sealed))
    command = ["openssl", "cms", "-verify", "-inform", "DER", "-binary", "-in", tmp_path / "cms"]
    done = _run([*command, "-content", tmp_path / "content", "-CAfile", root, "-out", tmp_path / "out"])
    assert done.returncode == 0, done.stderr
    (tmp_path / "content").write_bytes(sealed[: before - 1] + sealed[after:])
    assert _run([*command, "-content", tmp_path / "content", "-CAfile", root, "-out", tmp_path / "out"]).returncode != 0

    info = _signer_info(sealed)
    (tmp_path / "token").write_bytes(info["unsigned_attrs"][0]["values"][0].dump())
    (tmp_path / "value").write_bytes(info["signature"].native)
    command = ["openssl", "ts", "-verify", "-token_in", "-in", tmp_path / "token", "-data", tmp_path / "value"]
    done = _run([*command, "-CAfile", root])
    assert done.returncode == 0, done.stderr


def test_the_room_for_the_signature_is_enough_and_not_wasted(seal: Seal) -> None:
    """ECDSA signatures vary in length: twenty of them fit, with less than half a kilobyte to spare."""
    for _ in range(20):
        sealed = seal()
        before, after, _rest = _range(sealed)
        assert 0 <= (after - before - 2) // 2 - len(_message(sealed)) < 512


def test_a_file_that_is_not_the_renderers_is_not_sealed(seal: Seal) -> None:
    """Nonsense, a file with a form or signature already, a page that is not there."""
    for pdf in (b"", b"nonsense", b"%PDF-1.7\n%%EOF\n", seal()):
        with pytest.raises(SealFailedError, match="未用印"):
            seal(pdf)
    for number in (-1, 0, 3):
        with pytest.raises(SealFailedError, match="未用印"):
            seal(placement=Box(number, 130, 60, 42, 42))


def _validate(sealed: bytes, keys: Path, short: str):
    roots = load_certificates((keys / "trust" / f"{short}.pem").read_bytes(), name="root")
    lists = load_revocation_lists([keys / "crl" / f"{name}.{short}.crl" for name in ("root", "issuing")])
    context = ValidationContext(
        trust_roots=[cms.Certificate.load(root.der) for root in roots],
        crls=[one.der for one in lists],
        revocation_mode="require",
        allow_fetching=False,
        moment=NOW,
    )
    embedded = PdfFileReader(BytesIO(sealed)).embedded_signatures
    assert len(embedded) == 1
    return validate_pdf_signature(embedded[0], context, ts_validation_context=context)


def _range(sealed: bytes) -> tuple[int, int, int]:
    found = re.search(rb"/ByteRange ?\[0 (\d+) (\d+) (\d+)\]", sealed)
    assert found
    before, after, rest = map(int, found.groups())
    return before, after, rest


def _message(sealed: bytes) -> bytes:
    before, after, _ = _range(sealed)
    padded = bytes.fromhex(sealed[before + 1 : after - 1].decode())
    return padded[: 4 + int.from_bytes(padded[2:4], "big")]


def _signed_data(sealed: bytes) -> cms.SignedData:
    return cms.ContentInfo.load(_message(sealed), strict=True)["content"]


def _signer_info(sealed: bytes) -> cms.SignerInfo:
    return _signed_data(sealed)["signer_infos"][0]


def _run(command: list[str | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _red_box(page: pypdfium2.PdfPage) -> tuple[float, ...] | None:
    """The bounding box of what is red, in millimetres from the page's upper left corner."""
    image = page.render(scale=150 / 72, may_draw_forms=True).to_pil().convert("RGB")
    red = image.getchannel("R").point(lambda v: 255 if v > 200 else 0)
    other = image.getchannel("G").point(lambda v: 0 if v < 100 else 255)
    mask = [
        255 if r and not g else 0 for r, g in zip(red.get_flattened_data(), other.get_flattened_data(), strict=True)
    ]
    red.putdata(mask)
    box = red.getbbox()
    return box and tuple(value / 150 * 25.4 for value in box)


def _render(pdf: bytes, part: Box) -> list[tuple[int, int, int]]:
    document = pypdfium2.PdfDocument(pdf)
    document.init_forms()
    image = document[0].render(scale=150 / 72, may_draw_forms=True).to_pil().convert("RGB")
    dots = 150 / 25.4
    left, top = part.x * dots, part.y * dots
    return list(
        image.crop((round(left), round(top), round(left + 42 * dots), round(top + 42 * dots))).get_flattened_data()
    )
