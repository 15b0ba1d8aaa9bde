"""Where an office is put together from its settings: the one place that names concrete parts."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlmodel import Session

from certlib.catalogue import Catalogue, load_catalogue
from certlib.crypto import libcrypto
from certlib.crypto.certificates import Certificate
from certlib.crypto.development import (
    development_folder,
    development_key,
    development_timestamps,
    refuse_development_keys,
)
from certlib.crypto.keys import SigningKey, open_key
from certlib.crypto.material import ValidationMaterial
from certlib.crypto.suites import SUITES
from certlib.crypto.timestamps import HttpTimestamps, Timestamper
from certlib.document.renderer import city_renderer
from certlib.domain.civil import civil_date
from certlib.errors import ConfigurationError
from certlib.formats.trust import Names
from certlib.issue.hooks import read_hooks
from certlib.issue.keyring import Keyring, Rota, SignedCoder, load_keyring
from certlib.issue.levels import Contract, Levels
from certlib.issue.lists import publish_seal_list, publish_trust_list
from certlib.issue.office import Office
from certlib.issue.owncheck import OwnCheck
from certlib.issue.publishing import StatusBoard
from certlib.issue.seal_opening import open_seals, with_emblem
from certlib.issue.settings import Settings
from certlib.issue.witnesses import open_witnesses
from certlib.journal.journal import Journal, journal_keys
from certlib.register.engine import make_engine
from certlib.register.files import FileStore
from certlib.register.journal_store import sql_journal
from certlib.register.ledger import RegisterLedger
from certlib.register.store import Register
from certlib.sealing.emblem import load_emblem
from certlib.sealing.identities import SealKeys
from certlib.sealing.national import NationalHand, open_national
from certlib.sealing.sealer import Sealer
from certlib.sealing.ses import SUITE as SM2
from certlib.sealing.signer import RemoteSealer
from certlib.verify.roots import TrustRoots

_CITY = Names("赣州市", "Ganzhou")


def open_office(settings: Settings, *, clock: Callable[[], datetime] | None = None) -> Office:
    """Open the office that `settings` describe; its register is made when it is new.

    Raises `ConfigurationError` for settings or keys that cannot be used, `StorageError` for a database or disk.
    """
    if not settings.keys:
        refuse_development_keys(settings.environment)
    emblem = load_emblem(settings.home / settings.emblem) if settings.emblem else ""
    catalogue = with_emblem(load_catalogue(), emblem)
    journal_key = _key(settings, "journal")
    journal = sql_journal(_origin(settings), journal_keys(_origin(settings), journal_key))
    settings.home.mkdir(parents=True, exist_ok=True)
    engine = make_engine(settings.database_url)
    register = Register(engine, FileStore(settings.home), journal, clock)
    register.create()
    register.subscriptions = tuple(hook.subscription for hook in read_hooks(settings, catalogue))
    keyring = load_keyring(_keys_folder(settings), _CITY)
    folder = _keys_folder(settings)
    development = settings.in_development
    seals = open_seals(register, catalogue, folder, settings.suite, development=development, emblem=emblem)
    _refuse_copies(settings, seals.keys, journal_key, keyring)
    publish_seals = partial(publish_seal_list, register, catalogue, keyring, folder)
    publish_seals()
    seals.changed.append(publish_seals)
    lease = timedelta(seconds=settings.lease_seconds)
    ledger = RegisterLedger(register, catalogue, level=settings.level, suite=settings.suite, lease=lease)
    timestamper = _timestamper(settings)
    sealer = partial(_sealer, settings, seals.keys, timestamper, ledger)
    office = Office(
        settings=settings,
        catalogue=catalogue,
        register=register,
        renderer=city_renderer(_path(settings.fonts), _path(settings.templates)),
        sealer=RemoteSealer(Path(settings.signer)) if settings.signer else sealer(),
        coder=SignedCoder(keyring.rota("code"), settings.host, civil_date(register.now())),
        check=OwnCheck(seals.keys.certificates, _trust_roots(settings)),
        seals=seals,
        owner=f"{os.getpid()}-{secrets.token_hex(4)}",
        journal=journal,
        board=_board(settings, register, journal, keyring.rota("status")),
        trust_list=publish_trust_list(register, catalogue, keyring, host=settings.host),
        list_keys=keyring.roots,
    )
    office.levels = _levels(settings, register, catalogue, timestamper)
    office.witnesses = open_witnesses(settings, journal, register.now)
    office.closing.append(engine.dispose)
    return office


def _sealer(settings: Settings, keys: SealKeys, timestamper: Timestamper, ledger: RegisterLedger) -> Sealer:
    """The sealer of a process that holds the keys itself."""
    return Sealer(
        keys,
        timestamper,
        ledger,
        material=_material(settings),
        pending=settings.without_timestamp == "pending",
        beside=_national(settings) if settings.national else None,
    )


def _refuse_copies(settings: Settings, seals: SealKeys, journal: SigningKey, keyring: Keyring) -> None:
    """Outside development refuse the development keys by fingerprint, wherever they were copied to."""
    seal_keys = (one.spki for seal in seals.values() for one in (seal.certificate, *seal.chain))
    roots = (Certificate.load(der).spki for der in _trust_roots(settings).certificates)
    listed = (key.public_key for key in keyring.trusted)
    refuse_development_keys(settings.environment, (journal.public_key, *keyring.roots, *listed, *seal_keys, *roots))


def _origin(settings: Settings) -> str:
    return f"{settings.host}/log"


def _key(settings: Settings, label: str) -> SigningKey:
    return open_key(f"pem:{Path(settings.keys) / 'keys' / label}.pem") if settings.keys else development_key(label)


def _keys_folder(settings: Settings) -> Path:
    return Path(settings.keys) if settings.keys else development_folder()


def _trust_roots(settings: Settings) -> TrustRoots:
    return TrustRoots.load(Path(settings.keys) / "trust" if settings.keys else None)


def _path(text: str) -> Path | None:
    return Path(text) if text else None


def _timestamper(settings: Settings) -> Timestamper:
    if settings.timestamps:
        return HttpTimestamps(settings.timestamps, timeout=settings.timestamp_seconds)
    refuse_development_keys(settings.environment)
    return development_timestamps(settings.suite)


def _national(settings: Settings) -> NationalHand:
    """Raises `ConfigurationError` when this machine cannot sign with SM2."""
    if why := libcrypto.unavailable():
        raise ConfigurationError(f"设置 national 要求国密，但本机不能用 SM2 签名：{why}。")
    pending = settings.without_timestamp == "pending"
    folder, stamps = _keys_folder(settings), _national_timestamper(settings)
    material = _material(settings) if settings.level == "B-LT" else None
    return open_national(folder, stamps, parts=settings.national, pending=pending, material=material)


def _national_timestamper(settings: Settings) -> Timestamper:
    if settings.national_timestamps:
        return HttpTimestamps(settings.national_timestamps, timeout=settings.timestamp_seconds, digest="sm3")
    refuse_development_keys(settings.environment)
    return development_timestamps(SM2)


def _material(settings: Settings) -> ValidationMaterial:
    """The authorities and current revocation lists of every suite: seal and timestamp may be of different ones."""
    folder = _keys_folder(settings)
    parts = [ValidationMaterial.load(folder, suite.short) for suite in SUITES.values()]
    certificates = tuple(one for part in parts for one in part.certificates)
    return ValidationMaterial(certificates, tuple(one for part in parts for one in part.revocation))


def _levels(settings: Settings, register: Register, catalogue: Catalogue, timestamper: Timestamper) -> Levels:
    contract = Contract(
        target=settings.raise_to, margin=timedelta(days=settings.renew_days), batch=settings.raise_batch
    )
    return Levels(
        register=register,
        catalogue=catalogue,
        timestampers=lambda suite: _national_timestamper(settings) if suite == SM2 != settings.suite else timestamper,
        material=lambda _: _material(settings),
        contract=contract,
    )


def _board(settings: Settings, register: Register, journal: Journal[Session], keys: Rota) -> StatusBoard:
    return StatusBoard(register, journal, keys, f"https://{settings.host}/public/status")
