"""The repository's settings, given on the command line or by whoever starts the application."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEVELOPMENT = "development"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositorySettings:
    """`home` holds the database; `trust` the roots of seals as PEM files, the development roots when None.

    `examine` may be switched off only in development, to measure the rest or to push synthetic files.
    """

    home: Path = Path("city-home")
    environment: str = DEVELOPMENT
    trust: Path | None = None
    types: Path | None = None
    accounts: Path | None = None
    examine: bool = True
    max_body: int = 48 * 1024 * 1024
    max_records: int = 100
    token_seconds: int = 1800

    @property
    def in_development(self) -> bool:
        """Whether faults may be switched on and development accounts used."""
        return self.environment == DEVELOPMENT
