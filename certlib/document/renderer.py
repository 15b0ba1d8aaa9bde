"""Sets a face with typst: PDF/A-3a and PDF/UA-1 with the facts attached, and where seal and code belong.

One `Compiler` for each thread and layout: typst refuses to share one between threads, and a new one for each
document costs several times the compilation. The fonts are shared. Positions are asked of the compiled document
(label `<spot>`), which costs nothing once it is laid out.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import typst

from certlib.document.code import ENCODER, CodePicture, draw_code
from certlib.document.face import Carrier, Face, Rendered
from certlib.document.fonts import Fonts, load_fonts
from certlib.document.glyphs import place_at_keyword
from certlib.document.templates import Layout, Template, Templates, find_templates
from certlib.domain.page import Box
from certlib.errors import RenderError

STANDARDS: list[Any] = ["a-3a", "ua-1"]


@dataclass(frozen=True, slots=True)
class Spot:
    """Something the compiled document tells of itself. Millimetres from the page's upper left corner."""

    kind: str  # "seal" | "code" | "overflow" | "end"
    page: int
    x: float
    y: float
    size: float = 0.0
    quiet: float = 0.0
    key: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a compilation gave: the file and its spots."""

    pdf: bytes
    spots: tuple[Spot, ...]

    def one(self, kind: str) -> Spot | None:
        """The first spot of that kind, or None."""
        return next((spot for spot in self.spots if spot.kind == kind), None)


class Renderer:
    """Renders faces from one folder of templates with one set of fonts. Safe to share between threads."""

    def __init__(self, templates: Templates, fonts: Fonts, *, encoder: str = ENCODER) -> None:
        """`encoder` makes the codes, see `certlib.document.code.ENCODERS`."""
        self.templates = templates
        self.fonts = fonts
        self.encoder = encoder
        self._compilers = threading.local()

    def layout(self, face: Face) -> tuple[Template, Layout]:
        """The template and layout of the face. Raises `ConfigurationError` when there is none."""
        template = self.templates.template(face.template)
        return template, template.layout(face.copy_label)

    def render(self, face: Face) -> Rendered:
        """The unsealed file of the face. The same face gives the same bytes.

        Raises `RenderError` when the face cannot be set, and `ConfigurationError` for a missing template.
        """
        template, layout = self.layout(face)
        setting = self.compile(face, template, layout)
        if overflow := setting.one("overflow"):
            raise RenderError(
                f"“{label(face, layout, overflow.key)}”的内容超出版面，未生成文件 (text too long for its box)"
            )
        end, code = setting.one("end"), setting.one("code")
        return Rendered(
            pdf=setting.pdf,
            pages=end.page if end else layout.pages[0],
            seal=_seal_place(setting, layout, face.seal_diameter),
            code=_box(code),
            quiet=code.quiet if code else 0.0,
            template=template.key,
            template_version=template.version,
            straddle=layout.seal.straddle if layout.seal else 0,
        )

    def compile(self, face: Face, template: Template, layout: Layout) -> Setting:
        """Compile once and ask for the spots; texts that do not fit are spots, not errors.

        Raises `RenderError` when typst refuses.
        """
        inputs = _inputs(face, template, layout, self.fonts, self.encoder)
        compiler = self._compiler(template, layout)
        try:
            pdf = compiler.compile(
                format="pdf", sys_inputs=inputs, pdf_standards=STANDARDS, timestamp=_timestamp(face.made_at)
            )
            spots = json.loads(compiler.query("<spot>", field="value"))
        except typst.TypstError as error:
            raise RenderError(
                f"“{face.title}”排版失败：{error.message}，未生成文件 (typesetting failed)",
                extra={"hints": list(error.hints), "trace": list(error.trace)},
            ) from error
        assert isinstance(pdf, bytes)  # noqa: S101 (one output format, one result)
        # ISO 19005-3, 6.1.9: the first object of the seal's update must begin on a line of its own.
        return Setting(pdf + b"\n", tuple(Spot(**spot) for spot in spots))

    def _compiler(self, template: Template, layout: Layout) -> typst.Compiler:
        own: dict[Path, typst.Compiler] = self._compilers.__dict__.setdefault("by_source", {})
        source = template.folder / layout.main
        if source not in own:
            own[source] = typst.Compiler(
                input=str(source),
                root=str(template.folder),
                font_paths=self.fonts.typst,
                ignore_system_fonts=True,
                package_path=str(self.templates.packages),
                package_cache_path=str(self.templates.packages),
            )
        return own[source]


@cache
def default_renderer() -> Renderer:
    """The shipped templates and fonts, made once in a process."""
    root = find_templates()
    return Renderer(Templates(root), load_fonts(root / "fonts"))


def city_renderer(fonts: Path | None = None, templates: Path | None = None) -> Renderer:
    """A renderer with the city's font folder laid over the shipped fonts, or with its own templates."""
    root = find_templates()
    return Renderer(Templates(templates or root), load_fonts(root / "fonts", fonts))


def label(face: Face, layout: Layout, key: str) -> str:
    """The Chinese name of a fact: the request's label, else the printed one, else the key."""
    slot = layout.slots.get(key)
    return face.labels.get(key) or (slot.label if slot else "") or key


def _inputs(face: Face, template: Template, layout: Layout, fonts: Fonts, encoder: str) -> dict[str, str]:
    """What typst gets: strings only, and every fact inside JSON, so that nothing of it is read as markup."""
    picture = draw_code_of(face, layout, encoder)
    attachment = face.attachment if face.carrier is Carrier.FILE else b""
    inputs = {"face": json.dumps(_data(face, template, layout, fonts, picture), ensure_ascii=False)}
    if picture:
        inputs["code"] = picture.svg
    if face.seal_svg and face.carrier is Carrier.SHEET:
        inputs["seal"] = face.seal_svg
    if attachment:
        try:
            inputs["attachment"] = attachment.decode("utf-8")
        except UnicodeDecodeError as error:
            raise RenderError("附件数据不是 UTF-8 编码的 JSON，未生成文件 (the attachment must be JSON)") from error
    return inputs


def draw_code_of(face: Face, layout: Layout, encoder: str = ENCODER) -> CodePicture | None:
    """The face's code as its layout wants it, or None when the face or the layout has none."""
    if not face.code_text or layout.code is None:
        return None
    spec = layout.code
    return draw_code(
        face.code_text, squares=spec.sizes, correction=spec.correction, version=spec.version, encoder=encoder
    )


def _data(
    face: Face, template: Template, layout: Layout, fonts: Fonts, picture: CodePicture | None
) -> Mapping[str, Any]:
    sheet = face.carrier is Carrier.SHEET
    number = face.facts.get("number", "")
    return {
        "title": face.title,
        "description": f"{face.title} {number}".strip(),
        "carrier": face.carrier.value,
        "layout": layout.name,
        "copy_label": face.copy_label,
        "facts": {**face.facts, "issuer": face.issuer, "issued_on": face.issued_on},
        "issuer": face.issuer,
        "serial": face.serial,
        "mark": face.mark,
        "overprint": face.overprint,
        "offset": face.offset,
        "seal": bool(face.seal_svg) and sheet,
        "seal_diameter": face.seal_diameter,
        "code": _code_data(picture, layout),
        "code_caption": face.code_caption,
        "attachment": bool(face.attachment) and not sheet,
        "roles": {name: role.as_typst() for name, role in fonts.roles.items()},
        "template": template.source,
    }


def _code_data(picture: CodePicture | None, layout: Layout) -> Mapping[str, float] | None:
    """What the source needs of the code; `grown`: by how much it is wider than the usual square, in millimetres."""
    if picture is None or layout.code is None:
        return None
    grown = max(0.0, picture.side - layout.code.sizes[0])
    return {"side": picture.side, "module": picture.module, "grown": grown}


def _timestamp(made_at: str) -> int:
    """Seconds since the epoch; a face without a time gets the epoch's, so that its bytes stay the same."""
    if not made_at:
        return 0
    moment = datetime.fromisoformat(made_at)
    if moment.tzinfo is None:
        raise RenderError(f"制作时间 {made_at} 未注明时区 (made_at must carry its time zone)")
    return int(moment.timestamp())


def _seal_place(setting: Setting, layout: Layout, diameter: float) -> Box | None:
    """Where the seal belongs: at the layout's keyword, else where the source marked it."""
    if layout.seal and layout.seal.keyword:
        return place_at_keyword(setting.pdf, layout.seal.keyword, diameter)
    return _box(setting.one("seal"))


def _box(spot: Spot | None) -> Box | None:
    if spot is None:
        return None
    return Box(page=spot.page, x=spot.x, y=spot.y, width=spot.size, height=spot.size)
