"""Make the pictures of this folder: `python docs/faces/make.py`. Every face with an invented holder and its seal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pypdfium2 as pdfium
from PIL import Image

from certlib.catalogue import load_catalogue
from certlib.document.check import sample_faces
from certlib.document.renderer import default_renderer
from certlib.domain.seal import SealKind
from certlib.sealing.picture import seal_picture

HERE = Path(__file__).parent
DPI, COLOURS = 100, 64
# Face, copy, picture.
FACES = (
    ("medical-device-licence", "正本", "medical-device-licence"),
    ("medical-device-filing", "正本", "medical-device-filing"),
    ("gas-licence", "正本", "gas-licence-original"),
    ("gas-licence", "副本", "gas-licence-duplicate"),
    ("construction-planning-permit", "正本", "construction-planning-permit"),
    ("licence-decision", "电子", "licence-decision"),
    ("filing-receipt", "电子", "filing-receipt"),
    ("real-estate-title", "证书", "real-estate-title"),
    ("real-estate-registration-proof", "证书", "real-estate-registration-proof"),
    ("land-use-planning-permit", "证书", "land-use-planning-permit"),
    ("site-selection-opinion", "证书", "site-selection-opinion"),
    ("mining-licence", "正本", "mining-licence-original"),
    ("mining-licence", "副本", "mining-licence-duplicate"),
    ("exploration-licence", "证书", "exploration-licence"),
    ("drug-retail-licence", "正本", "drug-retail-licence-original"),
    ("drug-retail-licence", "副本", "drug-retail-licence-duplicate"),
    ("refined-oil-licence", "正本", "refined-oil-licence-original"),
    ("refined-oil-licence", "副本", "refined-oil-licence-duplicate"),
    ("hunting-licence", "证书", "hunting-licence"),
    ("wildlife-breeding-licence", "正本", "wildlife-breeding-licence-original"),
    ("wildlife-breeding-licence", "副本", "wildlife-breeding-licence-duplicate"),
    ("aquatic-capture-licence", "证书", "aquatic-capture-licence"),
    ("aquatic-breeding-licence", "正本", "aquatic-breeding-licence-original"),
    ("aquatic-breeding-licence", "副本", "aquatic-breeding-licence-duplicate"),
    ("aquatic-use-licence", "证书", "aquatic-use-licence"),
    ("special-equipment-registration", "证书", "special-equipment-registration"),
    ("special-equipment-registration", "使用标志", "special-equipment-sign"),
    ("minimum-safe-manning-certificate", "证书", "minimum-safe-manning-certificate"),
    ("metrology-authorisation", "证书", "metrology-authorisation"),
    ("metrology-standard-certificate", "证书", "metrology-standard-certificate"),
    ("technology-import-contract-certificate", "证书", "technology-import-contract-certificate"),
    ("technology-export-contract-certificate", "证书", "technology-export-contract-certificate"),
    ("acceptance-notice", "电子", "acceptance-notice"),
    ("review-report", "电子", "review-report"),
    ("approval-flow-sheet", "电子", "approval-flow-sheet"),
    ("revocation-decision", "电子", "revocation-decision"),
    ("eia-approval", "电子", "eia-approval"),
    ("recognition-list", "电子", "recognition-list"),
    ("service-receipt", "电子", "service-receipt"),
)
SMALL, COLUMNS = 45, 7  # dots an inch and pages a row of the picture of all documents


def main() -> None:
    """Write one picture for each page, and one of the first pages of all documents."""
    for key, copy, name in FACES:
        pages = face_pages(key, copy, dpi=DPI)
        for number, picture in enumerate(pages, 1):
            path = HERE / (f"{name}-{number}.png" if len(pages) > 1 else f"{name}.png")
            picture.quantize(COLOURS).save(path, optimize=True)
    first = [face_pages(key, "电子", dpi=SMALL)[0] for key in load_catalogue().document_types]
    width, height = first[0].size
    wall = Image.new("RGB", (width * COLUMNS, height * -(-len(first) // COLUMNS)), "#9a9a9a")
    for place, picture in enumerate(first):
        wall.paste(
            picture.crop((1, 1, width - 1, height - 1)), (place % COLUMNS * width + 1, place // COLUMNS * height + 1)
        )
    wall.quantize(COLOURS).save(HERE / "documents.png", optimize=True)


def face_pages(key: str, copy: str, *, dpi: int) -> list[Image.Image]:
    """The pages of a face's plain sample with the seal that its kind bears."""
    renderer, catalogue = default_renderer(), load_catalogue()
    face = dict(sample_faces(renderer.templates.template(key)))[f"plain/{copy}/sheet"]
    kind = catalogue.document_types.get(key)
    wanted = SealKind.ORGAN if kind and kind.seal != "approval" else SealKind.APPROVAL
    owner = next(authority.key for authority in catalogue.authorities.values() if authority.name == face.issuer)
    seal = seal_picture(catalogue.seal(owner, wanted)).svg
    face = replace(face, seal_svg=seal, serial="" if copy == "电子" else "No. 36070000001")
    return [page.render(scale=dpi / 72).to_pil() for page in pdfium.PdfDocument(renderer.render(face).pdf)]


if __name__ == "__main__":
    main()
