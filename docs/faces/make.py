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
DPI = 110
SEALS = {
    "赣州市自然资源局": "36070000000001",
    "赣州市行政审批局": "36070000000002",
    "赣州市市场监督管理局": "36070000000004",
}
FACES = {
    "medical-device-licence": ("正本", "medical-device-licence"),
    "gas-licence": ("正本", "gas-licence-original"),
    "construction-planning-permit": ("正本", "construction-planning-permit"),
    "medical-device-filing": ("正本", "medical-device-filing"),
    "licence-decision": ("电子", "licence-decision"),
    "filing-receipt": ("电子", "filing-receipt"),
}


def main() -> None:
    """Write one picture for each page."""
    renderer, seals = default_renderer(), load_catalogue().seals
    wanted = [(key, copy, name) for key, (copy, name) in FACES.items()] + [
        ("gas-licence", "副本", "gas-licence-duplicate")
    ]
    for key, copy, name in wanted:
        face = dict(sample_faces(renderer.templates.template(key)))[f"plain/{copy}/sheet"]
        seal = seals[SEALS[face.issuer]]
        face = replace(face, seal_svg=seal_picture(seal).svg, serial="" if copy == "电子" else "No. 36070000001")
        document = pdfium.PdfDocument(renderer.render(face).pdf)
        for number, page in enumerate(document, 1):
            picture = page.render(scale=DPI / 72).to_pil().quantize(128)
            picture.save(HERE / (f"{name}-{number}.png" if len(document) > 1 else f"{name}.png"), optimize=True)


if __name__ == "__main__":
    main()
