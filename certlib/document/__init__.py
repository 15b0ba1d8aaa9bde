"""Documents and certificates as pages: templates, fonts, the QR picture, rendering, and the checks around it.

`preflight` before anything is numbered, `Renderer.render`, then `require(lint(…))` before anything is sealed.
"""

from __future__ import annotations

from certlib.document.check import check_template
from certlib.document.code import qr_svg
from certlib.document.face import Carrier, Face, Rendered
from certlib.document.fonts import Fonts, load_fonts
from certlib.document.lint import lint, require
from certlib.document.preflight import preflight
from certlib.document.renderer import Renderer, city_renderer, default_renderer
from certlib.document.templates import Template, Templates, find_templates

__all__ = [
    "Carrier",
    "Face",
    "Fonts",
    "Rendered",
    "Renderer",
    "Template",
    "Templates",
    "check_template",
    "city_renderer",
    "default_renderer",
    "find_templates",
    "lint",
    "load_fonts",
    "preflight",
    "qr_svg",
    "require",
]
