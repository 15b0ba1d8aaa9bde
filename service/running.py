"""What a running service holds, and how routes reach it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, cast

from fastapi import Depends, Request
from joserfc.jwk import ECKey
from limits.storage import Storage, storage_from_string

from certlib.city.permits import PermitDesk
from certlib.city.publicity import load_template
from certlib.formats.trust import TrustList, read_trust_list
from certlib.issue.office import Office
from certlib.issue.settings import Settings
from certlib.verify.roots import TrustRoots
from certlib.verify.sandbox import Sandbox
from service.clients import Client
from service.counting import Counting, Memory, Shared
from service.delivering import Watch
from service.gate import Gate
from service.metrics import Metrics
from service.published import Shelf
from service.rounds import Rounds
from service.settings import ServiceSettings
from service.tokendesk import TokenDesk

LOOKING_PLACES = 2
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The process's clock; the only place of the service that reads it."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One running service: the office behind it, who may call, how much at once."""

    office: Office
    settings: ServiceSettings
    roots: tuple[bytes, ...]  # public keys that sign trust list and seal list, SubjectPublicKeyInfo
    trust: TrustList
    sandbox: Sandbox
    clock: Clock
    desk: TokenDesk
    counting: Counting
    issuing: Gate
    checking: Gate
    metrics: Metrics
    shelf: Shelf = field(default_factory=Shelf)
    # more at once gain nothing: threads that ask SQLite pass the interpreter's lock around at every statement
    looking: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(LOOKING_PLACES))
    rounds: Rounds
    watch: Watch
    permits: PermitDesk
    heavy: threading.Lock = field(default_factory=threading.Lock)  # one export, or one round of the checker on demand
    # one report at a time: each reads much of the register
    reporting: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(1))
    draining: threading.Event = field(default_factory=threading.Event)

    @property
    def base(self) -> str:
        """The public address without a final slash."""
        return self.settings.base


def assemble(
    office: Office, settings: ServiceSettings, *, clients: dict[str, Client], token_key: ECKey, clock: Clock = utc_now
) -> Running:
    """Put a service together from its parts. Raises `ConfigurationError` for a data file that is wrong."""
    metrics = Metrics()
    counters = cast("Storage", storage_from_string(settings.counters))
    alone = settings.counters.startswith("memory")
    desk = TokenDesk(
        base=settings.base,
        key=token_key,
        clients=clients,
        used=counters,
        lifetime=timedelta(seconds=settings.token_seconds),
        started=clock() if alone else None,
    )
    rounds, watch = Rounds(office.settings.home), Watch(office)
    watch.trouble = lambda: rounds.detail("city")  # of a worker elsewhere, until one is started in this process
    return Running(
        office=office,
        settings=settings,
        roots=office.list_keys,
        trust=read_trust_list(office.trust_list, office.list_keys),
        sandbox=Sandbox(seal_roots(office.settings), places=settings.checking_places, waiting=settings.checking_queue),
        clock=clock,
        desk=desk,
        counting=Counting(Memory() if alone else Shared(counters)),
        issuing=Gate(settings.issuing_places, queue=settings.issuing_queue, patience=settings.patience_seconds),
        checking=Gate(settings.checking_places, queue=settings.checking_queue, patience=settings.patience_seconds),
        metrics=metrics,
        rounds=rounds,
        watch=watch,
        permits=PermitDesk(office.register, office.catalogue, load_template(settings.permits_template)),
    )


def seal_roots(settings: Settings) -> TrustRoots:
    """The X.509 roots of the office's seals. Raises `ConfigurationError` when there are none."""
    return TrustRoots.load(Path(settings.keys) / "trust" if settings.keys else None)


async def running(request: Request) -> Running:
    """The service that answers this request; a coroutine, or each request would wait for a thread to say it."""
    return cast("Running", request.app.state.running)


Service = Annotated[Running, Depends(running)]
