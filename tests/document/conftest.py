"""What the document tests share: the shipped renderer and the faces of the templates' own samples."""

import pytest

from certlib.document.check import sample_faces
from certlib.document.face import Face
from certlib.document.renderer import Renderer, default_renderer


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    """The shipped templates and fonts."""
    return default_renderer()


@pytest.fixture
def licence(renderer: Renderer) -> Face:
    """医疗器械经营许可证 as an electronic file."""
    return dict(sample_faces(renderer.templates.template("medical-device-licence")))["plain/电子/file"]


@pytest.fixture
def decision(renderer: Renderer) -> Face:
    """准予行政许可决定书 as an electronic file."""
    return dict(sample_faces(renderer.templates.template("licence-decision")))["plain/电子/file"]
