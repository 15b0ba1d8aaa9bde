"""The examination of a file's seals, with the verifier that anybody can install."""

from __future__ import annotations

from datetime import datetime

from city_repository.files import Examination
from city_repository.settings import RepositorySettings


def examination(settings: RepositorySettings) -> Examination:
    """The examination these settings ask for."""
    return _unexamined


def _unexamined(_: bytes, __: datetime) -> str:
    return ""
