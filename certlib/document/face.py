"""What is to be printed and what came of it: the values between the issue, the renderer, the lint and the seal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from certlib.domain.page import Box


class Carrier(StrEnum):
    """On what a face is borne."""

    FILE = "file"  # the electronic certificate
    SHEET = "sheet"  # one numbered piece of paper


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """Everything a template needs to set one carrier. All texts are final; the template computes nothing.

    `facts` holds what the paper shows, key to text (dates already as 年月日, lists joined by line breaks);
    `issuer` is the deciding authority's name, `issued_on` the date line; `code_text` the full text of the QR
    code, empty for none; `code_caption` the domain in words beneath it; `attachment` the machine-readable
    facts, attached as `facts.json` to files; `seal_svg` the picture of the seal for a sheet whose seal is
    printed, or None; `serial` the number of the blank sheet; `mark` a watermark such as 预览 or 已注销;
    `overprint` leaves out what a pre-printed blank carries already (套打), everything else keeps its place;
    `offset` moves the whole page right and down by so many millimetres, which is what a window's printer is off by.
    """

    template: str
    title: str
    carrier: Carrier
    facts: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)  # Chinese labels, for error messages
    issuer: str
    issued_on: str
    copy_label: str = ""  # 正本 | 副本
    code_text: str = ""
    code_caption: str = ""
    attachment: bytes = b""
    seal_svg: str | None = None
    seal_diameter: float = 42.0  # millimetres
    serial: str = ""
    mark: str = ""
    overprint: bool = False
    offset: tuple[float, float] = (0.0, 0.0)
    made_at: str = ""  # ISO 8601 UTC, for the document's dates: the same face gives the same bytes


@dataclass(frozen=True, slots=True)
class Rendered:
    """An unsealed PDF/A-3a + PDF/UA-1 file and where its seal and code belong.

    `seal` is the square into which the seal's circle fits exactly, `code` the code's square without quiet zone;
    `quiet` is the width of that zone in millimetres, four of this code's own modules. `straddle` is the most pages
    over which one circle is cut along their right edges, 0 for none; the renderer draws nothing of it.
    """

    pdf: bytes
    pages: int
    seal: Box | None
    code: Box | None
    quiet: float
    template: str
    template_version: str  # SHA-256 over the template's folder and the shared parts, first 16 hex digits
    straddle: int = 0
