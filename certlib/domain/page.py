"""Places on a page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, in millimetres from the page's upper left corner. Pages count from 1."""

    page: int
    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the box, in millimetres from the upper left corner."""
        return self.x + self.width / 2, self.y + self.height / 2
