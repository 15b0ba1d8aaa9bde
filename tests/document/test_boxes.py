"""What the catalogue allows, the faces hold: every text at its longest, on every copy, all at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from certlib.catalogue import load_catalogue
from certlib.document.check import LONG_CODE, SAMPLE_CAPTION, SAMPLE_CODE
from certlib.document.face import Carrier, Face
from certlib.document.lint import lint
from certlib.document.preflight import preflight
from certlib.document.renderer import Renderer
from certlib.domain.kinds import CertificateType, FieldKind, FieldSpec

ENTRY = 18  # characters of an entry in a list: a name, a drawing, a kind of test
KINDS = [kind for kind in load_catalogue().certificate_types.values() if kind.template]


def longest(spec: FieldSpec) -> str:
    """The longest text that the catalogue lets through, of full-width characters where it may have them."""
    if spec.kind is FieldKind.CHOICE:
        return max(spec.choices, key=len)
    if spec.key == "corners":
        line = "10. 2856231.40, 39456120.22\n"
        return (line * (spec.max_length // len(line))).strip()
    if spec.kind is FieldKind.LIST:
        return (("测" * ENTRY + "\n") * spec.max_length)[: spec.max_length].strip()
    fixed = {
        FieldKind.USCC: "91360702MA35K2QX7H",
        FieldKind.DATE: "2026年12月31日",
        FieldKind.NUMBER: "999999999999.999999",
    }
    return fixed.get(spec.kind, "测" * spec.max_length)


def full_face(kind: CertificateType) -> Face:
    """A face of that type on which every fact is as long as it may be."""
    own = {
        "number": kind.number.example,
        "identifier": "1.2.156.3005.2.11100000MB03271699002.11360700MBY000010W.2026000001.001.N",
        "edition": "001",
        "valid_from": "2026年12月31日",
        "valid_until": "2036年12月30日" if kind.validity.years or kind.validity.months else "长期",
        "check_code": "7K3M-9Q2X",
    }
    return Face(
        template=kind.template,
        title=kind.name,
        carrier=Carrier.FILE,
        facts={**{spec.key: longest(spec) for spec in kind.fields}, **own},
        labels={spec.key: spec.label for spec in kind.fields},
        issuer="赣州市市场监督管理局",
        issued_on="2026年12月31日",
        code_text=SAMPLE_CODE,
        code_caption=SAMPLE_CAPTION,
        made_at="2026-12-31T01:00:00Z",
    )


@pytest.mark.parametrize("code", [SAMPLE_CODE, LONG_CODE], ids=["usual", "longest"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_the_longest_texts_the_catalogue_allows_fit_every_copy(
    renderer: Renderer, kind: CertificateType, code: str
) -> None:
    """Preflight lets them pass, and the page is sound: nothing beyond the margins, under the seal or upon the code."""
    face = replace(full_face(kind), code_text=code)
    preflight(face, renderer)
    for copy in kind.copies:
        sheet = replace(face, carrier=Carrier.SHEET, copy_label=copy.label, serial="No. 36070000001")
        findings = lint(renderer.render(sheet), sheet, renderer=renderer)
        assert [finding for finding in findings if finding.outcome != "pass"] == [], copy.label
