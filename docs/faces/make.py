"""Make the pictures of this folder: `python docs/faces/make.py`. Every face with an invented holder and its seal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pypdfium2 as pdfium

from certlib.catalogue import load_catalogue
from certlib.document.check import sample_faces
from certlib.document.renderer import default_renderer
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
)


def main() -> None:
    """Write one picture for each page."""
    renderer, catalogue = default_renderer(), load_catalogue()
    authorities = {authority.name: authority.key for authority in catalogue.authorities.values()}
    for key, copy, name in FACES:
        face = dict(sample_faces(renderer.templates.template(key)))[f"plain/{copy}/sheet"]
        seal = min(
            (seal for seal in catalogue.seals.values() if seal.authority == authorities[face.issuer]),
            key=lambda seal: seal.id,
        )
        face = replace(face, seal_svg=seal_picture(seal).svg, serial="" if copy == "电子" else "No. 36070000001")
        document = pdfium.PdfDocument(renderer.render(face).pdf)
        for number, page in enumerate(document, 1):
            picture = page.render(scale=DPI / 72).to_pil().quantize(COLOURS)
            picture.save(HERE / (f"{name}-{number}.png" if len(document) > 1 else f"{name}.png"), optimize=True)


if __name__ == "__main__":
    main()
