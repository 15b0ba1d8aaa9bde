"""The shipped catalogue and one moment, for all tests here."""

from datetime import UTC, datetime

import pytest

from certlib.catalogue import Catalogue, load_catalogue

NOW = datetime(2026, 3, 4, 2, 30, tzinfo=UTC)  # a Wednesday morning in Shanghai


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The catalogue as it ships."""
    return load_catalogue()


@pytest.fixture(scope="session")
def now() -> datetime:
    """The moment at which everything here is asked."""
    return NOW
