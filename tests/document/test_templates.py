"""Template folders as data."""

import json
import shutil
from pathlib import Path

import pytest

from certlib.document.check import check_template
from certlib.document.face import Carrier, Face
from certlib.document.lint import lint, require
from certlib.document.ornament import frame_svg, measures_of
from certlib.document.preflight import preflight
from certlib.document.renderer import Renderer, default_renderer
from certlib.document.templates import Templates, find_templates
from certlib.errors import ConfigurationError

ROOT = find_templates()
KEYS = tuple(Templates(ROOT))
NEW_KIND = {
    "template.toml": """
key = "bicycle-licence"
title = "自行车经营许可证"
english = "Licence to hire out bicycles"
[layout.face]
main = "face.typ"
page = [148, 210]
margins = [10, 10, 10, 10]
body = [10, 10, 10, 11]
reads = ["{title}", "编号：{number}", "经营者{holder}", "?{caption}", "{issuer}{issued_on}"]
seal = { over = ["issuer", "issued_on"] }
code = { size = 27.0 }
[slots]
number = { label = "编号", width = 100, height = 5, sizes = [12], sample = "自行车许001号" }
issuer = { label = "发证机关", width = 60, height = 6, sizes = [15] }
issued_on = { label = "日期", width = 60, height = 6, sizes = [15] }
holder = { label = "经营者", font = "kai", width = 90, height = 12, sizes = [14, 11] }
""",
    "face.typ": """
#import "@certlib/face:1.0.0": *
#show: setup
#align(center, heading(level: 1, text(font: role("title"), size: 24pt, face.title)))
#align(center)[编号：#fact("number")]
#rows(height: 40mm, label-width: 20mm, "holder")
#place(bottom + left, code())
#place(bottom + right, dy: -15mm, signed())
""",
    "sample.json": json.dumps(
        [
            {"name": name, "copies": [""], "issuer": "赣州市交通运输局", "issued_on": "2026年3月9日",
             "facts": {"number": "自行车许001号", "holder": holder}}
            for name, holder in (("plain", "赣州骑行有限公司"), ("long", "赣州蓉江新区绿色骑行服务有限责任公司"))
        ]
    ),
}  # fmt: skip


def folder_of(tmp_path: Path, changed: dict[str, str] | None = None) -> Path:
    """A new kind of certificate as a folder."""
    folder = tmp_path / "bicycle-licence"
    folder.mkdir(parents=True)
    for name, content in {**NEW_KIND, **(changed or {})}.items():
        (folder / name).write_text(content, "utf-8")
    return folder


def test_the_six_faces_are_there() -> None:
    """The templates shipped include the six faces that the city began with."""
    assert {
        "construction-planning-permit",
        "filing-receipt",
        "gas-licence",
        "licence-decision",
        "medical-device-filing",
        "medical-device-licence",
    } <= set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_every_shipped_face_passes_its_own_check(key: str) -> None:
    """Plain and long samples, file and sheet, every copy: rendered, repeatable, and without any finding."""
    findings = check_template(ROOT / key)
    assert [finding for finding in findings if finding.outcome != "pass"] == []
    assert any(finding.check.startswith("long/") and finding.check.endswith("/code") for finding in findings)
    assert any(finding.check.endswith("/longest code/quiet") for finding in findings)


def test_a_new_kind_of_certificate_is_a_folder_and_no_code(tmp_path: Path, renderer: Renderer) -> None:
    """A folder elsewhere renders with the shipped fonts and shared parts, and passes the same checks."""
    folder = folder_of(tmp_path)
    assert [finding for finding in check_template(folder) if finding.outcome != "pass"] == []
    own = Renderer(Templates(tmp_path), renderer.fonts)
    face = Face(
        template="bicycle-licence",
        title="自行车经营许可证",
        carrier=Carrier.FILE,
        facts={"number": "自行车许002号", "holder": "李䶮"},
        issuer="赣州市交通运输局",
        issued_on="2026年3月9日",
    )
    preflight(face, own)
    require(lint(own.render(face), face, renderer=own))


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("template.toml", 'title = "自行车经营许可证"', "", "title"),
        ("template.toml", 'key = "bicycle-licence"', 'key = "car-licence"', "同名"),
        ("template.toml", "[layout.face]", "[layout.face", "有误"),
        ("template.toml", "width = 100", "breadth = 100", "breadth"),
        ("template.toml", "size = 27.0", "size = [31.0, 27.0]", "code.size"),
        ("template.toml", "size = 27.0", "size = []", "code.size"),
        ("template.toml", "size = 27.0", "size = [27.0, 90.0]", "二维码"),
        ("template.toml", 'main = "face.typ"', 'main = "none.typ"', "none.typ"),
        ("face.typ", "#show: setup", '#import "@preview/cetz:0.3.0": *\n#show: setup', "@preview"),
        ("face.typ", "#show: setup", '#read("/../../fonts/fonts.toml")\n#show: setup', "排版失败"),
        ("face.typ", "#rows(", "#colums(", "排版失败"),
        ("face.typ", '#fact("number")', '#fact("number")号', "不符"),
        ("face.typ", "dy: -15mm", "dx: -90mm, dy: -15mm", "二维码"),
        ("face.typ", "dy: -15mm", "dy: -150mm", "压住"),
        ("face.typ", "dy: -15mm", "dx: 12mm, dy: 0mm", "超出"),
        ("sample.json", "[", "", "sample.json"),
    ],
)
def test_a_wrong_folder_is_told_what_is_wrong(tmp_path: Path, file: str, old: str, new: str, told: str) -> None:
    """Nothing is raised: the check's findings name the mistake."""
    folder = folder_of(tmp_path, {file: NEW_KIND[file].replace(old, new, 1)})
    failed = [finding for finding in check_template(folder) if finding.outcome == "fail"]
    assert any(told in finding.detail for finding in failed)


def test_an_unknown_template_or_copy_is_a_configuration_error(renderer: Renderer) -> None:
    """Names that are no template, or lead out of the folder, and copies without layout."""
    for key in ("none", "../fonts", ""):
        with pytest.raises(ConfigurationError):
            renderer.templates.template(key)
    with pytest.raises(ConfigurationError, match="副本"):
        renderer.templates.template("medical-device-licence").layout("副本")


def test_the_version_changes_with_any_byte_of_folder_or_shared_parts(tmp_path: Path) -> None:
    """What a face was made of can be told from its template's version."""
    versions = set()
    for name in ("a", "b", "c"):
        root = tmp_path / name
        shutil.copytree(ROOT / "packages", root / "packages")
        folder_of(root)
        if name == "b":
            (root / "bicycle-licence" / "face.typ").write_text(NEW_KIND["face.typ"] + " ", "utf-8")
        if name == "c":
            (root / "packages" / "certlib" / "face" / "1.0.0" / "lib.typ").open("a").write(" ")
        versions.add(Templates(root).template("bicycle-licence").version)
    assert len(versions) == 3


@pytest.mark.parametrize("path", sorted(ROOT.glob("*/*.svg")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_border_is_what_its_measures_draw(path: Path) -> None:
    """The committed picture comes from the measures it states."""
    svg = path.read_text("utf-8")
    assert frame_svg(measures_of(svg)) == svg


@pytest.mark.parametrize(
    "key", [key for key in default_renderer().templates if "refusal" in key or key.startswith("non-")]
)
def test_who_is_refused_is_told_of_both_remedies(key: str) -> None:
    """行政许可法 art. 38(2): 行政复议 within sixty days and 行政诉讼 within six months stand on the page."""
    template = default_renderer().templates.template(key)
    said = template.texts["remedies"]
    assert all(words in said for words in ("六十日内", "申请行政复议", "六个月内", "行政诉讼"))
    assert all(any("{text:remedies}" in line for line in layout.reads) for layout in template.layouts)


def test_a_code_has_one_square_or_several_to_try(tmp_path: Path) -> None:
    """A side, or a list from small to large; the shipped faces begin with the usual one."""
    for size, sizes in (("27.0", (27.0,)), ("[27, 31.0]", (27.0, 31.0))):
        folder = folder_of(tmp_path / size, {"template.toml": NEW_KIND["template.toml"].replace("27.0", size)})
        code = Templates(folder.parent).template(folder.name).layout("").code
        assert code is not None
        assert code.sizes == sizes
    shipped = Templates(ROOT)
    specs = [layout.code for key in KEYS for layout in shipped.template(key).layouts if layout.code]
    assert {spec.sizes[:3] for spec in specs} == {(31.0, 33.1, 35.1)}
