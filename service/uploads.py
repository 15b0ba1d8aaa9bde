"""Files that strangers send: parsed in a process of their own, answered with a verdict and its findings."""

from __future__ import annotations

from typing import Any

from service.running import Running


def examined(service: Running, pdf: bytes) -> dict[str, Any]:
    """The verdict on a PDF against the seals' roots and the register."""
    raise NotImplementedError
