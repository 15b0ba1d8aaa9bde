"""Tries a template folder before it meets a citizen: its own samples, rendered and looked at.

`sample.json` in the folder is a list of samples, each with `name` (one of them "long", with texts near the limits),
`facts`, `issuer`, `issued_on`, and the `copies` it stands for. Each is set as electronic file and as sheet, with a code
in the usual square and with one that fills the layout's largest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from certlib.document.face import Carrier, Face, Rendered
from certlib.document.fonts import load_fonts
from certlib.document.lint import lint
from certlib.document.preflight import preflight
from certlib.document.reading import printed_facts
from certlib.document.renderer import Renderer
from certlib.document.templates import Template, Templates, find_templates
from certlib.domain.verdict import Finding
from certlib.errors import CertlibError, ConfigurationError, RequestError

SAMPLE_CODE = "https://zwfw.example.gov.cn/v#1" + "0123456789" * 31
LONG_CODE = "https://zwfw.example.gov.cn/v#1" + "0123456789" * 61  # 251 bytes: a name of 32 characters, a long number
SAMPLE_CAPTION = "仅认 zwfw.example.gov.cn"
# A ring and a star, so that the place is seen; never taken for a seal.
SAMPLE_SEAL = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 42 42" width="42mm" height="42mm">'
    '<circle cx="21" cy="21" r="20.4" fill="none" stroke="#ff0000" stroke-width="1.2"/>'
    '<path fill="#ff0000" d="M21 14l1.6 4.9h5.1l-4.1 3 1.6 4.9-4.2-3-4.2 3 1.6-4.9-4.1-3h5.1z"/></svg>'
)


def check_template(folder: Path, *, fonts: Path | None = None) -> tuple[Finding, ...]:
    """Everything found about the folder; `fonts` is a city's font folder. Nothing is raised for a bad template."""
    folder = folder.resolve()
    try:
        renderer = Renderer(Templates(folder.parent), load_fonts(find_templates() / "fonts", fonts))
        template = renderer.templates.template(folder.name)
        faces = tuple(sample_faces(template))
    except CertlibError as error:
        return (Finding("template", "fail", error.message),)
    findings = [Finding("template", "pass", f"{template.title} {template.version}"), *_data_findings(template, faces)]
    for name, face in faces:
        findings += _face_findings(name, face, renderer)
    return tuple(findings)


def sample_faces(template: Template) -> Iterator[tuple[str, Face]]:
    """Every sample as file and as sheet, with its name. Raises `ConfigurationError` when sample.json cannot be read."""
    path = template.folder / "sample.json"
    try:
        for sample in json.loads(path.read_text("utf-8")):
            for copy in sample["copies"]:
                for carrier in Carrier:
                    yield f"{sample['name']}/{copy or '电子'}/{carrier.value}", _face(template, sample, copy, carrier)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"读不出样例 {path}：{error} (cannot read the samples)") from error


def _face(template: Template, sample: Mapping[str, Any], copy: str, carrier: Carrier) -> Face:
    sheet = carrier is Carrier.SHEET
    return Face(
        template=template.key,
        title=sample.get("title", template.title),
        carrier=carrier,
        facts=sample["facts"],
        issuer=sample["issuer"],
        issued_on=sample["issued_on"],
        copy_label=copy,
        code_text=SAMPLE_CODE,
        code_caption=SAMPLE_CAPTION,
        attachment=b"" if sheet else json.dumps(sample["facts"], ensure_ascii=False).encode(),
        seal_svg=SAMPLE_SEAL if sheet else None,
        serial="No. 0000001" if sheet else "",
        made_at="2026-03-09T01:00:00Z",
    )


def _data_findings(template: Template, faces: tuple[tuple[str, Face], ...]) -> Iterator[Finding]:
    """What template.toml and the samples leave open."""
    names = {name.split("/")[0] for name, _ in faces}
    outcome = "pass" if {"long"} < names else "warn"
    yield Finding("samples", outcome, "" if outcome == "pass" else "sample.json 应有普通样例和长文样例 long")
    for layout in template.layouts:
        tried = {copy for _, face in faces for copy in (face.copy_label,)} & set(layout.copies)
        missing = [key for key in sorted(printed_facts(layout)) if key not in layout.slots and key not in _OWN]
        told = [f"没有样例用到 {layout.name}"] * (not tried) + [f"{key} 没有 slots 项，不查长度" for key in missing]
        yield Finding(f"layout/{layout.name}", "warn" if told else "pass", "；".join(told))


_OWN = frozenset({"title", "copy", "serial", "caption", "check_code"})


def _face_findings(name: str, face: Face, renderer: Renderer) -> Iterator[Finding]:
    try:
        preflight(face, renderer)
        rendered = renderer.render(face)
    except RequestError as error:
        yield from (Finding(f"{name}/{fault.code}", "fail", fault.message) for fault in error.faults)
    except CertlibError as error:
        yield Finding(f"{name}/{error.code}", "fail", error.message)
    else:
        again = renderer.render(face)
        same = "pass" if again.pdf == rendered.pdf else "fail"
        yield Finding(f"{name}/repeatable", same, "" if same == "pass" else "同一内容两次生成的文件不同")
        yield from _lint_findings(name, rendered, face, renderer)
        if rendered.code:
            longer = replace(face, code_text=LONG_CODE)
            yield from _lint_findings(f"{name}/longest code", renderer.render(longer), longer, renderer)


def _lint_findings(name: str, rendered: Rendered, face: Face, renderer: Renderer) -> Iterator[Finding]:
    for finding in lint(rendered, face, renderer=renderer):
        yield Finding(f"{name}/{finding.check}", finding.outcome, finding.detail)
