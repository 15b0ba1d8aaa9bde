"""The border of a certificate as an SVG picture: interlaced waves between two rules, a rosette in each corner.

A template folder carries its border as `frame.svg`, made by `frame_svg` from the measures in its comment, so
that a city can lay its own picture there. The waves are cubic curves with the true slope at each quarter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from math import cos, pi, sin

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Frame:
    """Measures of a border in millimetres; colours as #rrggbb, `ink` for rules, `tint` for waves."""

    width: float
    height: float
    inset: float = 9.0  # from the page's edge to the outer rule
    band: float = 8.0  # between the rules
    wave: float = 12.0  # about one wave length
    strands: int = 4
    ink: str = "#8a6d3b"
    tint: str = "#c3a86b"


def frame_svg(frame: Frame) -> str:
    """The border as an SVG document of the page's size."""
    middle = frame.inset + frame.band / 2
    corner = frame.band * 0.78
    parts = [
        *(_rule(frame, frame.inset, 0.7), _rule(frame, frame.inset + 1.1, 0.18)),
        *(_rule(frame, frame.inset + frame.band - 1.1, 0.18), _rule(frame, frame.inset + frame.band, 0.45)),
        _path("".join(_strands(frame, middle)), frame.tint, 0.22),
        *(
            _corner(frame, x, y, corner)
            for x in (middle, frame.width - middle)
            for y in (middle, frame.height - middle)
        ),
    ]
    size = f'viewBox="0 0 {frame.width:g} {frame.height:g}" width="{frame.width:g}mm" height="{frame.height:g}mm"'
    measures = json.dumps(asdict(frame))
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<!-- {measures} -->\n' + "\n".join(parts) + "\n</svg>\n"


def measures_of(svg: str) -> Frame:
    """The measures in the comment of a border made by `frame_svg`. Raises ValueError when it has none."""
    found = re.search(r"<!-- (\{.*\}) -->", svg)
    if not found:
        raise ValueError("the picture has no measures in a comment")
    return Frame(**json.loads(found.group(1)))


def _rule(frame: Frame, inset: float, width: float) -> str:
    return (
        f'<rect x="{inset:g}" y="{inset:g}" width="{frame.width - 2 * inset:g}" height="{frame.height - 2 * inset:g}" '
        f'fill="none" stroke="{frame.ink}" stroke-width="{width:g}"/>'
    )


def _path(data: str, colour: str, width: float) -> str:
    return f'<path d="{data}" fill="none" stroke="{colour}" stroke-width="{width:g}"/>'


def _strands(frame: Frame, middle: float) -> Iterator[str]:
    """Each side's strands: waves of the same length, shifted against each other, with a slow swell."""
    reach = frame.band / 2 - 1.5
    sides: tuple[tuple[float, Callable[[float, float], Point]], ...] = (
        (frame.width - 2 * middle, lambda along, across: (middle + along, middle + across)),
        (frame.width - 2 * middle, lambda along, across: (middle + along, frame.height - middle + across)),
        (frame.height - 2 * middle, lambda along, across: (middle + across, middle + along)),
        (frame.height - 2 * middle, lambda along, across: (frame.width - middle + across, middle + along)),
    )
    for length, place in sides:
        waves = round(length / frame.wave)
        for strand in range(frame.strands):
            phase = 2 * pi * strand / frame.strands
            yield _curve(length, waves, lambda t, phase=phase: reach * sin(t + phase), place)  # type: ignore[misc]


def _curve(length: float, waves: int, height: Callable[[float], float], place: Callable[[float, float], Point]) -> str:
    """A wave as cubic curves, four to a wave length; the control points follow the slope (Hermite to Bézier)."""
    steps, turn = 4 * waves, pi / 2
    step = length / steps
    slope = [(height(turn * i + 1e-4) - height(turn * i - 1e-4)) / 2e-4 * turn for i in range(steps + 1)]
    points = [height(turn * i) for i in range(steps + 1)]
    parts = ["M" + _pair(place(0, points[0]))]
    for i in range(steps):
        first = place(step * (i + 1 / 3), points[i] + slope[i] / 3)
        second = place(step * (i + 2 / 3), points[i + 1] - slope[i + 1] / 3)
        parts.append("C" + " ".join(_pair(point) for point in (first, second, place(step * (i + 1), points[i + 1]))))
    return "".join(parts)


def _corner(frame: Frame, x: float, y: float, radius: float) -> str:
    """A rosette on white, covering where the sides' waves meet."""
    points = 12
    petals = []
    for turned in range(2):
        angles = [2 * pi * (i + turned / 2) / points for i in range(points + 1)]
        outline = "".join(
            f"{'M' if i == 0 else 'Q' + _pair(_polar(x, y, radius * 0.28, (angles[i - 1] + a) / 2)) + ' '}"
            f"{_pair(_polar(x, y, radius * 0.96, a))}"
            for i, a in enumerate(angles)
        )
        petals.append(outline)
    return (
        f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="#ffffff" stroke="{frame.ink}" stroke-width=".4"/>'
        + _path("".join(petals), frame.tint, 0.25)
        + f'<circle cx="{x:g}" cy="{y:g}" r="{radius * 0.3:.3g}" fill="#ffffff" stroke="{frame.ink}" '
        + 'stroke-width=".25"/>'
        + f'<circle cx="{x:g}" cy="{y:g}" r="{radius * 0.12:.3g}" fill="{frame.ink}"/>'
    )


def _polar(x: float, y: float, radius: float, angle: float) -> Point:
    return x + radius * cos(angle), y + radius * sin(angle)


def _pair(point: Point) -> str:
    return f"{point[0]:.2f} {point[1]:.2f}"
