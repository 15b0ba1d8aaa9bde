"""The pages in `tests/scripts`: what a person types and sees, from the first command to the last."""

from pathlib import Path

import pytest

from tests.conftest import Run
from tests.sessions import matches, play

PAGES = sorted((Path(__file__).parents[1] / "scripts").glob("*.txt"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(page: Path, certctl: Run, tmp_path: Path) -> None:
    """Each command of the page does what the page says."""
    assert play(page.read_text(encoding="utf-8"), tmp_path, certctl)


def test_a_page_can_fail() -> None:
    """The comparison is strict where no line of dots stands."""
    assert matches("a\n...\nz\n", "a\nb\nc\nz\n")
    assert not matches("a\nz\n", "a\nb\nz\n")
    assert not matches("...\nz\n", "a\ny\n")
