"""The repository put together: everything a route needs, made once from the settings."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

from city_repository.accounts import Account, Desk, load_accounts
from city_repository.catalogue import TypeEntry, load_types
from city_repository.codes import Codes, load_codes
from city_repository.comparison import Comparison
from city_repository.copies import Copies
from city_repository.examination import examination
from city_repository.intake import Intake
from city_repository.settings import RepositorySettings
from city_repository.sharing import Sharing
from city_repository.store import Store

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Repository:
    """The parts of a running repository."""

    settings: RepositorySettings
    clock: Clock
    store: Store
    codes: Codes
    types: dict[str, TypeEntry]
    accounts: dict[str, Account]
    desk: Desk
    intake: Intake
    comparison: Comparison
    sharing: Sharing
    start: Callable[[], None]
    held: ExitStack

    def close(self) -> None:
        """End the examining process."""
        self.held.close()


def open_repository(settings: RepositorySettings, clock: Clock) -> Repository:
    """Open database and tables. Raises `ConfigurationError` when a file it needs is wrong."""
    store = Store(settings.home / "city.db")
    held = ExitStack()
    examine, start = examination(settings, held)
    codes, types = load_codes(), load_types(settings.types)
    accounts = load_accounts(settings.accounts, development=settings.in_development)
    return Repository(
        settings=settings,
        clock=clock,
        store=store,
        codes=codes,
        types=types,
        accounts=accounts,
        desk=Desk(accounts, life=timedelta(seconds=settings.token_seconds)),
        intake=Intake(store, codes, types, examine),
        comparison=Comparison(store),
        sharing=Sharing(store, codes, types, examine, Copies(store)),
        start=start,
        held=held,
    )
